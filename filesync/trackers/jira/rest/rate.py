"""Files are given the time that they take, but not when they drip: somebody may keep a connection busy for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from filesync.errors import size_text
from filesync.trackers.jira.rest.wire import Broken

LEAST: Final = 60_000  # bytes a minute: 8 kbit/s, the slowest line that anybody still uses
_MINUTE: Final = 60.0
_HINT: Final = "It is tried again by itself. If it stays so, look at the line to Jira, and at what is between."


class _Rate:
    """Counts bytes and the seconds that the other side took for them, minute by minute."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._bytes, self._seconds, self._since = now, 0, 0.0, 0.0

    def begin(self) -> None:
        """The other side has its turn."""
        self._since = self._now()

    def end(self, size: int) -> None:
        """So many bytes went through. Raises Broken where that is too few."""
        self._bytes += size
        self._seconds += self._now() - self._since
        if self._seconds < _MINUTE:
            return
        if self._bytes < LEAST * self._seconds / _MINUTE:
            what = f"only {size_text(self._bytes)} went through in {self._seconds:.0f} s"
            raise Broken(f"{what}, and {size_text(LEAST)} a minute are the least", sent=True, again=False, hint=_HINT)
        self._bytes, self._seconds = 0, 0.0


def coming(pieces: Iterator[bytes], now: Callable[[], float]) -> Iterator[bytes]:
    """Pieces that are waited for. What the caller does between two of them does not count. Raises Broken."""
    rate = _Rate(now)
    while True:
        rate.begin()
        piece = next(pieces, None)
        if piece is None:
            return
        rate.end(len(piece))
        yield piece


def going(pieces: Iterable[bytes], now: Callable[[], float]) -> Iterator[bytes]:
    """Pieces that are taken away. What it takes to make them does not count. Raises Broken."""
    rate = _Rate(now)
    for piece in pieces:
        rate.begin()
        yield piece
        rate.end(len(piece))
