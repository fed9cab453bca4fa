"""What the contract suite works on: a tracker, somebody who uses it besides filesync, and values for every kind of field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from filesync.model.ids import Gid, Kind, SiteId, make_gid, make_mark
from filesync.model.issue import About, Issue, Item, Ref
from filesync.model.values import FieldKind, FieldSpec, Flat, Value, flat_name
from filesync.trackers.base import Born, Draft, Touched, Tracker

PARTNER = SiteId("9f0c3a52-6b1d-4c7e-8f21-0d5e6a7b8c9d")
MARK = make_mark(1, 7, 3)
TRIED = "2026-11-23T10:00:00.000Z"  # before everything that is done on a bench
# told apart from every field that is set by itself: their values come from the tracker or are given at creation
SPECIAL = frozenset({FieldKind.TYPE, FieldKind.STATUS, FieldKind.PARENT})


BASIC: dict[str, Value] = {"type": "Bug", "summary": "Pump stalls at 40 bar", "labels:share": True}


class Clock:
    """Goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


class Person(Protocol):
    """Somebody who uses the tracker as people do. Items are named by local id."""

    def create(self, fields: Flat) -> str: ...

    def edit(self, issue: str, fields: Flat) -> None: ...

    def comment(self, issue: str, text: str) -> str: ...

    def edit_comment(self, issue: str, comment: str, text: str) -> None: ...

    def delete_comment(self, issue: str, comment: str) -> None: ...

    def link(self, issue: str, link_type: str, other: str) -> None: ...

    def unlink(self, issue: str, link_type: str, other: str) -> None: ...

    def log_work(self, issue: str, seconds: int) -> str: ...

    def edit_worklog(self, issue: str, worklog: str, fields: Flat) -> None: ...

    def delete_worklog(self, issue: str, worklog: str) -> None: ...

    def delete(self, issue: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A tracker with an empty project. An adapter's test module makes one in its fixture `bench`."""

    tracker: Tracker
    person: Person
    reopen: Callable[[], Tracker]  # the same tracker as another process finds it
    break_down: Callable[[], None]  # from now on the tracker does not answer
    basic: Mapping[str, Value]  # fields enough for an issue that is in scope
    out_of_scope: Flat  # an edit that takes it out of scope
    child: Mapping[str, Value]  # fields for an issue that may have a basic one as its parent
    far_status: str  # more than one step from the first one
    values: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)  # of fields that do not take all of their kind
    runs: int = 1  # of `changed` until a deletion is told: a tracker may want to be sure
    known: set[str] = field(default_factory=set)  # local ids of issues that were named, and not seen to be gone

    def changed(self, since: str | None, tracker: Tracker | None = None) -> Iterator[Touched]:
        """What an export of ours reads: it knows the issues it read before."""
        for touched in (tracker or self.tracker).changed(since, lambda: iter(sorted(self.known))):
            self.known.add(touched.issue)
            yield touched

    def issue(self, local: str) -> Issue:
        """The issue, which is there."""
        found = self.tracker.get(local)
        assert found is not None
        return found

    def fields(self, local: str) -> Mapping[str, Value]:
        return self.issue(local).item.fields

    def comments(self, local: str) -> tuple[Item, ...]:
        return tuple(child for child in self.issue(local).children if child.ref.kind is Kind.COMMENT)

    def create(self, fields: Mapping[str, Value] | None = None, *, n: int = 1, tried: bool = False) -> Born:
        """What an import makes of an issue of the partner's."""
        about = About(key=f"XYZ-{n}", author="somebody", at="2026-11-20T08:00:00.000Z")
        draft = Draft(
            kind=Kind.ISSUE, issue=None, fields={**self.basic, **(fields or {})}, about=about, tried=TRIED if tried else ""
        )
        return self.tracker.create(gid(Kind.ISSUE, n), draft)

    def create_comment(self, issue: str, body: str, *, n: int = 1, tried: bool = False) -> Born:
        about, since = About(author="somebody"), TRIED if tried else ""
        draft = Draft(kind=Kind.COMMENT, issue=issue, fields={"body": body}, about=about, tried=since)
        return self.tracker.create(gid(Kind.COMMENT, n), draft)

    def worklogs(self, local: str) -> tuple[Item, ...]:
        return tuple(child for child in self.issue(local).children if child.ref.kind is Kind.WORKLOG)

    def create_worklog(self, issue: str, fields: Mapping[str, Value], *, n: int = 1, tried: bool = False) -> Born:
        about, since = About(author="somebody"), TRIED if tried else ""
        draft = Draft(kind=Kind.WORKLOG, issue=issue, fields=fields, about=about, tried=since)
        return self.tracker.create(gid(Kind.WORKLOG, n), draft)

    def specs(self) -> list[FieldSpec]:
        """The fields that can be set one by one."""
        return [spec for spec in self.tracker.describe().fields if spec.kind not in SPECIAL]

    def two_values(self, spec: FieldSpec) -> tuple[Flat, Flat]:
        """Two different writes of a field, in canonical form."""
        one, two = self.values.get(spec.name) or two_texts(spec, self.tracker.describe().users)
        if spec.many:
            return {flat_name(spec.name, str(one)): True}, {flat_name(spec.name, str(two)): True}
        return {spec.name: one}, {spec.name: two}


def gid(kind: Kind, n: int) -> Gid:
    """An entity born at the partner's."""
    return make_gid(PARTNER, kind, str(n), "1732000000000")


def issue_ref(local: str) -> Ref:
    return Ref(Kind.ISSUE, local, local)


def two_texts(spec: FieldSpec, users: tuple[str, ...]) -> tuple[Value, Value]:
    if spec.kind is FieldKind.CASCADE:
        pair = next(option for option in spec.options if "/" in option)
        return pair.split("/"), [spec.options[0]]
    if spec.options or spec.kind is FieldKind.USER:
        choices = spec.options or users
        return choices[0], choices[-1]
    free = {
        FieldKind.NUMBER: ("-12.5", "8000000"),
        FieldKind.DATE: ("2026-02-28", "0999-12-31"),
        FieldKind.DATETIME: ("2026-11-23T10:00:00.000Z", "1999-12-31T23:59:59.999Z"),
        FieldKind.LABEL: ("überdruck", "a:b"),
        FieldKind.TEXT: ("Dichtung prüfen: 密封 🔧", "second"),
    }
    return free[spec.kind]
