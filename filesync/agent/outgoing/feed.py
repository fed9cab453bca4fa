"""What a tracker's feed names, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from filesync.errors import Unavailable


def piece(feed: Iterator[tuple[str, str | None]], trouble: list[Unavailable], *, most: int) -> list[tuple[str, str | None]]:
    """As many issues as are read at once. What the feed fails with is put into `trouble`; then nothing follows."""
    found: list[tuple[str, str | None]] = []
    try:
        for one in islice(feed, 0 if trouble else most):
            found.append(one)  # noqa: PERF402 - what came before it fails is kept
    except Unavailable as error:
        trouble.append(error)
    return found
