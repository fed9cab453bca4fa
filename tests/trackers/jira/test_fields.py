"""The fields of an issue both ways: what is written, as Jira then shows it, and read again, is what it was."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.values import FieldKind, Flat, Value, flat_name
from filesync.trackers.jira.translate.bodies import Body, create_body, edit_body, refused_names, unknown_entries
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.fields import link_ids, read_fields
from tests.trackers.jira.shape import as_jira_shows, catalogue

DC, CLOUD = catalogue(cloud=False), catalogue(cloud=True)
both = pytest.mark.parametrize("there", [DC, CLOUD], ids=["dc", "cloud"])
KEYS = {"20001": "ABC-1", "20002": "ABC-2"}
IDS = {key: id_ for id_, key in KEYS.items()}
BASIC: dict[str, Value] = {"type": "Bug", "summary": "Leaks"}

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\x00"), min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=30)
labels = lines.filter(lambda text: not any(map(str.isspace, text)))
numbers = st.integers(-(10**14), 10**14).map(str) | st.sampled_from(["0.1", "-12.5", "3.1415926", "100000000000000"])
moments = st.datetimes().map(lambda at: f"{max(at.year, 1000):04}-{at:%m-%d}T{at:%H:%M:%S}.{at.microsecond // 1000:03}Z")
dates = st.dates().map(lambda day: f"{day.year:04}-{day:%m-%d}")


def values_of(there: Catalogue, name: str) -> st.SearchStrategy[Value]:
    one = there.by_name[name]
    if one.kind is FieldKind.CASCADE:
        return st.sampled_from(one.options).map(lambda path: path.split("/"))
    if name == "Sprint":
        return st.just("S 1")
    if name.endswith("_estimate"):
        return st.integers(0, 10**6).map(lambda minutes: str(minutes * 60))
    if one.options:
        return st.sampled_from(one.options)
    kinds: dict[FieldKind, st.SearchStrategy[str]] = {
        FieldKind.NUMBER: numbers,
        FieldKind.DATE: dates,
        FieldKind.DATETIME: moments,
        FieldKind.USER: st.sampled_from(sorted(there.users)),
        FieldKind.LABEL: labels,
        FieldKind.PARENT: st.sampled_from(sorted(KEYS)),
    }
    return kinds.get(one.kind, texts if one.shape == "text" else lines)


def issues(there: Catalogue) -> st.SearchStrategy[dict[str, Value]]:
    """Fields as somebody may fill them in."""
    plain = {
        one.name: values_of(there, one.name)
        for one in there.fields
        if not one.many and one.name not in {"status", "type", "summary"}
    }
    sets = [
        st.sets(values_of(there, one.name).map(str), max_size=3).map(
            lambda held, name=one.name: {flat_name(name, element): True for element in held}  # type: ignore[misc]
        )
        for one in there.fields
        if one.many
    ]
    return st.builds(
        lambda fields, *held: {**fields, **{name: value for one in held for name, value in one.items()}},
        st.fixed_dictionaries({"summary": lines, "type": st.just("Bug")}, optional=plain),
        *sets,
    )


def read(there: Catalogue, held: Mapping[str, object]) -> dict[str, Value]:
    return read_fields(there, held, id_of=IDS.get)


def written(there: Catalogue, body: Body, held: Mapping[str, object]) -> dict[str, object]:
    assert body.refused == {}
    assert not body.fields.keys() & body.update.keys()  # Jira takes a field in one of them
    sent = {"fields": body.fields, "update": body.update}
    msgspec.json.Encoder(decimal_format="number").encode(sent)
    return as_jira_shows(sent, held=held, cloud=there.cloud)


@both
@given(data=st.data())
def test_what_is_created_is_read_as_it_was_told(there: Catalogue, data: st.DataObject) -> None:
    fields = data.draw(issues(there))
    body = create_body(there, fields, key_of=KEYS.get)
    assert body.fields["project"] == {"id": "10000"}
    told = {name: value for name, value in fields.items() if name not in body.absent}
    assert read(there, written(there, body, {})) == told
    assert set(body.absent) <= {"resolution", "Epic Name"}


@both
@given(data=st.data())
def test_an_edit_leads_from_what_was_to_what_was_told(there: Catalogue, data: st.DataObject) -> None:
    before, after = data.draw(issues(there)), data.draw(issues(there))
    held = written(
        there, create_body(there, {name: one for name, one in before.items() if name != "resolution"}, key_of=KEYS.get), {}
    )
    there_now = read(there, held)
    change: Flat = {**dict.fromkeys(there_now.keys() - after.keys()), **after}
    body = edit_body(there, change, issue="1", before=there_now, key_of=KEYS.get)
    assert read(there, written(there, body, held)) == after


@both
@given(data=st.data())
def test_an_edit_of_what_is_so_already_sends_nothing(there: Catalogue, data: st.DataObject) -> None:
    fields = data.draw(issues(there))
    gone: Flat = {"labels:not there": None, "fix_versions:unknown": None}
    body = edit_body(there, {**fields, **gone}, issue="1", before=fields, key_of=KEYS.get)
    assert body == Body()


@both
@given(
    hostile=st.dictionaries(
        st.text(max_size=30), st.none() | st.text(max_size=30) | st.booleans() | st.lists(st.text(max_size=5), max_size=4)
    )
)
def test_trap39_hostile_fields_are_refused_by_name_or_written(there: Catalogue, hostile: dict[str, Value | None]) -> None:
    body = edit_body(there, hostile, issue="1", before=BASIC, key_of=KEYS.get)
    assert body.refused.keys() <= hostile.keys()
    assert all(why.isprintable() and why for why in body.refused.values())


JSON = st.sampled_from(
    [False, 0, 1.5, "x", ["x"], {"id": "../1"}, {"id": 1}, {"name": ""}, {"value": None}, {"child": {}}, [None], [[]]]
)


@both
@given(json=JSON | st.text() | st.dictionaries(st.sampled_from(["id", "name", "value", "child"]), JSON, min_size=1))
def test_whatever_jira_shows_is_read_and_nothing_of_it_is_taken_for_empty(there: Catalogue, json: object) -> None:
    for one in there.fields:
        shown = json in ("", [None], [[]]) or one.shape == "estimate" or read(there, {one.id: json})
        assert shown, one.name


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[Flat, str]] = {
    "unknown field": ({"Severitty": "Major"}, 'did you mean "Severity"'),
    "no name": ({"": "x"}, "no field"),
    "flag": ({"summary": True}, "one text"),
    "list": ({"summary": ["a", "b"]}, "one text"),
    "set": ({"summary:x": True}, "not a set"),
    "not a set": ({"labels": "a"}, "labels:VALUE"),
    "value of an element": ({"labels:a": "x"}, "there or not"),
    "two lines": ({"summary": "a\nb"}, "one line"),
    "too long": ({"summary": "x" * 40_000}, "40,000 characters"),
    "too long as jira counts": ({"summary": "🛠" * 128}, "256 characters"),
    "too long a line": ({"Customer reference": "x" * 256}, "255"),
    "summary emptied": ({"summary": None}, "never without"),
    "type emptied": ({"type": None}, "never without"),
    "type unknown": ({"type": "Bugg"}, 'did you mean "Bug"'),
    "status": ({"status": "Done"}, "step by step"),
    "option": ({"Severity": "Majr"}, 'did you mean "Major"'),
    "option far": ({"Severity": "zzz"}, "there are: Major, Minor"),
    "element": ({"Platforms:Simm": True}, 'did you mean "Sim"'),
    "version": ({"fix_versions:9.9": True}, "no version"),
    "component": ({"components:Pump": True}, "no component"),
    "cascade": ({"Location": ["Pump", "Sael"]}, 'did you mean "Pump/Seal"'),
    "cascade text": ({"Location": "Pump"}, "[parent, child]"),
    "cascade deep": ({"Location": ["Pump", "Seal", "x"]}, "[parent, child]"),
    "label": ({"labels:two words": True}, "no blank"),
    "label lines": ({"labels:a\nb": True}, "one line"),
    "number": ({"Story Points": "many"}, "not a number"),
    "date": ({"due": "2026-13-01"}, ""),
    "datetime": ({"Occurred at": "2026-11-23T10:00:00"}, "offset"),
    "nul": ({"description": "a\x00b"}, "NUL"),
    "surrogate": ({"description": "half \ud83d"}, "surrogate"),
    "parent": ({"parent": "../1"}, "no id"),
    "sprint": ({"Sprint": "S 2"}, "2 open sprints"),
    "estimate": ({"original_estimate": "1.5"}, "whole number"),
    "link type": ({"link:Bloks:7": True}, 'did you mean "Blocks"'),
    "link to itself": ({"link:Blocks:1": True}, "itself"),
    "link nowhere": ({"link:Blocks:../7": True}, "link:TYPE:ISSUE"),
    "half a link": ({"link:Blocks": True}, "link:TYPE:ISSUE"),
}


@both
@pytest.mark.parametrize(("fields", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_by_field_in_words(there: Catalogue, fields: Flat, why: str) -> None:
    body = edit_body(there, fields, issue="1", before=BASIC, key_of=KEYS.get)
    assert body.refused.keys() == fields.keys()
    assert all(why in said and said.isprintable() for said in body.refused.values()), body.refused


@both
def test_all_that_is_wrong_is_said_at_once(there: Catalogue) -> None:
    wrong = {name: value for fields, _ in WRONG.values() for name, value in fields.items() if value is not None}
    refused = create_body(there, wrong, key_of=KEYS.get).refused
    assert refused.keys() >= wrong.keys() - {"link:Blocks:1"}  # a new issue has no id yet


@both
def test_an_issue_is_made_with_a_summary_and_a_type(there: Catalogue) -> None:
    assert create_body(there, {}, key_of=KEYS.get).refused == {"summary": "is required", "type": "is required"}


@both
def test_trap14_what_is_not_on_the_types_screen_is_written_afterwards(there: Catalogue) -> None:
    fields: Flat = {
        "type": "Sub-task",
        "summary": "x",
        "parent": "20001",
        "Occurred at": "2026-11-23T10:00:00.000Z",
        "resolution": "Fixed",
    }
    body = create_body(there, fields, key_of=KEYS.get)
    assert body.absent == ("Occurred at", "resolution")
    assert body.fields["parent"] == {"id": "20001"}
    assert body.refused == {}


@both
def test_trap32_who_may_see_an_issue_is_said_when_it_is_made_or_it_is_not_made(there: Catalogue) -> None:
    types = {name: replace(one, screen={}) for name, one in there.types.items()}
    body = create_body(replace(there, types=types), {**BASIC, "security": "Staff", "due": "2026-11-23"}, key_of=KEYS.get)
    assert body.fields["security"] == {"id": "10"}
    assert body.absent == ("summary", "due")


# ── the two ways to stand under another issue ───────────────────────────────────────────────────────────────────


def test_in_data_center_an_epic_is_the_parent_of_what_is_no_sub_task() -> None:
    body = create_body(DC, {**BASIC, "parent": "20001"}, key_of=KEYS.get)
    assert body.fields["customfield_10116"] == "ABC-1"
    assert "parent" not in body.fields
    gone = edit_body(DC, {"parent": None}, issue="1", before={**BASIC, "parent": "20001"}, key_of=KEYS.get)
    assert gone.fields == {"customfield_10116": None}
    assert edit_body(DC, {"parent": "9"}, issue="1", before=BASIC, key_of=KEYS.get).refused == {
        "parent": 'there is no issue "9"'
    }


def test_an_epic_that_nobody_can_see_is_neither_lost_nor_empty() -> None:
    assert read(DC, {"customfield_10116": "SECRET-1"})["parent"] == "SECRET-1"
    assert "parent" not in read(DC, {"customfield_10116": None})
    assert read(DC, {"customfield_10116": "ABC-1", "parent": {"id": "20002"}})["parent"] == "20002"


def test_a_sub_task_stays_where_it_is() -> None:
    before: dict[str, Value] = {"type": "Sub-task", "summary": "x", "parent": "20001"}
    for there, moved in ((DC, {"parent"}), (CLOUD, set())):
        assert edit_body(there, {"parent": "20002"}, issue="1", before=before, key_of=KEYS.get).refused.keys() == moved
        assert edit_body(there, {"parent": None}, issue="1", before=before, key_of=KEYS.get).refused.keys() == {"parent"}


def test_an_epic_of_data_center_has_a_name_where_nobody_gave_one() -> None:
    epic: Flat = {"type": "Epic", "summary": "All pumps"}
    assert create_body(DC, epic, key_of=KEYS.get).fields["customfield_10117"] == "All pumps"
    assert create_body(DC, {**epic, "Epic Name": "Pumps"}, key_of=KEYS.get).fields["customfield_10117"] == "Pumps"
    assert "customfield_10117" not in create_body(DC, BASIC, key_of=KEYS.get).fields


# ── particular fields ───────────────────────────────────────────────────────────────────────────────────────────


@both
def test_a_set_is_changed_element_by_element_where_jira_offers_that(there: Catalogue) -> None:
    before: dict[str, Value] = {**BASIC, "labels:a": True, "Checks:Leak": True, "fix_versions:1.0": True}
    change: Flat = {"labels:a": None, "labels:b": True, "Checks:Noise": True, "fix_versions:2.0, rev. C": True}
    body = edit_body(there, change, issue="1", before=before, key_of=KEYS.get)
    assert body.update["labels"] == [{"remove": "a"}, {"add": "b"}]
    assert body.update["fixVersions"] == [{"add": {"name": "2.0, rev. C"}}]
    assert body.fields == {"customfield_10111": [{"value": "Leak"}, {"value": "Noise"}]}


@both
def test_one_estimate_does_not_move_the_other(there: Catalogue) -> None:
    before: dict[str, Value] = {**BASIC, "original_estimate": "7200", "remaining_estimate": "3600"}
    body = edit_body(there, {"remaining_estimate": "1801"}, issue="1", before=before, key_of=KEYS.get)
    assert body.fields == {"timetracking": {"originalEstimate": "120m", "remainingEstimate": "31m"}}
    emptied = edit_body(there, {"original_estimate": None}, issue="1", before=before, key_of=KEYS.get)
    assert emptied.fields == {"timetracking": {"originalEstimate": "", "remainingEstimate": "60m"}}


@both
def test_the_sprint_is_the_open_one_and_else_the_last(there: Catalogue) -> None:
    id_ = there.by_name["Sprint"].id
    sprints = [{"id": n, "name": f"S {n}", "state": state} for n, state in ((9, "closed"), (4, "active"), (11, "closed"))]
    assert read(there, {id_: sprints})["Sprint"] == "S 4"
    assert read(there, {id_: [sprints[0], sprints[2]]})["Sprint"] == "S 11"
    assert "Sprint" not in read(there, {id_: None})


@both
def test_trap24_a_link_stands_at_its_outward_end(there: Catalogue) -> None:
    blocks = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    held = {
        "issuelinks": [
            {"id": "1", "type": blocks, "outwardIssue": {"id": "7", "key": "ABC-7"}},
            {"id": "2", "type": blocks, "inwardIssue": {"id": "8", "key": "ABC-8"}},
            {"id": "3", "type": blocks, "outwardIssue": {"id": 7, "key": "ABC-7"}},
        ]
    }
    assert link_ids(held) == {"link:Blocks:7": ["1", "3"]}
    assert read(there, held) == {"link:Blocks:7": True}
    body = edit_body(
        there, {"link:Blocks:7": None, "link:Blocks:9": True}, issue="1", before={"link:Blocks:7": True}, key_of=KEYS.get
    )
    assert body.links == {"link:Blocks:7": False, "link:Blocks:9": True}


@both
def test_versions_and_components_that_are_not_there_are_named(there: Catalogue) -> None:
    fields: Flat = {
        "fix_versions:9": True,
        "versions:9": True,
        "Target": "8",
        "components:x": None,
        "components:Firmware": True,
        "labels:9": True,
    }
    assert unknown_entries(there, fields) == {FieldKind.VERSION: ("9", "8")}


def test_jiras_refusals_are_put_at_what_was_written() -> None:
    fields: Flat = {"labels:a": True, "labels:b": True, "parent": "1", "remaining_estimate": "60"}
    said = {
        "labels": "no",
        "customfield_10116": "not an epic",
        "timetracking": "off",
        "customfield_10108": "is required",
        "x": "?",
    }
    assert refused_names(DC, said, fields) == {
        "labels:a": "no",
        "labels:b": "no",
        "parent": "not an epic",
        "remaining_estimate": "off",
        "Severity": "is required",
        "x": "?",
    }


def test_every_printable_summary_is_a_summary() -> None:
    assert (
        create_body(
            DC, {"type": "Bug", "summary": string.printable.replace("\n", "").replace("\r", "")}, key_of=KEYS.get
        ).refused
        == {}
    )
