"""An exchange that stands still because a person wants it so, and goes on when one says so.

Neither takes the site's lock: a run that is at work sees it before its next import, export or bundle.
"""

from __future__ import annotations

import sqlalchemy as sa

from filesync.agent.partners.agreements import ExchangePaused, ExchangeResumed
from filesync.agent.record import Record
from filesync.errors import PairingError, StreamStopped
from filesync.ledger import streams
from filesync.ledger.streams import Exchange, State
from filesync.model.moments import moment


def pause(conn: sa.Connection, x: Exchange, record: Record, *, reason: str, now: int) -> bool:
    """Pause it; returns whether it was not paused before. `now`: microseconds. Raises PairingError, StreamStopped."""
    _check(x)
    if x.state is State.PAUSED:
        return False
    streams.update_exchange(conn, x.id, state=State.PAUSED, stopped_why=reason, stopped_since=now)
    record.add(ExchangePaused(name=x.name, partner=x.partner_name, reason=reason))
    record.write(conn)
    return True


def resume(conn: sa.Connection, x: Exchange, record: Record) -> bool:
    """Let it go on; returns whether it was paused. Raises PairingError, StreamStopped."""
    _check(x)
    if x.state is not State.PAUSED:
        return False
    streams.update_exchange(conn, x.id, state=State.PAIRED, stopped_why="", stopped_since=0)
    since = moment(x.stopped_since)
    record.add(ExchangeResumed(name=x.name, partner=x.partner_name, since=f"{since:%Y-%m-%d %H:%M} UTC"))
    record.write(conn)
    return True


def _check(x: Exchange) -> None:
    if x.state is State.OFFERED:
        raise PairingError(
            f"exchange {x.name!r} is not paired yet, so there is nothing to pause or resume",
            hint="when you have the partner's file: filesync pair accept THEIRS.json",
        )
    if x.state is State.STOPPED:
        raise StreamStopped(
            f"exchange {x.name!r} is stopped, not paused: {x.stopped_why}", hint="nothing is sent or applied on it as it is"
        )
