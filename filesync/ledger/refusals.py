"""Bundles of the partner's that came and could not be taken: by what their names say, until a good copy comes."""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.streams import Exchange
from filesync.ledger.tables import refusal

_REFUSALS: Final = (  # as in streams.py
    "select seq, code, since from refusal r where exchange = ? and generation = ? and seq > ? and not exists"
    " (select 1 from bundle_in b where b.exchange = r.exchange and b.generation = r.generation and b.seq = r.seq)"
    " order by seq limit ?"
)


class Refusal(msgspec.Struct, frozen=True):
    """A number, why its file was refused the last time, and since when no good one came (microseconds since 1970)."""

    seq: int
    code: str
    since: int


def add_refusal(conn: sa.Connection, x: Exchange, *, seq: int, code: str, now: int) -> None:
    """Remember that a file with this number was refused. One that is applied already is nobody's loss."""
    ours = (refusal.c.exchange == x.id, refusal.c.generation == x.in_generation.n)
    since = conn.execute(sa.select(refusal.c.since).where(*ours, refusal.c.seq == seq)).scalar_one_or_none() or now
    conn.execute(sa.delete(refusal).where(*ours, sa.or_(refusal.c.seq == seq, refusal.c.seq <= x.in_seq)))
    if seq > x.in_seq:
        conn.execute(sa.insert(refusal).values(exchange=x.id, generation=x.in_generation.n, seq=seq, code=code, since=since))


def refusals(conn: sa.Connection, x: Exchange, *, limit: int) -> list[Refusal]:
    """Those of which no good copy came since, in order, the first ones where they are many."""
    where = (x.id, x.in_generation.n, x.in_seq, limit)
    return [Refusal(*row) for row in conn.exec_driver_sql(_REFUSALS, where).all()]
