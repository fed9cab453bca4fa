"""The simulated Jira's clock: it goes on when something is written, or when a test says so."""

from __future__ import annotations

import datetime as dt
import time
from threading import Lock
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Epoch milliseconds."""

    def now(self) -> int: ...

    def next(self) -> int:
        """The moment of a change: later than that of every change before."""
        ...


class SiteClock:
    """Goes on by `tick` milliseconds with each change, and by `forward`."""

    def __init__(self, start: dt.datetime = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC), *, tick: int = 1000) -> None:
        self._now, self._tick, self._lock = round(start.timestamp() * 1000), tick, Lock()

    def now(self) -> int:
        return self._now

    def next(self) -> int:
        with self._lock:
            self._now += self._tick
            return self._now

    def forward(self, seconds: float) -> None:
        """Let time go by; a negative number is what a restored machine may show."""
        with self._lock:
            self._now += round(seconds * 1000)

    def __call__(self) -> dt.datetime:
        """For parts that take a clock as a callable."""
        return dt.datetime.fromtimestamp(self._now / 1000, dt.UTC)


class WallClock:
    """Real time, for a site that people look at."""

    def __init__(self) -> None:
        self._last, self._lock = 0, Lock()

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, self.now())
            return self._last


def iso(moment: int, zone: str) -> str:
    """As Jira writes it: `2026-11-23T11:00:00.000+0100`, in a user's zone."""
    local = dt.datetime.fromtimestamp(moment // 1000, ZoneInfo(zone))
    return f"{local.year:04}-{local:%m-%dT%H:%M:%S}.{moment % 1000:03}{local:%z}"[:28]  # old zones had seconds
