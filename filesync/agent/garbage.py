"""How often Python looks for garbage that only its collector finds."""

from __future__ import annotations

import gc
from typing import Final

_NEW: Final = 10_000  # objects that are made and still there, before the newest are looked through
_OLDER: Final = 20  # times that, before those of the last rounds are
_ALL: Final = 100  # times that, before everything is


def collect_seldom() -> None:
    """For a program that exports or imports: what one group of changes needs is there at once, and goes without a collector.

    As Python begins, it would look through a group in the making every 700 objects, and ever again through all that a
    tracker keeps in memory. What only the collector finds (exceptions with their frames) is little, and waits for longer.
    """
    gc.set_threshold(_NEW, _OLDER, _ALL)
