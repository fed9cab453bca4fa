"""What waits for a person under one contract, and is to be decided by another one: it comes once more."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from filesync.bundle.changes import encode_change, read_change
from filesync.ledger import journal, open_conflicts
from filesync.ledger.journal import Queued, Wait
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.change import Set, Told
from filesync.model.ids import parse_mark
from filesync.model.shadow import Entity
from filesync.model.values import Value


def put_back(conn: sa.Connection, exchange_id: int, before: Iterable[Entity], after: Iterable[Entity]) -> None:
    """Queue the partner's edits of fields that are open in these rows, and are not any more in what becomes of them.

    They are decided as if they had not been until now, which is how it is; by the contract that is in force then.
    """
    still = {row.gid: row.shadows.met for row in after}
    for row in before:
        over = row.shadows.met.keys() - still[row.gid].keys()
        for name, one in open_conflicts.of(conn, exchange_id, row.gid).items() if over else ():
            if name in over:
                journal.put_queued(conn, exchange_id, [_queued(conn, exchange_id, one)])


def _queued(conn: sa.Connection, exchange_id: int, one: OpenConflict) -> Queued:
    told = {one.field: Told(msgspec.json.decode(one.told, type=Value | None), one.base)}
    left = journal.queued_at(conn, exchange_id, one.mark)  # of the same change something may wait already
    change = None if left is None else read_change(left.change)
    if left is not None and isinstance(change, Set):
        return msgspec.structs.replace(
            left, change=encode_change(msgspec.structs.replace(change, fields={**change.fields, **told}))
        )
    alone = Set(n=parse_mark(one.mark)[2], gid=one.gid, fields=told)
    return Queued(mark=one.mark, gid=one.gid, change=encode_change(alone), state=Wait.BEHIND, since=one.since)
