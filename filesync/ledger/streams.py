"""Exchanges, their two streams, and the bundles sent and taken. Every function works inside the caller's transaction."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import GENERATION, SEQ, X, bundle_in, bundle_out, exchange, site
from filesync.model.ids import NO_BUNDLE, BundleId, Generation, SiteId, StreamId

AGREED: Final = "agreed"  # instead of a basis: another contract came into force since, as both agreed


class State(StrEnum):
    """Where an exchange stands."""

    OFFERED = "offered"  # we made our stream; the partner's file is not accepted yet
    PAIRED = "paired"
    PAUSED = "paused"  # a person wants nothing done on it for now
    STOPPED = "stopped"  # until a person decides


class Direction(StrEnum):
    """Which of the two streams there are."""

    BOTH = "both"
    SEND = "send"
    RECEIVE = "receive"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One agreed pairing, with the positions of both its streams."""

    id: int
    name: str
    state: State
    stopped_why: str
    stopped_since: int
    direction: Direction
    encrypt: bool
    outbox: str
    inbox: str
    partner_site: SiteId
    partner_name: str
    partner_key: str
    partner_recipient: str
    recipient_since: str
    words: str
    out_stream: StreamId
    out_generation: Generation
    out_seq: int
    out_id: BundleId
    cursor: str | None
    basis: str  # digest of what everything was read under at the last export; "": none; or AGREED
    in_stream: StreamId
    in_generation: Generation
    in_seq: int
    in_id: BundleId
    in_last_file: str
    in_last_seen: int
    items_ok: int
    items_conflict: int
    report_no: int
    report_taken: int
    report_told: str
    report_at: int
    report_digest: str
    reports_late: int
    acked_seq: int
    acked_id: str
    acked_blobs: int
    wanted: str
    wanted_chunks: str
    refused: str
    shortfalls: str
    partner_seq: int
    partner_since: int

    @property
    def lacks_recipient(self) -> bool:
        """Whether what we send is to be encrypted, and it is not known for whom: a revocation took the recipient away."""
        sends = bool(self.partner_key) and self.direction is not Direction.RECEIVE
        return sends and self.encrypt and not self.partner_recipient


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of ours. `header` and `frozen` (the compressed changes) are there until the archive has the file."""

    generation: int
    seq: int
    id: BundleId
    file: str
    header: bytes | None
    frozen: bytes | None
    state: str
    changes: int
    at: int
    resent: int = 0
    pruned: int = 0


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of the partner's, verified and in store/."""

    generation: int
    seq: int
    id: BundleId
    prev: BundleId
    file: str
    arrived_as: str
    contract: str
    state: str
    changes: int
    decided: bytes
    received: int
    applied: int
    pruned: int = 0


# What `filesync status` asks, and with it every command, as the driver takes it: SQLAlchemy takes longer to put a statement
# together than SQLite takes to answer it. The others are built once.
_FACT: Final = "select value from site where name = ?"
_EXCHANGES: Final = "select * from exchange order by name"
_UNPUBLISHED: Final = "select * from bundle_out where exchange = ? and state <> 'published' order by generation, seq"
_HELD: Final = "select * from bundle_in where exchange = ? and state = 'received' order by generation, seq"
_NAMED: Final = sa.select(exchange).where(exchange.c.name == sa.bindparam("name"))
_ONE: Final = sa.select(exchange).where(exchange.c.id == X)
_SENT: Final = sa.select(bundle_out).where(
    bundle_out.c.exchange == X, bundle_out.c.generation == GENERATION, bundle_out.c.seq == SEQ
)
_TAKEN: Final = sa.select(bundle_in).where(
    bundle_in.c.exchange == X, bundle_in.c.generation == GENERATION, bundle_in.c.seq == SEQ
)

# ── the site and its exchanges ──────────────────────────────────────────────────────────────────────────────────


def site_fact(conn: sa.Connection, name: str) -> str | None:
    """A fact about the site itself."""
    return conn.exec_driver_sql(_FACT, (name,)).scalar_one_or_none()


def set_site_fact(conn: sa.Connection, name: str, value: str) -> None:
    """Record a fact about the site itself."""
    conn.execute(sa.delete(site).where(site.c.name == name))
    conn.execute(sa.insert(site).values(name=name, value=value))


def drop_site_fact(conn: sa.Connection, name: str) -> None:
    """It is no fact any more."""
    conn.execute(sa.delete(site).where(site.c.name == name))


def _exchange(row: Any) -> Exchange:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented name
    values["state"] = State(values["state"])
    values["direction"] = Direction(values["direction"])
    values["encrypt"] = bool(values["encrypt"])
    values["out_generation"] = Generation(values["out_generation"], values.pop("out_generation_id"))
    values["in_generation"] = Generation(values["in_generation"], values.pop("in_generation_id"))
    return Exchange(**values)


def exchanges(conn: sa.Connection) -> list[Exchange]:
    """All of them, by name."""
    return [_exchange(row) for row in conn.exec_driver_sql(_EXCHANGES)]


def exchange_named(conn: sa.Connection, name: str) -> Exchange | None:
    """The exchange of this name."""
    row = conn.execute(_NAMED, {"name": name}).one_or_none()
    return None if row is None else _exchange(row)


def exchange_of(conn: sa.Connection, exchange_id: int) -> Exchange:
    """The exchange as it stands now."""
    return _exchange(conn.execute(_ONE, {"x": exchange_id}).one())


def add_exchange(conn: sa.Connection, name: str, *, stream: StreamId, generation: Generation) -> Exchange:
    """Make an exchange with our own outgoing stream."""
    conn.execute(
        sa.insert(exchange).values(
            name=name,
            state=State.OFFERED,
            out_stream=stream,
            out_generation=generation.n,
            out_generation_id=generation.id,
            out_id=NO_BUNDLE,
            in_id=NO_BUNDLE,
        )
    )
    made = exchange_named(conn, name)
    assert made is not None
    return made


def update_exchange(conn: sa.Connection, exchange_id: int, **values: object) -> None:
    """Move positions or change the state. Columns as in tables.exchange."""
    conn.execute(_moving(*values), {"x": exchange_id} | {f"new {name}": value for name, value in values.items()})


@cache
def _moving(*columns: str) -> sa.Update:
    return sa.update(exchange).where(exchange.c.id == X).values({name: sa.bindparam(f"new {name}") for name in columns})


# ── bundles we send ─────────────────────────────────────────────────────────────────────────────────────────────


def add_sent(conn: sa.Connection, exchange_id: int, sent: Sent) -> None:
    """Number a bundle and freeze what its bytes depend on (X3)."""
    conn.execute(
        sa.insert(bundle_out).values(
            exchange=exchange_id,
            generation=sent.generation,
            seq=sent.seq,
            id=sent.id,
            file=sent.file,
            header=sent.header,
            frozen=sent.frozen,
            state=sent.state,
            changes=sent.changes,
            at=sent.at,
        )
    )


def _sent(row: Any) -> Sent:
    values = dict(row._mapping)  # noqa: SLF001
    del values["exchange"]
    return Sent(**values)


def unpublished(conn: sa.Connection, exchange_id: int) -> list[Sent]:
    """Bundles that have a number but are not in the outbox yet, oldest first."""
    return [_sent(row) for row in conn.exec_driver_sql(_UNPUBLISHED, (exchange_id,))]


def sent(conn: sa.Connection, exchange_id: int, *, generation: int, seq: int) -> Sent | None:
    """One of our bundles."""
    row = conn.execute(_SENT, {"x": exchange_id, "generation": generation, "seq": seq}).one_or_none()
    return None if row is None else _sent(row)


def update_sent(conn: sa.Connection, exchange_id: int, one: Sent, **values: object) -> None:
    """Archived, published, erased."""
    conn.execute(
        sa.update(bundle_out)
        .where(bundle_out.c.exchange == exchange_id, bundle_out.c.generation == one.generation, bundle_out.c.seq == one.seq)
        .values(**values)
    )


# ── bundles we take ─────────────────────────────────────────────────────────────────────────────────────────────


def add_taken(conn: sa.Connection, exchange_id: int, taken: Taken) -> None:
    """Record a verified bundle that stands in store/ (I10)."""
    conn.execute(
        sa.insert(bundle_in).values(
            exchange=exchange_id,
            generation=taken.generation,
            seq=taken.seq,
            id=taken.id,
            prev=taken.prev,
            file=taken.file,
            arrived_as=taken.arrived_as,
            contract=taken.contract,
            state=taken.state,
            changes=taken.changes,
            decided=taken.decided,
            received=taken.received,
            applied=taken.applied,
        )
    )


def _taken(row: Any) -> Taken:
    values = dict(row._mapping)  # noqa: SLF001
    del values["exchange"]
    return Taken(**values)


def taken(conn: sa.Connection, exchange_id: int, *, generation: int, seq: int) -> Taken | None:
    """One of the partner's bundles."""
    row = conn.execute(_TAKEN, {"x": exchange_id, "generation": generation, "seq": seq}).one_or_none()
    return None if row is None else _taken(row)


def held(conn: sa.Connection, exchange_id: int) -> list[Taken]:
    """Taken, not applied yet, in order."""
    return [_taken(row) for row in conn.exec_driver_sql(_HELD, (exchange_id,))]


def update_taken(conn: sa.Connection, exchange_id: int, one: Taken, **values: object) -> None:
    """Changes decided, bundle applied."""
    conn.execute(
        sa.update(bundle_in)
        .where(bundle_in.c.exchange == exchange_id, bundle_in.c.generation == one.generation, bundle_in.c.seq == one.seq)
        .values(**values)
    )
