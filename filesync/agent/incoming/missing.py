"""What is waited for: the numbers that did not come, since when, and the command that brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from filesync.agent.events import Held, ranges
from filesync.agent.record import moment
from filesync.exchange.judge import gaps
from filesync.ledger import streams
from filesync.ledger.streams import Exchange

_GAPS: Final = 5  # gaps that one import tells; those after them are told when these are closed


def missing(conn: sa.Connection, x: Exchange, *, us: str, now: dt.datetime, grace: dt.timedelta) -> list[Held]:
    """One event a gap, first gaps first. A gap is as old as the first bundle behind it; after `grace` it is asked for."""
    held = {one.seq: moment(one.received) for one in streams.held(conn, x.id) if one.generation == x.in_generation.n}
    found = []
    for first, last in gaps(x.in_seq, held)[:_GAPS]:
        since = min(received for seq, received in held.items() if seq > last)
        found.append(
            Held(
                partner=x.partner_name,
                have=x.in_seq,
                missing_from=first,
                missing_to=last,
                held=sorted(held),
                since=since.strftime("%Y-%m-%d %H:%M UTC"),
                command=resend_command(us, range(first, last + 1)),
                ask=now - since >= grace,
            )
        )
    return found


def resend_command(us: str, seqs: Iterable[int]) -> str:
    """What the partner is to run so that these bundles come again to the site named `us`."""
    return f"filesync resend {us} {ranges(list(seqs)).replace(',', '')}"
