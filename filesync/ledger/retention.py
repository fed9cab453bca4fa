"""Which bundles have done their work: ours that the partner applied, theirs that we applied. Rows and ids stay for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from filesync.ledger.blobs import forget_sent, still_needed
from filesync.ledger.streams import Exchange
from filesync.ledger.tables import GENERATION, SEQ, X, bundle_in, bundle_out
from filesync.model.ids import BundleId

_LAST: Final = sa.select(bundle_out.c.id).where(
    bundle_out.c.exchange == X, bundle_out.c.generation == GENERATION, bundle_out.c.seq == SEQ
)
_ACKNOWLEDGED: Final = (
    sa.select(bundle_out.c.seq, bundle_out.c.id, bundle_out.c.file, bundle_out.c.at, bundle_out.c.resent)
    .where(bundle_out.c.exchange == X, bundle_out.c.generation == GENERATION, bundle_out.c.seq <= SEQ)
    .where(bundle_out.c.state == "published", bundle_out.c.pruned == 0)
    .order_by(bundle_out.c.seq)
)
_APPLIED: Final = (
    sa.select(bundle_in.c.seq, bundle_in.c.id, bundle_in.c.file, bundle_in.c.applied, sa.literal(0))
    .where(bundle_in.c.exchange == X, bundle_in.c.generation == GENERATION, bundle_in.c.seq <= SEQ)
    .where(bundle_in.c.state == "applied", bundle_in.c.pruned == 0)
    .order_by(bundle_in.c.seq)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle whose file is kept. `at`, `resent`: microseconds since 1970; `at` is when it was made, or applied."""

    seq: int
    id: BundleId
    file: str
    at: int
    resent: int


def acknowledged(conn: sa.Connection, x: Exchange) -> list[Kept]:
    """Our bundles of this generation that the partner has applied, in order, but for those that were pruned.

    Nor those that hold an attachment which a later bundle names, too, and that one is not applied with its attachments.
    None where what the partner acknowledged last is not, by its id, the bundle that we made under that number.
    """
    ours = {"x": x.id, "generation": x.out_generation.n, "seq": x.acked_seq}
    if conn.execute(_LAST, ours).scalar_one_or_none() != x.acked_id:
        return []
    holding = still_needed(conn, x)
    found = [Kept(*row) for row in conn.execute(_ACKNOWLEDGED, ours)]
    return [one for one in found if one.seq not in holding]


def applied(conn: sa.Connection, x: Exchange) -> list[Kept]:
    """The partner's bundles of this generation that are applied here, in order, but for those that were pruned."""
    theirs = {"x": x.id, "generation": x.in_generation.n, "seq": x.in_seq}
    return [Kept(*row) for row in conn.execute(_APPLIED, theirs)]


def sent_pruned(conn: sa.Connection, x: Exchange, one: Kept, *, at: int) -> None:
    """The archive no longer has it."""
    where = (bundle_out.c.exchange == x.id, bundle_out.c.generation == x.out_generation.n, bundle_out.c.seq == one.seq)
    conn.execute(sa.update(bundle_out).where(*where).values(pruned=at))
    forget_sent(conn, x, bundle=one.seq)


def taken_pruned(conn: sa.Connection, x: Exchange, one: Kept, *, at: int) -> None:
    """The store no longer has it."""
    where = (bundle_in.c.exchange == x.id, bundle_in.c.generation == x.in_generation.n, bundle_in.c.seq == one.seq)
    conn.execute(sa.update(bundle_in).where(*where).values(pruned=at))
