"""What of the issues does not reach the other side, or not as it stands: counted here, and as each partner counts it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from filesync.agent import position
from filesync.agent.asked.hands import Said, by_hand_of
from filesync.bundle.header import Short
from filesync.ledger import shortfalls
from filesync.ledger.streams import Exchange
from filesync.model.by_hand import Hand
from filesync.model.moments import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Items of which one field, or all, falls short for one cause. `issues`: keys of some, the newest first."""

    field: str
    cause: str
    items: int
    first: dt.datetime
    last: dt.datetime
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One exchange. `there` is what the partner counted of ours in the report `report` (0: none came)."""

    exchange: str
    partner: str
    sending: tuple[Count, ...]
    taking: tuple[Count, ...]
    there: tuple[Short, ...]
    report: int
    stopped: tuple[Said, ...]  # issues of which nothing goes out or comes in, as a person here said


def coverage(conn: sa.Connection, x: Exchange, *, examples: int, limit: int) -> Coverage:
    """How it stands now with one exchange; of each list the `limit` longest entries, each with so many examples."""
    return Coverage(
        exchange=x.name,
        partner=x.partner_name,
        sending=_counts(conn, x, sent=True, examples=examples, limit=limit),
        taking=_counts(conn, x, sent=False, examples=examples, limit=limit),
        there=tuple(position.short_there(x)[:limit]),
        report=x.report_taken,
        stopped=tuple(one for one in by_hand_of(conn, x) if one.hand is Hand.STOPPED),
    )


def _counts(conn: sa.Connection, x: Exchange, *, sent: bool, examples: int, limit: int) -> tuple[Count, ...]:
    return tuple(
        Count(
            field=one.field,
            cause=one.cause,
            items=one.items,
            first=moment(one.first),
            last=moment(one.last),
            issues=one.called,
        )
        for one in shortfalls.tally(conn, x.id, sent=sent, examples=examples, limit=limit)
    )
