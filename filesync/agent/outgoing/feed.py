"""What a tracker's feed names, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from filesync.agent.site import Site
from filesync.errors import Unavailable
from filesync.ledger import shadows
from filesync.ledger.streams import Exchange

_PAGE: Final = 500  # issues of the ledger that are asked for at once


def piece(feed: Iterator[tuple[str, str | None]], trouble: list[Unavailable], *, most: int) -> list[tuple[str, str | None]]:
    """As many issues as are read at once. What the feed fails with is put into `trouble`; then nothing follows."""
    found: list[tuple[str, str | None]] = []
    try:
        for one in islice(feed, 0 if trouble else most):
            found.append(one)  # noqa: PERF402 - what came before it fails is kept
    except Unavailable as error:
        trouble.append(error)
    return found


def paired_issues(site: Site, x: Exchange) -> Iterator[str]:
    """Local ids of all live issues of the ledger, a page at a time."""
    after = 0
    while True:
        with site.ledger.begin() as conn:
            page = shadows.live_issues(conn, x.id, after=after, limit=_PAGE)
        if not page:
            return
        yield from (local for _, local in page)
        after = page[-1][0]
