"""What of our issues does not reach the partner, and what of the partner's is not here as it was sent. As it stands now.

A row for each item, field and cause: so what is looked at again is not counted again, and what was put right is gone. No row
holds a value. Inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.model.ids import Gid

_ADD: Final = (
    "insert into shortfall (exchange, sent, item, part, field, cause, called, first, last) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " on conflict (exchange, sent, item, part, field, cause) do update set last = excluded.last, called = excluded.called"
)
_LOOKED_AT: Final = (
    "delete from shortfall where exchange = ? and sent = 1 and item in (select value from json_each(?)) and last <> ?"
)
_DECIDED: Final = (
    "delete from shortfall where exchange = ? and sent = 0 and item = ? and last <> ?"
    " and field in (select value from json_each(?))"
)
_GONE: Final = (
    "delete from shortfall where exchange = ? and sent = 0 and item in (select value from json_each(?)) and last <> ?"
)
_ANY: Final = "select exists (select 1 from shortfall where exchange = ? and sent = 0)"
_TALLY: Final = (
    "select field, cause, count(*), min(first), max(last) from shortfall where exchange = ? and sent = ?"
    " group by field, cause order by 3 desc, 1, 2 limit ?"
)
_CALLED: Final = (
    "select called from shortfall where exchange = ? and sent = ? and field = ? and cause = ?"
    " group by called order by max(last) desc, called limit ?"
)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """One. Of what is sent, `item` is the local id of the issue and `part` that of what belongs to it; else a gid, and ""."""

    item: str
    field: str  # bare, in the contract's words (model/shortfall.py)
    cause: str
    called: str  # the key that people here know the issue by
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many items there are with one cause at one field. Times: microseconds since 1970."""

    field: str
    cause: str
    items: int
    first: int
    last: int
    called: tuple[str, ...]  # keys of some, the newest first


def note_sent(conn: sa.Connection, exchange_id: int, looked_at: Iterable[str], found: Iterable[Shortfall], *, now: int) -> None:
    """These issues of ours were looked at, and all that there is to say of them is `found`."""
    _add(conn, exchange_id, found, sent=True, now=now)
    conn.exec_driver_sql(_LOOKED_AT, (exchange_id, _encode(list(looked_at)).decode(), now))


def note_taken(
    conn: sa.Connection,
    exchange_id: int,
    decided: Mapping[Gid, Collection[str]],
    found: Iterable[Shortfall],
    *,
    gone: Iterable[str] = (),
    now: int,
) -> None:
    """These fields of the partner's items were decided, and all there is to say of them is `found`. `gone`: items that are."""
    _add(conn, exchange_id, found, sent=False, now=now)
    if values := [(exchange_id, gid, now, _encode(list(fields)).decode()) for gid, fields in decided.items()]:
        conn.exec_driver_sql(_DECIDED, values)
    if gids := list(gone):
        conn.exec_driver_sql(_GONE, (exchange_id, _encode(gids).decode(), now))


def any_taken(conn: sa.Connection, exchange_id: int) -> bool:
    """Whether anything falls short of what the partner sent. Nearly always nothing does."""
    return bool(conn.exec_driver_sql(_ANY, (exchange_id,)).scalar())


def _add(conn: sa.Connection, exchange_id: int, found: Iterable[Shortfall], *, sent: bool, now: int) -> None:
    if values := [(exchange_id, sent, one.item, one.part, one.field, one.cause, one.called, now, now) for one in found]:
        conn.exec_driver_sql(_ADD, values)


def tally(conn: sa.Connection, exchange_id: int, *, sent: bool, examples: int, limit: int) -> list[Tally]:
    """What is counted, the most first. `examples`: how many keys each."""
    return [
        Tally(
            field=field,
            cause=cause,
            items=items,
            first=first,
            last=last,
            called=tuple(
                conn.exec_driver_sql(_CALLED, (exchange_id, sent, field, cause, examples)).scalars() if examples else ()
            ),
        )
        for field, cause, items, first, last in conn.exec_driver_sql(_TALLY, (exchange_id, sent, limit)).all()
    ]
