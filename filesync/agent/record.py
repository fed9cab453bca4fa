"""The events of one run: into the journal with the transaction they belong to, and then to whoever listens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from filesync.agent.events import Event, Severity
from filesync.ledger import journal

Clock = Callable[[], dt.datetime]  # the time, with its offset
Sink = Callable[[Event], None]


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970, as the ledger keeps times."""
    return int(moment.timestamp() * 1_000_000)


def moment(micros: int) -> dt.datetime:
    """The other way."""
    return dt.datetime.fromtimestamp(micros / 1_000_000, tz=dt.UTC)


class Record:
    """What happened in one run of one exchange."""

    def __init__(self, exchange: str, *, clock: Clock, sinks: Sequence[Sink] = ()) -> None:
        self.exchange = exchange
        self.events: list[Event] = []
        self._clock = clock
        self._sinks = sinks
        self._unwritten: list[Event] = []

    def add(self, event: Event) -> None:
        """Note an event; it stands in the journal with the next `write`."""
        self._unwritten.append(event)

    def write(self, conn: sa.Connection) -> None:
        """Write what was noted into the journal, in this transaction."""
        at = micros(self._clock())
        loud = [event for event in self._unwritten if event.severity is not Severity.DEBUG]
        journal.add_entries(
            conn,
            [
                journal.Entry(
                    exchange=self.exchange,
                    at=at,
                    severity=event.severity,
                    kind=type(event).__name__,
                    detail=msgspec.json.encode(event),
                )
                for event in loud
            ],
        )

    def done(self) -> None:
        """The transaction is committed: tell the listeners."""
        told, self._unwritten = self._unwritten, []
        self.events.extend(told)
        for event in told:
            for sink in self._sinks:
                sink(event)

    def undo(self) -> None:
        """The transaction was undone: what was noted did not happen."""
        self._unwritten = []
