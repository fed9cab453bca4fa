"""What an export tells: the difference between what our tracker shows and the shadows. Pure.

The changes get their place (mark) later, when their bundle is numbered; a `Tell` knows what it becomes then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from filesync.model.change import Blob, Change, Create, Delete, LongTold, Scoped, Set, Told
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Scope
from filesync.model.shadow import Entity, Life
from filesync.model.values import EMPTY, Value, digests, split_name

TYPE: Final = "type"  # its wire name: always this one


class Seen(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """An entity as our tracker shows it, in the contract's words."""

    gid: Gid
    kind: Kind
    parent: Gid | None
    local: str
    fields: Mapping[str, Value]
    unknown: frozenset[str]  # fields whose value cannot be told yet (a parent the partner does not know)
    came: bool  # it was made by an import from this partner
    about: About
    issue: str = ""  # local id of the issue that it is or belongs to
    withheld: bool = False  # few may see it here: nothing of it is told, nor of what belongs to it
    silent: frozenset[str] = frozenset()  # fields, bare, of which this side says nothing
    held: frozenset[str] = frozenset()  # fields, bare, that this side alone may edit as it stands

    def may_tell(self, name: str) -> bool:
        """Whether anything can be said of a field now."""
        return name not in self.unknown and (not self.silent or split_name(name)[0] not in self.silent)


class Tells(Protocol):
    """Which fields this side tells at all; `new`: with the entity itself, else as an edit of one that the partner has."""

    def __call__(self, kind: Kind, name: str, *, new: bool) -> bool:
        """Whether it tells this one, given by its wire name."""
        ...


class Tell(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """One change to be sent. `row` is the ledger's row as it will be, but for the marks of what is told."""

    row: Entity
    fields: Mapping[str, Value | None]
    digests: Mapping[str, str]  # of these at least; of an empty one none
    new: bool
    about: About
    untold: tuple[str, ...] = ()  # of a new one: fields that hold something which cannot be told
    buried: tuple[Entity, ...] = ()  # rows that a deletion takes with it
    issue: str = ""  # of a new one: local id of its issue
    blob: Blob | None = None  # of a new attachment, once its bytes are at hand
    scope: Scope | None = None  # it left the scope, or came back: nothing else is told with that
    texts: Mapping[str, Blob] = {}  # fields whose texts go beside the line, once their bytes are at hand
    held: frozenset[str] = frozenset()  # of an edit: fields, bare, that this side alone may edit

    @property
    def blobs(self) -> list[Blob]:
        """All that goes beside the line."""
        attached = [self.blob] if self.blob is not None else []
        return [*attached, *self.texts.values()] if self.texts else attached

    @property
    def says_more(self) -> bool:
        """Whether it tells anything but what we call the issue."""
        return self.new or bool(self.fields) or self.scope is not None or self.row.state is Life.DEAD

    @property
    def word(self) -> str:
        """What it is counted as."""
        if self.scope is not None:
            return "scope"
        return "delete" if self.row.state is Life.DEAD else "create" if self.new else "set"

    @property
    def size(self) -> int:
        """Characters in its texts: a line is longer by little."""
        size = 0
        for name, value in self.fields.items():
            size += len(name) + len(value if isinstance(value, str) else str(value))
        return size

    def change(self, n: int) -> Change:
        """The line it becomes as the n-th of its bundle."""
        if self.scope is not None:
            # what it is called in the project that it was moved to is nobody's business here
            about = About() if self.scope is Scope.MOVED else self.about
            return Scoped(n=n, gid=self.row.gid, now=self.scope, about=about)
        if self.row.state is Life.DEAD:
            return Delete(n=n, gid=self.row.gid, about=self.about)
        if self.new:
            fields = {name: value for name, value in self.fields.items() if value is not None and name not in self.texts}
            return Create(
                n=n,
                gid=self.row.gid,
                kind=self.row.kind,
                parent=self.row.parent,
                fields=fields,
                texts=dict(self.texts),
                untold=list(self.untold),
                blob=self.blob,
                about=self.about,
            )
        took = self.row.shadows.taken
        told = {name: Told(value, took(name)) for name, value in self.fields.items() if name not in self.texts}
        texts = {name: LongTold(blob, took(name)) for name, blob in self.texts.items()} if self.texts else {}
        held = sorted(self.held & {split_name(name)[0] for name in self.fields}) if self.held else []
        return Set(n=n, gid=self.row.gid, fields=told, texts=texts, held=held, about=self.about)

    def rows(self, mark: Mark) -> list[Entity]:
        """The ledger's rows once it is told at this place."""
        if self.scope is not None:
            return []
        here = self.digests
        told = self.row.shadows.telling({name: here.get(name, EMPTY) for name in self.fields}, mark)
        return [replace(self.row, shadows=told), *self.buried]


def diff(
    seen: Sequence[Seen],
    rows: Mapping[Gid, Entity],
    *,
    in_scope: bool,
    doubted: Collection[Gid],
    tells: Tells,
    placed: Callable[[str], bool],
) -> list[Tell]:
    """What one issue and all that belongs to it have to tell, attachments before edits and comments.

    `seen` is complete, the issue first; empty when the issue is gone. `rows` are the ledger's, of the same.
    An entity in doubt is left out (what its tracker shows may be half of a write of ours); out of scope and of what is
    withheld, only deletions are told; `placed` says which fields of an issue have a place in the tracker: others are not
    empty because it shows none.
    """
    found: list[Tell] = []
    live = {gid for gid, row in rows.items() if row.state is Life.LIVE}
    in_scope = in_scope and not (seen and seen[0].parent is None and seen[0].withheld)
    for one in seen:
        row = rows.get(one.gid)
        if one.gid in doubted or not in_scope or one.withheld or (one.parent is not None and one.parent not in live):
            continue
        if row is None:
            if one.came:
                continue  # bears our mark but the ledger has no row: it is for the importer to pair, never told as new
            if TYPE in one.unknown:
                continue  # of a type that the contract does not have: not part of the exchange
            found.append(_create(one, tells))
            live.add(one.gid)
        elif row.state is Life.LIVE and one.kind is not Kind.ATTACHMENT:  # those never change
            here = digests(one.fields)
            fields = _changed(one, row, here, tells, placed)
            if fields:
                row = _agreeing(row, fields, here)
                row = row if row.local == one.local else replace(row, local=one.local)
                found.append(Tell(row=row, fields=fields, digests=here, new=False, about=one.about, held=one.held))
    if len(found) > 1:
        found.sort(key=_turn)
    return found + _gone({one.gid for one in seen}, rows, doubted)


def _turn(tell: Tell) -> int:
    """What of an issue comes first: it, its new attachments, then the texts that may show them."""
    return (0 if tell.row.parent is None else 1 if tell.row.kind is Kind.ATTACHMENT else 2) if tell.new else 2


def _create(one: Seen, tells: Tells) -> Tell:
    row = Entity(gid=one.gid, kind=one.kind, parent=one.parent, local=one.local)
    fields = {name: value for name, value in one.fields.items() if one.may_tell(name) and tells(one.kind, name, new=True)}
    return Tell(
        row=row,
        fields=fields,
        digests=digests(fields),
        new=True,
        about=one.about,
        untold=tuple(sorted(one.unknown | one.silent)),
        issue=one.issue,
    )


def _changed(
    one: Seen,
    row: Entity,
    here: Mapping[str, str],
    tells: Tells,
    placed: Callable[[str], bool],
) -> dict[str, Value | None]:
    known = row.shadows.here
    found: dict[str, Value | None] = {name: one.fields[name] for name, now in here.items() if now != known.get(name, EMPTY)}
    if not known.keys() <= here.keys():
        gone = [name for name, before in known.items() if name not in here and before != EMPTY]
        found.update({name: None for name in gone if one.kind is not Kind.ISSUE or placed(name)})
    return {name: value for name, value in found.items() if one.may_tell(name) and tells(one.kind, name, new=False)}


def _agreeing(row: Entity, fields: Collection[str], here: Mapping[str, str]) -> Entity:
    """Whoever sets an open field to the partner's value has seen both."""
    if not row.shadows.met:
        return row
    open_ = ((name, row.shadow(name)) for name in fields if name in row.shadows.met)
    return row.with_shadows({name: one.seen() for name, one in open_ if here.get(name, EMPTY) == one.theirs})


def _gone(there: Collection[Gid], rows: Mapping[Gid, Entity], doubted: Collection[Gid]) -> list[Tell]:
    """Deletions: topmost only, the partner takes what belongs to an issue with it."""
    gone = [row for row in rows.values() if row.gid not in there and row.state is Life.LIVE and row.gid not in doubted]
    if not gone:
        return []
    issues = {row.gid for row in gone if row.kind is Kind.ISSUE}
    return [
        Tell(
            row=row.ended(Life.DEAD),
            fields={},
            digests={},
            new=False,
            about=About(),
            buried=tuple(child.ended(Life.DEAD) for child in rows.values() if child.parent == row.gid),
        )
        for row in gone
        if row.parent not in issues
    ]
