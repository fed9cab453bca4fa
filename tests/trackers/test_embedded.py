"""The embedded tracker: the contract that every adapter keeps, and what is its own."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref
from filesync.model.values import Flat
from filesync.trackers.base import Draft, MarkDeleted, Remove, Write
from filesync.trackers.embedded import Desk, EmbeddedTracker
from tests.trackers.bench import BASIC, MARK, Bench, Clock, gid, issue_ref
from tests.trackers.contract import TrackerContract


class TestEmbedded(TrackerContract):
    """The contract."""


def test_the_shortest_way_is_taken_and_ties_go_to_the_transition_declared_first(bench: Bench) -> None:
    ref = bench.create().item.ref
    assert bench.tracker.route(ref, "Done") == ("In Progress", "In Review", "Done")
    assert bench.tracker.route(ref, "Won't Do") == ("Won't Do",)
    for status in bench.tracker.route(ref, "Done"):
        bench.tracker.apply(ref, Write({"status": status}), MARK)
    assert bench.tracker.route(ref, "Blocked") == ("To Do", "In Progress", "Blocked")


def test_each_type_has_its_own_workflow(bench: Bench) -> None:
    epic = bench.create({"type": "Epic"}).item.ref
    assert bench.tracker.route(epic, "Done") == ("In Progress", "Done")
    with pytest.raises(Rejected, match='type Epic has no status "Blocked"'):
        bench.tracker.route(epic, "Blocked")


def test_a_summary_lands_without_the_blanks_at_its_end(bench: Bench) -> None:
    born = bench.create({"summary": "Pump stalls \t"})
    assert born.item.fields["summary"] == "Pump stalls"
    assert bench.tracker.apply(born.item.ref, Write({"summary": "Pump runs  "}), MARK) == {"summary": "Pump runs"}


def test_an_element_lands_under_its_canonical_name(bench: Bench) -> None:
    ref = bench.create().item.ref
    landed = bench.tracker.apply(ref, Write({"set_points:1.50": True}), MARK)
    assert landed == {"set_points:1.50": None, "set_points:1.5": True}
    assert "set_points:1.5" in bench.fields(ref.local)


def test_an_element_is_taken_out_under_any_spelling(bench: Bench) -> None:
    ref = bench.create({"set_points:1.5": True}).item.ref
    assert bench.tracker.apply(ref, Write({"set_points:1.50": None}), MARK)["set_points:1.5"] is None
    assert bench.tracker.apply(ref, Write({"set_points:many": None}), MARK) == {"set_points:many": None}
    assert "set_points:1.5" not in bench.fields(ref.local)


def test_empty_text_is_an_empty_field(bench: Bench) -> None:
    ref = bench.create({"description": "x", "location": ["Pump", "Bearing"]}).item.ref
    assert bench.tracker.apply(ref, Write({"description": "", "location": []}), MARK) == {"description": None, "location": None}
    assert not {"description", "location"} & bench.fields(ref.local).keys()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"priority": "hihg"}, 'there is no option "hihg"; did you mean "High"?'),
        ({"assignee": "nobody"}, 'there is no user "nobody"'),
        ({"fix_versions:9.9": True}, 'there is no version "9.9"'),
        ({"components:Firmwear": True}, 'did you mean "Firmware"?'),
        ({"location": ["Pump", "Display"]}, 'there is no option "Pump/Display"'),
        ({"location": "Pump"}, "[parent, child]"),
        ({"labels": "a"}, "give them one by one, as labels:VALUE"),
        ({"labels:a b": True}, "a label holds no blank"),
        ({"labels:": True}, "one line of text"),
        ({"labels:x": "yes"}, "there or not"),
        ({"serial_numbers:" + "9" * 256: True}, "256 characters are more than the 255"),
        ({"summary": "x" * 256}, "256 characters are more than the 255"),
        ({"summary": "a\nb"}, "line break"),
        ({"description": "ü" * (33 << 20)}, "69,206,016 bytes of text are more than the 67,108,864"),
        ({"story_points": "many"}, "not a number"),
        ({"story_points": "1e999999999"}, "not a number we can carry"),
        ({"due_date": "2026-02-30"}, "day"),
        ({"due_date": "tomorrow"}, "YYYY-MM-DD"),
        ({"occurred_at": "2026-11-23T10:00:00"}, "needs its offset"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "out of the calendar"),
    ],
)
def test_a_refused_value_is_told_in_words_for_a_person(bench: Bench, fields: Flat, words: str) -> None:
    ref = bench.create().item.ref
    with pytest.raises(Rejected) as caught:
        bench.tracker.apply(ref, Write(fields), MARK)
    assert words in caught.value.fields[next(iter(fields))]
    assert words in str(caught.value)


def test_a_parent_is_of_a_higher_level(bench: Bench) -> None:
    bug, epic = bench.create().item.ref, bench.create({"type": "Epic"}, n=2).item.ref
    with pytest.raises(Rejected, match="ABC-1 is of type Bug and cannot be the parent of one of type Epic"):
        bench.tracker.apply(epic, Write({"parent": bug.local}), MARK)
    with pytest.raises(Rejected, match="ABC-1 is of type Bug and cannot be the parent of one of type Bug"):
        bench.tracker.apply(bug, Write({"parent": bug.local}), MARK)
    assert bench.tracker.apply(bug, Write({"parent": epic.local}), MARK) == {"parent": epic.local}
    with pytest.raises(Rejected, match="cannot be the parent of what is below it"):
        bench.tracker.apply(epic, Write({"type": "Task"}), MARK)


def test_a_type_changes_where_the_status_has_a_place_in_its_workflow(bench: Bench) -> None:
    ref = bench.create().item.ref
    for status in ("In Progress", "Blocked"):
        bench.tracker.apply(ref, Write({"status": status}), MARK)
    assert bench.tracker.apply(ref, Write({"type": "Story"}), MARK) == {"type": "Story"}
    with pytest.raises(Rejected, match="one of type Epic has no status Blocked"):
        bench.tracker.apply(ref, Write({"type": "Epic"}), MARK)


def test_a_new_issue_begins_with_the_first_status(bench: Bench) -> None:
    assert bench.create({"status": "To Do"}).item.fields["status"] == "To Do"
    with pytest.raises(Rejected, match="a new issue of type Bug has the status To Do"):
        bench.create({"status": "Done"}, n=2)


def test_what_people_deleted_is_not_made_again_for_the_same_origin(bench: Bench) -> None:
    born = bench.create()
    bench.person.delete(born.item.ref.local)
    again = bench.create()
    assert again.again
    assert again.item == born.item
    assert bench.tracker.get(again.item.ref.local) is None


def test_history_says_who_changed_what_when_and_for_which_mark(bench: Bench, desk: Desk) -> None:
    born = bench.create({"priority": "Low"})
    bench.tracker.apply(born.item.ref, Write({"priority": "High", "summary": "Pump stalls at 40 bar"}), MARK)
    desk.edit(born.key, {"priority": None})
    steps = desk.show(born.key).history
    assert [(step.who, step.field, step.old, step.new, step.mark) for step in steps] == [
        ("filesync", "created", None, True, None),
        ("filesync", "priority", "Low", "High", MARK),
        ("j.becker", "priority", "High", None, None),
    ]
    assert {step.at[:14] for step in steps} == {"2026-11-23T10:"}


def test_a_write_that_changes_nothing_leaves_no_trace(bench: Bench, desk: Desk) -> None:
    born = bench.create()
    touched, steps = list(bench.changed(None)), desk.show(born.key).history
    bench.tracker.apply(born.item.ref, Write({"summary": str(BASIC["summary"]), "labels:share": True}), MARK)
    bench.tracker.apply(born.item.ref, Write({"labels:never-there": None}), MARK)
    assert list(bench.changed(None)) == touched
    assert desk.show(born.key).history == steps


def test_the_partners_deletion_is_shown_to_people(bench: Bench, desk: Desk) -> None:
    born = bench.create()
    bench.tracker.apply(born.item.ref, MarkDeleted("globex"), MARK)
    assert desk.show(born.key).issue.deleted_by == "globex"
    assert [issue.deleted_by for issue in desk.list()] == ["globex"]


def test_the_originals_author_and_time_are_shown(bench: Bench, desk: Desk) -> None:
    born = bench.create()
    shown = desk.show(born.key).issue
    assert shown.imported
    assert shown.about == About(key="ABC-1", author="somebody", at="2026-11-20T08:00:00.000Z")


def test_a_value_of_the_scope_is_enough_but_every_field_must_have_one(bench: Bench) -> None:
    inside = bench.create({"labels:joint": True, "labels:other": True}).item.ref
    assert bench.issue(inside.local).in_scope
    task = bench.create({"type": "Task"}, n=2).item.ref
    assert not bench.issue(task.local).in_scope


def test_without_a_scope_every_issue_is_in(path: Path, desk: Desk) -> None:
    desk.create("Task", "Order new seals")
    with closing(EmbeddedTracker.open(path, project="ABC", scope=None, clock=Clock(), account="filesync")) as tracker:
        issue = tracker.get("1")
        assert issue is not None
        assert issue.in_scope


def test_a_cursor_of_a_later_life_of_the_file_names_everything_again(bench: Bench, path: Path, tmp_path: Path) -> None:
    """A restored tracker counts its feed again from where the backup stood: the places have other stamps then."""
    bench.person.create(bench.basic)
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(backup)) as there:
        here.backup(there)
    for n in range(3):
        bench.person.edit("1", {"summary": f"lost with the restore {n}"})
    cursor = list(bench.changed(None))[-1].cursor

    later = Clock()
    later.now += dt.timedelta(hours=1)
    with closing(EmbeddedTracker.open(backup, project="ABC", scope=None, clock=later, account="filesync")) as restored:
        assert [touched.issue for touched in bench.changed(cursor, restored)] == ["1"]
        for n in range(8):
            restored.apply(issue_ref("1"), Write({"summary": f"after the restore {n}"}), MARK)
        assert [touched.issue for touched in bench.changed(cursor, restored)] == ["1"]


@pytest.mark.parametrize("cursor", ["", "x", "5", "5.", "-1.1", "9" * 40 + ".1", "1.1; DROP TABLE feed", "１.1"])
def test_a_cursor_that_is_none_names_everything(bench: Bench, cursor: str) -> None:
    bench.person.create(bench.basic)
    assert [touched.issue for touched in bench.changed(cursor)] == ["1"]


def test_an_attachment_without_its_bytes_is_refused(bench: Bench) -> None:
    local = bench.person.create(bench.basic)
    draft = Draft(kind=Kind.ATTACHMENT, issue=local, fields={"name": "x", "size": "1"}, about=About())
    with pytest.raises(Rejected, match="comes with its bytes"):
        bench.tracker.create(gid(Kind.ATTACHMENT, 1), draft)


def test_an_attachment_that_is_asked_for_is_gone(bench: Bench) -> None:
    local = bench.create().item.ref.local
    with pytest.raises(Gone):
        bench.tracker.apply(Ref(Kind.ATTACHMENT, local, "1"), Write({"name": "x"}), MARK)


def test_a_comment_without_its_issue_is_gone(bench: Bench) -> None:
    with pytest.raises(Gone):
        bench.tracker.create(gid(Kind.COMMENT, 1), Draft(kind=Kind.COMMENT, issue=None, fields={"body": "x"}, about=About()))


def test_a_checkpoint_has_its_size(bench: Bench) -> None:
    with pytest.raises(Rejected, match="32,000 bytes"):
        bench.tracker.write_checkpoint("acme", "ü" * 16_001)


def test_removing_an_issue_that_has_children_names_them(bench: Bench) -> None:
    ref = bench.create().item.ref
    bench.create({"type": "Sub-task", "parent": ref.local}, n=2)
    with pytest.raises(Rejected, match="ABC-2 would lose their parent"):
        bench.tracker.apply(ref, Remove(), MARK)
