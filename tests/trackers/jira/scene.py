"""A tracker over a simulated Jira, with time that stands still unless somebody waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filesync.model.values import Flat
from filesync.trackers.jira.rest.http import Http, Waiting
from filesync.trackers.jira.settings import read_settings
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.person import Person
from tests.support.jira.site import Flavour, JiraSite


class Patient:
    """Waits without waiting."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def waiting(self) -> Waiting:
        return Waiting(now=self.now, sleep=self.sleep, chance=lambda: 0.0)


class AtBrowser:
    """The contract's person."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def __getattr__(self, name: str) -> Any:
        return getattr(self._person, name)

    def link(self, issue: str, link_type: str, other: str) -> None:
        self._person.link(issue, link_type, other)

    def create(self, fields: Flat) -> str:
        return self._person.create(fields)

    def edit(self, issue: str, fields: Flat) -> None:
        self._person.edit(issue, fields)


class Opened:
    """Trackers of one simulated Jira; `open` is what another process would do."""

    def __init__(self, site: JiraSite, folder: Path) -> None:
        self.site, self._folder = site, folder
        self._open: list[JiraTracker] = []
        self.https: list[Http] = []

    def open(self, *, clock: Callable[[], dt.datetime] | None = None, **settings: Any) -> JiraTracker:
        """As the configuration says, with the site's clock or this one."""
        token = self._folder / "token"
        token.touch(mode=0o600)
        token.write_text(self.site.token)
        user = {"user": self.site.email} if self.site.flavour.cloud else {}
        given = {"url": self.site.url, "token_file": str(token), "requests_per_second": 10_000, **user, **settings}
        read = read_settings(given, folder=self._folder)
        http = Http.open(read, cloud=self.site.flavour.cloud, waiting=Patient().waiting())
        self.https.append(http)
        tracker = JiraTracker.open(http, read, project="ABC", clock=clock or self.site.site_clock())
        self._open.append(tracker)
        return tracker

    def close(self) -> None:
        for tracker in self._open:
            tracker.close()


@contextmanager
def jira(flavour: Flavour, folder: Path) -> Iterator[Opened]:
    """A simulated Jira and what opens it."""
    with JiraSite(flavour) as site:
        opened = Opened(site, folder)
        try:
            yield opened
        finally:
            opened.close()
