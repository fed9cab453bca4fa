"""The events of one run: into the journal with the transaction they belong to, and then to whoever listens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.agent.discreet import without_values
from filesync.agent.events import Event, Severity, Untold
from filesync.ledger import journal
from filesync.model.moments import micros

Clock = Callable[[], dt.datetime]  # the time, with its offset
Sink = Callable[[Event], None]

_RECENT: Final = 20  # entries among which a standing event that is there already is not written again


class Record:
    """What happened in one run of one exchange."""

    def __init__(self, exchange: str, *, clock: Clock, sinks: Sequence[Sink] = ()) -> None:
        self.exchange = exchange
        self.events: list[Event] = []
        self._clock = clock
        self._sinks = sinks
        self._unwritten: list[Event] = []
        self._untold = 0  # lines that a listener could not take
        self._why = ""

    def add(self, event: Event) -> None:
        """Note an event; it stands in the journal with the next `write`."""
        self._unwritten.append(event)

    @property
    def pending(self) -> bool:
        """Whether something was noted that is not told yet."""
        return bool(self._unwritten or self._untold)

    def write(self, conn: sa.Connection) -> None:
        """Write what was noted into the journal, in this transaction."""
        at = micros(self._clock())
        if self._untold:
            self._unwritten.append(Untold(lines=self._untold, why=self._why))
            self._untold = 0
        loud = [event for event in self._unwritten if event.severity is not Severity.DEBUG]
        rows = [
            journal.Entry(
                exchange=self.exchange,
                at=at,
                severity=event.severity,
                kind=type(event).__name__,
                detail=msgspec.json.encode(without_values(event)),
            )
            for event in loud
        ]
        if any(event.standing for event in loud):
            stands = {entry.detail for entry in journal.entries(conn, exchange=self.exchange, limit=_RECENT)}
            rows = [row for event, row in zip(loud, rows, strict=True) if not event.standing or row.detail not in stands]
        journal.add_entries(conn, rows)

    def done(self) -> None:
        """The transaction is committed: tell the listeners. One that cannot listen is no reason to stop; it is told later."""
        told, self._unwritten = self._unwritten, []
        self.events.extend(event for event in told if event.severity is not Severity.DEBUG)  # the quiet ones are counted
        for event in told:
            for sink in self._sinks:
                try:
                    sink(without_values(event))
                except OSError as error:
                    self._untold += 1
                    self._why = error.strerror or str(error)
