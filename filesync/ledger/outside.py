"""Issues that left a scope, ours or the partner's. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.model.ids import Gid
from filesync.model.issue import Scope
from filesync.model.outside import Outside

_OF: Final = (
    "select gid, seen, told, theirs, marked from outside where exchange = ? and gid in (select value from json_each(?))"
)
# each of the two sides writes its own half: an export ours, an import the partner's
_OURS: Final = (
    "insert into outside (exchange, gid, seen, told, theirs, marked) values (?, ?, ?, ?, 'in', 0)"
    " on conflict (exchange, gid) do update set seen = excluded.seen, told = excluded.told"
)
_THEIRS: Final = (
    "insert into outside (exchange, gid, seen, told, theirs, marked) values (?, ?, 'in', 'in', ?, ?)"
    " on conflict (exchange, gid) do update set theirs = excluded.theirs, marked = excluded.marked"
)
_INSIDE: Final = (
    "delete from outside where exchange = ? and gid in (select value from json_each(?))"
    " and seen = 'in' and told = 'in' and theirs = 'in' and not marked"
)


def outside_of(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Outside]:
    """What is known of these; of one that is not there, that it is inside."""
    rows = conn.exec_driver_sql(_OF, (exchange_id, _names(gids))).all()
    return {
        Gid(gid): Outside(seen=Scope(seen), told=Scope(told), theirs=Scope(theirs), marked=bool(marked))
        for gid, seen, told, theirs, marked in rows
    }


def put_ours(conn: sa.Connection, exchange_id: int, known: Mapping[Gid, Outside]) -> None:
    """Our own half: as seen and as told."""
    if known:
        conn.exec_driver_sql(_OURS, [(exchange_id, gid, one.seen.value, one.told.value) for gid, one in known.items()])
        conn.exec_driver_sql(_INSIDE, (exchange_id, _names(known)))


def put_theirs(conn: sa.Connection, exchange_id: int, known: Mapping[Gid, Outside]) -> None:
    """The partner's half: as it told, and whether our issue says so."""
    if known:
        conn.exec_driver_sql(_THEIRS, [(exchange_id, gid, one.theirs.value, one.marked) for gid, one in known.items()])
        conn.exec_driver_sql(_INSIDE, (exchange_id, _names(known)))


def _names(gids: Iterable[Gid]) -> str:
    return msgspec.json.encode(list(gids)).decode()
