"""X1: what our tracker shows against the shadows, a bundle at a time, so that memory does not grow with what exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final

from filesync.agent.naming import prose
from filesync.agent.outgoing.calling import Calling
from filesync.agent.outgoing.departures import NotRead, PairedBefore, RuleFails, Unpaired, Withheld
from filesync.agent.outgoing.feed import paired_issues, piece
from filesync.agent.outgoing.found import Found
from filesync.agent.outgoing.hands import Hands
from filesync.agent.outgoing.leaving import Leaving
from filesync.agent.outgoing.lists import listed
from filesync.agent.outgoing.places import Places
from filesync.agent.outgoing.severed import Severed
from filesync.agent.outgoing.shortage import Shortage
from filesync.agent.outgoing.sieving import Sieving
from filesync.agent.outgoing.unmarked import unknown, unmarked
from filesync.agent.outgoing.unsaid import Unsaid, not_told
from filesync.agent.paired import Paired
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Halted, Site
from filesync.errors import Unavailable, Unreadable
from filesync.ledger import shadows, ties
from filesync.ledger.endings import endings
from filesync.model.diff import Seen, diff
from filesync.model.ids import Gid, Kind, home, make_gid
from filesync.model.issue import Issue, Item
from filesync.model.shadow import Entity, Life
from filesync.trackers.base import Touched

_CHUNK: Final = 500  # issues read before the ledger is asked for their rows
_DEPTH: Final = 8  # parents above parents that are told first


class Gather:
    """One reading of our tracker for one exchange."""

    def __init__(self, site: Site, paired: Paired, record: Record) -> None:
        self._site = site
        self._x = paired.exchange
        self._paired = paired
        self._record = record
        self._prose = prose(site, paired)
        self._places = Places(site, paired)
        self._sieving = Sieving(paired)
        self._leaving = Leaving(paired, record)
        self._hands = Hands(site, self._x)
        self._failed: set[tuple[str, str]] = set()  # what our mapping could not say of some issue, and why
        self._shortage = Shortage(paired, site.tracker.describe)
        self._unsaid = Unsaid(site, paired, record)
        self._calling = Calling(site, paired)
        self._severed = Severed(site, paired)
        with site.ledger.begin() as conn:
            self._doubted = frozenset(shadows.doubts(conn, self._x.id))
            self._ended = bool(endings(conn))  # an exchange of ours was: nobody knows any more what came on it
        self._us = site.config.site
        self._waits_for_them = 0  # came from this partner before, and nothing of this exchange was ever taken
        self._read_so_far = 0  # issues
        self._deleted: list[str] = []  # local ids of issues that are gone
        self._begin()

    def _begin(self) -> None:
        """What was found is frozen: from here on the ledger knows it."""
        self._calling.begin()
        self._rows: dict[Gid, Entity] = {}  # rows as they will be once this is told
        self._below: dict[Gid, dict[Gid, Entity]] = {}  # of these, what belongs to an issue
        self._tied: dict[Gid, Gid] = {}  # the partner's gids of what stood here before, by ours
        self._gids: dict[str, Gid | None] = {}  # local issue id -> gid of its live row, or None where there is none
        self._elsewhere: set[Gid] = set()  # came from another partner of ours, and is told to this one as new
        self._coming: set[Gid] = set()  # is being made by an import of another exchange: told once that is over
        self._unsettled: frozenset[Gid] | set[Gid] = self._doubted  # nothing is told of these now
        self._leaving.begin()
        self._looked: set[str] = set()  # local ids of the issues that were looked at

    def found(self) -> Iterator[Found]:
        """Everything there is to tell since the cursor. What it yields must be frozen before the next is asked for.

        Raises Unavailable, Halted.
        """
        yield from listed(self._site, self._paired)
        with self._site.ledger.begin() as conn:
            again = shadows.revisits(conn, self._x.id)
        # Never read yet, or other rules than last time: everything is looked at. A feed from its beginning need not name
        # what was deleted before, so the issues that the ledger has are asked for by name.
        anew = self._x.cursor is None or self._x.basis != self._paired.basis
        feed = chain(
            ((issue, None) for issue in dict.fromkeys((*self._hands.first(anew=anew), *again))),
            ((issue, None) for issue in (paired_issues(self._site, self._x) if anew else ())),
            ((touched.issue, touched.cursor) for touched in self._changed(None if anew else self._x.cursor)),
        )
        yield from self._reading(feed)
        # what waited for an issue that was told just now: one export tells both ends of a link
        with self._site.ledger.begin() as conn:
            ready = shadows.ready_revisits(conn, self._x.id)
        yield from self._reading((issue, None) for issue in ready)
        for event in (*self._places.told(), *self._sieving.told()):
            self._record.add(event)
        if self._waits_for_them:
            self._record.add(PairedBefore(partner=self._x.partner_name, items=self._waits_for_them))

    def of(self, local: str) -> Found:
        """What one issue has to tell, and the parents that go before it, whatever the feed says. Raises Unavailable."""
        return next(self._reading(iter([(local, None)])))

    def _reading(self, feed: Iterator[tuple[str, str | None]]) -> Iterator[Found]:
        """What was named before the feed failed is told first; then it raises what that failed with."""
        self._begin()
        found = Found()
        trouble: list[Unavailable] = []
        while chunk := piece(feed, trouble, most=_CHUNK):
            # one that was looked at already changed once more while we read: that is told after what was found before
            if self._enough(found) or any(local in self._looked for local, _ in chunk):
                yield found.ordered()
                self._begin()
                found = Found()
            self._chunk(chunk, found)
            self._site.step("X1")
        # last of all: what was below it may be named by the feed long after it
        deleted, self._deleted = dict.fromkeys(() if trouble else self._deleted), []
        for local in deleted:
            if self._enough(found):
                yield found.ordered()
                self._begin()
                found = Found()
            found.looked_at.append(local)
            found.again.discard((local, ""))
            self._gone(local, found)
        if found.looked_at:
            yield found.ordered()
        for error in trouble:
            raise error

    def _enough(self, found: Found) -> bool:
        """Whether it fills a bundle, or is as much as one would hold if all of it had changed."""
        limits = self._site.config.limits
        return max(len(found.tells), len(found.looked_at)) >= limits.max_changes or found.size >= limits.max_bundle_bytes

    def _chunk(self, chunk: list[tuple[str, str | None]], found: Found) -> None:
        found.cursor = chunk[-1][1]
        self._hands.renew()
        issues = self._read([local for local, _ in chunk], found)
        self._load([issue for issue in issues.values() if issue is not None], found)
        for local, issue in issues.items():
            if local in self._looked:
                continue  # as somebody's parent, a moment ago
            self._looking(local, found)
            if issue is None:
                self._deleted.append(local)
                found.again.add((local, ""))  # it is told at the end; a run that is cut off before that looks at it again
            else:
                self._one(local, issue, found, depth=0)

    def _changed(self, since: str | None) -> Iterator[Touched]:
        return self._site.tracker.changed(since, lambda: paired_issues(self._site, self._x))

    def _read(self, locals_: Iterable[str], found: Found) -> dict[str, Issue | None]:
        """Those of these issues that can be read, in this order."""
        wanted = list(dict.fromkeys(locals_))
        issues: dict[str, Issue | None] = {}
        for local, issue in self._site.tracker.get_all(wanted):
            if self._site.stopping():
                raise Halted  # nothing is numbered: the next export reads these again
            issues[local] = issue
            self._read_so_far += 1
            self._site.progress(Doing.LOOKING, self._read_so_far, None)
        for local in wanted:
            if local not in issues:
                with self._setting_aside(local, found):
                    issues[local] = self._site.tracker.get(local)
        return {local: issues[local] for local in wanted if local in issues}

    @contextmanager
    def _setting_aside(self, local: str, found: Found) -> Iterator[None]:
        """Around the reading of one issue: where it alone cannot be read, the next export looks at it again."""
        try:
            yield
        except Unreadable as error:
            if local not in self._looked:
                self._looking(local, found)
                self._record.add(NotRead(issue=local, why=str(error)))
            found.again.add((local, ""))

    def _looking(self, local: str, found: Found) -> None:
        self._looked.add(local)
        found.looked_at.append(local)
        found.by_hand += self._hands.of(local)

    def _load(self, issues: list[Issue], into: Found) -> None:
        """The ledger's rows of these issues and of all that belongs to them."""
        gids = {self._gid(item) for issue in issues for item in (issue.item, *issue.children)}
        wanted = gids - self._rows.keys()
        with self._site.ledger.begin() as conn:
            found = shadows.entities(conn, self._x.id, wanted)
            self._tied |= (tied := ties.tied(conn, self._x.id, wanted - found.keys()))
            found |= shadows.entities(conn, self._x.id, tied.values())
            for rows in shadows.children_of(conn, self._x.id, [self._gid(issue.item) for issue in issues]).values():
                found.update((row.gid, row) for row in rows)
            elsewhere = shadows.attached_elsewhere(conn, self._x.id, unknown(issues, found.values()))
            into.unmarked += (lost := unmarked(issues, (*elsewhere, *found.values()), us=self._us))
            into.again.update((item.ref.issue, "") for item, _ in lost)  # the mark may not go through
            self._tied |= (tied := tied | {self._gid(item): gid for item, gid in lost})
            new = wanted - found.keys() - tied.keys()
            self._elsewhere |= shadows.known_elsewhere(conn, self._x.id, new)
            self._coming |= shadows.coming_elsewhere(conn, self._x.id, new)
            ours = [gid for gid, row in found.items() if row.kind is Kind.ISSUE]
            self._calling.load(conn, ours)
            self._leaving.load(conn, ours)
        self._unsettled = self._doubted | (self._coming - self._elsewhere)
        self._keep([row for gid, row in found.items() if gid not in self._rows])

    def _keep(self, rows: Iterable[Entity]) -> None:
        for row in rows:
            self._rows[row.gid] = row
            if row.parent is not None:
                self._below.setdefault(row.parent, {})[row.gid] = row
            if row.kind is Kind.ISSUE and row.local is not None and row.state is Life.LIVE:
                self._gids[row.local] = row.gid

    def _gone(self, local: str, found: Found) -> None:
        with self._site.ledger.begin() as conn:
            row = shadows.by_local(conn, self._x.id, Kind.ISSUE, local)
            live = row if row is not None and row.state is Life.LIVE else None
            if live is not None and self._hands.stops(live.gid):
                return  # nor is that told until it goes on
            found.over += [one.gid for one in self._hands.of(local)]
            if live is None:
                return
            below = shadows.children_of(conn, self._x.id, [live.gid]).get(live.gid, [])
        if live.gid in self._doubted:
            found.again.add((local, ""))
            return
        rows = {one.gid: one for one in (live, *below)}
        self._tell([], rows, found, in_scope=True)

    def _one(self, local: str, issue: Issue, found: Found, *, depth: int) -> None:
        gid = self._gid(issue.item)
        issue = self._hands.placed(issue, gid)
        below = [one for one in issue.children if self._paired.sends(one.ref.kind)]
        told = issue.in_scope
        seen = [self._seen(issue.item, None, found, depth, told=told)]
        seen += [self._seen(one, gid, found, depth, told=told) for one in below]
        if not issue.in_scope:
            found.short.pop(local, None)  # it is not meant to be told
        unsettled = self._unsettled
        if unsettled and any(one.gid in unsettled for one in seen):
            found.again.add((local, ""))
        rows = {one.gid: self._rows[one.gid] for one in seen if one.gid in self._rows}
        if gid in self._below:
            rows.update((row.gid, row) for row in self._below[gid].values() if self._paired.sends(row.kind))
        for one in seen:
            if one.came and one.gid not in rows and one.gid not in unsettled:
                if self._x.in_seq:
                    self._record.add(Unpaired(key=issue.key, kind=one.kind))
                else:
                    self._waits_for_them += 1
        stopped = self._hands.stops(gid)
        if gid not in self._doubted:
            self._leaving.tell(issue, seen[0], rows.get(gid), found, by_hand=stopped)
        edited = set() if stopped else self._tell(seen, rows, found, in_scope=issue.in_scope)
        tells = issue.in_scope and not seen[0].withheld and gid not in unsettled
        self._calling.name(seen[0], self._rows.get(gid), found, tells=tells, told=gid in edited)

    def _tell(self, seen: Sequence[Seen], rows: Mapping[Gid, Entity], found: Found, *, in_scope: bool) -> set[Gid]:
        """What of an issue the partner does not know yet. Returns of which items that is."""
        tells = diff(seen, rows, in_scope=in_scope, doubted=self._doubted, tells=self._paired.tells, placed=self._places.has)
        found.tells += tells
        for tell in tells:
            found.size += tell.size
            self._keep((tell.row, *tell.buried))
        return {tell.row.gid for tell in tells}

    def _seen(self, item: Item, parent: Gid | None, found: Found, depth: int, *, told: bool) -> Seen:
        """An item in the contract's words. A parent issue that is not told yet is told before it. `told`: it is in scope."""
        outward = self._paired.rules.outward(
            item, lambda local: self._gid_of(local, found, depth), end_of=self._end_of, prose=self._prose
        )
        found.again.update((item.ref.issue, one) for one in outward.unresolved)
        for event in not_told(item, outward, new=self._gid(item) not in self._rows) if told else ():
            self._record.add(event)
        for field, why in outward.failed.items():
            if (field, why) not in self._failed:
                self._failed.add((field, why))
                self._record.add(RuleFails(key=item.about.key, field=field, why=why))
        self._shortage.note(found.short, item, outward)
        if parent is None and told and outward.dropped:
            self._unsaid.note(found.met, item, outward, self._rows.get(self._gid(item)))
        if outward.withheld:
            self._record.add(Withheld(key=item.about.key, kind=item.ref.kind))
        gid = self._gid(item)
        return Seen(
            gid=gid,
            kind=item.ref.kind,
            parent=parent,
            local=item.ref.local,
            fields=outward.fields,
            unknown=outward.untold | self._severed.of(self._rows.get(gid), outward.fields, self._rows),
            came=item.origin is not None and (home(item.origin) == self._x.partner_site or not self._ours_to_tell(gid)),
            about=item.about,
            issue=item.ref.issue,
            withheld=outward.withheld or self._sieving.keeps(item),
            silent=outward.silent,
            held=self._paired.holds(outward.fields) if parent is None else frozenset(),
        )

    def _ours_to_tell(self, gid: Gid) -> bool:
        """Whether what came from another partner is told to this one: that exchange has it, or was ended and left it to us."""
        return gid in self._elsewhere or self._ended

    def _gid(self, item: Item) -> Gid:
        gid = item.origin or make_gid(self._us, item.ref.kind, item.ref.local, item.stamp)
        return self._tied.get(gid, gid)

    def _gid_of(self, local: str, found: Found, depth: int) -> Gid | None:
        """The gid of an issue that another one names; told first where the partner does not know it yet."""
        if local not in self._gids:
            self._gids[local] = None  # asked for again on the way up: a circle, which ends here
            self._gids[local] = self._known(local) or (self._told_first(local, found, depth + 1) if depth < _DEPTH else None)
        return self._gids[local]

    def _end_of(self, local: str) -> Gid | None:
        """The gid of an issue that a link names, once the partner knows it: it is not told for the link's sake."""
        gid = self._gids.get(local) or self._known(local)
        if gid is not None:
            self._gids[local] = gid
        return gid

    def _known(self, local: str) -> Gid | None:
        with self._site.ledger.begin() as conn:
            row = shadows.by_local(conn, self._x.id, Kind.ISSUE, local)
        return row.gid if row is not None and row.state is Life.LIVE else None

    def _told_first(self, local: str, found: Found, depth: int) -> Gid | None:
        issue = None
        with self._setting_aside(local, found):
            issue = self._site.tracker.get(local)
        if issue is None:
            return None
        self._load([issue], found)
        self._looking(local, found)
        self._one(local, issue, found, depth=depth)
        row = self._rows.get(self._gid(issue.item))
        return row.gid if row is not None and row.state is Life.LIVE else None
