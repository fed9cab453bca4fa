"""The definition of an embedded tracker's project, and the search for a way through its workflows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from filesync.errors import ConfigError
from filesync.model.values import ELEMENTS, FieldKind
from filesync.model.workflow import shortest
from filesync.trackers.embedded.project import DEFAULT, read_definition

STATUSES = "ABCDE"


def changed(tmp_path: Path, **parts: object) -> Path:
    path = tmp_path / "project.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(DEFAULT.read_text()), **parts}))
    return path


def test_the_default_project_has_every_kind_of_field_and_most_as_sets() -> None:
    fields = read_definition().fields.values()
    assert {field.kind for field in fields} == set(FieldKind)
    assert {field.kind for field in fields if field.many} == ELEMENTS - {FieldKind.DATETIME}


def test_the_default_project_is_what_its_specs_say() -> None:
    specs = {spec.name: spec for spec in read_definition().specs()}
    assert specs["summary"].required
    assert specs["location"].options[:3] == ("Pump", "Pump/Impeller", "Pump/Shaft seal")
    assert specs["location"].options[-1] == "Test bench"
    assert specs["type"].options == ("Epic", "Story", "Bug", "Task", "Sub-task")
    assert specs["assignee"].options == ()


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        types={"Bug": {"level": 1, "workflow": "nope"}},
        users={},
        workflows={
            "work": {"initial": "New", "statuses": ["Open"], "transitions": [{"name": "x", "from": ["Open"], "to": "Shut"}]}
        },
        fields={
            "type": {"kind": "type"},
            "parent": {"kind": "parent", "many": True},
            "sta:tus": {"kind": "status"},
            "colour": {"kind": "option"},
            "size": {"kind": "text", "options": ["S"]},
            "where": {"kind": "cascade", "options": {"a/b": ["c"]}},
            "flat": {"kind": "cascade", "options": ["a"]},
        },
    )
    with pytest.raises(ConfigError) as caught:
        read_definition(path)
    told = "\n".join(map(str, caught.value.problems))
    for words in (
        "types.Bug: there is no workflow 'nope'",
        "users: there must be one at least",
        "workflows.work: 'New' is not among its statuses",
        "workflows.work: 'Shut' is not among its statuses",
        "fields.parent: a field of kind parent has one value",
        "fields.sta:tus: a field's name is not empty and holds no colon",
        "fields.sta:tus: only the field `status` has this kind",
        "fields.colour: options are needed",
        "fields.size: options are needed",
        "fields.where: options of a cascade hold no slash",
        "fields.flat: options of a cascade are `parent: [child]`",
        "fields: there must be a field `summary` of kind text",
        "fields: there must be a field `status` of kind status",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("types: [", "while parsing"),
        ("[]", "Expected `object`"),
        ("types: {}", "missing required field"),
        ("\x00", "not allowed"),
    ],
)
def test_what_is_no_definition_is_told_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "project.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        read_definition(path)
    assert "\n" not in str(caught.value)


def test_a_project_without_types_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="types: there must be one at least"):
        read_definition(changed(tmp_path, types={}))


def test_a_definition_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_definition(tmp_path / "none.yaml")


def every_way(transitions: list[tuple[str, str]], start: str, goal: str) -> list[tuple[str, ...]]:
    """All ways without a circle, found by trying them."""
    ways: list[tuple[str, ...]] = [(start,)]
    found: list[tuple[str, ...]] = []
    while ways:
        way = ways.pop()
        found += [way[1:]] if way[-1] == goal else []
        ways += [(*way, to) for source, to in transitions if source == way[-1] and to not in way and way[-1] != goal]
    return found


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(STATUSES)), max_size=10))
def test_no_way_is_shorter_and_none_is_missed(transitions: list[tuple[str, str]]) -> None:
    for start in STATUSES:
        for goal in STATUSES:
            way, ways = shortest(transitions, start, goal), every_way(transitions, start, goal)
            assert (way in ways and len(way) == min(map(len, ways))) if way is not None else not ways


def test_of_equally_short_ways_the_one_declared_first_is_taken() -> None:
    steps = [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]
    assert shortest(steps, "A", "D") == ("B", "D")
    assert shortest([steps[1], steps[0], *steps[2:]], "A", "D") == ("C", "D")
    assert shortest([*reversed(steps[2:]), *steps[:2]], "A", "D") == ("B", "D")
