"""What one group of arriving changes meets here: ledger rows, doubts, and what our tracker shows. Read once for the group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec
import sqlalchemy as sa

from filesync.agent import versions
from filesync.agent.blobs import Lack, Piece, forget_lost, lacking, pieces, stream, with_texts
from filesync.agent.merge.reach import Reach
from filesync.agent.naming import Keys, prose
from filesync.agent.paired import Paired
from filesync.agent.progress import Doing, passing
from filesync.agent.site import Site
from filesync.bundle.changes import read_change
from filesync.errors import Unreadable
from filesync.ledger import by_hand, journal, shadows
from filesync.ledger.outside import outside_of
from filesync.model.by_hand import ByHand
from filesync.model.change import Change, Create, Delete, Scoped, Set, blobs_of, texts_of
from filesync.model.ids import Gid, Kind, is_gid
from filesync.model.issue import Issue, Item
from filesync.model.links import link_end
from filesync.model.outside import Outside
from filesync.model.shadow import Entity, Life
from filesync.model.values import FieldKind, Flat, Value, split_name
from filesync.rules.mapping import Inward
from filesync.trackers.base import Tracker

_SHUT: Final = "our issue takes nothing from partners as it is now, says tracker.settings.incoming"
_STOPPED: Final = "its issue, which is stopped here by hand"
_SaysT = TypeVar("_SaysT", Create, Set)


class Shown(msgspec.Struct, gc=False, frozen=True):
    """An entity as our tracker shows it: the item, its fields in wire words, and its issue's key."""

    item: Item
    fields: Mapping[str, Value]
    key: str
    untold: frozenset[str] = frozenset()  # fields that hold something the contract has no word for
    nowhere: frozenset[str] = frozenset()  # bare: nothing in our tracker stands for them, so that they show nothing

    def hides(self, name: str) -> bool:
        """Whether a wire field cannot be compared: that it seems empty is nobody's edit."""
        return name in self.untold or split_name(name)[0] in self.nowhere


class View:
    """The state around a group. What a change of the group does is put back with `keep`, so that a later one sees it."""

    def __init__(self, site: Site, paired: Paired, reach: Reach) -> None:
        self._site = site
        self._paired = paired
        self.reach = reach
        self._tracker: Tracker = site.tracker
        self._rows: dict[Gid, Entity] = {}
        self._issues: dict[str, Issue | None] = {}
        self._versions: tuple[Issue, Mapping[Gid, Item]] | None = None  # of the list as it was read last
        self._holders = [versions.holder(paired)] if paired.rules.travels(Kind.VERSION) else []
        self._unplaced = paired.rules.unplaced(site.tracker.offered())
        self.keys = Keys(site, paired)
        self.prose = prose(site, paired, self.keys)
        self.children: dict[Gid, list[Entity]] = {}
        self.queued: set[Gid] = set()
        self.deletes: set[Gid] = set()  # of queued gids: a delete is among what is queued
        self.doubts: dict[Gid, dict[str, str]] = {}  # digests of what may have been written
        self.stopped: dict[Gid, ByHand] = {}  # issues that a person here stopped
        self.outside: dict[Gid, Outside] = {}  # what is known of scopes, of changes that tell of one
        self.lacks: dict[Gid, Lack] = {}  # changes whose bytes are not all here
        self._attached: dict[Gid, list[Piece]] = {}
        self._texts: dict[Gid, dict[str, list[Piece]]] = {}  # by field

    def load(self, changes: Iterable[Change]) -> None:
        """Read what these changes may ask for."""
        changes = list(changes)
        wanted = [gid for change in changes for gid in self._named(change)]
        with self._site.ledger.begin() as conn:
            x = self._paired.exchange.id
            self._rows = shadows.entities(conn, x, wanted)
            parents = {row.parent for row in self._rows.values() if row.parent is not None} - self._rows.keys()
            self._rows.update(shadows.entities(conn, x, parents))
            self._rows.update((row.gid, row) for row in self._holders)
            self.children = shadows.children_of(conn, x, [one.gid for one in changes if isinstance(one, Delete)])
            self.queued = journal.queued_gids(conn, x, [one.gid for one in changes])
            self.stopped = by_hand.stopped(conn, x)
            scoped = [one.gid for one in changes if isinstance(one, Scoped)]
            self.outside = outside_of(conn, x, scoped) if scoped else {}
            self.deletes = self._queued_deletes(conn) if self.queued else set()
            self.doubts = shadows.doubts(conn, x)
            self._load_bytes(conn, [one for one in changes if blobs_of(one)])

    def _load_bytes(self, conn: sa.Connection, changes: list[Change]) -> None:
        """Where the bytes beside the lines stand, or what of them is missing."""
        x, store = self._paired.exchange, self._site.config.folders.store
        forget_lost(conn, x, [blob for one in changes for blob in blobs_of(one)], store=store)
        for change, lack in zip(changes, lacking(conn, x, changes), strict=True):
            if lack is not None:
                self.lacks[change.gid] = lack
                continue
            if isinstance(change, Create) and change.blob is not None:
                self._attached[change.gid] = pieces(conn, x, change.blob, store=store)
            self._texts[change.gid] = {name: pieces(conn, x, blob, store=store) for name, blob in texts_of(change).items()}

    def whole(self, change: _SaysT) -> _SaysT:
        """A change that lacks nothing, with its long texts among its fields.

        Raises Rejected where they are not what it names, or no text; StorageFailure, DiskProblem.
        """
        return with_texts(change, self._texts[change.gid]) if change.texts else change

    def content(self, change: Create) -> Callable[[], Iterator[bytes]] | None:
        """The bytes of an attachment that lacks none of them; None for anything else."""
        if change.blob is None:
            return None
        blob, parts, tell = change.blob, self._attached[change.gid], self._site.progress
        return lambda: passing(stream(blob, parts), tell, Doing.MAKING, of=blob.size)

    def _queued_deletes(self, conn: sa.Connection) -> set[Gid]:
        rows = journal.queued_of(conn, self._paired.exchange.id, self.queued)
        return {row.gid for row in rows if isinstance(read_change(row.change), Delete)}

    def _named(self, change: Change) -> list[Gid]:
        named = [change.gid]
        if isinstance(change, Create) and change.parent is not None:
            named.append(change.parent)
        return named + [target for _, target in self.references(change)]

    def references(self, change: Change) -> list[tuple[str, Gid]]:
        """The fields of a change that name another issue, and which: parents by their value, links by their name."""
        match change:
            case Create():
                fields: Mapping[str, Value | None] = change.fields
            case Set():
                fields = {name: told.now for name, told in change.fields.items()}
            case Delete() | Scoped():
                return []
        return self.ends(fields)

    def ends(self, fields: Mapping[str, Value | None]) -> list[tuple[str, Gid]]:
        """Those of these fields that name another issue, and which."""
        found: list[tuple[str, Gid]] = []
        for name, value in fields.items():
            if is_gid(value) and self._is_reference(name):
                found.append((name, Gid(value)))
            elif (end := link_end(name)) is not None:
                found.append((name, end))
        return found

    def _is_reference(self, name: str) -> bool:
        rule = self._paired.rules.rule(split_name(name)[0])
        return rule is not None and rule.field.spec.kind is FieldKind.PARENT

    def row(self, gid: Gid) -> Entity | None:
        """The ledger's row."""
        return self._rows.get(gid)

    def keep(self, rows: Iterable[Entity]) -> None:
        """Rows as they are now."""
        self._rows.update((row.gid, row) for row in rows)

    def made_at(self, issue: Gid) -> list[Entity]:
        """What belongs to an issue and was made, or asked for, with these changes: other threads add to it."""
        return [row for row in list(self._rows.values()) if row.parent == issue]

    def life(self, gid: Gid | None) -> Life | None:
        """The life of its row; None without one."""
        row = self._rows.get(gid) if gid is not None else None
        return row.state if row is not None else None

    def named(self, gid: Gid) -> Life | None:
        """The life of an issue that a field names: dead too where our tracker has it no more. Raises Unavailable."""
        row = self._rows.get(gid)
        if row is None or row.state is not Life.LIVE or row.local is None:
            return row.state if row is not None else None
        try:
            return Life.LIVE if self.issue(row.local) is not None else Life.DEAD
        except Unreadable:
            return Life.LIVE  # it is there: what names it does not wait for what is wrong with it

    def local_of(self, gid: Gid) -> str | None:
        """Our tracker's id of a live issue."""
        row = self._rows.get(gid)
        return row.local if row is not None and row.state is Life.LIVE and row.kind is Kind.ISSUE else None

    def issue_of(self, row: Entity) -> str | None:
        """Our tracker's id of the issue that an entity is, or belongs to."""
        if row.parent is None:
            return row.local
        above = self._rows.get(row.parent)
        return above.local if above is not None else None

    def stops(self, issue: Gid) -> ByHand | None:
        """What a person here said who stopped an issue that is not deleted or kept apart."""
        return self.stopped.get(issue) if self.life(issue) in {None, Life.LIVE} else None

    def closed(self, about: Gid) -> tuple[str, str] | None:
        """What is waited for where people here want nothing written to an issue now, and why."""
        if self.stops(about) is not None:
            return journal.STOPPED, _STOPPED
        issue = self.local_of(about)
        return (journal.SHUT, _SHUT) if issue is not None and self.reach.shuts(issue) else None

    def about(self, change: Change) -> Gid:
        """The issue that a change is about."""
        if isinstance(change, Create) and change.parent is not None:
            return change.parent
        row = self.row(change.gid)
        return row.parent if row is not None and row.parent is not None else change.gid

    def gid_of(self, local: str) -> Gid | None:
        """The gid of a live issue of our tracker."""
        with self._site.ledger.begin() as conn:
            row = shadows.by_local(conn, self._paired.exchange.id, Kind.ISSUE, local)
        return row.gid if row is not None and row.state is Life.LIVE else None

    def issue(self, local: str, *, fresh: bool = False) -> Issue | None:
        """The issue as our tracker shows it. Raises Unavailable; Unreadable where it is this issue alone."""
        if fresh or local not in self._issues:
            self.reach.check(local)
            try:
                self._issues[local] = self._tracker.get(local)
            except Unreadable as error:
                self.reach.unread(local, error)
                raise
        return self._issues[local]

    def versions(self, project: Issue) -> Mapping[Gid, Item]:
        """The project's versions by their gids; each change of one asks, and there may be thousands."""
        if self._versions is None or self._versions[0] is not project:
            self._versions = (project, versions.named(self._paired, project))
        return self._versions[1]

    def key(self, local: str) -> str | None:
        """What people call an issue of our tracker; None where it does not tell. Raises Unavailable."""
        try:
            issue = self.issue(local)
        except Unreadable:
            return None
        return issue.key if issue is not None else None

    def shown(self, row: Entity, *, fresh: bool = False, only: Iterable[str] | None = None) -> Shown | None:
        """A live entity as our tracker shows it; None when it is gone there. Raises Unavailable.

        `only`: wire fields to which it is to be held; of an issue others may then be left out, but for those in doubt.
        """
        local = self.issue_of(row)
        issue = self.issue(local, fresh=fresh) if local is not None else None
        if issue is None:
            return None
        for item in (issue.item,) if row.parent is None else issue.children:
            if item.ref.local == row.local and item.ref.kind is row.kind:
                break
        else:
            return None
        names = None if only is None else {split_name(name)[0] for name in (*only, *self.doubts.get(row.gid, ()))}
        outward = self._paired.rules.outward(item, self.gid_of, only=names, prose=self.prose)
        nowhere = self._unplaced if row.kind is Kind.ISSUE else frozenset()
        return Shown(item, outward.fields, issue.key or item.about.key, outward.untold, nowhere)

    def children_shown(self, row: Entity) -> tuple[Item, ...]:
        """What belongs to a live issue, as our tracker shows it; nothing belongs to a comment. Raises Unavailable."""
        issue = self.issue(row.local) if row.parent is None and row.local is not None else None
        return issue.children if issue is not None else ()

    def wire(self, kind: Kind, fields: Mapping[str, Value]) -> dict[str, Value]:
        """Fields of an item in the contract's words."""
        return self._paired.rules.wire(kind, fields, self.gid_of, prose=self.prose)

    def asleep(
        self, kind: Kind, fields: Flat, *, item: Item | None = None, key: str = "", theirs: str = ""
    ) -> Mapping[str, str]:
        """Those of these wire fields, bare, that do not flow for an issue once they have arrived: "", or why not.

        `item`: as our tracker shows it; None for one that is being made. `key` is ours, `theirs` the partner's.
        """
        rules = self._paired.rules
        names = {split_name(name)[0] for name in fields} & rules.asks.keys() if rules.asks and kind is Kind.ISSUE else ()
        if not names:
            return {}
        taken = {name: value for name, value in fields.items() if rules.takes(Kind.ISSUE, name, new=item is None)}
        arriving = rules.inward(Kind.ISSUE, taken, self.local_of, prose=self.prose).fields
        here = item.fields if item is not None else rules.preset(taken, key=theirs)
        return rules.asleep(names, {**here, **arriving}, key=key)

    def inward(self, kind: Kind, fields: Flat, unnamed: set[str]) -> Inward:
        """Fields in the contract's words as they are written here.

        To `unnamed` it adds the partner's keys of issues that their texts name and that are not here yet.
        """
        for name in self._paired.rules.texts(kind):
            text = fields.get(name)
            if isinstance(text, str):
                unnamed |= self.prose.unknown(text)
        return self._paired.rules.inward(kind, fields, self.local_of, prose=self.prose)
