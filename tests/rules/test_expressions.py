"""Conditions and texts of a mapping: what is taken, what is not, and that none of it can take long or make much."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from filesync.errors import ConfigError
from filesync.rules.asking import known
from filesync.rules.expressions import Condition, Form
from tests.rules.build import contract, rules
from tests.rules.test_mapping import CONTRACT

ISSUE = known(
    {"type": "Bug", "severity": "Major", "Fix version": "2.0", "points": "3", "labels:b": True, "labels:a": True}, key="A-1"
)


@pytest.mark.parametrize(
    ("source", "names", "holds"),
    [
        ("type == 'Bug' and severity in ['Critical', 'Major']", {"type", "severity"}, True),
        ("'a' in labels and labels | length == 2", {"labels"}, True),
        ("fields['Fix version'] == '2.0'", {"Fix version"}, True),
        ("points | float > 2.5", {"points"}, True),
        ("empty | float > 2.5 or empty == 'x' or 'x' in empty or empty", {"empty"}, False),
        ("key == 'A-1'", set(), True),
    ],
)
def test_what_a_condition_asks_for_and_answers(source: str, names: set[str], holds: bool) -> None:
    condition = Condition(source)
    assert condition.names == names
    assert condition.holds(ISSUE) is holds


@pytest.mark.parametrize(
    "source",
    [
        "labels.append('x')",
        "range(9)",
        "''.join(labels)",
        "lipsum()",
        "type |",
        "type | nothing",
        "labels | list",
        "type | format(10)",
        "type | center(1000000000)",
        "fields[key]",
        "fields.type == 'Bug'",
        "type.upper",
        "fields",
        "'type' in fields",
        "self",
        "fields[type:] == 'a'",
        "labels[type:]",
        "{% for a in labels %}{% endfor %}",
    ],
)
def test_what_could_do_more_than_say_something_is_not_compiled(source: str) -> None:
    with pytest.raises(ValueError):
        Condition(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in labels %}{{ a }}{% endfor %}",
        "{% set a = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% macro a() %}{% endmacro %}",
        "{{ value",
        "{{ self.x() }}",
    ],
)
def test_a_text_has_no_loops_and_reads_no_files(source: str) -> None:
    with pytest.raises(ValueError):
        Form(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ value | replace('x', value) }}",
        "{{ labels | join(value) }}",
    ],
)
def test_what_would_grow_beyond_measure_is_refused_before_it_does(source: str) -> None:
    form = Form(source)
    with pytest.raises(ValueError, match=r"characters|numbers|not taken"):
        form.filled({**ISSUE, "value": "x" * 32_000, "labels": ["a", "b", "c"]})


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + " ~ ".join(["value"] * 40) + " }}",
        "{{ " + " + ".join(["value"] * 40) + " }}",
        "{{ value }}" * 40,
        "{{ l | join(value) }}",
    ],
)
def test_what_would_be_too_long_is_not_put_together_first(source: str) -> None:
    form = Form(source)
    known = {"value": "x" * 1_000_000, "l": ["a"] * 40}
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="characters"):
            form.filled(known)
        assert tracemalloc.get_traced_memory()[1] < len(known["value"])
    finally:
        tracemalloc.stop()


def test_short_texts_and_numbers_are_added_as_ever() -> None:
    assert Form("{{ value ~ '/' ~ 3 }}{{ value + '!' }}{{ 1 + 2 }}").filled({"value": "a"}) == "a/3a!3"


def test_a_value_is_never_a_template_nor_the_way_to_python() -> None:
    value = "{{ 7 * 7 }}{% for a in b %}"
    form = Form("{{ value }}{{ value['__class__'] }}{{ value['upper'] }}")
    assert form.filled({"value": value}) == value


def test_what_fails_is_said_without_a_value() -> None:
    for source in ("secret < 3", "secret | float > 1", "secret['a']['b']", "secret + 1", "[1] | sort(attribute=secret)"):
        with pytest.raises(ValueError) as caught:
            Condition(source).holds({"secret": "hunter2"})
        assert "hunter2" not in str(caught.value)


def test_a_single_equals_sign_is_told_from_what_goes_on() -> None:
    for source, said in (
        ("type = Bug", "it is `==`"),
        ("type = 'Bug' and severity != 'Low'", "it is `==`"),
        ("type == 'a=b' severity", "goes on where an expression ends"),
        ("labels | sort(reverse=true) labels", "goes on where an expression ends"),
    ):
        with pytest.raises(ValueError, match=said):
            Condition(source)
    with pytest.raises(ValueError, match="it is `==`"):
        Form("{{ 'a' if type = 'Bug' }}")


def test_a_mapping_names_the_place_of_what_it_cannot_say(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(
            tmp_path,
            CONTRACT,
            """\
fields:
  priority: {field: priority, when: "type =="}
  due: {field: due, way: out, text: "{{ value }}"}
  summary: {field: summary, text: "{{ value }}"}
  type: {field: type, when: "key"}
""",
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "mapping.yaml:2:37: unexpected 'end of template'",
        'mapping.yaml:3:31: "due" is no free text in the contract',
        "mapping.yaml:4:29: what is told as a text cannot be read back: say `way: out`",
        "mapping.yaml:5:23: nothing can be made without its type: it always flows both ways",
    ]


def test_a_mapping_without_conditions_does_not_load_what_compiles_them(tmp_path: Path) -> None:
    contract(tmp_path, CONTRACT)
    (tmp_path / "mapping.yaml").write_text("fields: {priority: {field: priority, way: out}}\n")
    script = (
        "import sys; from pathlib import Path; from filesync.rules.load import load_rules; "
        "load_rules(Path('contract.yaml'), Path('mapping.yaml'), site='acme'); sys.exit('jinja2' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(root)}, check=True)


@pytest.mark.parametrize("source", ["value | nosuch", "value is nosuch", "(" * 5_000 + "1" + ")" * 5_000])
def test_what_jinja_does_not_know_is_a_mistake_in_the_writing(source: str) -> None:
    for made in (lambda: Condition(source), lambda: Form("{{ " + source + " }}")):
        with pytest.raises(ValueError, match=r"named 'nosuch'|nested too deeply"):
            made()
