"""Issues that one import cannot read in our tracker, or do anything at: each is asked for once, and the others go on."""

from __future__ import annotations

from typing import Final

from filesync.errors import Unavailable, Unreadable

_NEW: Final = 10  # more than so many at once are not about these issues


class Unread:
    """What was met by one import, by our tracker's ids. `known`: how many waited for that reason before it."""

    def __init__(self, known: int) -> None:
        self._most = known + _NEW
        self._met: dict[str, Unreadable] = {}

    def check(self, local: str) -> None:
        """Raises Unreadable where this import met it already: asking may cost a minute each time."""
        if local in self._met:
            raise self._met[local]

    def add(self, local: str, error: Unreadable) -> None:
        """Remember it. Raises Unavailable where there are so many that our tracker must be looked at first."""
        self._met.setdefault(local, error)
        if len(self._met) > self._most:
            raise Unavailable(f"{len(self._met)} issues cannot be read, all at once; one says: {error}", hint=error.hint)
