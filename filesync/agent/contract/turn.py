"""How what stands under one contract is said under another one: rows of the ledger, and changes that wait. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from filesync.model.change import Change, Create, Set, Told
from filesync.model.ids import NEVER, Kind, kind_of
from filesync.model.links import LINK, link_name, link_parts
from filesync.model.shadow import UNAGREED, Entity, Shadow, Shadows
from filesync.model.values import EMPTY, Value, digest, flat_name, split_name
from filesync.rules.contract import VISIBLE_TO, asks
from filesync.rules.mapping import Outward, Rules
from filesync.rules.standing import FieldRule
from filesync.rules.ways import UNFIT

_T = TypeVar("_T")
_V = TypeVar("_V", Value, Value | None)


class Turn:
    """How what stands under one contract stands under another one."""

    def __init__(
        self, old: Rules, new: Rules, theirs: Mapping[str, str] | None = None, *, offered: Collection[str] | None = None
    ) -> None:
        """`theirs`: what the partner says of its fields as `origins`; None: it says nothing.

        `offered`: the fields that our tracker carries, by our names; None: any.
        """
        self.old, self.new = old, new
        rules = [rule for name in new.contract.fields if (rule := new.rule(name)) is not None]
        self._formed = {rule.local: rule for rule in rules if rule.form is not None}  # told as a text of the mapping's
        self.changed = frozenset(name for name in old.contract.fields if self._means_another_thing(name))
        before = {new: name for name in old.contract.fields for new in self.names(name)}
        kept = [rule.field.spec.name for rule in rules if offered is None or rule.local in offered]
        self.origins = {name: before.get(name, "") for name in kept}  # what is told of them
        # what the two sites take from different fields of the contract before: nothing is agreed on these
        self.moved = frozenset(name for name, origin in self.origins.items() if (theirs or {}).get(name, origin) != origin)

    def _means_another_thing(self, name: str) -> bool:
        before, after = self.old.rule(name), self._now(name)
        if before is None or after is None:
            return False  # it had, or has, no place here
        renamed = replace(after.field.spec, name=name)
        return (before.field.spec, before.allowed) != (renamed, after.allowed)

    def names(self, flat: str) -> tuple[str, ...]:
        """What a wire field, flat, is called under the new contract; () where it has no place any more."""
        name, element = split_name(flat)
        if name == LINK:
            return tuple(self._links(flat))
        after = self._now(name)
        if after is None:
            return ()
        if element is None:
            return (after.field.spec.name,)
        return tuple(dict.fromkeys(self._elements(flat)))

    def _now(self, name: str) -> FieldRule | None:
        """How our tracker's field that stood for this one stands now; None where it stood, or stands, for none."""
        before = self.old.rule(name)
        if before is None or before.form is None:
            return None if before is None else self.new.standing(before.local)
        return self._formed.get(before.local)

    def _elements(self, flat: str) -> Iterator[str]:
        for local in self.old.local_names(flat):
            name, element = split_name(local)
            rule = self.new.standing(name)
            if rule is not None and element is not None:
                try:
                    yield flat_name(rule.field.spec.name, rule.outward(element))
                except UNFIT:
                    continue  # the new contract has no word for it

    def _links(self, flat: str) -> Iterator[str]:
        word, end = link_parts(flat) or ("", "")
        for ours in self.old.links.words.back(word):
            now = link_name(self.new.links.words.out(ours), end)
            if self.new.links.carries(now):
                yield now

    def asks(self, flat: str) -> bool:
        """Whether what our tracker shows must be known to say what stands of a wire field."""
        return split_name(flat)[0] in self.changed or not self.moved.isdisjoint(split_name(one)[0] for one in self.names(flat))

    def row(self, row: Entity, before: Outward, after: Outward, *, ours: bool, there: bool) -> Entity:
        """A row under the new contract, by what our tracker shows under both.

        `ours`: we proposed, so that what changed its meaning is told again; `there`: it can be told at all.
        """
        found: dict[str, Shadow] = {}
        contract = self.new.contract
        for flat, shadow in row.fields.items():
            agreed = flat not in before.untold and digest(before.fields.get(flat)) == shadow.here
            for name in self.names(flat):
                here, moved = shadow.here, split_name(name)[0] in self.moved
                if moved or split_name(flat)[0] in self.changed:
                    here = self._here(after.fields.get(name), agreed=agreed, again=there and (ours or moved))
                # else what is open is decided anew (put_back.py)
                stays = name == flat and not self.asks(flat) and asks(contract, name)
                other = found.get(name, Shadow(here=here))
                found[name] = Shadow(
                    here=here if here == other.here else UNAGREED,
                    told=max(shadow.told, other.told),
                    took=max(shadow.took, other.took),
                    met=shadow.met if stays else NEVER,
                    theirs=shadow.theirs if stays else EMPTY,
                )
        return msgspec.structs.replace(row, shadows=Shadows.of(found))

    @staticmethod
    def _here(value: Value | None, *, agreed: bool, again: bool) -> str:
        if not agreed:
            return UNAGREED  # an edit that was not told stays one
        return UNAGREED if again and value is not None else digest(value)  # that ours is empty is not told over theirs

    def change(self, change: Change, local: Mapping[str, Value | None]) -> Change:
        """A change that waits or is stuck, in the new words. `local`: its fields in ours, as far as they could be said.

        Who alone may see something is never left out: what has no place any more is refused in words when it is tried.
        """
        kind = kind_of(change.gid)
        match change:
            case Create() if kind is not Kind.ISSUE:
                return msgspec.structs.replace(change, fields=self._seen_by(kind, change.fields))
            case Set() if kind is not Kind.ISSUE:
                words = {name: one.now for name, one in change.fields.items() if name == VISIBLE_TO}
                said = {name: Told(value, change.fields[name].base) for name, value in self._seen_by(kind, words).items()}
                return msgspec.structs.replace(change, fields={**change.fields, **said})
            case Create():
                fields = {name: value for name, value in self._said(change.fields, local).items() if value is not None}
                untold = [new for name in change.untold for new in self.names(name)]
                return msgspec.structs.replace(change, fields=fields, texts=self._renamed(change.texts), untold=untold)
            case Set():
                values = self._said({name: one.now for name, one in change.fields.items()}, local)
                bases = {new: one.base for name, one in change.fields.items() for new in self._told_as(name, one.now)}
                told = {name: Told(value, bases[name]) for name, value in values.items()}
                return msgspec.structs.replace(change, fields=told, texts=self._renamed(change.texts))
            case _:
                return change

    def _seen_by(self, kind: Kind, fields: Mapping[str, _V]) -> dict[str, _V]:
        """The fields of what belongs to an issue: only the word for who alone may see it may be another one.

        One that stands here for others than before, where nothing stands for those, becomes a word that is refused.
        """
        word, found = fields.get(VISIBLE_TO), dict(fields)
        ours = self.old.inward(kind, {VISIBLE_TO: word}, lambda _: None).fields if isinstance(word, str) else {}
        if not ours or self.new.inward(kind, {VISIBLE_TO: word}, lambda _: None).fields == ours:
            return found
        now = self.new.wire(kind, {name: one for name, one in ours.items() if one is not None}, lambda _: None)
        if VISIBLE_TO in now and self.new.inward(kind, now, lambda _: None).fields == ours:
            return found | now
        if word in self.new.contract.visibilities:  # else it is refused as it is
            found[VISIBLE_TO] = f"{word} (of the contract before)"
        return found

    def _told_as(self, flat: str, value: Value | None) -> tuple[str, ...]:
        """What a field of an issue's change is called from now on."""
        names = self.names(flat)
        lost = not names and value is not None and flat == self.old.restriction(Kind.ISSUE)
        return (VISIBLE_TO,) if lost else names

    def _renamed(self, texts: Mapping[str, _T]) -> dict[str, _T]:
        return {new: one for name, one in texts.items() for new in self.names(name)}

    def _said(self, fields: Mapping[str, Value | None], local: Mapping[str, Value | None]) -> dict[str, Value | None]:
        found: dict[str, Value | None] = {}
        for flat, value in fields.items():
            for name in self._told_as(flat, value):
                found[name] = value if split_name(flat)[0] not in self.changed else self._word(name, value, local)
        return found

    def _word(self, name: str, value: Value | None, local: Mapping[str, Value | None]) -> Value | None:
        rule = self.new.rule(name)
        ours = local.get(rule.local) if rule is not None else None
        if rule is None or value is True or not isinstance(ours, str):
            return value
        try:
            return rule.outward(ours)
        except UNFIT:
            return value  # refused in words when it is tried
