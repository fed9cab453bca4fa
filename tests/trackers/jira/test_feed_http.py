"""The feed and the readings over HTTP: what is asked is what Jira's makers describe, in as few requests as it takes."""

from __future__ import annotations

from collections import Counter

import pytest

from filesync.model.ids import Kind
from filesync.model.issue import Issue
from filesync.trackers.jira.tracker import JiraTracker
from tests.trackers.bench import BASIC
from tests.trackers.jira.scene import Opened


def run(tracker: JiraTracker, copy: dict[str, Issue], cursor: str | None) -> str | None:
    """One run of an export."""
    told = list(tracker.changed(cursor, lambda: iter(list(copy))))
    for local, issue in tracker.get_all([touched.issue for touched in told]):
        copy.pop(local, None)
        copy.update({} if issue is None else {local: issue})
    return told[-1].cursor if told else cursor


def requests(opened: Opened) -> Counter[str]:
    """What the last tracker asked since this was called last."""
    counted = Counter(opened.https[-1].requests)
    opened.https[-1].requests.clear()
    return counted


def test_trap38_everything_that_is_asked_is_described(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """`opened` holds it against the descriptions in the end."""
    monkeypatch.setattr("filesync.trackers.jira.read.lists._PAGE", 3)
    site, person = opened.site, opened.site.person("m.silva")
    tracker = opened.open(scope='labels = "share" AND type = Bug', not_before="2026-01-01", sweep=2, census=1)
    made = [person.create(BASIC) for _ in range(8)]
    for _ in range(7):
        person.comment(made[0], "seen")
    for _ in range(25):
        person.log_work(made[1], 600)
    site.person("filesync").comment(made[2], "by our account")
    site.faults.embedded_comments, site.faults.page_cap = 4, 3
    copy: dict[str, Issue] = {}
    cursor = run(tracker, copy, None)
    assert copy.keys() == set(made)
    counts = {local: Counter(child.ref.kind for child in copy[local].children) for local in made[:3]}
    assert counts == {
        made[0]: {Kind.COMMENT: 7},
        made[1]: {Kind.WORKLOG: 25},
        made[2]: {Kind.COMMENT: 1},
    }
    person.delete(made[5])
    person.move(made[6], "XYZ")
    person.edit(made[7], {"labels:share": None})
    for _ in range(4):
        site.site_clock().forward(300)
        cursor = run(tracker, copy, cursor)
    assert copy.keys() == {*made} - {made[5]}
    assert {local for local in copy if not copy[local].in_scope} == {made[6], made[7]}


def test_requests_are_few(opened: Opened) -> None:
    person, copy = opened.site.person("m.silva"), dict[str, Issue]()
    tracker = opened.open()
    made = [person.create(BASIC) for _ in range(120)]
    requests(opened)
    cursor = run(tracker, copy, None)
    assert requests(opened).total() <= 1 + 1 + 2 + opened.site.flavour.cloud  # time, pages of ids, of issues
    opened.site.site_clock().forward(600)
    cursor = run(tracker, copy, cursor)
    opened.site.site_clock().forward(600)
    requests(opened)
    list(tracker.changed(cursor, lambda: iter(list(copy))))
    assert requests(opened).total() == 3  # time, what was updated, and whether the sweep's share is there
    person.edit(made[7], {"summary": "changed"})
    told = [touched.issue for touched in tracker.changed(cursor, lambda: iter(()))]
    assert made[7] in told
    requests(opened)
    list(tracker.get_all([made[7]]))
    assert requests(opened).total() == 1
