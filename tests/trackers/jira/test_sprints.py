"""Sprints that an import makes where the settings want it: once each, on the board that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Value
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira import described
from tests.support.jira.site import CLOUD, DC10, Flavour
from tests.trackers.bench import MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened, jira


def makes(opened: Opened, board: int = 1) -> JiraTracker:
    return opened.open(create_missing=["sprints"], sprint_board=board)


def draft(sprint: str) -> Draft:
    fields: dict[str, Value] = {"type": "Bug", "summary": "Leaks", "Sprint": sprint}
    return Draft(kind=Kind.ISSUE, issue=None, fields=fields, about=About())


def sprint_of(tracker: JiraTracker, sprint: str, n: int) -> object:
    return tracker.create(gid(Kind.ISSUE, n), draft(sprint)).item.fields["Sprint"]


def names(opened: Opened, state: str = "future") -> list[str]:
    return [one.name for one in opened.site.store.sprints.values() if one.state == state]


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda one: one.name)
def test_a_sprint_that_is_missing_is_made_once_on_the_board_that_the_settings_name(flavour: Flavour, tmp_path: Path) -> None:
    with jira(flavour, tmp_path) as opened:
        tracker, other = makes(opened), makes(opened)
        assert sprint_of(tracker, "Week 48, [seals]", 1) == "Week 48, [seals]"
        assert sprint_of(other, "Week 48, [seals]", 2) == "Week 48, [seals]"  # it was opened before there was one
        issue = tracker.create(gid(Kind.ISSUE, 3), draft("Week 48, [seals]")).item.ref.local
        opened.site.forget_requests()
        assert tracker.apply(issue_ref(issue), Write({"Sprint": "Week 49"}), MARK) == {"Sprint": "Week 49"}
        assert names(opened) == ["Week 48, [seals]", "Week 49"]
        described.check(flavour, opened.site.requests())


def test_trap18_a_sprint_that_a_lost_call_made_is_not_made_again(tmp_path: Path) -> None:
    with jira(CLOUD, tmp_path) as opened:
        tracker = makes(opened)
        opened.site.faults.lose_answer(method="POST", path="/sprint$")
        assert sprint_of(tracker, "Week 48", 1) == "Week 48"
        opened.site.store.sprints.clear()
        opened.site.add_sprint("Week 48", "closed")
        opened.site.add_sprint("Week  49", "future")
        for n, name in enumerate(("week 48", "Week 49"), 2):
            with pytest.raises(Rejected, match=r"there is .*, or was") as caught:
                sprint_of(makes(opened), name, n)
            assert caught.value.fields.keys() == {"Sprint"}
        assert names(opened) == ["Week  49"]


def test_a_sprint_that_cannot_be_made_is_refused_by_field_and_told_beforehand(tmp_path: Path) -> None:
    with jira(DC10, tmp_path) as opened:
        opened.site.deny("MANAGE_SPRINTS_PERMISSION")
        tracker = makes(opened)
        assert tracker.describe().lacks == {"Manage Sprints Permission": "sprints that are missing (`create_missing`)"}
        assert (opened.open().describe().lacks, tracker.describe().unmet) == ({}, {})
        with pytest.raises(Rejected, match="permission to manage sprints") as caught:
            sprint_of(tracker, "Week 48", 1)
        assert caught.value.fields.keys() == {"Sprint"}
        for board in (2, 7):
            tracker = makes(opened, board)
            assert f"no board {board} with sprints" in tracker.describe().unmet["sprint_board"]
            with pytest.raises(Rejected, match=f"our account sees no board {board} with sprints"):
                sprint_of(tracker, "Week 48", 1)
        with pytest.raises(Rejected, match="there is no open sprint"):
            sprint_of(opened.open(), "Week 48", 1)
        assert names(opened) == []


def test_a_board_that_goes_away_while_a_sprint_is_made_leaves_the_issue(tmp_path: Path) -> None:
    with jira(CLOUD, tmp_path) as opened:
        tracker = makes(opened)
        opened.site.faults.refuse(404, path="state=closed", body='{"errorMessages": ["No board."]}')
        with pytest.raises(Rejected) as caught:
            sprint_of(tracker, "Week 48", 1)
        assert caught.value.fields.keys() == {"Sprint"}
