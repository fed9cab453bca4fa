"""A first import that would make many issues waits until a person asks for it: a wrong mapping is mended more easily before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from filesync.agent import gaps
from filesync.agent.incoming.arrivals import FirstImport
from filesync.agent.incoming.stored import reread
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.agent.staged import Changes
from filesync.bundle.header import BundleKind
from filesync.bundle.verdict import BadBundle
from filesync.ledger import streams, ties
from filesync.ledger.streams import Exchange, Taken
from filesync.model.change import Create
from filesync.model.ids import Gid, Kind


def waits_for_a_person(site: Site, paired: Paired, record: Record) -> bool:
    """Whether nothing of the exchange was ever applied here, and what is next makes more issues than limits.first_import.

    Then it is told, and stands in the ledger with what it was judged by: the same is not read again. Only what may be so
    much, by what its bundles say of themselves, is read.
    """
    x, limit = paired.exchange, site.config.limits.first_import
    if x.in_seq:
        return False
    with site.ledger.begin() as conn:
        held = _next(conn, x)
        judged = _judged_by(conn, x, held)
        before = gaps.first_judged(conn, x)
    new = 0
    begun = any(one.decided for one in held)  # a person asked for it, and it was cut off: it goes on
    if not begun and before is not None and before[1] == judged:
        new = before[0]
    elif not begun and sum(one.changes for one in held) > limit:
        try:
            new = _new_issues(site, paired, held)
        except BadBundle:
            new = 0  # the import itself says what is wrong with it
    asks = new > limit
    with site.ledger.begin() as conn:
        if asks:
            streams.set_site_fact(conn, gaps.first_import(x), f"{new} {judged}")
            record.add(FirstImport(partner=x.partner_name, exchange=x.name, issues=new, limit=limit))
        else:
            streams.drop_site_fact(conn, gaps.first_import(x))
    return asks


def _next(conn: sa.Connection, x: Exchange) -> list[Taken]:
    """What a first import would apply."""
    found = [one for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    return [one for place, one in enumerate(found, start=1) if one.seq == place]


def _judged_by(conn: sa.Connection, x: Exchange, held: list[Taken]) -> str:
    """A digest of what the number of new issues comes from."""
    known = sorted(ties.theirs(conn, x.id))
    return hashlib.sha256("\n".join([*(one.id for one in held), "", *known]).encode()).hexdigest()


def _new_issues(site: Site, paired: Paired, held: list[Taken]) -> int:
    """How many issues are made by these, but for those that stand here already (pair-issues)."""
    gids = set(_created(site, paired, held))
    with site.ledger.begin() as conn:
        return len(gids - ties.theirs(conn, paired.exchange.id))


def _created(site: Site, paired: Paired, held: list[Taken]) -> Iterator[Gid]:
    for taken in held:
        bundle = reread(site, paired, taken)
        if bundle.head.header.kind is BundleKind.CHANGES:
            _, changes = Changes(site.config.folders.store / taken.file, bundle).checked()
            yield from (one.gid for one in changes if isinstance(one, Create) and one.kind is Kind.ISSUE)
