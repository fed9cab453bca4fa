"""Issues that are stopped or started by hand, for people: the ledger says, no tracker is asked."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from filesync.ledger import by_hand, shadows
from filesync.ledger.streams import Exchange
from filesync.model.by_hand import Hand
from filesync.model.moments import moment
from filesync.model.shadow import Life


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One issue. `key` is ours, as it was when it was said."""

    key: str
    gid: str
    hand: Hand
    since: dt.datetime


def by_hand_of(conn: sa.Connection, x: Exchange) -> tuple[Said, ...]:
    """Those of one exchange, what was said first at the front; what is deleted or kept apart is none any more."""
    said = by_hand.said(conn, x.id)
    if not said:
        return ()
    over = {gid for gid, row in shadows.entities(conn, x.id, said).items() if row.state is not Life.LIVE}
    return tuple(
        Said(key=one.called, gid=gid, hand=one.hand, since=moment(one.since))
        for gid, one in said.items()
        if one.hand is not Hand.AS_SCOPE and gid not in over
    )
