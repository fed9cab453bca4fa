"""YAML as filesync takes it: no surprises, and every problem with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync import settings
from filesync.bundle import schema
from filesync.errors import ConfigError
from filesync.settings import MAX_BYTES, MAX_DEPTH, Document, check, did_you_mean, load, quoted


def read(raw: bytes, *, name: str) -> Document:
    document, found = settings.read(raw, name=name)
    if found:
        raise ConfigError(found)
    return document


def problems(raw: bytes | str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(raw if isinstance(raw, bytes) else raw.encode(), name="a.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("no", "no"),
        ("On", "On"),
        ("True", "True"),
        ("0x1f", "0x1f"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2026-11-23", "2026-11-23"),
        ("12:30:45", "12:30:45"),
        ("99999999999999999999", "99999999999999999999"),
        ('"true"', "true"),
        ("'12'", "12"),
        ("<<", "<<"),
    ],
)
def test_only_true_false_null_and_plain_numbers_are_not_text(word: str, value: object) -> None:
    document = read(f"key: {word}\n".encode(), name="a.yaml")
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


def test_keys_are_always_text() -> None:
    assert read(b"{1: a, true: b, no: c}", name="a.yaml").data == {"1": "a", "true": "b", "no": "c"}


def test_a_file_of_comments_says_nothing() -> None:
    assert read(b"# nothing yet\n", name="a.yaml").data == {}


def test_places_are_those_of_the_value_and_of_the_key() -> None:
    document = read(b"peers:\n  - name: globex\n    carrier:  usb\n", name="a.yaml")
    at = ("peers", 0, "carrier")
    assert document.problem(at, "x").where == "a.yaml:3:15"
    assert document.problem(at, "x", key=True).where == "a.yaml:3:5"


def test_a_missing_thing_is_placed_where_it_would_stand() -> None:
    document = read(b"a: 1\npeers:\n  - name: globex\n", name="a.yaml")
    assert document.problem(("peers", 0, "carrier", "deep"), "x").where == "a.yaml:3:5"
    assert Document("a.yaml", {}, {}, {}).problem(("x",), "x").where == "a.yaml:1:1"


def test_every_key_given_twice_is_named_with_both_lines() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 2\n") == [
        'a.yaml:2:11: "c" is given twice, first in line 2',
        'a.yaml:3:1: "a" is given twice, first in line 1',
    ]


def test_a_key_that_is_a_list_is_refused() -> None:
    assert problems("? [a, b]\n: 1\n") == ["a.yaml:1:3: a key must be one word"]


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "b: *x\n", "a: &x [1]\n"])
def test_anchors_and_aliases_are_refused(text: str) -> None:
    assert problems(text)[0].endswith("anchors and aliases (&, *) are not taken")


def test_a_billion_laughs_never_get_going() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert problems("\n".join(lines)) == ["a.yaml:1:5: anchors and aliases (&, *) are not taken"]


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system [ls]", "a: !!binary aGk=", "a: !x y", "!!map {a: 1}", "a: ! b"]
)
def test_tags_are_refused(text: str) -> None:
    assert problems(text)[0].endswith("tags (!) are not taken")


def test_depth_is_bounded() -> None:
    deepest = MAX_DEPTH - 1
    assert read(b"[" * deepest + b"x" + b"]" * deepest, name="a.yaml").data
    assert problems("[" * 5000) == [f"a.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"]


def test_size_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than a settings file may be"):
        load(path, "config")


def test_what_is_not_utf8_is_named_by_its_line() -> None:
    assert problems(b"a: 1\nb: \xff\n") == ["a.yaml:2: not UTF-8"]


def test_a_slip_of_spelling_is_looked_for_in_the_line_before_too() -> None:
    with pytest.raises(ConfigError, match="mapping values are not allowed here") as told:
        read(b"a\nb: c\n", name="a.yaml")
    assert "the one before" in told.value.hint
    with pytest.raises(ConfigError, match="anchors") as told:
        read(b"a: &b c\n", name="a.yaml")
    assert told.value.hint == ""


def test_what_is_not_yaml_is_named_by_its_place() -> None:
    assert problems("a: [1, 2\nb: 3\n")[0].startswith("a.yaml:2:")
    assert problems("a: 1\n---\nb: 2\n")[0].startswith("a.yaml:2:1")
    assert problems("a: \x00") == ["a.yaml: holds characters that YAML does not allow"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load(tmp_path / "nowhere.yaml", "config")


def test_what_is_missing_at_one_place_is_told_in_one_order() -> None:
    told = [one.what for one in check(read(b"{}", name="contract.yaml"), "contract")]
    assert len(told) > 1
    assert told == sorted(told)


def test_every_misfit_is_told_at_once_in_the_order_of_the_lines() -> None:
    document = read(
        b"""\
version: one
winer: acme
types: []
statuses: [To Do, To Do]
deletes: {issue: mirrow}
comments: yes
users: [""]
fields:
  Summary: {kind: txt}
  labels: {many: true, options: {a: b}, from: ACME}
""",
        name="contract.yaml",
    )
    assert (
        [str(problem) for problem in check(document, "contract")]
        == """\
contract.yaml:1:10: must be a whole number
contract.yaml:2:1: unknown key "winer"; did you mean "winner"?
contract.yaml:3:8: must not be empty
contract.yaml:4:19: "To Do" is given twice
contract.yaml:5:18: must be one of mark, mirror, ignore, origin; did you mean "mirror"?
contract.yaml:6:11: must be true or false or a map (key: value)
contract.yaml:7:9: "" does not fit; expected: 1 to 255 characters, none of them a control character
contract.yaml:9:3: "Summary" is no name that can stand here; expected: a lower-case letter, then up to 62 lower-case letters, digits or underscores
contract.yaml:9:19: must be one of text, number, date, datetime, user, option, cascade, version, component, label, type, status, parent; did you mean "text"?
contract.yaml:10:11: "kind" is missing
contract.yaml:10:33: must be a list
contract.yaml:10:47: "ACME" does not fit; expected: a site's name: a lower-case letter, then up to 31 lower-case letters, digits or dashes
""".splitlines()
    )


def test_what_is_given_twice_is_that_and_nothing_that_is_merely_equal() -> None:
    told = check(read(b"version: 1\ntypes: [1, true, 'true', true]\nfields: {}\n", name="contract.yaml"), "contract")
    assert [str(one) for one in told if "twice" in one.what] == ['contract.yaml:2:26: "True" is given twice']


def test_of_countless_mistakes_a_hundred_are_told() -> None:
    words = ", ".join(f"Type {number // 2}" for number in range(4_000))
    found = check(read(f"version: 1\ntypes: [{words}]\nfields: {{}}\n".encode(), name="contract.yaml"), "contract")
    assert len(found) == schema.MOST


def test_a_file_may_have_colons_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "v:2 at 10:30.yaml"
    path.write_text("winer: 1\nversion: 1\nfildes: {}\nfields: {}\n")
    with pytest.raises(ConfigError) as told:
        load(path, "contract")
    assert [one.where.removeprefix(path.name) for one in told.value.problems] == [":1:1", ":1:1", ":3:1"]


def test_numbers_out_of_bounds_are_told() -> None:
    document = read(b"version: 0\ntypes: [A]\nfields: {}\n", name="c.yaml")
    assert [str(problem) for problem in check(document, "contract")] == ["c.yaml:1:10: must be from 1 to 999999999"]


def test_what_a_setting_may_be_is_said_with_its_place_and_where_to_read(tmp_path: Path) -> None:
    path = tmp_path / "filesync.yaml"
    path.write_text(
        """\
version: 2
site: {id: 11111111-1111-4111-8111-111111111111, name: acme}
tracker: {kind: embedded, project: ABC}
limits:
  settle: 0
  level: 20
  max_bundle_bytes: 64
"""
    )
    with pytest.raises(ConfigError) as caught:
        settings.load(path, "config")
    assert [str(problem) for problem in caught.value.problems] == [
        "filesync.yaml:1:10: must be 1: this filesync knows no other",
        "filesync.yaml:5:11: must be a whole number and s, m, h or d, as in 10m",
        "filesync.yaml:6:10: must be from 1 to 19",
        "filesync.yaml:7:21: must be a whole number and KiB, MiB or GiB, as in 64 MiB",
    ]
    assert "the filesync.yaml of any site that `filesync init` makes" in caught.value.hint


def test_the_validator_that_decides_has_the_word_where_the_other_sees_nothing() -> None:
    document = read(b'version: 1\ntypes: [A]\nfields: {}\nwinner: "acme\\n"\n', name="c.yaml")
    assert not schema.valid("contract", document.data)
    assert check(document, "contract")


def test_a_suggestion_does_not_mind_letter_case() -> None:
    assert did_you_mean("HIGHEST", ["High", "Highest"]) == '; did you mean "Highest"?'
    assert did_you_mean("zebra", ["High", "Highest"]) == ""


def test_words_are_escaped_and_cut_in_messages() -> None:
    assert quoted("\x1b[31mred") == '"\\x1b[31mred"'
    assert len(quoted("x" * 500)) < 70


def test_a_hint_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("version: 1\n")
    with pytest.raises(ConfigError) as caught:
        settings.load(path, "contract")
    assert str(path) in caught.value.hint
    assert "docs/rules.md" in caught.value.hint


@pytest.mark.parametrize("text", ["types: {Bug:Defect}\n", "types:\n  Bug:Defect\n"])
def test_a_blank_that_is_missing_after_a_colon_is_asked_for(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path, "mapping")
    assert "is the blank after the colon missing?" in str(caught.value.problems[0])
