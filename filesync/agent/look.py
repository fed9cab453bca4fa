"""What a site knows, for people who ask: read from the ledger without the site's lock, so also while an import runs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import msgspec
import sqlalchemy as sa

from filesync.agent.events import Event
from filesync.agent.record import moment
from filesync.config import Config
from filesync.ledger import journal, streams
from filesync.ledger.journal import Conflict, Queued, Wait
from filesync.ledger.ledger import Ledger
from filesync.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as it stands in the journal."""

    exchange: str
    at: dt.datetime
    event: Event


@contextmanager
def reading(config: Config) -> Iterator[sa.Connection]:
    """The ledger of a site, for reading. Raises DiskProblem, LedgerBehind."""
    ledger = Ledger.open(config.folders.state / "ledger.db")
    try:
        with ledger.begin() as conn:
            yield conn
    finally:
        ledger.close()


def history(conn: sa.Connection, *, limit: int) -> list[Told]:
    """The newest events, oldest of them first."""
    decoder = msgspec.json.Decoder(_any_event())
    return [
        Told(exchange=entry.exchange, at=moment(entry.at), event=decoder.decode(entry.detail))
        for entry in journal.entries(conn, limit=limit)
    ]


def conflicts(conn: sa.Connection, *, limit: int) -> list[tuple[str, Conflict]]:
    """The newest edits that met in each exchange, each with the exchange's name, oldest of them first."""
    return [(one.name, met) for one in streams.exchanges(conn) for met in journal.conflicts(conn, one.id, limit=limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that the tracker or the mapping refused, and how many of the same entity wait behind it."""

    exchange: str
    row: Queued
    change: Change
    behind: int


def refused(conn: sa.Connection) -> list[Refused]:
    """Every stuck change of every exchange, in the order in which they were sent."""
    decoder = msgspec.json.Decoder[Change](Change)
    found = []
    for one in streams.exchanges(conn):
        rows = journal.queued(conn, one.id)
        waiting = Counter(row.gid for row in rows)
        found += [
            Refused(exchange=one.name, row=row, change=decoder.decode(row.change), behind=waiting[row.gid] - 1)
            for row in rows
            if row.state is Wait.STUCK
        ]
    return found


def _any_event() -> Any:
    """The union of all events: which one it is stands in each."""
    return reduce(or_, Event.__subclasses__())
