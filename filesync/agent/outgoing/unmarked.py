"""Attachments that an import made, and whose mark is lost: another process wrote over it. The ledger knows them by their ids.

An attachment never changes, so one with the id, the name and the size of what was made is that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from filesync.errors import Gone, Rejected, Unreadable, Unwritten
from filesync.model.ids import Gid, Kind, SiteId, home
from filesync.model.issue import Issue, Item
from filesync.model.shadow import Entity, Life
from filesync.model.values import digest
from filesync.trackers.base import Tracker


def unknown(issues: Iterable[Issue], rows: Collection[Entity]) -> set[str]:
    """Attachments without a mark, by our tracker's ids, that this exchange does not have: another one may have made them."""
    known = {row.local for row in rows if row.kind is Kind.ATTACHMENT}
    below = (one for issue in issues for one in issue.children if one.ref.kind is Kind.ATTACHMENT and one.origin is None)
    return {one.ref.local for one in below} - known


def unmarked(issues: Iterable[Issue], rows: Collection[Entity], *, us: SiteId) -> list[tuple[Item, Gid]]:
    """Those of the issues' attachments, and for whom each was made. `rows`: what belongs to these issues, in any exchange."""
    made = {row.local: row for row in rows if row.kind is Kind.ATTACHMENT and row.state is Life.LIVE and home(row.gid) != us}
    without = (one for issue in issues for one in issue.children if one.ref.kind is Kind.ATTACHMENT and one.origin is None)
    return [(one, row.gid) for one in without if (row := made.get(one.ref.local)) is not None and _is(one, row)]


def _is(item: Item, row: Entity) -> bool:
    return all(row.shadow(name).here == digest(value) for name, value in item.fields.items())


def claim(tracker: Tracker, lost: Iterable[tuple[Item, Gid]]) -> None:
    """Have our tracker say again for whom they were made, as others read it, too. Raises Unavailable.

    The next export looks at their issues again: what did not go through at one of them is tried then.
    """
    for ref, origin in {item.ref: origin for item, origin in lost}.items():
        with suppress(Gone, Rejected, Unreadable, Unwritten):
            tracker.claim(ref, origin)
