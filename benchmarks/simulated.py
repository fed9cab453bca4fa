"""A simulated Jira in a process of its own, so that its work is not measured as ours; and what was asked of it."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

from tests.support.jira.flavours import Flavour
from tests.support.jira.site import JiraSite

P = ParamSpec("P")
R = TypeVar("R")
COMMENTS: Final = 3  # of each issue
PEOPLE: Final = ("a.lindqvist", "m.silva", "w.chen")
_DAYS: Final = 3  # so long ago the first issue was made
_ISSUE: Final = re.compile(r"(?<=/issue/)[0-9]+")
_NUMBER: Final = re.compile(r"/[0-9]+(?=/|$)")
_NAMED: Final = re.compile(rb'id in \(([^)]*)\)|"issueIdsOrKeys":\[([^]]*)\]')
_NUMBERS: Final = re.compile(r"[0-9]+")


class Clock:
    """Until `go`, every change comes a second after the one before, in the past; then it is now."""

    def __init__(self) -> None:
        self._past: int | None = self._ms() - _DAYS * 86_400_000

    @staticmethod
    def _ms() -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> int:
        return self._ms() if self._past is None else self._past

    def next(self) -> int:
        if self._past is not None:
            self._past += 1_000
        return self.now()

    def go(self) -> None:
        self._past = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """How to reach it, and how to have something done there."""

    flavour: Flavour
    url: str
    email: str
    token: str
    _there: Connection

    def do(self, act: Callable[Concatenate[JiraSite, P], R], *args: P.args, **named: P.kwargs) -> R:
        """Call a function of a module there, with the site."""
        self._there.send((act, args, named))
        return cast(R, self._there.recv())


@contextmanager
def simulated(flavour: Flavour) -> Iterator[Simulated]:
    """One that is empty."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(flavour, theirs))
    process.start()
    theirs.close()
    try:
        url, email, token = ours.recv()
        yield Simulated(flavour, url, email, token, ours)
    finally:
        ours.close()
        process.join()
    assert process.exitcode == 0, "the simulated Jira failed at a request"


def _serve(flavour: Flavour, asked: Connection) -> None:
    with JiraSite(flavour, clock=Clock()) as site:
        asked.send((site.url, site.email, site.token))
        while True:
            try:
                act, args, named = asked.recv()
            except EOFError:
                return
            asked.send(act(site, *args, **named))


# ── what is done there ──────────────────────────────────────────────────────────────────────────────────────────────


def fill(site: JiraSite, issues: int) -> None:
    """People make so many issues and talk about each; then time goes on to now."""
    for n in range(issues):
        who = site.person(PEOPLE[n % len(PEOPLE)])
        local = who.create({"summary": f"Pump {n} stalls", "description": f"It stalls at {n} bar.", "labels:shared": True})
        for said in range(COMMENTS):
            site.person(PEOPLE[(n + said) % len(PEOPLE)]).comment(local, f"Seen {said} times.")
    cast(Clock, site.clock).go()


def edit_one(site: JiraSite) -> str:
    """Somebody edits one issue; its id."""
    local = next(iter(site.store.issues))
    site.person(PEOPLE[0]).edit(local, {"description": "It does not stall any more."})
    return local


def slow(site: JiraSite, seconds: float) -> None:
    """Every answer takes so long from now on."""
    site.faults.slow(seconds, times=1_000_000_000)


def asked(site: JiraSite, about: str = "") -> Counter[str]:
    """What was asked since the last time, by method and path; "sweep: …" where it names issues and not this one."""
    found: Counter[str] = Counter()
    for seen in site.requests():
        named = _ISSUE.findall(seen.path)
        for groups in _NAMED.findall(seen.body):
            named += _NUMBERS.findall(b",".join(groups).decode())
        path = _NUMBER.sub("/N", seen.path.removeprefix("/rest/api/2/"))
        other = bool(about and named and about not in named)
        found[f"{'sweep: ' if other else ''}{seen.method} {path}"] += 1
    site.forget_requests()
    return found


def made(site: JiraSite) -> tuple[int, int, int]:
    """How many issues our account made, how many of them have moved on since, and how many comments they have."""
    ours = site.store.person("filesync").key
    there = [issue for issue in site.store.issues.values() if issue.creator == ours]
    moved = [issue for issue in there if site.store.statuses[issue.status].name != "To Do"]
    return len(there), len(moved), sum(len(issue.comments) for issue in there)
