"""Fields of which each side keeps its own until a person decides. Inside the caller's transaction.

That one is open stands in its shadow (model/shadow.py); here is what people are shown of it, and what choosing the
partner's needs. What is open no more goes as the shadow is saved (shadows.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import open_conflict
from filesync.model.ids import Gid, Mark

_PUT: Final = (
    "insert into open_conflict (exchange, gid, field, mark, key, ours, theirs, told, base, since)"
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " on conflict (exchange, gid, field) do update set mark = excluded.mark, key = excluded.key, ours = excluded.ours,"
    " theirs = excluded.theirs, told = excluded.told, base = excluded.base"
)


class OpenConflict(msgspec.Struct, frozen=True, kw_only=True):
    """An edit of the partner's that stands against ours. `ours`, `theirs`: for people, as each side told it last."""

    gid: Gid
    field: str  # by its wire name
    mark: Mark
    key: str  # what people here call the issue
    ours: str
    theirs: str
    told: bytes  # the partner's value in the contract's words, as JSON
    base: Mark  # what of ours its author had seen
    since: int  # microseconds since 1970: the first of the edits that met


def put(conn: sa.Connection, exchange_id: int, rows: Iterable[OpenConflict]) -> None:
    """Write these down; of one that is open already, since when stays."""
    values = [(exchange_id, a.gid, a.field, a.mark, a.key, a.ours, a.theirs, a.told, a.base, a.since) for a in rows]
    if values:
        conn.exec_driver_sql(_PUT, values)


def say_ours(conn: sa.Connection, exchange_id: int, rows: Iterable[tuple[Gid, str, str]]) -> None:
    """Ours became another one and is told: (gid, field, value for people) of what is open."""
    values = [(ours, exchange_id, gid, field) for gid, field, ours in rows]
    if values:
        conn.exec_driver_sql("update open_conflict set ours = ? where exchange = ? and gid = ? and field = ?", values)


def open_conflicts(conn: sa.Connection, exchange_id: int) -> list[OpenConflict]:
    """All of them, the oldest first."""
    query = sa.select(open_conflict).where(open_conflict.c.exchange == exchange_id)
    return [
        _row(row) for row in conn.execute(query.order_by(open_conflict.c.since, open_conflict.c.gid, open_conflict.c.field))
    ]


def count(conn: sa.Connection, exchange_id: int) -> tuple[int, int]:
    """How many there are, and since when the oldest of them is."""
    query = "select count(*), coalesce(min(since), 0) from open_conflict where exchange = ?"
    number, since = conn.exec_driver_sql(query, (exchange_id,)).one()
    return int(number), int(since)


def of(conn: sa.Connection, exchange_id: int, gid: Gid) -> dict[str, OpenConflict]:
    """Those of an issue, by field."""
    query = sa.select(open_conflict).where(open_conflict.c.exchange == exchange_id, open_conflict.c.gid == gid)
    return {row.field: _row(row) for row in conn.execute(query)}


def _row(row: Any) -> OpenConflict:
    return OpenConflict(
        gid=Gid(row.gid),
        field=row.field,
        mark=Mark(row.mark),
        key=row.key,
        ours=row.ours,
        theirs=row.theirs,
        told=row.told,
        base=Mark(row.base),
        since=row.since,
    )
