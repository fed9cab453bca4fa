"""Contract and mapping applied: our tracker's fields to the contract's and back. Pure, on flat fields (model/values.py)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from filesync.bundle.verdict import shown
from filesync.model.ids import Gid, Kind, parse_gid
from filesync.model.issue import RESTRICTION, Item
from filesync.model.links import LINK, link_name, link_parts
from filesync.model.values import REMEMBERED, SHORT, FieldKind, Flat, Value, flat_name, normal, split_name
from filesync.rules.contract import BELOW, BODY, CASCADE_DEPTH, Contract, DeletePolicy
from filesync.rules.standing import FieldRule, LinkRule

_UNFIT: Final = (ValueError, OverflowError)  # the second: a date-time whose UTC form lies before the year 1
_WHY: Final = 200  # characters of a reason
_NEVER_EMPTY: Final = (FieldKind.TYPE, FieldKind.STATUS)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A value of ours that the contract has no word for. `field` is the wire field's name."""

    field: str
    kind: FieldKind
    why: str


class Outward(msgspec.Struct, frozen=True, kw_only=True):
    """An item in the contract's words. What is absent from `fields` is empty, but for the names in `untold`."""

    fields: dict[str, Value]
    unresolved: tuple[str, ...]  # local ids of parents and other ends of links that have no gid (yet)
    dropped: tuple[Dropped, ...]
    untold: frozenset[str]  # wire fields that hold something which cannot be told: neither empty nor comparable
    withheld: bool = False  # few may see it here, and the partner would not know: nothing of it is told


class Inward(msgspec.Struct, frozen=True, kw_only=True):
    """Wire fields in our words, ready to be written. Those in `refused` (why, in words) are not among them."""

    fields: dict[str, Value | None]
    refused: dict[str, str]
    waits: tuple[Gid, ...]  # what a refused reference names and we do not know (yet)


class Rules:
    """A contract as one site uses it. Made by `filesync.rules.load`."""

    def __init__(
        self,
        contract: Contract,
        rules: tuple[FieldRule, ...],
        links: LinkRule,
        deletes: Mapping[Kind, DeletePolicy],
    ) -> None:
        self.contract = contract
        self.links = links
        self.deletes = deletes  # what this site does when the partner deleted something
        self._by_local = {rule.local: rule for rule in rules}
        self._by_wire = {rule.field.spec.name: rule for rule in rules}
        self._naming = {LINK, *(rule.local for rule in rules if rule.field.spec.kind is FieldKind.PARENT)}  # other issues
        # texts that nothing is done to but for their line ends: our name -> the contract's, and back
        self._free = {rule.local: rule.field.spec.name for rule in rules if rule.is_free}
        self._free_here = {wire: local for local, wire in self._free.items()}
        self._told: dict[tuple[str, Value], tuple[str, Value]] = {}  # short values of ours, flat, and what they are told as

    def carries(self, kind: Kind, field: str) -> bool:
        """Whether a wire field, flat or bare, of this kind of item travels under the contract and stands here."""
        if kind in BELOW:
            return self.travels(kind) and field in BELOW[kind]
        name = split_name(field)[0]
        return kind is Kind.ISSUE and (self.links.carries(field) if name == LINK else name in self._by_wire)

    def travels(self, kind: Kind) -> bool:
        """Whether items of this kind travel under the contract at all."""
        contract = self.contract
        agreed = {Kind.COMMENT: contract.comments, Kind.ATTACHMENT: contract.attachments, Kind.WORKLOG: contract.worklogs}
        return kind is Kind.ISSUE or agreed[kind]

    def rule(self, field: str) -> FieldRule | None:
        """How a wire field, flat or bare, stands here."""
        return self._by_wire.get(split_name(field)[0])

    def local_names(self, field: str) -> tuple[str, ...]:
        """Our names for a wire field, flat or bare; several where several elements of ours stand for one. () for none."""
        name, element = split_name(field)
        rule = self._by_wire.get(name)
        if rule is None:
            return ()
        if element is None:
            return (rule.local,)
        try:
            return tuple(flat_name(rule.local, ours) for ours in rule.inward(element))
        except _UNFIT:
            return ()

    def outward(
        self,
        item: Item,
        gid_of: Callable[[str], Gid | None],
        *,
        end_of: Callable[[str], Gid | None] | None = None,
        only: Collection[str] | None = None,
    ) -> Outward:
        """An item of our tracker in the contract's words; of an issue, `only` these wire fields, and those that name others.

        `gid_of` knows the issues that are paired; `end_of` those that a link may name, where that is not the same.
        """
        way = _WayOut(gid_of, end_of or gid_of)
        all_of_it = only is None or item.ref.kind is not Kind.ISSUE
        self._tell(way, item.ref.kind, item.fields if all_of_it else self._among(item.fields, only or ()))
        return Outward(
            fields=way.fields,
            unresolved=tuple(way.unresolved),
            dropped=tuple(way.dropped),
            untold=frozenset(way.untold),
            withheld=all_of_it and self._withheld(item, way),
        )

    def wire(self, kind: Kind, fields: Mapping[str, Value], gid_of: Callable[[str], Gid | None]) -> dict[str, Value]:
        """Some fields of an item of our tracker in the contract's words, as far as it has any."""
        way = _WayOut(gid_of, gid_of)
        self._tell(way, kind, fields)
        return way.fields

    def _among(self, fields: Mapping[str, Value], only: Collection[str]) -> dict[str, Value]:
        wanted = {self._by_wire[name].local for name in only if name in self._by_wire} | self._naming
        return {
            flat: value for flat, value in fields.items() if (flat if ":" not in flat else flat.partition(":")[0]) in wanted
        }

    def _tell(self, way: _WayOut, kind: Kind, fields: Mapping[str, Value]) -> None:
        if kind is not Kind.ISSUE:
            kinds = BELOW[kind] if self.travels(kind) else {}
            for flat, value in fields.items():
                way.below(flat, value, kinds)
            return
        for flat, value in fields.items():
            if flat in self._free and isinstance(value, str) and value:
                way.fields[self._free[flat]] = normal(FieldKind.TEXT, value) if "\r" in value else value
                continue
            told = None if isinstance(value, list) else self._told.get((flat, value))
            if told is None:
                self._take(way, flat, value)
            else:
                way.fields[told[0]] = told[1]

    def _withheld(self, item: Item, way: _WayOut) -> bool:
        restricted = RESTRICTION.get(item.ref.kind, "") in item.fields
        return restricted and self.restriction(item.ref.kind) not in way.fields

    def restriction(self, kind: Kind) -> str | None:
        """The wire field that says who alone may see an item of this kind; None where none does."""
        rule = self._by_local.get(RESTRICTION[kind]) if kind is Kind.ISSUE else None
        return rule.field.spec.name if rule is not None else None

    def _take(self, way: _WayOut, flat: str, value: Value) -> None:
        local, element = split_name(flat)
        rule = self._by_local.get(local)
        if local == LINK:
            way.link(self.links, flat)
        elif rule is not None:
            told = way.take(rule, element, value)
            if told is not None and (value is True or (isinstance(value, str) and len(value) <= SHORT)):
                if len(self._told) >= REMEMBERED:
                    self._told.clear()
                self._told[flat, value] = told

    def inward(self, kind: Kind, fields: Flat, local_of: Callable[[Gid], str | None]) -> Inward:
        """Wire fields in our words. `local_of` knows the issues that are paired.

        Where several elements of ours stand for one, the first is added, and all are taken out.
        """
        way = _WayIn(local_of)
        for flat, value in fields.items():
            if kind is Kind.ISSUE and flat in self._free_here and isinstance(value, str) and value and "\r" not in value:
                way.fields[self._free_here[flat]] = value
                continue
            try:
                way.take(kind, self._here(kind, flat), flat, value)
            except _UNFIT as error:
                way.refused[flat] = shown(str(error), limit=_WHY)
        return Inward(fields=way.fields, refused=way.refused, waits=tuple(way.waits))

    def _here(self, kind: Kind, flat: str) -> FieldRule | LinkRule | None:
        """The rule of a wire field; None for those of BELOW. Raises ValueError for what does not travel."""
        if not self.carries(kind, flat):
            raise ValueError(f'no field "{shown(flat)}" of a {kind} travels under the contract, or none here stands for it')
        if kind in BELOW:
            return None
        return self.links if split_name(flat)[0] == LINK else self.rule(flat)


class _WayOut:
    def __init__(self, gid_of: Callable[[str], Gid | None], end_of: Callable[[str], Gid | None]) -> None:
        self.gid_of = gid_of
        self.end_of = end_of
        self.fields: dict[str, Value] = {}
        self.unresolved: list[str] = []
        self.dropped: list[Dropped] = []
        self.untold: set[str] = set()

    def take(self, rule: FieldRule, element: str | None, value: Value) -> tuple[str, Value] | None:
        """A field of an issue. Returns what it is told as, where that depends on nothing but the value."""
        spec = rule.field.spec
        try:
            if spec.kind is FieldKind.PARENT:
                self._parent(spec.name, value)
                return None
            told = _converted(rule, element, value)
        except _UNFIT as error:
            self.dropped.append(Dropped(spec.name, spec.kind, shown(str(error), limit=_WHY)))
            if element is None:
                self.untold.add(spec.name)
            return None
        if told is not None:
            self.fields[told[0]] = told[1]
        return told

    def below(self, name: str, value: Value, kinds: Mapping[str, FieldKind]) -> None:
        """A field of what belongs to an issue."""
        if name in kinds and isinstance(value, str) and value:
            self.fields[name] = normal(kinds[name], value)

    def link(self, rule: LinkRule, flat: str) -> None:
        """A link, once the issue at its other end is paired."""
        link_type, local = link_parts(flat) or ("", "")
        word = rule.words.out(link_type)
        if word not in rule.allowed:
            return
        gid = self.end_of(local)
        if gid is None:
            self.unresolved.append(local)
        else:
            self.fields[link_name(word, gid)] = True

    def _parent(self, name: str, value: Value) -> None:
        local = _text(value)
        gid = self.gid_of(local)
        if gid is None:
            self.unresolved.append(local)
            self.untold.add(name)
        else:
            self.fields[name] = gid


def _converted(rule: FieldRule, element: str | None, value: Value) -> tuple[str, Value] | None:
    """A flat field in the contract's words; None for an empty one. Raises ValueError with words for a person."""
    spec = rule.field.spec
    if spec.many != (element is not None):
        raise ValueError("it is a set here and one value in the contract, or the other way round")
    if element is not None:
        return flat_name(spec.name, rule.outward(element)), True
    if spec.kind is FieldKind.CASCADE:
        return spec.name, rule.outward(_joined(value)).split("/")
    text = _text(value)
    return (spec.name, rule.outward(text)) if text else None


class _WayIn:
    def __init__(self, local_of: Callable[[Gid], str | None]) -> None:
        self.local_of = local_of
        self.fields: dict[str, Value | None] = {}
        self.refused: dict[str, str] = {}
        self.waits: list[Gid] = []

    def take(self, kind: Kind, rule: FieldRule | LinkRule | None, flat: str, value: Value | None) -> None:
        """Convert one wire field. Raises ValueError with words for a person."""
        if rule is None:
            self.fields[flat] = _below(kind, flat, value)
            return
        if isinstance(rule, LinkRule):
            self._link(rule, flat, value)
            return
        name, element = split_name(flat)
        spec = rule.field.spec
        if spec.many != (element is not None):
            raise ValueError(f'"{shown(name)}" is {"a set" if spec.many else "one value"} in the contract')
        if element is not None:
            self._element(rule, element, value)
        elif value is None:
            if spec.kind in _NEVER_EMPTY:
                raise ValueError(f"an {kind} is never without a {spec.kind}")
            self.fields[rule.local] = None
        elif spec.kind is FieldKind.CASCADE:
            self.fields[rule.local] = rule.inward(_joined(value))[0].split("/")
        elif spec.kind is FieldKind.PARENT:
            self.fields[rule.local] = self._parent(_text(value))
        else:
            self.fields[rule.local] = rule.inward(_text(value))[0]

    def _element(self, rule: FieldRule, element: str, value: Value | None) -> None:
        if value is not None and value is not True:
            raise ValueError("an element of a set is there or not, and has no value")
        ours = rule.inward(element)
        if value is True:
            self.fields[flat_name(rule.local, ours[0])] = True
            return
        for word in ours:
            self.fields[flat_name(rule.local, word)] = None

    def _link(self, rule: LinkRule, flat: str, value: Value | None) -> None:
        if value is not None and value is not True:
            raise ValueError("a link is there or not, and has no value")
        parts = link_parts(flat)
        assert parts is not None  # else the rules would not carry it
        local = self._local(parse_gid(parts[1]))
        ours = rule.words.back(parts[0])
        for word in ours[:1] if value is True else ours:
            self.fields[link_name(word, local)] = value

    def _parent(self, value: str) -> str:
        return self._local(parse_gid(value))

    def _local(self, gid: Gid) -> str:
        local = self.local_of(gid)
        if local is None:
            self.waits.append(gid)
            raise ValueError(f"the issue {gid} is not known here (yet)")
        return local


def _below(kind: Kind, name: str, value: Value | None) -> str | None:
    if value is None and kind is Kind.WORKLOG and name == BODY:
        return None  # work may be logged without a word
    field = BELOW[kind][name]
    if not isinstance(value, str) or not value or normal(field, value) != value:
        raise ValueError(f"the {name} of a {kind} is a {field} as it travels, never empty")
    if field is FieldKind.NUMBER and not (value.isascii() and value.isdigit()):
        raise ValueError(f"the {name} of a {kind} are counted in whole numbers")
    return value


def _text(value: Value) -> str:
    """The one text of a field that has one. Raises ValueError."""
    if isinstance(value, str):
        return value
    raise ValueError("one text was expected")


def _joined(value: Value) -> str:
    """A cascading value as its option is written: parent, or parent/child. Raises ValueError."""
    if isinstance(value, list) and 1 <= len(value) <= CASCADE_DEPTH and all(part and "/" not in part for part in value):
        return "/".join(value)
    raise ValueError("one or two options, the second under the first, were expected, without a slash in either")
