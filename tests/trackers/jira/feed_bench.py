"""What the tests of reading and of the feed work on: a simulated Jira, asked without a connection, and somebody who uses it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from filesync.errors import Gone, Rejected, Unavailable
from filesync.model.issue import Issue
from filesync.trackers.base import Touched
from filesync.trackers.jira.read.feed import Feed, Plan
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.read.long_texts import LongTexts
from filesync.trackers.jira.read.reading import Reading
from filesync.trackers.jira.read.scoping import Wanted
from filesync.trackers.jira.read.search import Search
from filesync.trackers.jira.translate.catalogue import Catalogue
from tests.support.jira.faults import Faults
from tests.support.jira.flavours import Flavour
from tests.support.jira.issues import IssueWork
from tests.support.jira.records import Issue as Kept
from tests.support.jira.router import Request, dispatch
from tests.support.jira.site import SiteClock
from tests.support.jira.store import Store
from tests.support.jira.threads import ThreadWork


class Direct:
    """The simulated Jira without HTTP: one account's calls, counted by method and path."""

    def __init__(self, store: Store, account: str = "filesync") -> None:
        self._store, self._account = store, account
        self.requests: Counter[str] = Counter()
        self.before: Callable[[str], None] = lambda _: None  # called with every path that is asked for

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, gone: str = "") -> Any:
        return self._call("GET", path, params, b"", gone)

    def ask(self, path: str, *, body: object, params: Mapping[str, Any] | None = None) -> Any:
        return self._call("POST", path, params, json.dumps(body).encode(), "")

    def quote(self, text: str) -> str:
        raise AssertionError(text)

    def download(self, path: str, *, size: int, gone: str = "") -> Iterator[bytes]:
        """No text here is too long for Jira."""
        raise AssertionError(path)

    def _call(self, method: str, path: str, params: Mapping[str, Any] | None, body: bytes, gone: str) -> Any:
        self.before(path)
        self.requests[f"{method} {re.sub(r'/[0-9]+', '/N', path)}"] += 1
        fault = self._store.faults.due(method, path)
        if fault is not None:
            raise (Rejected if fault.status < 500 else Unavailable)(f"Jira answers {fault.status}", hint="It is tried again.")
        answer = dispatch(
            Request(
                method=method,
                path=f"/{unquote(path)}",
                query={name: [str(value)] for name, value in (params or {}).items()},
                headers={"content-type": "application/json"},
                store=self._store,
                user=self._store.person(self._account),
                base="https://jira.example.com",
                media="",
                body=body,
            )
        )
        said = json.loads(answer.bytes() or b"null")
        if answer.status < 300:
            return said
        if answer.status == 404 and gone:
            raise Gone(gone)
        if answer.status >= 500:
            raise Unavailable(str(said), hint="Ask whoever runs Jira.")
        raise Rejected(str(said))


@cache
def catalogue(flavour: Flavour) -> Catalogue:
    """What the project ABC of a new site has: it is the same in each."""
    store = Store(flavour, clock=SiteClock(), faults=Faults(), spool=Path())
    return read_catalogue(Direct(store), flavour, "ABC")


@dataclass
class Jira:
    """A simulated Jira, and a follower of its project ABC who keeps what it is told, as an export does."""

    store: Store
    http: Direct
    faults: Faults
    clock: SiteClock
    scope: str = ""
    not_before: int | None = None
    lag: int = 60_000
    sweep: int = 50
    census: int = 20
    limit: int = 10
    copy: dict[str, Issue] = field(default_factory=dict)  # what the follower knows, by local id
    cursor: str | None = None

    def __post_init__(self) -> None:
        cloud = self.store.flavour.cloud
        self.catalogue = catalogue(self.store.flavour)
        self.search = Search(self.http, cloud, "ABC")
        self.account = self.store.person("filesync")
        self.reading = self.new_reading()
        self.http.requests.clear()

    def new_reading(self) -> Reading:
        wanted = Wanted(scope=self.scope, not_before=self.not_before, limit=self.limit)
        accounts = {self.account.account if self.store.flavour.cloud else self.account.name}
        return Reading(
            self.http,
            self.search,
            lambda: self.catalogue,
            accounts=accounts,
            wanted=wanted,
            texts=LongTexts(self.http, cloud=self.store.flavour.cloud),
        )

    @property
    def feed(self) -> Feed:
        plan = Plan(
            scope=self.scope,
            not_before=self.not_before,
            lag=self.lag,
            sweep=self.sweep,
            census=self.census,
            limit=self.limit,
        )
        return Feed(self.http, self.search, self.reading, plan)

    def known(self) -> Iterator[str]:
        return iter(list(self.copy))

    def changed(self, since: str | None = None) -> list[Touched]:
        return list(self.feed.changed(since, self.known))

    def named(self, since: str | None = None) -> list[str]:
        return [touched.issue for touched in self.changed(since)]

    def follow(self, *, steps: int | None = None, chunk: int = 500) -> list[str]:
        """One run, as an export does it: in chunks, each with the cursor of its last. Stops after so many chunks."""
        feed, told = self.feed.changed(self.cursor, self.known), []
        while steps is None or steps > 0:
            part = [touched for _, touched in zip(range(chunk), feed, strict=False)]
            if not part:
                break
            told += [touched.issue for touched in part]
            for local, issue in self.reading.get_all([touched.issue for touched in part]):
                self.copy.pop(local, None)
                if issue is not None:
                    self.copy[local] = issue
            self.cursor = part[-1].cursor or self.cursor
            steps = None if steps is None else steps - 1
        return told

    def costs(self, call: Callable[[], object]) -> Counter[str]:
        """The requests that a call makes."""
        self.http.requests.clear()
        call()
        return +self.http.requests

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────

    def work(self, name: str = "m.silva") -> IssueWork:
        return IssueWork(self.store, self.store.person(name))

    def threads(self, name: str = "m.silva") -> ThreadWork:
        return ThreadWork(self.store, self.store.person(name))

    def kept(self, local: str) -> Kept:
        return self.store.issues[local]

    def create(self, summary: str = "Pump stalls", by: str = "m.silva", **fields: Any) -> str:
        given = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": summary, **fields}
        return self.work(by).create({"fields": given}).id

    def edit(self, local: str, by: str = "m.silva", **fields: Any) -> None:
        self.work(by).edit(self.kept(local), {"fields": fields})

    def comment(self, local: str, text: str = "seen", by: str = "m.silva", **more: Any) -> str:
        return self.threads(by).comment(self.kept(local), {"body": text, **more}).id

    def delete(self, local: str) -> None:
        self.work("admin").delete(self.kept(local), subtasks=True)

    def forward(self, minutes: float = 10) -> None:
        self.clock.forward(60 * minutes)


def make(flavour: Flavour, folder: Path, **settings: Any) -> Jira:
    faults, clock = Faults(), SiteClock()
    store = Store(flavour, clock=clock, faults=faults, spool=folder)
    return Jira(store, Direct(store), faults, clock, **settings)


def settled(jira: Jira) -> None:
    """The follower has read everything, and time went by since."""
    jira.follow()
    jira.forward()
    jira.follow()
    jira.forward()
