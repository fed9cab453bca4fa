"""What our issues show of the partner's: written after what travels, where it is not shown yet. Nothing of it is told."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from filesync.agent.events import NotShown
from filesync.agent.record import Record
from filesync.agent.site import Paired, Site
from filesync.errors import Gone, Rejected, Unreadable
from filesync.ledger import called, shadows, streams
from filesync.ledger.called import Called
from filesync.model.ids import NEVER, Kind
from filesync.model.issue import Ref
from filesync.model.shadow import Entity, Life
from filesync.rules.partner import Display, Partner
from filesync.trackers.base import Action, Show, Write

_CHUNK: Final = 100  # issues of which the ledger and the tracker are asked at once


def show(site: Site, paired: Paired, record: Record) -> None:
    """Write what is due. Raises Unavailable: what is left is written by the next import or export."""
    partner, x = paired.rules.partner, paired.exchange.id
    if partner is None:
        return
    _renew(site, paired, partner)
    after = ""
    while True:
        with site.ledger.begin() as conn:
            page = called.due(conn, x, after=after, limit=_CHUNK)
            rows = shadows.entities(conn, x, [one.gid for one in page])
        if not page:
            return
        after = page[-1].gid
        there = {gid: row.local for gid, row in rows.items() if row.state is Life.LIVE and row.local is not None}
        shut = site.tracker.shut(list(there.values())) if there else ()
        for one in page:
            if site.stopping():
                return
            row = rows.get(one.gid)
            if row is not None and row.local not in shut:  # what is not made yet, or closed to partners, stays due
                _show(site, paired, partner, record, one, row)


def _renew(site: Site, paired: Paired, partner: Partner) -> None:
    """Where the mapping wants something else than last time, everything is due."""
    fact = f"shown {paired.exchange.id}"
    wanted = hashlib.sha256(msgspec.json.encode(partner, order="sorted")).hexdigest()
    with site.ledger.begin() as conn:
        if streams.site_fact(conn, fact) != wanted:
            streams.set_site_fact(conn, fact, wanted)
            called.all_due(conn, paired.exchange.id)


def _show(site: Site, paired: Paired, partner: Partner, record: Record, one: Called, row: Entity) -> None:
    x, wanted = paired.exchange.id, one.shown
    if row.state is Life.LIVE and row.local is not None and one.theirs:
        name, key = paired.them.name, one.theirs
        before = msgspec.json.decode(one.shown, type=Display) if one.shown else Display()
        display = partner.display(partner=name, key=key)
        ref = Ref(Kind.ISSUE, row.local, row.local)
        try:
            with site.busy.hold({row.local}):
                for action in _actions(before, display, partner=name, key=key):
                    site.tracker.apply(ref, action, NEVER)
            wanted = msgspec.json.encode(display).decode()
        except Gone:
            pass  # our deletion goes out with the next export
        except Unreadable:
            return
        except Rejected as error:
            record.add(NotShown(partner=paired.them.name, key=one.told or one.gid, theirs=one.theirs, why=str(error)))
    with site.ledger.begin() as conn:
        called.show(conn, x, one.gid, wanted)
        record.write(conn)
    record.done()


def _actions(before: Display, now: Display, *, partner: str, key: str) -> list[Action]:
    """What is to be written, and no more: each is a call."""
    found: list[Action] = []
    fields = {name: text for name, text in now.fields.items() if before.fields.get(name) != text}
    if fields:
        found.append(Write(dict(fields)))
    if (now.link, now.facts) != (before.link, before.facts) and (now.link or now.facts):
        link = now.link if now.link != before.link else ""
        facts = now.facts if now.facts != before.facts else {}
        found.append(Show(partner=partner, key=key, link=link, facts=facts))
    return found
