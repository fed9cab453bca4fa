"""What the feed learns of issues that its caller does not know, and the readings that follow need not ask again."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class New:
    """What a search said of an issue that the feed's caller does not know. `scoped`: it was asked for the scope."""

    updated: int | None
    scoped: bool
    settled: int = -1  # ms since 1970: what was updated then or before, the search knew

    def in_scope(self, updated: int) -> bool:
        """Whether the issue is for sure, when its `updated` is this."""
        return self.scoped and (updated == self.updated or updated <= self.settled)


class Told(threading.local):
    """What the feed tells the readings of its caller, who works in the same thread: another one knows other issues."""

    def __init__(self) -> None:
        self.new: dict[str, New] = {}
        self.gone: set[str] = set()  # not found in two runs

    def forget(self) -> None:
        """Nothing is known any more."""
        self.new.clear()
        self.gone.clear()
