"""Fields in a simulated Jira, over HTTP: what only the whole way shows."""

from __future__ import annotations

import pytest

from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref
from filesync.model.values import Flat, Value
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.trackers.bench import MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened


def made(tracker: JiraTracker, fields: dict[str, Value], n: int = 1) -> str:
    draft = Draft(kind=Kind.ISSUE, issue=None, fields=fields, about=About())
    return tracker.create(gid(Kind.ISSUE, n), draft).item.ref.local


def shown(tracker: JiraTracker, issue: str) -> Flat:
    found = tracker.get(issue)
    assert found is not None
    return found.item.fields


def test_an_epic_is_the_parent_of_a_story_in_every_jira(opened: Opened) -> None:
    tracker = opened.open()
    epic = made(tracker, {"type": "Epic", "summary": "All pumps"})
    other = made(tracker, {"type": "Epic", "summary": "Other pumps"}, 2)
    story = made(tracker, {"type": "Story", "summary": "One pump", "parent": epic}, 3)
    assert shown(tracker, story)["parent"] == epic
    assert tracker.apply(issue_ref(story), Write({"parent": other}), MARK) == {"parent": other}
    assert shown(tracker, story)["parent"] == other
    assert tracker.apply(issue_ref(story), Write({"parent": None}), MARK) == {"parent": None}
    assert "parent" not in shown(tracker, story)
    sub_task = made(tracker, {"type": "Sub-task", "summary": "A screw", "parent": story}, 4)
    assert shown(tracker, sub_task)["parent"] == story


def test_trap26_a_sprint_with_commas_and_brackets_in_its_name_is_read_and_written_by_name(opened: Opened) -> None:
    names = ["Week 48, [seals], goal", "S=1"]
    for name in names:
        opened.site.add_sprint(name, goal="done, [all]")
    opened.site.add_sprint("over", state="closed")
    tracker = opened.open()
    issue = made(tracker, {"type": "Bug", "summary": "Leaks"})
    for name in names:
        assert tracker.apply(issue_ref(issue), Write({"Sprint": name}), MARK) == {"Sprint": name}
        assert shown(tracker, issue)["Sprint"] == name
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(issue), Write({"Sprint": "over"}), MARK)
    assert caught.value.fields.keys() == {"Sprint"}


def test_one_estimate_does_not_move_the_other_there(opened: Opened) -> None:
    tracker = opened.open()
    issue = made(tracker, {"type": "Bug", "summary": "Leaks", "original_estimate": "7200", "remaining_estimate": "3600"})
    tracker.apply(issue_ref(issue), Write({"original_estimate": "10800"}), MARK)
    assert {name: shown(tracker, issue)[name] for name in ("original_estimate", "remaining_estimate")} == {
        "original_estimate": "10800",
        "remaining_estimate": "3600",
    }
    tracker.apply(issue_ref(issue), Write({"remaining_estimate": None}), MARK)
    assert "remaining_estimate" not in shown(tracker, issue)
    assert shown(tracker, issue)["original_estimate"] == "10800"


def test_trap32_a_comment_for_one_role_says_so_and_stays_so_when_it_is_edited(opened: Opened) -> None:
    tracker = opened.open()
    issue = opened.site.person("admin").create({"summary": "Leaks"})
    said = opened.site.person("admin").comment(issue, "for us", role="Administrators")
    found = tracker.get(issue)
    assert found is not None
    assert found.children[0].fields == {"body": "for us", "visibility": "role:Administrators"}
    tracker.apply(Ref(Kind.COMMENT, issue, said), Write({"body": "for us, edited"}), MARK)
    found = tracker.get(issue)
    assert found is not None
    assert found.children[0].fields == {"body": "for us, edited", "visibility": "role:Administrators"}


def test_every_field_that_is_offered_is_there_and_none_but_those_of_other_apps_are_left_out(opened: Opened) -> None:
    found = opened.open().describe()
    assert len(found.fields) == len({spec.name for spec in found.fields})
    assert not {spec.name for spec in found.fields} & found.left_out.keys()
    assert all(why and why.isprintable() for why in found.left_out.values())


def test_rights_that_our_account_has_not_are_told_with_what_they_are_for(opened: Opened) -> None:
    tracker = opened.open()
    assert tracker.describe().lacks == {}
    opened.site.deny("EDIT_ALL_COMMENTS", "LINK_ISSUES", "VIEW_VOTERS_AND_WATCHERS")  # the last is not needed
    assert tracker.describe().lacks == {
        "Link Issues": "links",
        "Edit All Comments": "the partner's edits of comments that people here wrote",
    }
