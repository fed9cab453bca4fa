"""Issues that an import has in hand: what one exchange looks at and then writes, no other writes in between."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Condition


class Busy:
    """Which issues of our tracker are being decided, by all exchanges of a site."""

    def __init__(self) -> None:
        self._change = Condition()
        self._issues: set[str] = set()

    @contextmanager
    def hold(self, issues: Collection[str]) -> Iterator[None]:
        """Have these issues (local ids) in hand once nobody else has any; all at once, so that nobody waits in a ring."""
        mine = frozenset(issues)
        with self._change:
            self._change.wait_for(lambda: self._issues.isdisjoint(mine))
            self._issues |= mine
        try:
            yield
        finally:
            with self._change:
                self._issues -= mine
                self._change.notify_all()
