"""Items of ours that are known by the partner's gid: both sides had them before. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.model.ids import Gid

_ADD: Final = (
    "insert into tie (exchange, ours, theirs) values (?, ?, ?)"
    " on conflict (exchange, ours) do update set theirs = excluded.theirs"
)
_THEIRS: Final = "select ours, theirs from tie where exchange = ? and ours in (select value from json_each(?))"


def tied(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Gid]:
    """Of these gids, which our items would have, those that are tied, and by which the partner knows them."""
    wanted = msgspec.json.encode(list(gids)).decode()
    return {Gid(ours): Gid(theirs) for ours, theirs in conn.exec_driver_sql(_THEIRS, (exchange_id, wanted))}


def theirs(conn: sa.Connection, exchange_id: int) -> set[Gid]:
    """The partner's gids of all that are tied."""
    return {Gid(one) for one in conn.exec_driver_sql("select theirs from tie where exchange = ?", (exchange_id,)).scalars()}


def add(conn: sa.Connection, exchange_id: int, gids: Mapping[Gid, Gid]) -> None:
    """Know these items of ours by the partner's gids."""
    if gids:
        conn.exec_driver_sql(_ADD, [(exchange_id, ours, theirs) for ours, theirs in gids.items()])
