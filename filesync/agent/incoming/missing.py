"""What is waited for: the numbers that did not come, since when, and the command that brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import islice
from typing import Final

import sqlalchemy as sa

from filesync.agent import gaps
from filesync.agent.blobs import HINT, waiting
from filesync.agent.events import Event, ranges
from filesync.agent.incoming.arrivals import Behind
from filesync.agent.incoming.bundles import Held
from filesync.agent.incoming.pieces import BytesMissing
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.ledger import streams
from filesync.ledger.streams import Exchange
from filesync.model.moments import moment

_NAMED: Final = 5  # chunks of one attachment that are named
_GAPS: Final = 5  # gaps that one import tells; those after them are told when these are closed


def tell_missing(site: Site, paired: Paired, record: Record) -> None:
    """Name what is waited for, with the command that mends it."""
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        for one in missing(conn, x, us=paired.us.name, now=site.clock(), grace=site.config.limits.grace):
            record.add(one)
        record.write(conn)
    record.done()


def missing(conn: sa.Connection, x: Exchange, *, us: str, now: dt.datetime, grace: dt.timedelta) -> list[Event]:
    """One event a gap, first gaps first; after `grace` it is asked for."""
    held = [one.seq for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    found: list[Event] = []
    for gap in gaps.missing(conn, x)[:_GAPS]:
        since = gap.since.strftime("%Y-%m-%d %H:%M UTC")
        command = resend_command(us, range(gap.first, gap.last + 1))
        ask = now - gap.since >= grace
        if gap.tail:
            have = gap.first - 1
            found.append(Behind(partner=x.partner_name, theirs=gap.last, have=have, since=since, command=command, ask=ask))
        else:
            found.append(
                Held(
                    partner=x.partner_name,
                    have=x.in_seq,
                    missing_from=gap.first,
                    missing_to=gap.last,
                    held=held,
                    since=since,
                    command=command,
                    ask=ask,
                )
            )
    for one in islice(waiting(conn, x), _GAPS):
        first = moment(one.row.since)
        chunks = [chunk[:HINT] for chunk in one.lack.first[:_NAMED]]
        words = [f"--chunk {chunk}" for chunk in chunks] or [str(one.lack.bundle)]
        if one.lack.chunks > _NAMED:
            words = ["--whole", words[0]]  # one command, that a person can read out over a telephone
        found.append(
            BytesMissing(
                partner=x.partner_name,
                key=shown(one.key),
                needs=one.lack.words(),
                text=one.text,
                since=first.strftime("%Y-%m-%d %H:%M UTC"),
                chunks=chunks,
                command=f"filesync resend {us} {' '.join(words)}",
                ask=now - first >= grace,
            )
        )
    return found


def resend_command(us: str, seqs: Iterable[int]) -> str:
    """What the partner is to run so that these bundles come again to the site named `us`."""
    return f"filesync resend {us} {ranges(list(seqs)).replace(',', '')}"
