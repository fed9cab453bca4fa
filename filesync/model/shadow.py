"""What both sides agreed on, entity by entity and field by field: digests and marks, no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from filesync.model.ids import NEVER, Gid, Kind, Mark
from filesync.model.values import EMPTY


class Life(StrEnum):
    """What an entity is on this side."""

    LIVE = "live"
    DEAD = "dead"  # deleted, here or there: a tombstone, kept as long as the exchange
    APART = "apart"  # each side keeps its own, for ever


OVER: Final = (Life.DEAD, Life.APART)  # nothing becomes of it any more
UNAGREED: Final = "?"  # in place of a digest: no value is agreed on, so that ours is told, whatever it is


class Shadow(msgspec.Struct, gc=False, frozen=True):
    """What one field agreed on. `here`: digest of the value our tracker may show without anything being told."""

    here: str = EMPTY
    told: Mark = NEVER  # our last edit sent
    took: Mark = NEVER  # the partner's last edit decided here: applied, kept or skipped, not merely received
    met: Mark = NEVER  # the partner's last edit that stands against ours until a person decides; NEVER: none does
    theirs: str = EMPTY  # digest of what it told

    @property
    def open(self) -> bool:
        """Whether each side keeps its own until a person decides."""
        return self.met != NEVER

    def passed(self, mark: Mark) -> Shadow:
        """Once the partner's edits up to this place are decided, whatever became of them: nothing stands against ours."""
        return msgspec.structs.replace(self, took=mark, met=NEVER, theirs=EMPTY)

    def seen(self) -> Shadow:
        """Once a person here has seen the partner's edit that stands against ours."""
        return self.passed(self.met)


class Shadows(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """The shadows of an entity's fields, by wire name: as the ledger keeps them, and as an export compares them.

    A mark that most fields have, as after the entity's creation, stands once. That makes a row half as long, and quicker to
    read and write than a `Shadow` for each field, of which mostly one is asked for.
    """

    here: Mapping[str, str] = {}  # digests; a field that is not in it is empty, and was never told or taken
    told_most: Mark = NEVER  # of each field in `here` that is not in `told`
    took_most: Mark = NEVER
    told: Mapping[str, Mark] = {}
    took: Mapping[str, Mark] = {}
    met: Mapping[str, tuple[Mark, str]] = {}  # of fields that are open: the partner's edit, and the digest of its value

    @classmethod
    def of(cls, shadows: Mapping[str, Shadow]) -> Shadows:
        """These."""
        told_most, took_most = (_most(one.told for one in shadows.values()), _most(one.took for one in shadows.values()))
        return cls(
            {name: one.here for name, one in shadows.items()},
            told_most,
            took_most,
            {name: one.told for name, one in shadows.items() if one.told != told_most},
            {name: one.took for name, one in shadows.items() if one.took != took_most},
            {name: (one.met, one.theirs) for name, one in shadows.items() if one.open},
        )

    def one(self, name: str) -> Shadow:
        """That of a field."""
        here = self.here.get(name)
        if here is None:
            return _NOTHING
        told, took = self.told.get(name, self.told_most), self.took.get(name, self.took_most)
        return Shadow(here, told, took, *self.met[name]) if name in self.met else Shadow(here, told, took)

    def taken(self, name: str) -> Mark:
        """The partner's last edit of a field that was decided here."""
        return self.took.get(name, self.took_most if name in self.here else NEVER)

    def took_at(self, mark: Mark) -> bool:
        """Whether one of them was taken at this place."""
        return mark in self.took.values() or (mark == self.took_most and len(self.took) < len(self.here))

    def took_before(self, mark: Mark) -> bool:
        """Whether one of them was taken before this place."""
        most = (self.took_most,) if len(self.took) < len(self.here) else ()
        return any(NEVER < one < mark for one in (*self.took.values(), *most))

    def telling(self, digests: Mapping[str, str], mark: Mark) -> Shadows:
        """After these values were told at this place."""
        if not self.here:
            return Shadows(digests, told_most=mark)
        took = self.took
        if self.took_most != NEVER and (new := digests.keys() - self.here.keys()):
            took = {**took, **dict.fromkeys(new, NEVER)}
        told = {**self.told, **dict.fromkeys(digests, mark)}
        return Shadows({**self.here, **digests}, self.told_most, self.took_most, told, took, self.met)

    def replaced(self, shadows: Mapping[str, Shadow]) -> Shadows:
        """With these in place of their own."""
        if not self.here:
            return Shadows.of(shadows)
        here, told, took, met = {**self.here}, self.told, self.took, self.met
        for name, one in shadows.items():
            here[name] = one.here
            if one.told != told.get(name, self.told_most):
                told = {**told, name: one.told}
            if one.took != took.get(name, self.took_most):
                took = {**took, name: one.took}
            if one.open:
                met = {**met, name: (one.met, one.theirs)}
            elif name in met:
                met = {other: its for other, its in met.items() if other != name}
        return Shadows(here, self.told_most, self.took_most, told, took, met)


class Entity(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A paired entity or tombstone. A field that has no shadow is empty and was never told."""

    gid: Gid
    kind: Kind
    parent: Gid | None = None  # the issue it belongs to
    local: str | None = None  # its id in our tracker; none where we never had it
    state: Life = Life.LIVE
    shadows: Shadows = Shadows()

    @property
    def fields(self) -> dict[str, Shadow]:
        """The shadow of each field that has one, by wire name."""
        return {name: self.shadows.one(name) for name in self.shadows.here}

    def shadow(self, name: str) -> Shadow:
        """The shadow of a field."""
        return self.shadows.one(name)

    def ended(self, state: Life) -> Entity:
        """What is left of it, dead or apart: nothing is agreed on any more."""
        return msgspec.structs.replace(self, state=state, shadows=Shadows())

    def with_shadows(self, shadows: Mapping[str, Shadow]) -> Entity:
        """The same entity with these shadows in place of its own."""
        return msgspec.structs.replace(self, shadows=self.shadows.replaced(shadows))


def _most(marks: Iterable[Mark]) -> Mark:
    return next((mark for mark, _ in Counter(marks).most_common(1)), NEVER)


_NOTHING: Final = Shadow()
