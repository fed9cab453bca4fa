"""What waits, what met, what happened. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import MANY, X, conflict, event, queue
from filesync.model.ids import Gid, Mark

_CHUNK: Final = 500
_PAGE: Final = 8 << 20  # bytes of changes that are read at once
BLOB: Final = "blob"  # what a change waits for that needs bytes which stand beside its line
UNREAD: Final = "unread"  # its issue cannot be read
SHUT: Final = "shut"  # its issue is closed to partners
UNWRITTEN: Final = "unwritten"  # a call for it went wrong, and other calls do not
STOPPED: Final = "stopped"  # a person stopped its issue
AGAIN: Final = frozenset({UNREAD, SHUT, UNWRITTEN})  # what changes wait for that is tried again by itself
PAUSE: Final = 3_600_000_000  # microseconds: the longest until it is
_MARKS: Final = sa.select(queue.c.mark, sa.func.length(queue.c.change)).where(queue.c.exchange == X).order_by(queue.c.mark)
_BLOB_MARKS: Final = _MARKS.where(queue.c.blob != "")
_QUEUED_AT: Final = sa.select(queue).where(queue.c.exchange == X, queue.c.mark.in_(MANY)).order_by(queue.c.mark)
_FIRST: Final = sa.select(sa.func.min(queue.c.mark)).where(queue.c.exchange == X)
_FIRST_BLOB: Final = _FIRST.where(queue.c.blob != "")
_BLOBS: Final = sa.select(queue.c.blob).where(queue.c.exchange == X, queue.c.blob != "").distinct()
_COUNTS: Final = "select state, count(*) from queue where exchange = ? group by state"  # as in streams.py
_QUEUED_OF: Final = sa.select(queue).where(queue.c.exchange == X, queue.c.gid.in_(MANY)).order_by(queue.c.mark)
_FAILING: Final = sa.select(sa.func.count()).where(queue.c.exchange == X, queue.c.waits_for.in_((UNREAD, UNWRITTEN)))
_HELD_BY_HAND: Final = sa.select(sa.func.count()).where(queue.c.exchange == X, queue.c.waits_for == STOPPED)
_DROP_ENTRIES: Final = sa.delete(event).where(event.c.at < sa.bindparam("before"))
# as the driver takes it, with all gids in one JSON array: asked for each group, and there are mostly none
_QUEUED_GIDS: Final = "select gid from queue where exchange = ? and gid in (select value from json_each(?))"


class Wait(StrEnum):
    """Why a change is not decided yet."""

    WAITS = "waits"  # for an entity that has not come
    STUCK = "stuck"  # the tracker or the mapping refuses it, until a person acts
    BEHIND = "behind"  # another change of the same entity comes first


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A change taken in and not yet decided; `change` is what is left of its line."""

    mark: Mark
    gid: Gid
    change: bytes
    state: Wait
    waits_for: str = ""  # a gid; BLOB: the bytes beside its line; STOPPED; one of AGAIN
    reason: str = ""
    since: int = 0
    not_before: int = 0  # microseconds since 1970: it is not tried again earlier, unless a person wants it
    blobs: tuple[str, ...] = ()  # SHA-256 of the bytes beside its line: of an attachment, of long texts


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two edits of one field that met: both values, who won, by which rule."""

    at: int
    mark: Mark
    gid: Gid
    key: str
    field: str
    ours: str
    theirs: str
    winner: str
    rule: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as it was written down. `detail` is JSON."""

    exchange: str
    at: int
    severity: str
    kind: str
    detail: bytes


def _queued(row: Any) -> Queued:
    return Queued(
        mark=Mark(row.mark),
        gid=Gid(row.gid),
        change=row.change,
        state=Wait(row.state),
        waits_for=row.waits_for,
        reason=row.reason,
        since=row.since,
        not_before=row.not_before,
        blobs=tuple(row.blob.split()),
    )


def queued(conn: sa.Connection, exchange_id: int) -> Iterator[list[Queued]]:
    """Everything undecided, in the order in which it was sent, in pages: a partner may have sent more than memory holds."""
    return _pages(conn, exchange_id, _MARKS)


def queued_blobs(conn: sa.Connection, exchange_id: int) -> Iterator[list[Queued]]:
    """What is undecided and needs bytes beside its line, in the order in which it was sent, in pages as `queued`."""
    return _pages(conn, exchange_id, _BLOB_MARKS)


def _pages(conn: sa.Connection, exchange_id: int, query: sa.Select[Any]) -> Iterator[list[Queued]]:
    marks: list[str] = []
    size = 0
    for mark, length in conn.execute(query, {"x": exchange_id}).all():
        if marks and (len(marks) == _CHUNK or size + length > _PAGE):
            yield _queued_at(conn, exchange_id, marks)
            marks, size = [], 0
        marks.append(mark)
        size += length
    if marks:
        yield _queued_at(conn, exchange_id, marks)


def _queued_at(conn: sa.Connection, exchange_id: int, marks: list[str]) -> list[Queued]:
    return [_queued(row) for row in conn.execute(_QUEUED_AT, {"x": exchange_id, "many": marks})]


def queued_at(conn: sa.Connection, exchange_id: int, mark: Mark) -> Queued | None:
    """The undecided change with this mark."""
    return next(iter(_queued_at(conn, exchange_id, [mark])), None)


def queued_marks(conn: sa.Connection, exchange_id: int) -> list[Mark]:
    """The marks of everything undecided, in order."""
    return [Mark(row.mark) for row in conn.execute(_MARKS, {"x": exchange_id})]


def wanted_blobs(conn: sa.Connection, exchange_id: int) -> list[str]:
    """The SHA-256 of the bytes that undecided changes need beside their lines, each once."""
    rows = conn.execute(_BLOBS, {"x": exchange_id}).scalars()
    return list(dict.fromkeys(sha256 for row in rows for sha256 in row.split()))


def first_queued(conn: sa.Connection, exchange_id: int) -> Mark | None:
    """The mark of the oldest undecided change."""
    found = conn.execute(_FIRST, {"x": exchange_id}).scalar_one_or_none()
    return None if found is None else Mark(found)


def first_blob(conn: sa.Connection, exchange_id: int) -> Mark | None:
    """The mark of the oldest undecided change that needs bytes beside its line."""
    found = conn.execute(_FIRST_BLOB, {"x": exchange_id}).scalar_one_or_none()
    return None if found is None else Mark(found)


def count_queued(conn: sa.Connection, exchange_id: int) -> dict[Wait, int]:
    """How many changes are undecided, by why."""
    return {Wait(state): number for state, number in conn.exec_driver_sql(_COUNTS, (exchange_id,)).all()}


def count_stopped(conn: sa.Connection, exchange_id: int) -> int:
    """How many changes are undecided because a person stopped their issue; one started since: until the next import."""
    return int(conn.execute(_HELD_BY_HAND, {"x": exchange_id}).scalar_one())


def count_failing(conn: sa.Connection, exchange_id: int) -> int:
    """How many changes are undecided because an issue cannot be read, or a write goes wrong."""
    return int(conn.execute(_FAILING, {"x": exchange_id}).scalar_one())


def queued_of(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> list[Queued]:
    """What is undecided of these entities, in order."""
    wanted = list(dict.fromkeys(gids))
    found: list[Queued] = []
    for start in range(0, len(wanted), _CHUNK):
        rows = conn.execute(_QUEUED_OF, {"x": exchange_id, "many": wanted[start : start + _CHUNK]})
        found += [_queued(row) for row in rows]
    return found


def queued_gids(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> set[Gid]:
    """Those of the gids that something undecided stands for."""
    wanted = msgspec.json.encode(list(gids)).decode()
    return {Gid(gid) for gid in conn.exec_driver_sql(_QUEUED_GIDS, (exchange_id, wanted)).scalars()}


def put_queued(conn: sa.Connection, exchange_id: int, rows: Iterable[Queued]) -> None:
    """Write these rows in place of what stands under their marks; `since` of what was there already stays."""
    values = [
        {
            "exchange": exchange_id,
            "mark": one.mark,
            "gid": one.gid,
            "change": one.change,
            "state": one.state,
            "waits_for": one.waits_for,
            "reason": one.reason,
            "since": one.since,
            "not_before": one.not_before,
            "blob": " ".join(one.blobs),
        }
        for one in rows
    ]
    if values:
        conn.execute(
            sa.text(
                "insert into queue (exchange, mark, gid, change, state, waits_for, reason, since, not_before, blob)"
                " values (:exchange, :mark, :gid, :change, :state, :waits_for, :reason, :since, :not_before, :blob)"
                " on conflict (exchange, mark) do update set change = excluded.change, state = excluded.state,"
                " waits_for = excluded.waits_for, reason = excluded.reason, not_before = excluded.not_before,"
                " blob = excluded.blob"
            ),
            values,
        )


def drop_queued(conn: sa.Connection, exchange_id: int, marks: Iterable[Mark]) -> None:
    """They are decided."""
    values = [{"x": exchange_id, "m": mark} for mark in marks]
    if values:
        conn.execute(sa.text("delete from queue where exchange = :x and mark = :m"), values)


def add_conflicts(conn: sa.Connection, exchange_id: int, rows: Iterable[Conflict]) -> None:
    """Keep edits that met, for people."""
    values = [
        {
            "exchange": exchange_id,
            "at": one.at,
            "mark": one.mark,
            "gid": one.gid,
            "key": one.key,
            "field": one.field,
            "ours": one.ours,
            "theirs": one.theirs,
            "winner": one.winner,
            "rule": one.rule,
        }
        for one in rows
    ]
    if values:
        # intents write them before the tracker is called, results once more: what a crash cuts off is there once. What waited
        # for a person is decided by another contract
        conn.execute(
            sa.text(
                "insert into conflict (exchange, at, mark, gid, key, field, ours, theirs, winner, rule)"
                " values (:exchange, :at, :mark, :gid, :key, :field, :ours, :theirs, :winner, :rule)"
                " on conflict (exchange, mark, gid, field) do update set winner = excluded.winner where conflict.winner = ''"
            ),
            values,
        )


def decide_conflict(conn: sa.Connection, exchange_id: int, place: tuple[Mark, Gid, str], winner: str) -> None:
    """A person decided what met there (mark, gid, field) and was open: the value of this site stands."""
    query = "update conflict set winner = ? where exchange = ? and mark = ? and gid = ? and field = ? and winner = ''"
    conn.exec_driver_sql(query, (winner, exchange_id, *place))


def conflicts(conn: sa.Connection, exchange_id: int, *, limit: int | None = None) -> list[Conflict]:
    """The newest conflicts, oldest of them first."""
    return _conflicts(conn, sa.select(conflict).where(conflict.c.exchange == exchange_id), limit)


def conflicts_of(conn: sa.Connection, exchange_id: int, gid: Gid, *, limit: int) -> list[Conflict]:
    """The newest conflicts of one entity, oldest of them first."""
    return _conflicts(conn, sa.select(conflict).where(conflict.c.exchange == exchange_id, conflict.c.gid == gid), limit)


def _conflicts(conn: sa.Connection, query: sa.Select[Any], limit: int | None) -> list[Conflict]:
    found = [
        Conflict(
            at=row.at,
            mark=Mark(row.mark),
            gid=Gid(row.gid),
            key=row.key,
            field=row.field,
            ours=row.ours,
            theirs=row.theirs,
            winner=row.winner,
            rule=row.rule,
        )
        for row in conn.execute(query.order_by(conflict.c.row.desc()).limit(limit))
    ]
    return found[::-1]


def add_entries(conn: sa.Connection, rows: Iterable[Entry]) -> None:
    """Write down what happened."""
    values = [
        {"exchange": one.exchange, "at": one.at, "severity": one.severity, "kind": one.kind, "detail": one.detail}
        for one in rows
    ]
    if values:
        conn.execute(sa.insert(event), values)


def drop_entries(conn: sa.Connection, *, before: int) -> None:
    """Forget what happened before this moment (microseconds since 1970)."""
    conn.execute(_DROP_ENTRIES, {"before": before})


def entries(conn: sa.Connection, *, exchange: str | None = None, limit: int | None = None, since: int = 0) -> list[Entry]:
    """The newest entries, of one exchange or (None) of all, oldest of them first."""
    query = sa.select(event).where(event.c.at >= since).order_by(event.c.row.desc()).limit(limit)
    if exchange is not None:
        query = query.where(event.c.exchange == exchange)
    found = [
        Entry(exchange=row.exchange, at=row.at, severity=row.severity, kind=row.kind, detail=row.detail)
        for row in conn.execute(query)
    ]
    return found[::-1]
