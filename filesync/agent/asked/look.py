"""What a site knows, for people who ask: read from the ledger without the site's lock, so also while an import runs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from secrets import token_hex
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.agent import events
from filesync.agent.asked.reading import existing_ledger
from filesync.agent.events import Event, Stuck
from filesync.agent.incoming import arrivals, bundles, pieces
from filesync.agent.mailing import events as mailing
from filesync.agent.outgoing import departures
from filesync.agent.partners import agreements
from filesync.agent.record import Clock
from filesync.agent.site import Site
from filesync.config import Config
from filesync.ledger import journal, open_conflicts, streams
from filesync.ledger.journal import Conflict, Entry, Queued, Wait
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.change import Change
from filesync.model.ids import Mark
from filesync.model.moments import moment
from filesync.trackers.registry import open_tracker

_EVENTS: Final = tuple(
    one
    for module in (events, agreements, arrivals, bundles, pieces, departures, mailing)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, Event)
)
_ANY_EVENT: Final = reduce(or_, (one for one in _EVENTS if one is not Event))  # their union: each names itself
_DECODER: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(
    _ANY_EVENT
)  # made here: several threads may ask (model/prepare)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as it stands in the journal: its fields, and the sentence they make."""

    exchange: str
    at: dt.datetime
    severity: str
    sentence: str
    fields: Mapping[str, Any]


@contextmanager
def looking(config: Config, *, clock: Clock) -> Iterator[Site]:
    """A site, not locked: nothing may be done with it but looking. Raises as `reading`, and as opening a tracker."""
    settings = config.tracker
    with closing(existing_ledger(config)) as ledger:
        tracker = open_tracker(
            settings.kind, project=settings.project, settings=settings.settings, folder=settings.base, clock=clock
        )
        with closing(tracker):
            yield Site(config, ledger=ledger, tracker=tracker, clock=clock, random=token_hex)


def history(conn: sa.Connection, *, limit: int) -> list[Told]:
    """The newest events, oldest of them first."""
    return [
        Told(
            exchange=entry.exchange,
            at=moment(entry.at),
            severity=entry.severity,
            sentence=sentence_of(entry),
            fields=msgspec.json.decode(entry.detail),
        )
        for entry in journal.entries(conn, limit=limit)
    ]


def event_of(entry: Entry) -> Event | None:
    """What stands in the journal; None where another version wrote it, and this one has no words for it."""
    try:
        return _DECODER.decode(entry.detail)
    except msgspec.ValidationError:
        return None


def sentence_of(entry: Entry) -> str:
    """What stands in the journal, for people: the journal outlives versions, and all of it is shown."""
    event = event_of(entry)
    return f"{entry.kind}: {entry.detail.decode()}" if event is None else event.sentence()


def conflicts(conn: sa.Connection, *, limit: int) -> list[tuple[str, Conflict]]:
    """The newest edits that met in each exchange, each with the exchange's name, oldest of them first."""
    return [(one.name, met) for one in streams.exchanges(conn) for met in journal.conflicts(conn, one.id, limit=limit)]


def undecided(conn: sa.Connection) -> list[tuple[str, OpenConflict]]:
    """The fields of every exchange of which each side keeps its own, each with the exchange's name, oldest first."""
    return [(x.name, one) for x in streams.exchanges(conn) for one in open_conflicts.open_conflicts(conn, x.id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that the tracker or the mapping refused, and how many of the same entity wait behind it."""

    exchange: str
    row: Queued
    change: Change
    key: str  # how the message that it is stuck calls the issue: by our key, where there is one
    behind: int


def refused(conn: sa.Connection) -> list[Refused]:
    """Every stuck change of every exchange, in the order in which they were sent."""
    decoder = msgspec.json.Decoder[Change](Change)
    found = []
    for one in streams.exchanges(conn):
        rows: list[Queued] = []
        waiting: Counter[str] = Counter()
        for page in journal.queued(conn, one.id):
            rows += [row for row in page if row.state is Wait.STUCK]
            waiting.update(row.gid for row in page)
        keys = told_keys(conn, one.name, rows)
        found += [
            Refused(
                exchange=one.name,
                row=row,
                key=keys.get(row.mark, ""),
                change=decoder.decode(row.change),
                behind=waiting[row.gid] - 1,
            )
            for row in rows
        ]
    return found


def undecided_in(conn: sa.Connection, mark: Mark) -> list[str]:
    """The exchanges in which the change of this number is not decided, by name."""
    return [one.name for one in streams.exchanges(conn) if journal.queued_at(conn, one.id, mark) is not None]


def told_keys(conn: sa.Connection, exchange: str, stuck: list[Queued]) -> dict[Mark, str]:
    """What stuck changes are about, as it was told when they got stuck: the tracker may be down when people ask."""
    if not stuck:
        return {}
    told = journal.entries(conn, exchange=exchange, since=min(row.since for row in stuck))
    events = (msgspec.json.decode(entry.detail) for entry in told if entry.kind == Stuck.__name__)
    return {Mark(event["mark"]): event["key"] for event in events}
