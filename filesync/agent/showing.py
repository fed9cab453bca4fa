"""What our issues show of the partner's: written after what travels, where it is not shown yet. Nothing of it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.agent.events import NotShown
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.changes import read_change
from filesync.errors import Gone, Rejected, Unavailable, Unreadable, Unwritten
from filesync.ledger import by_hand, called, journal, naming, shadows, streams
from filesync.ledger.called import Called
from filesync.ledger.streams import Direction
from filesync.model.change import Create
from filesync.model.ids import NEVER, Gid, Kind, kind_of
from filesync.model.issue import Ref
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life
from filesync.rules.partner import Display, Pace, Partner, is_usual
from filesync.trackers.base import Action, Show, Write

_ALL: Final = "all"
_CHUNK: Final = 100  # issues of which the ledger and the tracker are asked at once
_FAILING: Final = 10  # so many are not about single issues
_CLOSED: Final = 86_400_000_000  # microseconds until a closed issue that nobody touched is asked for again: that costs requests
_FACTS: Final = ("shown", "learnt")  # of the site, for each exchange: what was wanted last, and how far `_learn` has come
_HELD: Final = frozenset({Pace.WAITING, Pace.REFUSED})


def show(site: Site, paired: Paired, record: Record) -> None:
    """Write what is due; what is left, the next import or export writes. Raises Unavailable, but not for single issues."""
    if paired.rules.partner is not None:
        _Showing(site, paired, paired.rules.partner, record).run()
        return
    with site.ledger.begin() as conn:  # wanted again, it is wanted anew: nobody took note meanwhile
        for fact in _FACTS:
            if streams.site_fact(conn, f"{fact} {paired.exchange.id}") is not None:
                streams.drop_site_fact(conn, f"{fact} {paired.exchange.id}")


class _Showing:
    def __init__(self, site: Site, paired: Paired, partner: Partner, record: Record) -> None:
        self._site, self._partner, self._record = site, partner, record
        self._x, self._them = paired.exchange.id, paired.them.name
        self._only_receives = paired.exchange.direction is Direction.RECEIVE
        self._acknowledged = 0  # the last of our bundles that the partner applied
        self._undecided: Mapping[Gid, bool] | None = None
        self._failing = 0

    def run(self) -> None:
        self._renew()
        if self._only_receives:
            self._learn()
        after = ""
        while not self._over():
            with self._site.ledger.begin() as conn:
                self._acknowledged = streams.exchange_of(conn, self._x).acked_seq
                page = called.due(conn, self._x, acknowledged=self._acknowledged, after=after, limit=_CHUNK)
                stopped = by_hand.stopped(conn, self._x)
                rows = shadows.entities(conn, self._x, [one.gid for one in page if one.gid not in stopped])
                if page and self._partner.state and self._undecided is None:
                    self._undecided = _undecided(conn, self._x)
            if not page:
                return
            after = page[-1].gid
            there = {gid: row.local for gid, row in rows.items() if row.local is not None and self._shows(row)}
            shut = self._site.tracker.shut(list(there.values())) if there else ()
            for one in page:
                row = rows.get(one.gid)
                if row is not None and row.local not in shut and not self._over():
                    self._one(one, row)  # what is not made yet stays due
            with self._site.ledger.begin() as conn:
                closed = [gid for gid, local in there.items() if local in shut]
                called.put_off(conn, self._x, closed, acknowledged=self._acknowledged)

    def _shows(self, row: Entity) -> bool:
        """Whether anything is shown there: of one that is apart, that it is."""
        return row.state is Life.LIVE or (row.state is Life.APART and self._partner.state)

    def _over(self) -> bool:
        """Whether nothing more is written now: nothing else waits for it."""
        return self._failing >= _FAILING or self._site.stopping()

    def _renew(self) -> None:
        """Where the mapping wants something else than last time all is due; and now and then what was closed to partners."""
        fact = f"shown {self._x}"
        wanted = hashlib.sha256(msgspec.json.encode(self._partner, order="sorted")).hexdigest()
        with self._site.ledger.begin() as conn:
            if streams.site_fact(conn, fact) != wanted:
                streams.set_site_fact(conn, fact, wanted)
                called.all_due(conn, self._x)
            now, asked = micros(self._site.clock()), streams.site_fact(conn, f"closed {self._x}")
            if now - int(asked or 0) >= _CLOSED:
                streams.set_site_fact(conn, f"closed {self._x}", str(now))
                called.again(conn, self._x)

    def _learn(self) -> None:
        """What the partner calls issues that came before anybody wanted to know. Where we send, an export finds it."""
        fact = f"learnt {self._x}"
        while not self._site.stopping():
            with self._site.ledger.begin() as conn:
                place = streams.site_fact(conn, fact) or "0"
                page = shadows.live_issues(conn, self._x, after=int(place), limit=_CHUNK) if place != _ALL else []
                rows = shadows.issues(conn, self._x, [local for _, local in page])
                known = called.called(conn, self._x, [row.gid for row in rows])
            wanted = {row.local: row.gid for row in rows if row.local is not None and row.gid not in known}
            there = {local: issue for local, issue in self._site.tracker.get_all(list(wanted)) if issue is not None}
            with self._site.ledger.begin() as conn:
                keys = ((wanted[local], naming.theirs_of(conn, self._x, issue.key) or "") for local, issue in there.items())
                called.learn(conn, self._x, [(gid, theirs) for gid, theirs in keys if is_usual(theirs)])
                if place != _ALL:
                    streams.set_site_fact(conn, fact, str(page[-1][0]) if page else _ALL)
            if not page:
                return

    def _one(self, one: Called, row: Entity) -> None:
        pace, shown = self._pace(one, row), one.shown
        held = pace in _HELD
        if row.local is not None and self._shows(row):
            before = msgspec.json.decode(one.shown, type=Display) if one.shown else Display()
            display = self._partner.display(partner=self._them, key=one.theirs, pace=pace)
            try:
                with self._site.busy.hold({row.local}):
                    for action in _actions(before, display, partner=self._them, key=one.theirs):
                        self._site.tracker.apply(Ref(Kind.ISSUE, row.local, row.local), action, NEVER)
                shown = msgspec.json.encode(display).decode()
            except Gone:
                pass  # our deletion goes out with the next export
            except (Unreadable, Unwritten) as error:
                self._failing += 1
                self._tell(one, row.local, error, again=True)
                return
            except Rejected as error:
                self._tell(one, row.local, error, again=False)
                held = False  # else each run would try it
        sent = one.sent if one.sent > self._acknowledged else 0
        with self._site.ledger.begin() as conn:
            called.show(conn, self._x, one.gid, shown, sent=sent, held=held)

    def _pace(self, one: Called, row: Entity) -> Pace:
        if row.state is Life.APART:
            return Pace.APART
        stuck = (self._undecided or {}).get(one.gid)
        if stuck is not None:
            return Pace.REFUSED if stuck else Pace.WAITING
        return Pace.SENT if one.sent > self._acknowledged else Pace.IN_STEP

    def _tell(self, one: Called, local: str, error: Rejected | Unavailable, *, again: bool) -> None:
        self._record.add(
            NotShown(partner=self._them, key=self._key(one, local), theirs=one.theirs, why=str(error), again=again)
        )
        with self._site.ledger.begin() as conn:
            self._record.write(conn)
        self._record.done()

    def _key(self, one: Called, local: str) -> str:
        """What people here call it: the partner was told so, or our tracker is asked."""
        if one.told:
            return one.told
        try:
            issue = self._site.tracker.get(local)
        except Unavailable:
            issue = None
        return issue.key if issue is not None else one.gid


def _undecided(conn: sa.Connection, exchange_id: int) -> dict[Gid, bool]:
    """The issues at which something of the partner's waits, and whether for a person."""
    found = called.undecided(conn, exchange_id)
    below = [gid for gid in found if kind_of(gid) is not Kind.ISSUE]
    for row in journal.queued_of(conn, exchange_id, below):
        change = read_change(row.change)
        if isinstance(change, Create) and change.parent is not None:
            found[change.parent] = found.get(change.parent, False) or found[row.gid]
    return found


def _actions(before: Display, now: Display, *, partner: str, key: str) -> list[Action]:
    """What is to be written, and no more: each is a call."""
    found: list[Action] = []
    fields = {name: text for name, text in now.fields.items() if before.fields.get(name) != text}
    if fields:
        found.append(Write(dict(fields)))
    link = now.link if now.link != before.link else ""
    facts = now.facts if now.facts != before.facts else {}
    if link or facts:
        found.append(Show(partner=partner, key=key, link=link, facts=facts))
    return found
