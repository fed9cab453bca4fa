"""Traps of Jira that no single part meets alone. The others' tests stand with their parts; docs/jira.md names them all."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filesync.model.ids import Kind
from filesync.model.issue import About, Issue
from filesync.model.values import Value
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.read.history import as_born, read_changes
from tests.support.jira.site import CLOUD, DC10
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira import scene
from tests.trackers.jira.scene import Opened
from tests.trackers.jira.shape import catalogue
from tests.trackers.jira.test_feed_http import run
from tests.trackers.jira.test_stumbling import Import, assert_done_once

ROOT = Path(__file__).parents[3]


def test_every_trap_of_the_page_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/jira.md").read_text("utf-8").partition("## How each trap is met")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(number) for number, *_ in rows] == list(range(1, 41))
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    named = {number: re.findall(r"`(test_\w+)`", shown) for number, _, _, shown in rows}
    assert {name for names in named.values() for name in names} <= there
    assert all(named.values())


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with scene.jira(request.param, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("hours", [-5, 5])
def test_trap04_what_changes_while_we_look_is_told_however_wrong_our_clock_is(opened: Opened, hours: int) -> None:
    person, there = opened.site.person("m.silva"), opened.site.site_clock()
    tracker = opened.open(clock=lambda: there() + dt.timedelta(hours=hours))
    local, copy = person.create(BASIC), dict[str, Issue]()
    cursor = run(tracker, copy, None)
    there.forward(600)
    opened.site.faults.meanwhile(lambda: person.edit(local, {"summary": "meanwhile"}), path="/search")
    for _ in range(2):
        cursor = run(tracker, copy, cursor)
        there.forward(120)
    assert opened.site.faults.struck["meanwhile"] == 1
    assert copy[local].item.fields["summary"] == "meanwhile"


def test_trap10_a_history_is_read_to_its_end_in_order_whatever_its_lines_are_called() -> None:
    pages: list[list[dict[str, Any]]] = [
        [  # Cloud: the newest first; no ids of fields, or null; one field twice in one entry
            {
                "id": "102",
                "items": [{"field": "Component", "fromString": "Field bus"}, {"field": "Component", "toString": "Firmware"}],
            },
            {"id": "99", "items": [{"field": "RemoteIssueLink", "fieldId": None, "toString": "https://example.org"}]},
        ],
        [{"id": "20", "items": [{"field": "Summary", "fieldId": "summary", "fromString": "as born", "toString": "edited"}]}],
        [],
    ]

    class Pages:
        def get(self, path: str, *, params: dict[str, str], gone: str) -> object:
            return {"startAt": int(params["startAt"]), "values": pages.pop(0)}

    http: Any = Pages()
    changes = read_changes(http, "10001", cloud=True)
    assert [one.field for one in changes] == ["Summary", "RemoteIssueLink", "Component", "Component"]
    now: dict[str, Value] = {"summary": "edited", "components:Firmware": True, "labels:x": True}
    born = as_born(catalogue(cloud=True), now, changes, told={})
    assert born == {"summary": "as born", "components:Field bus": True, "labels:x": True}


def test_trap27_who_watches_or_votes_is_nothing_to_tell(opened: Opened) -> None:
    tracker, local = opened.open(), opened.site.person("m.silva").create(BASIC)
    about = About(key="XYZ-7", author="Anna", at="2026-11-20T08:00:00.000Z")
    tracker.create(gid(Kind.COMMENT, 1), Draft(kind=Kind.COMMENT, issue=local, fields={"body": "hello"}, about=about))
    before, held = tracker.get(local), opened.site.store.issues[local]
    assert opened.site.store.person("filesync").key in held.watchers, "by itself, for it wrote a comment"
    held.watchers.append(opened.site.store.person("w.chen").key)
    held.voters.append(opened.site.store.person("w.chen").key)
    assert tracker.get(local) == before
    assert {"watches", "votes"} <= tracker.describe().left_out.keys()
    assert not opened.site.requests("/watchers") + opened.site.requests("/votes")


def test_trap33_what_happened_while_nobody_listened_is_found(opened: Opened) -> None:
    """No event is needed: what Jira is asked is how things are."""
    person, there = opened.site.person("m.silva"), opened.site.site_clock()
    tracker, copy = opened.open(sweep=1, census=1), dict[str, Issue]()
    edited, spoken, deleted = (person.create(BASIC) for _ in range(3))
    comment = person.comment(spoken, "first")
    cursor = run(tracker, copy, None)
    opened.site.faults.comment_edit_silent = True
    person.edit(edited, {"summary": "twice"})
    person.edit(edited, {"summary": "edited"})
    person.edit_comment(spoken, comment, "second")
    person.delete(deleted)
    new = person.create(BASIC)
    for _ in range(3):
        there.forward(3600)
        cursor = run(tracker, copy, cursor)
    assert copy.keys() == {edited, spoken, new}
    assert copy[edited].item.fields["summary"] == "edited"
    assert [one.fields["body"] for one in copy[spoken].children] == ["second"]


def test_trap35_no_address_in_an_answer_is_followed(opened: Opened) -> None:
    """All of them name a host that is not there; what is asked is built of our own address and ids."""
    opened.site.faults.foreign_urls = True
    tracker = opened.open(sweep=1, census=1)
    other = opened.site.person("a.lindqvist").create({})
    Import(opened, tracker, 0, other).run()
    assert_done_once(opened, 0, other)
    copy: dict[str, Issue] = {}
    cursor = run(tracker, copy, None)
    opened.site.site_clock().forward(3600)
    run(tracker, copy, cursor)
    (file,) = (one for issue in copy.values() for one in issue.children if one.ref.kind is Kind.ATTACHMENT)
    assert b"".join(tracker.fetch(file.ref)) == b"abc"
    assert tracker.apply(issue_ref(other), Write({"summary": "there"}), MARK) == {"summary": "there"}
