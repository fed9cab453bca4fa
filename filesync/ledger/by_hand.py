"""Issues that a person started or stopped. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import sqlalchemy as sa

from filesync.model.by_hand import ByHand, Hand
from filesync.model.ids import Gid

_SAID: Final = "select gid, local, hand, called, since from by_hand where exchange = ?"
_ALL: Final = f"{_SAID} order by since, gid"
_STOPPED: Final = f"{_SAID} and hand = 'stopped'"
_FIRST: Final = "select local from by_hand where exchange = ? and (due or (hand = 'started' and ?)) order by since, gid"
_PUT: Final = (
    "insert into by_hand (exchange, gid, local, hand, called, since, due) values (?, ?, ?, ?, ?, ?, 1)"
    " on conflict (exchange, gid) do update set local = excluded.local, hand = excluded.hand, called = excluded.called,"
    " since = excluded.since, due = 1"
)
_LOOKED_AT: Final = "update by_hand set due = 0 where exchange = ? and gid = ? and since = ?"
_OVER: Final = "delete from by_hand where exchange = ? and hand = 'as scope' and not due"
_DROP: Final = "delete from by_hand where exchange = ? and gid = ?"
_TIED: Final = "update by_hand set gid = ? where exchange = ? and gid = ?"


def said(conn: sa.Connection, exchange_id: int) -> dict[Gid, ByHand]:
    """Everything that was said, what was said first at the front. It is little: a person named each."""
    return _rows(conn, _ALL, exchange_id)


def stopped(conn: sa.Connection, exchange_id: int) -> dict[Gid, ByHand]:
    """The issues that are stopped."""
    return _rows(conn, _STOPPED, exchange_id)


def _rows(conn: sa.Connection, query: str, exchange_id: int) -> dict[Gid, ByHand]:
    rows = conn.exec_driver_sql(query, (exchange_id,)).all()
    return {
        Gid(gid): ByHand(gid=Gid(gid), local=local, hand=Hand(hand), called=called, since=since)
        for gid, local, hand, called, since in rows
    }


def to_look_at(conn: sa.Connection, exchange_id: int, *, started: bool) -> list[str]:
    """Our tracker's ids of the issues that no export looked at since it was said; `started`: and of all that are started."""
    return list(conn.exec_driver_sql(_FIRST, (exchange_id, started)).scalars())


def put(conn: sa.Connection, exchange_id: int, rows: Iterable[ByHand]) -> None:
    """Say this, in place of what was said of these issues before; the next export looks at them."""
    values = [(exchange_id, one.gid, one.local, one.hand.value, one.called, one.since) for one in rows]
    if values:
        conn.exec_driver_sql(_PUT, values)


def looked_at(conn: sa.Connection, exchange_id: int, seen: Iterable[ByHand]) -> None:
    """An export went by this. What was said meanwhile is left for the next one."""
    values = [(exchange_id, one.gid, one.since) for one in seen]
    if values:
        conn.exec_driver_sql(_LOOKED_AT, values)
        conn.exec_driver_sql(_OVER, (exchange_id,))


def drop(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> None:
    """Forget what was said of these: they are gone."""
    if values := [(exchange_id, gid) for gid in gids]:
        conn.exec_driver_sql(_DROP, values)


def tie(conn: sa.Connection, exchange_id: int, gids: Mapping[Gid, Gid]) -> None:
    """These issues of ours are known by the partner's gids from now on."""
    if gids:
        conn.exec_driver_sql(_TIED, [(theirs, exchange_id, ours) for ours, theirs in gids.items()])
