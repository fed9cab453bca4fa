"""Contract and mapping applied: our tracker's fields to the contract's and back. Pure, on flat fields (model/values.py)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec

from filesync.bundle.verdict import shown
from filesync.model import versions
from filesync.model.ids import Gid, Kind
from filesync.model.issue import RESTRICTION, Item
from filesync.model.links import LINK, link_parts
from filesync.model.values import REMEMBERED, SHORT, FieldKind, Flat, Value, flat_name, split_name
from filesync.rules.asking import asleep, formed, known
from filesync.rules.contract import BELOW, BODY, VISIBLE_TO, Contract
from filesync.rules.ending import Ending
from filesync.rules.given import with_key
from filesync.rules.leaving import STAYS, Leaving
from filesync.rules.partner import Partner
from filesync.rules.prose import Prose
from filesync.rules.sieve import ALL_THROUGH, Sieves
from filesync.rules.standing import FieldRule, LinkRule, VersionRule, VisibilityRule, Way
from filesync.rules.users import EVERYBODY, Users
from filesync.rules.ways import UNFIT, WHY, Dropped, Rule, WayIn, WayOut
from filesync.rules.words import SAME

NOBODY_ALONE: Final = VisibilityRule(SAME, frozenset())


class Outward(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """An item in the contract's words. What is absent from `fields` is empty, but for the names in `untold`."""

    fields: dict[str, Value]
    unresolved: tuple[str, ...]  # local ids of parents and other ends of links that have no gid (yet)
    dropped: tuple[Dropped, ...]
    untold: frozenset[str]  # wire fields that hold something which cannot be told: neither empty nor comparable
    withheld: bool = False  # few may see it here, and the partner would not know: nothing of it is told
    # wire fields, bare, of which our mapping tells nothing, of this issue or ever: neither empty nor to be touched
    silent: frozenset[str] = frozenset()
    failed: Mapping[str, str] = {}  # those of them of which it could not say whether or what, and why


class Inward(msgspec.Struct, gc=False, frozen=True, kw_only=True):
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
        deletes: Mapping[Kind, Ending],
        users: Users = EVERYBODY,
        sieves: Sieves = ALL_THROUGH,
        visibilities: VisibilityRule = NOBODY_ALONE,
        *,
        leaving: Leaving = STAYS,
        constants: Mapping[str, Value],
        presets: Mapping[str, Value],
        partner: Partner | None,
    ) -> None:
        self.contract = contract
        self.deciders = contract.deciders()  # fields whose value says who wins others
        self.penned = contract.penned()  # fields that one side alone may edit, by such a value
        self.partner = partner  # what our issues show of the partner's
        self.links = links
        self.deletes = deletes  # what this site does when the partner deleted something
        self.users = users  # who is who, wherever one is named
        self.sieves = sieves  # which attachments this site sends and takes
        self.leaving = leaving  # what becomes of issues that leave the scope, ours or the partner's
        self._visibilities = visibilities
        self._constants = constants  # by wire name: told with every issue of ours
        self._presets = presets  # ours, flat: given to every issue that is made here for the partner's
        self._by_local = {rule.local: rule for rule in rules if rule.form is None}
        self._formed = tuple(rule for rule in rules if rule.form is not None)
        self._conditional = tuple(rule for rule in rules if rule.when is not None)
        self.asks: Mapping[str, frozenset[str]] = {  # by wire name: what conditions and texts ask for of our fields
            rule.field.spec.name: frozenset(name for one in (rule.when, rule.form) if one is not None for name in one.names)
            for rule in rules
            if rule.when is not None or rule.form is not None
        }
        # the first field of versions that has words says what those of the project are called
        named = (one for one in rules if one.field.spec.kind is FieldKind.VERSION and (one.words.listed or one.allowed))
        self._versions = next((VersionRule(one.words, one.allowed) for one in named), VersionRule(SAME, None))
        self._by_wire = {rule.field.spec.name: rule for rule in rules}
        self._silent = frozenset(rule.field.spec.name for rule in rules if rule.way is Way.IN)
        self._naming = {LINK, *(rule.local for rule in rules if rule.field.spec.kind is FieldKind.PARENT)}  # other issues
        # texts that nothing is done to but for their line ends: our name -> the contract's, and back
        self._free = {rule.local: rule.field.spec.name for rule in rules if rule.is_free}
        self._free_here = {wire: local for local, wire in self._free.items()}
        self._told: dict[tuple[str, Value], tuple[str, Value]] = {}  # short values of ours, flat, and what they are told as

    def carries(self, kind: Kind, field: str) -> bool:
        """Whether a wire field, flat or bare, of this kind of item travels under the contract and stands here."""
        if kind in BELOW:
            restricts = field == VISIBLE_TO and kind in RESTRICTION and bool(self._visibilities.allowed)
            return self.travels(kind) and (field in BELOW[kind] or restricts)
        name = split_name(field)[0]
        if kind is not Kind.ISSUE:
            return False
        return self.links.carries(field) if name == LINK else name in self._by_wire or name in self._constants

    @property
    def constants(self) -> frozenset[str]:
        """Wire fields that nothing here stands for: what is told of them, with every issue of ours, stands in the mapping."""
        return frozenset(self._constants)

    def takes(self, kind: Kind, field: str, *, new: bool) -> bool:
        """Whether what arrives for a wire field, flat or bare, is ever written here; `new`: as its issue is made."""
        name = split_name(field)[0]
        if kind is not Kind.ISSUE or (name not in self._by_wire and name not in self._constants):
            return True
        return name not in self._constants and self._by_wire[name].takes(new=new)

    def preset(self, brought: Collection[str], *, key: str = "") -> Mapping[str, Value]:
        """Our fields, flat, given to an issue that is made here and brings these wire fields, flat or bare.

        `key`: what the partner calls it; without one, presets that show it are left out.
        """
        if not self._presets:
            return {}
        local = {rule.local for one in brought if (rule := self.rule(one)) is not None}
        return with_key({flat: value for flat, value in self._presets.items() if split_name(flat)[0] not in local}, key)

    def is_preset(self, field: str) -> bool:
        """Whether a wire field, flat or bare, stands for one of ours that is given to what is made here."""
        rule = self.rule(field) if self._presets else None
        return rule is not None and any(split_name(flat)[0] == rule.local for flat in self._presets)

    def travels(self, kind: Kind) -> bool:
        """Whether items of this kind travel under the contract at all."""
        return kind is Kind.ISSUE or kind in self.contract.below

    def rule(self, field: str) -> FieldRule | None:
        """How a wire field, flat or bare, stands here."""
        return self._by_wire.get(split_name(field)[0])

    def standing(self, local: str) -> FieldRule | None:
        """How a field of our tracker, by our name, stands in the contract."""
        return self._by_local.get(local)

    def unplaced(self, offered: Collection[str]) -> frozenset[str]:
        """Wire fields, bare, that stand for none of these fields of our tracker: no issue of ours shows or empties them."""
        return frozenset(wire for wire, rule in self._by_wire.items() if rule.local not in offered)

    def local_names(self, field: str) -> tuple[str, ...]:
        """Our names for a wire field, flat or bare; several where several elements of ours stand for one. () for none."""
        name, element = split_name(field)
        rule = self._by_wire.get(name)
        if rule is None:
            return (RESTRICTION[Kind.COMMENT],) if field == VISIBLE_TO else ()
        if element is None:
            return (rule.local,)
        try:
            return tuple(flat_name(rule.local, ours) for ours in rule.inward(element))
        except UNFIT:
            return ()

    def outward(
        self,
        item: Item,
        gid_of: Callable[[str], Gid | None],
        *,
        end_of: Callable[[str], Gid | None] | None = None,
        only: Collection[str] | None = None,
        prose: Prose | None = None,
    ) -> Outward:
        """An item of our tracker in the contract's words; of an issue, `only` these wire fields, and those that name others.

        `gid_of` knows the issues that are paired; `end_of` those that a link may name, where that is not the same; `prose`
        what texts refer to: without it they are left as they are.
        """
        way = WayOut(gid_of, end_of or gid_of, prose)
        is_issue = item.ref.kind is Kind.ISSUE
        all_of_it = only is None or not is_issue
        self._tell(way, item.ref.kind, item.fields if all_of_it else self._among(item.fields, only or ()))
        if self._constants and is_issue and item.origin is None:
            way.fields.update(self._constants)
        silent = self._silent if is_issue else frozenset[str]()
        if self.asks and is_issue:
            silent |= self._ask(way, item)
        return Outward(
            fields=way.fields,
            unresolved=tuple(way.unresolved),
            dropped=tuple(way.dropped),
            failed=way.failed,
            untold=frozenset(way.untold),
            withheld=all_of_it and self._withheld(item, way),
            silent=silent,
        )

    def asleep(self, names: Collection[str], fields: Flat, *, key: str) -> Mapping[str, str]:
        """Those of these wire fields, bare, that do not flow for an issue with these fields of ours: "", or why not.

        `key` is the issue's; "" for one that is being made.
        """
        asked = [rule for rule in self._conditional if rule.field.spec.name in names]
        return asleep(asked, known(fields, key=key)) if asked else {}

    def _ask(self, way: WayOut, item: Item) -> frozenset[str]:
        """Tell the texts that are made. Returns the fields that do not flow for this issue, or of which that cannot be said."""
        issue = known(item.fields, key=item.about.key)
        silent = asleep(self._conditional, issue)
        for rule in self._formed:
            spec = rule.field.spec
            try:
                text = formed(rule, issue)
            except ValueError as error:
                silent[spec.name] = str(error)
                continue
            if text:
                way.fields[spec.name] = way.text(text)
        way.failed.update((name, why) for name, why in silent.items() if why)
        return frozenset(silent)

    def wire(
        self,
        kind: Kind,
        fields: Mapping[str, Value],
        gid_of: Callable[[str], Gid | None],
        *,
        prose: Prose | None = None,
    ) -> dict[str, Value]:
        """Some fields of an item of our tracker in the contract's words, as far as it has any."""
        way = WayOut(gid_of, gid_of, prose)
        self._tell(way, kind, fields)
        return way.fields

    def _among(self, fields: Mapping[str, Value], only: Collection[str]) -> dict[str, Value]:
        wanted = {self._by_wire[name].local for name in only if name in self._by_wire} | self._naming
        found = {flat: fields[flat] for flat in sorted(wanted) if flat in fields}
        found.update((flat, value) for flat, value in fields.items() if ":" in flat and flat.partition(":")[0] in wanted)
        return found

    def _tell(self, way: WayOut, kind: Kind, fields: Mapping[str, Value]) -> None:
        if kind is not Kind.ISSUE:
            kinds = BELOW[kind] if self.travels(kind) else {}
            for flat, value in fields.items():
                if flat == RESTRICTION.get(kind):
                    way.visible(self._visibilities, value)
                elif kind is Kind.VERSION and flat == versions.NAME and kinds:
                    way.version(self._versions, value)
                else:
                    way.below(flat, value, kinds)
            return
        free, known, found = self._free, self._told, way.fields
        for flat, value in fields.items():
            if flat in free and isinstance(value, str) and value:
                found[free[flat]] = way.text(value)
                continue
            told = None if isinstance(value, list) else known.get((flat, value))
            if told is None:
                self._take(way, flat, value)
            else:
                found[told[0]] = told[1]

    def _withheld(self, item: Item, way: WayOut) -> bool:
        restricted = RESTRICTION.get(item.ref.kind, "") in item.fields
        return restricted and self.restriction(item.ref.kind) not in way.fields

    def tells_link(self, flat: str) -> bool:
        """Whether a field of ours is a link of a type that travels."""
        parts = link_parts(flat)
        return parts is not None and self.links.words.out(parts[0]) in self.links.allowed

    def texts(self, kind: Kind) -> Mapping[str, str]:
        """Our names of the free texts of an item of this kind, by the contract's."""
        return self._free_here if kind is Kind.ISSUE else {BODY: BODY} if BODY in BELOW.get(kind, ()) else {}

    @property
    def few(self) -> tuple[str, ...]:
        """Our words for those who alone may see a comment or worklog of the partner's."""
        words, allowed = self._visibilities.words, self._visibilities.allowed
        listed = (ours for ours, word in words.listed.items() if word in allowed)
        written = (ours for word in sorted(allowed) for ours in words.back(word)[:1])
        return tuple(dict.fromkeys((*listed, *written)))

    def restriction(self, kind: Kind) -> str | None:
        """The wire field that says who alone may see an item of this kind; None where none does."""
        if kind is not Kind.ISSUE:
            return VISIBLE_TO if kind in RESTRICTION else None
        rule = self._by_local.get(RESTRICTION[kind])
        return rule.field.spec.name if rule is not None else None

    def restricts(self, kind: Kind, field: str) -> bool:
        """Whether a wire field says who alone may see an item of this kind, be it that we cannot keep that."""
        return field in {self.restriction(kind), VISIBLE_TO}

    def _take(self, way: WayOut, flat: str, value: Value) -> None:
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

    def inward(self, kind: Kind, fields: Flat, local_of: Callable[[Gid], str | None], *, prose: Prose | None = None) -> Inward:
        """Wire fields in our words. `local_of` knows the issues that are paired, `prose` what texts refer to.

        Where several elements of ours stand for one, the first is added, and all are taken out.
        """
        way = WayIn(local_of, prose)
        for flat, value in fields.items():
            try:
                if kind is Kind.ISSUE and flat in self._free_here and isinstance(value, str) and value and "\r" not in value:
                    way.fields[self._free_here[flat]] = way.text(value)
                else:
                    way.take(kind, self._here(kind, flat), flat, value)
            except UNFIT as error:
                way.refused[flat] = shown(str(error), limit=WHY)
        return Inward(fields=way.fields, refused=way.refused, waits=tuple(way.waits))

    def _here(self, kind: Kind, flat: str) -> Rule | None:
        """The rule of a wire field; None for those of BELOW. Raises ValueError for what does not travel."""
        if not self.carries(kind, flat) or (kind is Kind.ISSUE and split_name(flat)[0] in self._constants):
            raise ValueError(f'no field "{shown(flat)}" of a {kind} travels under the contract, or none here stands for it')
        if kind is Kind.VERSION and flat == versions.NAME:
            return self._versions
        if kind in BELOW:
            return self._visibilities if flat == VISIBLE_TO else None
        return self.links if split_name(flat)[0] == LINK else self.rule(flat)
