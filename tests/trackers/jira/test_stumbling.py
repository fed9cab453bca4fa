"""Whatever happens to whichever request, what an import does is done once, and all of it.

One import's steps, with one fault at the n-th request, for every n: the caller does a step again until it goes through.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from filesync.errors import Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.links import link_name
from filesync.model.values import Value, utc_text
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.faults import Fault
from tests.support.jira.faults import Kind as Faulty
from tests.support.jira.site import CLOUD, DC10, FLAVOURS, Flavour
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened, jira

FAULTS = {
    "answer lost": Fault(Faulty.LOSE_ANSWER, 1),
    "request lost": Fault(Faulty.LOSE_REQUEST, 1),
    "answer cut": Fault(Faulty.TRUNCATE, 1),
    "login page": Fault(Faulty.LOGIN_PAGE, 1),
    "503": Fault(Faulty.STATUS, 1, status=503),
    "502": Fault(Faulty.STATUS, 1, status=502),
    "429 at once": Fault(Faulty.STATUS, 1, status=429, retry_after="0"),
    "401": Fault(Faulty.STATUS, 1, status=401),
    "404": Fault(Faulty.STATUS, 1, status=404),
}
PATIENCE = 6  # calls of one step
WAIT = 600  # seconds of the site's clock between them


class Import:
    """The steps of one import of one issue, each with what hangs on it."""

    def __init__(self, opened: Opened, tracker: JiraTracker, number: int, other: str) -> None:
        self._opened, self._tracker, self._number, self._other = opened, tracker, number, other
        self.local = ""

    def run(self) -> None:
        """All of it."""
        self.local = self._again(
            lambda since: self._create(Kind.ISSUE, None, {**BASIC, "summary": f"import {self._number}"}, since)
        )
        self._again(lambda since: self._create(Kind.COMMENT, self.local, {"body": "hello"}, since))
        work: dict[str, Value] = {"started": "2026-11-20T08:00:00.000Z", "seconds": "3600", "body": "work"}
        self._again(lambda since: self._create(Kind.WORKLOG, self.local, work, since))
        file: dict[str, Value] = {"name": "prüf.txt", "size": "3"}
        self._again(lambda since: self._create(Kind.ATTACHMENT, self.local, file, since))
        ref = issue_ref(self.local)
        fields: dict[str, Value | None] = {"description": "d", "labels:x": True, "labels:joint": None}
        self._again(lambda _: self._tracker.apply(ref, Write(fields), MARK))
        self._again(lambda _: self._tracker.apply(ref, Write({link_name("Blocks", self._other): True}), MARK))
        self._again(self._move)

    def _create(self, kind: Kind, issue: str | None, fields: dict[str, Value], since: str) -> str:
        content = (lambda: iter([b"a", b"bc"])) if kind is Kind.ATTACHMENT else None
        about = About(key="XYZ-7", author="somebody", at="2026-11-20T08:00:00.000Z")
        draft = Draft(kind=kind, issue=issue, fields=fields, about=about, content=content, tried=since)
        return self._tracker.create(gid(kind, self._number), draft).item.ref.local

    def _move(self, _: str) -> None:
        ref = issue_ref(self.local)
        while way := self._tracker.route(ref, "In Review"):  # of which a part may be known only
            for status in way:
                self._tracker.apply(ref, Write({"status": status}), MARK)

    def _again(self, step: Callable[[str], object]) -> str:
        since = ""
        for _ in range(PATIENCE):
            begun = utc_text(self._opened.site.site_clock()())
            try:
                return str(step(since))
            except Unavailable:
                since = since or begun
                self._opened.site.site_clock().forward(WAIT)
        pytest.fail("a step never went through")


def assert_done_once(opened: Opened, number: int, other: str) -> None:
    store = opened.site.store
    (issue,) = [one for one in store.issues.values() if one.values["summary"] == f"import {number}"]
    assert (len(issue.comments), len(issue.worklogs), len(issue.attachments)) == (1, 1, 1)
    assert [(link.source, link.target) for link in store.links_of(issue.id)] == [(issue.id, other)]
    assert (issue.values["labels"], issue.values["description"]) == (["share", "x"], "d")
    assert store.statuses[issue.status].name == "In Review"
    assert issue.attachments[0].content.read_bytes() == b"abc"
    moves = [item.new_text for history in issue.histories for item in history.items if item.field == "status"]
    assert moves == ["In Progress", "In Review"]


def stumble(flavour: Flavour, folder: Path, fault: str, *, every: int) -> None:
    with jira(flavour, folder) as opened:
        site = opened.site
        tracker = opened.open()
        other = site.person("a.lindqvist").create({})
        for number in itertools.count():
            struck = site.faults.struck.total()
            kind = FAULTS[fault]
            armed = Fault(kind.kind, 1, status=kind.status, retry_after=kind.retry_after, skip=number * every)
            site.faults.arm(armed)
            Import(opened, tracker, number, other).run()
            site.faults.disarm()
            assert_done_once(opened, number, other)
            if site.faults.struck.total() == struck:  # there were fewer requests than that
                break
        assert number > 3


@pytest.mark.parametrize("fault", ["answer lost", "401", "404"])
@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda flavour: flavour.name)
def test_f110_a_fault_at_any_fifth_request_is_stumbled_over_and_no_more(flavour: Flavour, fault: str, tmp_path: Path) -> None:
    stumble(flavour, tmp_path, fault, every=5)


@pytest.mark.prove
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda flavour: flavour.name)
def test_f110_a_fault_at_any_request_is_stumbled_over_and_no_more(flavour: Flavour, fault: str, tmp_path: Path) -> None:
    stumble(flavour, tmp_path, fault, every=1)
