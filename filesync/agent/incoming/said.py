"""What the partner says of our stream and of its own, alone or in the head of a bundle (the report of docs/format.md)."""

from __future__ import annotations

import hashlib
import json
from enum import Enum, auto
from typing import Final

import sqlalchemy as sa

from filesync.agent import gaps, position
from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import MoreSaid, NotTakenThere, ReportLate, Told
from filesync.agent.partners.trust import outdated, partner_of
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.header import report_of, unknown_fields
from filesync.bundle.read import Head
from filesync.bundle.verdict import shown
from filesync.errors import PartnerError
from filesync.ledger import streams
from filesync.ledger.streams import Exchange, State
from filesync.model.moments import micros

_FIELDS: Final = 20  # that are told at once
_NAME: Final = 60  # characters of a partner's word


class Said(Enum):
    """What became of a report."""

    TAKEN = auto()
    LATE = auto()  # a newer one came before it
    STOPPED = auto()  # it contradicts what is known: the exchange stands still


def strange(conn: sa.Connection, x: Exchange, head: Head, record: Record) -> None:
    """Tell the fields of a header that only a newer version knows, each of them once."""
    found = unknown_fields(head.header_bytes)
    fact = f"told fields {x.id}"
    told = set(json.loads(streams.site_fact(conn, fact) or "[]"))
    if new := [name for name in found if name not in told][:_FIELDS]:
        streams.set_site_fact(conn, fact, json.dumps(sorted({*told, *new})))
        names = [shown(name, limit=_NAME) for name in new]
        record.add(MoreSaid(partner=x.partner_name, agent=shown(head.header.agent, limit=_NAME), fields=names))


def take(conn: sa.Connection, site: Site, x: Exchange, head: Head, record: Record) -> Said:
    """Take the report in a head, if there is one: it holds also while the bundle that brings it has to wait."""
    if head.header.report is None:
        return Said.TAKEN
    now = site.clock()
    x = streams.exchange_of(conn, x.id)
    digest = hashlib.sha256(report_of(head.header_bytes)).hexdigest()
    try:
        late = position.take(conn, x, head.header.report, digest=digest, now=now)
    except PartnerError as error:
        why = f"{error} {error.hint}"
        streams.update_exchange(conn, x.id, state=State.STOPPED, stopped_why=why, stopped_since=micros(now))
        record.add(Stopped(partner=x.partner_name, why=why))
        return Said.STOPPED
    known = {(one.seq, one.code) for one in gaps.untaken(x)}
    new = [one for one in gaps.untaken(streams.exchange_of(conn, x.id)) if (one.seq, one.code) not in known]
    if new:
        record.add(NotTakenThere(partner=x.partner_name, refused=[f"{one.seq} ({one.code})" for one in new]))
    return Said.LATE if late else Said.TAKEN


def came_alone(site: Site, x: Exchange, head: Head, record: Record, *, name: str) -> Said:
    """A report in a file of its own. It is not kept: what it says is in the ledger, and the next one says it again."""
    report = head.header.report
    assert report is not None  # decode_header has seen to it
    with site.ledger.begin() as conn:
        strange(conn, x, head, record)
        x = streams.exchange_of(conn, x.id)
        if outdated(partner_of(conn, x), x, head.header):
            said = Said.LATE
            streams.update_exchange(conn, x.id, reports_late=x.reports_late + 1)
        else:
            said = take(conn, site, x, head, record)
        x = streams.exchange_of(conn, x.id)
        if said is Said.TAKEN:
            streams.update_exchange(conn, x.id, in_last_file=name, in_last_seen=micros(site.clock()))
            record.add(Told(no=report.no, partner=x.partner_name, applied=report.applied_to))
        elif said is Said.LATE:
            record.add(ReportLate(no=report.no, partner=x.partner_name, newest=x.report_taken, late=x.reports_late))
        record.write(conn)
    record.done()
    return said
