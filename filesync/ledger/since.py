"""What came into the ledger after a place in it, and what stands there refused: for who tells people of it once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.journal import Conflict, Entry, Wait
from filesync.ledger.tables import conflict, event, queue
from filesync.model.ids import Mark


class Place(msgspec.Struct, frozen=True):
    """The last rows that were looked at; all of a new ledger's come after the first place."""

    entry: int = 0
    conflict: int = 0


class Refused(msgspec.Struct, frozen=True):
    """A change that is stuck, and since when (microseconds since 1970). `waits_for`: as in journal.Queued."""

    mark: Mark
    waits_for: str
    since: int


_LAST: Final = (sa.select(sa.func.max(event.c.row)), sa.select(sa.func.max(conflict.c.row)))
_VALUES: Final = frozenset({"ours", "theirs"})  # of edits that met: a text has many megabytes at most
_ROW: Final[sa.BindParameter[Any]] = sa.bindparam("row")


def end(conn: sa.Connection) -> Place:
    """Where the ledger's rows end now."""
    return Place(*(conn.execute(query).scalar_one() or 0 for query in _LAST))


def loud_entries(conn: sa.Connection, place: Place, *, without: Collection[str], limit: int) -> list[Entry]:
    """What needs a person of that which happened after this place, oldest first. `without`: kinds of which nobody asks here."""
    loud = event.c.severity.in_(("warning", "stop")) & event.c.kind.not_in(without)
    query = sa.select(event).where(event.c.row > _ROW, loud).order_by(event.c.row).limit(limit)
    return [_made(Entry, row) for row in conn.execute(query, {"row": place.entry})]


def conflicts(conn: sa.Connection, place: Place, *, exchange_id: int, limit: int, longest: int) -> list[Conflict]:
    """The edits of an exchange that met after this place, oldest first. `longest`: characters that are read of a value."""
    columns = [sa.func.substr(one, 1, longest).label(one.name) if one.name in _VALUES else one for one in conflict.c]
    query = sa.select(*columns).where(conflict.c.row > _ROW, conflict.c.exchange == exchange_id).order_by(conflict.c.row)
    return [_made(Conflict, row) for row in conn.execute(query.limit(limit), {"row": place.conflict})]


def refused(conn: sa.Connection, exchange_id: int, *, limit: int) -> list[Refused]:
    """The first changes of an exchange that are stuck, in the order in which they were sent."""
    columns = (queue.c.mark, queue.c.waits_for, queue.c.since)
    query = sa.select(*columns).where(queue.c.exchange == exchange_id, queue.c.state == Wait.STUCK.value)
    return [
        Refused(Mark(row.mark), row.waits_for, row.since) for row in conn.execute(query.order_by(queue.c.mark).limit(limit))
    ]


def _made(kind: type[Any], row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})
