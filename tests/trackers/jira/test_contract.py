"""The contract that every adapter keeps, over Data Center 9.12 and 10.3 and over Cloud."""

from __future__ import annotations

from typing import cast

import pytest

from filesync.trackers.jira.tracker import JiraTracker
from tests.trackers.bench import BASIC, Bench, Person
from tests.trackers.contract import TrackerContract
from tests.trackers.jira.scene import AtBrowser, Opened

SCOPE = 'labels in ("share", "joint")'


@pytest.fixture
def bench(opened: Opened) -> Bench:
    opened.site.store.fields["resolution"].on_screens = True  # as a project has it that wants it carried
    for name in ("Hydraulics, week 48", "[Seals]"):
        opened.site.add_sprint(name)

    def reopen() -> JiraTracker:
        return opened.open(scope=SCOPE, sweep=1, census=1)

    return Bench(
        tracker=reopen(),
        person=cast(Person, AtBrowser(opened.site.person("j.becker"))),
        reopen=reopen,
        break_down=opened.site.server.stop,
        basic=BASIC,
        out_of_scope={"labels:share": None},
        child={"type": "Sub-task"},
        far_status="Done",
        values={
            "original_estimate": ("5400", "28800"),
            "remaining_estimate": ("60", "3600"),
            "Data Sheet": ("https://example.com/pump?a=1", "http://example.org/"),
            "Sprint": ("Hydraulics, week 48", "[Seals]"),
        },
        runs=3,
    )


class TestJira(TrackerContract):
    """The contract."""
