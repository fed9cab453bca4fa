"""What the head of every file of ours says, and X3: the next number, with all that the bytes under it depend on."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from filesync import __version__
from filesync.agent import position
from filesync.agent.site import Site
from filesync.bundle.changes import Compressed
from filesync.bundle.header import BundleKind, Header, Party, Place, file_name
from filesync.bundle.write import Bag
from filesync.ledger import streams
from filesync.ledger.streams import Exchange, Sent
from filesync.model.moments import micros
from filesync.model.values import utc_text

FROZEN: Final = "frozen"
_NONCE: Final = 16  # bytes


def heading(site: Site, x: Exchange, kind: BundleKind, *, now: dt.datetime, contract: str) -> Header:
    """A head without a place in the stream. `contract`: the digest of what the content is to be read by, "" for any."""
    return Header(
        agent=f"filesync {__version__}",
        kind=kind,
        stream=x.out_stream,
        from_=Party(site.config.site, site.config.name),
        to=Party(x.partner_site, x.partner_name),
        generation=Place(x.out_generation.n, x.out_generation.id),
        seq=0,
        contract=contract,
        created_at=utc_text(now),
        nonce=site.random(_NONCE),
    )


def next_heading(
    conn: sa.Connection, site: Site, x: Exchange, kind: BundleKind, *, now: dt.datetime, contract: str, counts: dict[str, int]
) -> Header:
    """The head of the bundle that comes next, with our position report in it."""
    return replace(
        heading(site, x, kind, now=now, contract=contract),
        seq=x.out_seq + 1,
        prev=x.out_id,
        seen=position.seen(conn, x),
        counts=counts,
        report=position.report(conn, x, now=now, grace=site.config.limits.grace),
    )


def freeze(conn: sa.Connection, x: Exchange, bag: Bag, packed: Compressed, *, changes: int, now: dt.datetime) -> Exchange:
    """Give the bag the number that its head says, and keep what it is built from. Returns the exchange as it stands then."""
    header = bag.header
    assert header.report is not None
    streams.add_sent(
        conn,
        x.id,
        Sent(
            generation=header.generation.n,
            seq=header.seq,
            id=bag.bundle_id,
            file=file_name(header, bag.bundle_id, encrypted=x.encrypt),
            header=dict(bag.tags)["bundle.json"],
            frozen=packed.data,
            state=FROZEN,
            changes=changes,
            at=micros(now),
        ),
    )
    streams.update_exchange(conn, x.id, out_seq=header.seq, out_id=bag.bundle_id, report_no=header.report.no)
    position.told(conn, x, header.report, now=now)
    return streams.exchange_of(conn, x.id)
