"""Entities with the shadows of their fields; doubts; issues to be looked at again. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import MANY, X, doubt, entity, revisit
from filesync.model.ids import Gid, Kind
from filesync.model.shadow import Entity, Life, Shadows

_CHUNK: Final = 500  # names in one IN (…): databases bound them
LAST: Final = "last"  # in place of an issue's local id, which is a number: once everything else was looked at

# As the driver takes it, for rows by the thousand: handing one over by SQLAlchemy costs twice what it costs SQLite. Many
# names are handed over as one JSON array.
_ENTITIES: Final = (
    "select gid, kind, parent, local, state, fields from entity where exchange = ? and gid in (select value from json_each(?))"
)
_ISSUES: Final = (
    "select gid, kind, parent, local, state, fields from entity"
    " where exchange = ? and kind = 'issue' and state = 'live' and local in (select value from json_each(?))"
)
_CHILDREN: Final = (
    "select gid, kind, parent, local, state, fields from entity"
    " where exchange = ? and parent in (select value from json_each(?)) order by row"
)
# Most rows that are saved are there, and nothing but their shadows changed: then no index has to be touched.
_SAVE_FIELDS: Final = (
    "update entity set fields = ? where exchange = ? and gid = ? and kind = ? and parent is ? and local is ? and state = ?"
)
_SAVE: Final = (
    "insert into entity (fields, exchange, gid, kind, parent, local, state) values (?, ?, ?, ?, ?, ?, ?)"
    " on conflict (exchange, gid) do update set kind = excluded.kind, parent = excluded.parent,"
    " local = excluded.local, state = excluded.state, fields = excluded.fields"
)
_PUT_DOUBT: Final = (
    "insert into doubt (exchange, gid, field, value, since) values (?, ?, ?, ?, ?)"
    " on conflict (exchange, gid, field) do update set value = excluded.value"
)
_DROP_DOUBTS: Final = "delete from doubt where exchange = ? and gid in (select value from json_each(?))"
_SETTLE: Final = f"{_DROP_DOUBTS} and field <> ''"
_OPEN: Final = "select gid, field from open_conflict where exchange = ? and gid in (select value from json_each(?))"
_LAST: Final = "select count(*) from revisit where exchange = ? and once = ?"
_LOOKED_AT: Final = "delete from revisit where exchange = ? and issue in (select value from json_each(?))"

# Statements are built once: SQLAlchemy takes longer to put one together than SQLite takes to answer it.
_COLUMNS: Final = (entity.c.gid, entity.c.kind, entity.c.parent, entity.c.local, entity.c.state, entity.c.fields)
_BY_LOCAL: Final = sa.select(*_COLUMNS).where(
    entity.c.exchange == X, entity.c.kind == sa.bindparam("kind"), entity.c.local == sa.bindparam("local")
)
_ATTACHED: Final = (
    "select gid, kind, parent, local, state, fields from entity where exchange in (select id from exchange where id <> ?)"
    " and kind = 'attachment' and local in (select value from json_each(?)) and state = 'live'"
)
_IN_OTHERS: Final = "select 1 from entity where gid = ? and exchange <> ? limit 1"
_ELSEWHERE: Final = sa.select(entity.c.gid).where(entity.c.exchange != X, entity.c.state == Life.LIVE, entity.c.gid.in_(MANY))
_COMING: Final = sa.select(doubt.c.gid).where(doubt.c.exchange != X, doubt.c.field == "", doubt.c.gid.in_(MANY))
_DOUBTS: Final = sa.select(doubt).where(doubt.c.exchange == X)
_SINCE: Final = sa.select(doubt.c.since).where(doubt.c.exchange == X, doubt.c.gid == sa.bindparam("gid"), doubt.c.field == "")
_PAIRED: Final = sa.exists().where(
    entity.c.exchange == revisit.c.exchange,
    entity.c.kind == Kind.ISSUE,
    entity.c.local == revisit.c.once,
    entity.c.state == Life.LIVE,
)
_READY: Final = sa.select(revisit.c.issue).distinct().where(revisit.c.exchange == X, (revisit.c.once == LAST) | _PAIRED)
_REVISITS: Final = sa.select(revisit.c.issue).distinct().where(revisit.c.exchange == X, (revisit.c.once == "") | _PAIRED)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Shadows).decode
_KINDS: Final = {one.value: one for one in Kind}
_LIVES: Final = {one.value: one for one in Life}


def _entity(row: Any) -> Entity:
    gid, kind, parent, local, state, fields = row  # by place: by name it would take three times as long
    return Entity(gid=gid, kind=_KINDS[kind], parent=parent, local=local, state=_LIVES[state], shadows=_decode(fields))


def entities(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Entity]:
    """The rows of these gids."""
    wanted = _encode(list(gids)).decode()
    return {one.gid: one for one in map(_entity, conn.exec_driver_sql(_ENTITIES, (exchange_id, wanted)).all())}


def children_of(conn: sa.Connection, exchange_id: int, parents: Iterable[Gid]) -> dict[Gid, list[Entity]]:
    """The rows of everything that belongs to these issues, dead ones too, oldest first."""
    found: dict[Gid, list[Entity]] = {}
    wanted = _encode(list(parents)).decode()
    for one in map(_entity, conn.exec_driver_sql(_CHILDREN, (exchange_id, wanted)).all()):
        found.setdefault(one.parent or Gid(""), []).append(one)
    return found


def by_local(conn: sa.Connection, exchange_id: int, kind: Kind, local: str) -> Entity | None:
    """The row that stands for this item of our tracker: the live one, where there are several."""
    there = conn.execute(_BY_LOCAL, {"x": exchange_id, "kind": kind, "local": local})
    rows = sorted(map(_entity, there), key=lambda one: one.state is not Life.LIVE)
    return rows[0] if rows else None


def issues(conn: sa.Connection, exchange_id: int, locals_: Iterable[str]) -> list[Entity]:
    """The rows of these issues of our tracker, of those that are alive."""
    wanted = _encode(list(locals_)).decode()
    return list(map(_entity, conn.exec_driver_sql(_ISSUES, (exchange_id, wanted)).all()))


def left_for_last(conn: sa.Connection, exchange_id: int) -> int:
    """How many issues the next export looks at once everything else was."""
    return int(conn.exec_driver_sql(_LAST, (exchange_id, LAST)).scalar_one())


def live_issues(conn: sa.Connection, exchange_id: int, *, after: int, limit: int) -> list[tuple[int, str]]:
    """A page of the live issues, in the order in which they were paired: (place, local id), from behind a place on."""
    query = (
        sa.select(entity.c.row, entity.c.local)
        .where(entity.c.exchange == exchange_id, entity.c.row > after, entity.c.kind == Kind.ISSUE, entity.c.state == Life.LIVE)
        .where(entity.c.local.is_not(None))
        .order_by(entity.c.row)
        .limit(limit)
    )
    return [(row.row, row.local) for row in conn.execute(query)]


def known_elsewhere(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> set[Gid]:
    """Those of the gids that are alive in another exchange of this site."""
    wanted = list(gids)
    found: set[Gid] = set()
    for start in range(0, len(wanted), _CHUNK):
        rows = conn.execute(_ELSEWHERE, {"x": exchange_id, "many": wanted[start : start + _CHUNK]})
        found.update(Gid(gid) for gid in rows.scalars())
    return found


def attached_elsewhere(conn: sa.Connection, exchange_id: int, locals_: Iterable[str]) -> list[Entity]:
    """The rows that other exchanges of this site have of these attachments of our tracker."""
    wanted = list(locals_)
    return list(map(_entity, conn.exec_driver_sql(_ATTACHED, (exchange_id, _encode(wanted).decode())))) if wanted else []


def in_others(conn: sa.Connection, exchange_id: int, gid: Gid) -> bool:
    """Whether another exchange of this site has this entity, or had it."""
    return conn.exec_driver_sql(_IN_OTHERS, (gid, exchange_id)).first() is not None


def coming_elsewhere(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> set[Gid]:
    """Those of the gids that an import of another exchange of this site is about to make, or was when it was cut off."""
    wanted = list(gids)
    found: set[Gid] = set()
    for start in range(0, len(wanted), _CHUNK):
        rows = conn.execute(_COMING, {"x": exchange_id, "many": wanted[start : start + _CHUNK]})
        found.update(Gid(gid) for gid in rows.scalars())
    return found


def save(conn: sa.Connection, exchange_id: int, rows: Iterable[Entity]) -> None:
    """Write these rows in place of what is there."""
    rows = list(rows)
    values = [
        (_encode(one.shadows), exchange_id, one.gid, str(one.kind), one.parent, one.local, str(one.state)) for one in rows
    ]
    if not values:
        return
    if conn.exec_driver_sql(_SAVE_FIELDS, values).rowcount < len(values):
        conn.exec_driver_sql(_SAVE, values)
    _settled(conn, exchange_id, {one.gid: one for one in rows})


def _settled(conn: sa.Connection, exchange_id: int, rows: Mapping[Gid, Entity]) -> None:
    """What people are shown as open goes with its shadow."""
    there = conn.exec_driver_sql(_OPEN, (exchange_id, _encode(list(rows)).decode())).all()
    over = [(exchange_id, gid, field) for gid, field in there if field not in rows[gid].shadows.met]
    if over:
        conn.exec_driver_sql("delete from open_conflict where exchange = ? and gid = ? and field = ?", over)


# ── doubts: what is about to be written, until its result is recorded ───────────────────────────────────────────


def doubts(conn: sa.Connection, exchange_id: int) -> dict[Gid, dict[str, str]]:
    """Every doubt there is, as the digest of what was to be written; field "" stands for the entity itself.

    Few: a crash leaves at most one group of them.
    """
    found: dict[Gid, dict[str, str]] = {}
    for row in conn.execute(_DOUBTS, {"x": exchange_id}):
        found.setdefault(Gid(row.gid), {})[row.field] = row.value
    return found


def doubted_since(conn: sa.Connection, exchange_id: int, gid: Gid) -> int | None:
    """When the entity itself was first in doubt, in microseconds; None: it is not."""
    return conn.execute(_SINCE, {"x": exchange_id, "gid": gid}).scalar_one_or_none()


def put_doubts(conn: sa.Connection, exchange_id: int, rows: Iterable[tuple[Gid, str, str]], *, now: int) -> None:
    """Write down what the tracker is about to be asked: (gid, field, digest of the wire value).

    What was in doubt before stays so since then.
    """
    values = [(exchange_id, gid, field, value, now) for gid, field, value in rows]
    if values:
        conn.exec_driver_sql(_PUT_DOUBT, values)


def renew_doubt(conn: sa.Connection, exchange_id: int, gid: Gid, *, now: int) -> None:
    """The entity itself is in doubt since now: it was seen that no call until now made it."""
    conn.exec_driver_sql("update doubt set since = ? where exchange = ? and gid = ? and field = ''", (now, exchange_id, gid))


def drop_doubts(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> None:
    """Forget the doubts of entities that were decided."""
    conn.exec_driver_sql(_DROP_DOUBTS, (exchange_id, _encode(list(gids)).decode()))


def settle_doubts(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> None:
    """Forget what was in doubt of fields of these; whether they themselves are there stays in doubt where it is."""
    conn.exec_driver_sql(_SETTLE, (exchange_id, _encode(list(gids)).decode()))


def drop_doubt(conn: sa.Connection, exchange_id: int, gid: Gid, field: str) -> None:
    """Forget what was in doubt of one field: what stands in our tracker was looked at since."""
    conn.exec_driver_sql("delete from doubt where exchange = ? and gid = ? and field = ?", (exchange_id, gid, field))


# ── issues to be looked at again ────────────────────────────────────────────────────────────────────────────────


def revisits(conn: sa.Connection, exchange_id: int) -> list[str]:
    """Local ids of the issues the next export looks at, whatever the tracker's feed says."""
    return list(conn.execute(_REVISITS, {"x": exchange_id}).scalars())


def ready_revisits(conn: sa.Connection, exchange_id: int) -> list[str]:
    """Those that were to be looked at once another issue is paired, and it is; and those that are looked at last."""
    return list(conn.execute(_READY, {"x": exchange_id}).scalars())


def add_revisits(conn: sa.Connection, exchange_id: int, issues: Iterable[tuple[str, str]]) -> None:
    """Ask the next export to look at these issues: each at once (""), LAST, or once the local issue it names is paired."""
    values = [{"x": exchange_id, "i": one, "o": once} for one, once in issues]
    if values:
        conn.execute(
            sa.text(
                "insert into revisit (exchange, issue, once) values (:x, :i, :o) on conflict (exchange, issue, once) do nothing"
            ),
            values,
        )


def drop_revisits(conn: sa.Connection, exchange_id: int, issues: Iterable[str]) -> None:
    """They were looked at."""
    conn.exec_driver_sql(_LOOKED_AT, (exchange_id, _encode(list(issues)).decode()))
