"""Which issues of our tracker one import can work on. Each is asked for once, and the others go on.

Out of reach is what cannot be read, or where nothing can be done now, and what people here closed to partners.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from filesync.errors import Unavailable, Unreadable, Unwritten
from filesync.trackers.base import Tracker

_NEW: Final = 10  # more that cannot be read, or written, at once are not about these issues


class Reach:
    """What one import found out, by our tracker's ids. `failing`: how many changes waited before it as their issues fail."""

    def __init__(self, tracker: Tracker, *, failing: int = 0) -> None:
        self._tracker = tracker
        self._most = failing + _NEW
        self._unread: dict[str, Unreadable] = {}
        self._unwritten: dict[str, Unwritten] = {}
        self._open: dict[str, bool] = {}

    def check(self, local: str) -> None:
        """Raises Unreadable where this import met it already: asking may cost a minute each time."""
        if local in self._unread:
            raise self._unread[local]

    def unread(self, local: str, error: Unreadable) -> None:
        """Remember it. Raises Unavailable where there are so many that our tracker must be looked at first."""
        self._unread.setdefault(local, error)
        if len(self._unread) > self._most:
            raise Unavailable(f"{len(self._unread)} issues cannot be read, all at once; one says: {error}", hint=error.hint)

    def unwritten(self, local: str | None, error: Unwritten) -> None:
        """Count a write that went wrong at an issue, or in the making of one or several. Raises Unavailable as `unread` does.

        Other writes to that issue are tried all the same: they may go well.
        """
        if error.retry_after is None:  # else nothing was tried
            self._unwritten.setdefault(local or f"new {id(error)}", error)
        if len(self._unwritten) > self._most:
            raise Unavailable(
                f"writes to {len(self._unwritten)} issues go wrong, all at once; one says: {error}", hint=error.hint
            )

    def ask(self, issues: Iterable[str]) -> None:
        """Find out which of these are closed to partners. What an import does itself closes none to it. Raises Unavailable."""
        new = sorted({one for one in issues if one not in self._open})
        if new:
            shut = frozenset(self._tracker.shut(new))
            self._open.update((one, one not in shut) for one in new)

    def made(self, local: str) -> None:
        """This import made the issue: what comes with it is taken."""
        self._open[local] = True

    def shuts(self, local: str) -> bool:
        """Whether an issue that was asked for takes nothing from partners."""
        return not self._open.get(local, True)
