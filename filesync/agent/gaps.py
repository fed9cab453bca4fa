"""What of an exchange's two streams is not where it should be: numbers that did not come, and what was refused or waits."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from filesync.exchange.judge import gaps
from filesync.ledger import streams
from filesync.ledger.streams import Exchange
from filesync.model.moments import moment
from filesync.model.prepare import prepare


class Gap(msgspec.Struct, frozen=True):
    """Numbers that did not come, both ends included. `tail`: nothing came behind them, the partner says that they exist."""

    first: int
    last: int
    since: dt.datetime
    tail: bool = False


class Untaken(msgspec.Struct, frozen=True):
    """A bundle of ours that the partner cannot take. `since`: microseconds since 1970, when it first said so."""

    seq: int
    code: str
    since: int


prepare(Untaken)


def missing(conn: sa.Connection, x: Exchange) -> list[Gap]:
    """Every gap, in order. One is as old as the first bundle behind it; the tail, as the report that told of it."""
    held = {one.seq: moment(one.received) for one in streams.held(conn, x.id) if one.generation == x.in_generation.n}
    found = [
        Gap(first, last, min(received for seq, received in held.items() if seq > last)) for first, last in gaps(x.in_seq, held)
    ]
    have = max([x.in_seq, *held])
    if x.partner_seq > have:
        found.append(Gap(have + 1, x.partner_seq, moment(x.partner_since), tail=True))
    return found


def untaken(x: Exchange) -> list[Untaken]:
    """Our bundles that the partner cannot take, as its newest report says."""
    found = msgspec.json.decode(x.refused, type=list[Untaken]) if x.refused else []
    return [one for one in found if x.acked_seq < one.seq <= x.out_seq]


def first_import(x: Exchange) -> str:
    """Under which name the site remembers that the exchange's first import waits for a person (incoming/first)."""
    return f"first import {x.id}"


def first_waits(conn: sa.Connection, x: Exchange) -> int:
    """How many issues a first import would make that waits for a person; 0: none does."""
    judged = None if x.in_seq else first_judged(conn, x)
    return 0 if judged is None else judged[0]


def first_judged(conn: sa.Connection, x: Exchange) -> tuple[int, str] | None:
    """How many issues a first import would make that waited for a person, and a digest of what was looked at for it."""
    new, _, judged = (streams.site_fact(conn, first_import(x)) or "").partition(" ")
    return (int(new), judged) if new else None
