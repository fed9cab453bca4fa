"""What the two sides of an exchange call the same issue, and what ours shows of that. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from filesync.model.ids import Gid

_LEARN: Final = (
    "insert into called (exchange, gid, theirs, told, shown, due) values (?, ?, ?, '', '', 1)"
    " on conflict (exchange, gid) do update set theirs = excluded.theirs, due = 1 where theirs <> excluded.theirs"
)
_TOLD: Final = (
    "insert into called (exchange, gid, theirs, told, shown, due) values (?, ?, '', ?, '', 0)"
    " on conflict (exchange, gid) do update set told = excluded.told"
)
_OF: Final = "select gid, theirs, told, shown from called where exchange = ? and gid in (select value from json_each(?))"
_DUE: Final = "select gid, theirs, told, shown from called where exchange = ? and due and gid > ? order by gid limit ?"
_SHOWN: Final = "update called set shown = ?, due = 0 where exchange = ? and gid = ?"
_ALL_DUE: Final = "update called set due = 1 where exchange = ?"


class Called(NamedTuple):
    """One issue. "" is what is not known, was not told, is not shown."""

    gid: Gid
    theirs: str  # the partner's key
    told: str  # our key, as the partner was told it
    shown: str  # what our issue shows of the partner's, as whoever wrote it there put it


def learn(conn: sa.Connection, exchange_id: int, keys: Iterable[tuple[Gid, str]]) -> None:
    """The partner calls these issues so. Where that is new, it is due to be shown."""
    if values := [(exchange_id, gid, theirs) for gid, theirs in keys]:
        conn.exec_driver_sql(_LEARN, values)


def tell(conn: sa.Connection, exchange_id: int, keys: Iterable[tuple[Gid, str]]) -> None:
    """The partner is told what we call these issues."""
    if values := [(exchange_id, gid, ours) for gid, ours in keys]:
        conn.exec_driver_sql(_TOLD, values)


def called(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Called]:
    """What is known of these issues."""
    wanted = msgspec.json.encode(list(gids)).decode()
    return {Gid(row.gid): Called(*row) for row in conn.exec_driver_sql(_OF, (exchange_id, wanted))}


def due(conn: sa.Connection, exchange_id: int, *, after: str, limit: int) -> list[Called]:
    """Issues of which something is to be shown that is not, by their gids, those that come behind `after`."""
    return [Called(*row) for row in conn.exec_driver_sql(_DUE, (exchange_id, after, limit))]


def show(conn: sa.Connection, exchange_id: int, gid: Gid, shown: str) -> None:
    """This is shown now, and nothing is due."""
    conn.exec_driver_sql(_SHOWN, (shown, exchange_id, gid))


def all_due(conn: sa.Connection, exchange_id: int) -> None:
    """Something else is to be shown than before."""
    conn.exec_driver_sql(_ALL_DUE, (exchange_id,))
