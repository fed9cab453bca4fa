"""How often Python looks for garbage that only its collector finds, and where it does not look."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def for_good() -> Iterator[None]:
    """For loading modules, which stay until the program ends: no collection looks through them, nor does the one at its end."""
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if looks:
            gc.enable()
