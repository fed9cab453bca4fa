"""Position reports as files: how a partner hears how far we are while there are no changes to send (docs/format.md)."""

from __future__ import annotations

import datetime as dt
import re

from msgspec.structs import replace

from filesync.agent import position
from filesync.agent.outgoing.build import build, clear_spool
from filesync.agent.outgoing.departures import Reported
from filesync.agent.outgoing.number import heading
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.header import BundleKind, Report, encode_report, file_name
from filesync.bundle.layout import REPORT
from filesync.bundle.write import Bag, data_bytes, pack
from filesync.errors import PairingError, disk_problem
from filesync.exchange.outbox import publish
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange
from filesync.model.ids import Mark
from filesync.model.moments import micros, moment


def report_if_due(site: Site, paired: Paired, record: Record, *, asked: bool = False) -> bool:
    """Put a report into the outbox if one is due; returns whether it was.

    It is due when something arrived or was decided since the last one was told, whether that went alone or in the head of
    a bundle; and when `report_every` is over. That the partner reported is no reason. `asked`: a person wants one now,
    that asks for everything missing, however short the time.

    A report has no place in the stream and tells all that the one before it told: so it is not archived, and when a run
    is cut off, the next one makes another. Its number is taken first, for no two reports may have the same.
    """
    now = site.clock()
    grace = dt.timedelta.min if asked else site.config.limits.grace
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        what = position.report(conn, x, now=now, grace=grace)
        if not x.report_at:  # nothing was ever told: the time until the first begins now
            streams.update_exchange(conn, x.id, report_at=micros(now))
        every = site.config.limits.report_every
        if not asked and position.news(what) == x.report_told and (not x.report_at or now - moment(x.report_at) < every):
            return False
        streams.update_exchange(conn, x.id, report_no=what.no)
        seen = position.seen(conn, x)
    bag = _packed(site, paired, what, now=now, seen=seen)
    name = file_name(bag.header, bag.bundle_id, encrypted=x.encrypt)
    finished = build(site, x, bag, name)
    published = publish(finished, site.outbox(x), name)
    site.step("X11")
    with site.ledger.begin() as conn:
        position.told(conn, x, what, now=now)
        record.add(Reported(no=what.no, to=x.partner_name, applied=what.applied_to, want=what.want, file=published.path.name))
        record.write(conn)
    record.done()
    site.step("X12")
    clear_spool(site.spool(x))
    _remove_older(site, x, what.no)
    return True


def request(site: Site, name: str) -> str:
    """Ask the partner for everything that is missing, however short the time. Returns what is asked for, in words.

    Raises PairingError where the exchange goes one way only.
    """
    paired = site.paired(name)
    x = paired.exchange
    if x.direction is not Direction.BOTH:
        raise PairingError(
            f"exchange {name!r} goes one way only: {x.partner_name} gets no reports",
            hint="ask there, by other means, for the `filesync resend` that `filesync import` names",
        )
    with site.ledger.begin() as conn:
        missing = position.lacking(conn, x)
    if not missing:
        return f"nothing of {x.partner_name} is known to be missing (have {x.in_seq or 'none'})"
    record = site.record(name)
    clear_spool(site.spool(x))
    report_if_due(site, paired, record, asked=True)
    numbers = ", ".join(str(one.first) if one.first == one.last else f"{one.first}-{one.last}" for one in missing)
    return f"a report in the outbox asks {x.partner_name} for {numbers}; its next export brings that"


def _packed(site: Site, paired: Paired, what: Report, *, now: dt.datetime, seen: Mark) -> Bag:
    header = heading(site, paired.exchange, BundleKind.REPORT, now=now, contract=paired.rules.contract.digest)
    header = replace(header, seen=seen, report=what)
    return pack(header, [data_bytes(REPORT, encode_report(what))])


def _remove_older(site: Site, x: Exchange, no: int) -> None:
    """Reports of ours that nobody fetched yet, and need not any more."""
    name = re.compile(rf"fs1_{x.out_stream[:8]}_g[0-9]{{4}}_r([0-9]{{10}})_[0-9a-f]{{8}}(-[0-9]+)?\.tar(\.age)?")
    folder = site.outbox(x)
    try:
        for path in folder.iterdir():
            found = name.fullmatch(path.name)
            if found is not None and int(found[1]) < no:
                path.unlink(missing_ok=True)  # the carrier may have taken it just now
    except OSError as error:
        raise disk_problem(error, folder, doing="clear") from error
