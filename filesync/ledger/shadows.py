"""Entities with the shadows of their fields; doubts; issues to be looked at again. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import doubt, entity, revisit
from filesync.model.ids import NEVER, Gid, Kind, Mark
from filesync.model.values import EMPTY, Value

_CHUNK: Final = 500  # names in one IN (…): databases bound them


class Life(StrEnum):
    """What an entity is on this side."""

    LIVE = "live"
    DEAD = "dead"  # deleted, here or there: a tombstone, kept as long as the exchange
    APART = "apart"  # each side keeps its own, for ever


class Shadow(msgspec.Struct, frozen=True, array_like=True):
    """What one field agreed on. `here`: digest of the value our tracker may show without anything being told."""

    here: str = EMPTY
    told: Mark = NEVER  # our last edit sent
    took: Mark = NEVER  # the partner's last edit decided here


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of the ledger. `fields` holds the shadows of wire names; one that is absent is empty and never told."""

    gid: Gid
    kind: Kind
    parent: Gid | None = None
    local: str | None = None
    state: Life = Life.LIVE
    fields: Mapping[str, Shadow] = field(default_factory=dict)

    def shadow(self, name: str) -> Shadow:
        """The shadow of a field."""
        return self.fields.get(name, _NOTHING)

    def told(self, shadows: Mapping[str, Shadow]) -> Entity:
        """The same entity with these shadows in place of its own."""
        return replace(self, fields={**self.fields, **shadows})


_NOTHING: Final = Shadow()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Shadow]).decode


def _entity(row: Any) -> Entity:
    return Entity(
        gid=Gid(row.gid),
        kind=Kind(row.kind),
        parent=None if row.parent is None else Gid(row.parent),
        local=row.local,
        state=Life(row.state),
        fields=_decode(row.fields),
    )


def entities(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Entity]:
    """The rows of these gids."""
    found: dict[Gid, Entity] = {}
    wanted = list(dict.fromkeys(gids))
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(entity).where(entity.c.exchange == exchange_id, entity.c.gid.in_(wanted[start : start + _CHUNK]))
        found.update((one.gid, one) for one in map(_entity, conn.execute(query)))
    return found


def children(conn: sa.Connection, exchange_id: int, parent: Gid) -> list[Entity]:
    """The rows of everything that belongs to an issue, dead ones too."""
    query = sa.select(entity).where(entity.c.exchange == exchange_id, entity.c.parent == parent).order_by(entity.c.row)
    return [_entity(row) for row in conn.execute(query)]


def by_local(conn: sa.Connection, exchange_id: int, kind: Kind, local: str) -> Entity | None:
    """The row that stands for this item of our tracker: the live one, where there are several."""
    query = sa.select(entity).where(entity.c.exchange == exchange_id, entity.c.kind == kind, entity.c.local == local)
    rows = sorted(map(_entity, conn.execute(query)), key=lambda one: one.state is not Life.LIVE)
    return rows[0] if rows else None


def save(conn: sa.Connection, exchange_id: int, rows: Iterable[Entity]) -> None:
    """Write these rows in place of what is there."""
    values = [
        {
            "exchange": exchange_id,
            "gid": one.gid,
            "kind": one.kind,
            "parent": one.parent,
            "local": one.local,
            "state": one.state,
            "fields": _encode(one.fields),
        }
        for one in rows
    ]
    if not values:
        return
    conn.execute(
        sa.text(
            "insert into entity (exchange, gid, kind, parent, local, state, fields)"
            " values (:exchange, :gid, :kind, :parent, :local, :state, :fields)"
            " on conflict (exchange, gid) do update set kind = excluded.kind, parent = excluded.parent,"
            " local = excluded.local, state = excluded.state, fields = excluded.fields"
        ),
        values,
    )


# ── doubts: what is about to be written, until its result is recorded ───────────────────────────────────────────


def doubts(conn: sa.Connection, exchange_id: int) -> dict[Gid, dict[str, Value | None]]:
    """Every doubt there is; field "" stands for the entity itself. Few: a crash leaves at most one group of them."""
    found: dict[Gid, dict[str, Value | None]] = {}
    for row in conn.execute(sa.select(doubt).where(doubt.c.exchange == exchange_id)):
        found.setdefault(Gid(row.gid), {})[row.field] = msgspec.json.decode(row.value)
    return found


def put_doubts(conn: sa.Connection, exchange_id: int, rows: Iterable[tuple[Gid, str, Value | None]]) -> None:
    """Write down what the tracker is about to be asked."""
    values = [{"exchange": exchange_id, "gid": g, "field": f, "value": msgspec.json.encode(v)} for g, f, v in rows]
    if values:
        conn.execute(
            sa.text(
                "insert into doubt (exchange, gid, field, value) values (:exchange, :gid, :field, :value)"
                " on conflict (exchange, gid, field) do update set value = excluded.value"
            ),
            values,
        )


def drop_doubts(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> None:
    """Forget the doubts of entities that were decided."""
    values = [{"x": exchange_id, "g": gid} for gid in gids]
    if values:
        conn.execute(sa.text("delete from doubt where exchange = :x and gid = :g"), values)


# ── issues to be looked at again ────────────────────────────────────────────────────────────────────────────────


def revisits(conn: sa.Connection, exchange_id: int) -> list[str]:
    """Local ids of the issues the next export looks at, whatever the tracker's feed says."""
    return list(conn.execute(sa.select(revisit.c.issue).where(revisit.c.exchange == exchange_id)).scalars())


def add_revisits(conn: sa.Connection, exchange_id: int, issues: Iterable[str]) -> None:
    """Ask the next export to look at these."""
    values = [{"x": exchange_id, "i": one} for one in issues]
    if values:
        conn.execute(sa.text("insert into revisit (exchange, issue) values (:x, :i) on conflict do nothing"), values)


def drop_revisits(conn: sa.Connection, exchange_id: int, issues: Iterable[str]) -> None:
    """They were looked at."""
    values = [{"x": exchange_id, "i": one} for one in issues]
    if values:
        conn.execute(sa.text("delete from revisit where exchange = :x and issue = :i"), values)
