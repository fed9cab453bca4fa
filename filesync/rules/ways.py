"""One item on its way: its fields converted one by one, to the contract's words and back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from filesync.bundle.verdict import shown
from filesync.model import versions
from filesync.model.ids import Gid, Kind, parse_gid
from filesync.model.issue import RESTRICTION
from filesync.model.links import link_name, link_parts
from filesync.model.values import FieldKind, Value, flat_name, normal, split_name
from filesync.rules.contract import BELOW, BODY, CASCADE_DEPTH, VISIBLE_TO
from filesync.rules.prose import Prose
from filesync.rules.standing import FieldRule, LinkRule, VersionRule, VisibilityRule

UNFIT: Final = (ValueError, OverflowError)  # the second: a date-time whose UTC form lies before the year 1
WHY: Final = 200  # characters of a reason
Rule: TypeAlias = FieldRule | LinkRule | VersionRule | VisibilityRule  # how a wire field stands here
_NEVER_EMPTY: Final = (FieldKind.TYPE, FieldKind.STATUS)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A value of ours that the contract has no word for. `field` is the wire field's name."""

    field: str
    kind: FieldKind
    why: str


class WayOut:
    """Our fields in the contract's words."""

    def __init__(self, gid_of: Callable[[str], Gid | None], end_of: Callable[[str], Gid | None], prose: Prose | None) -> None:
        self.gid_of = gid_of
        self.prose = prose
        self.end_of = end_of
        self.fields: dict[str, Value] = {}
        self.unresolved: list[str] = []
        self.dropped: list[Dropped] = []
        self.untold: set[str] = set()
        self.failed: dict[str, str] = {}

    def text(self, value: str) -> str:
        """A free text, told."""
        text = normal(FieldKind.TEXT, value) if "\r" in value else value
        return text if self.prose is None else self.prose.outward(text)

    def take(self, rule: FieldRule, element: str | None, value: Value) -> tuple[str, Value] | None:
        """A field of an issue. Returns what it is told as, where that depends on nothing but the value."""
        spec = rule.field.spec
        try:
            if spec.kind is FieldKind.PARENT:
                self._parent(spec.name, value)
                return None
            told = _converted(rule, element, value)
        except UNFIT as error:
            self.dropped.append(Dropped(spec.name, spec.kind, shown(str(error), limit=WHY)))
            if element is None:
                self.untold.add(spec.name)
            return None
        if told is not None:
            self.fields[told[0]] = told[1]
        return told

    def below(self, name: str, value: Value, kinds: Mapping[str, FieldKind]) -> None:
        """A field of what belongs to an issue."""
        if name in kinds and isinstance(value, str) and value:
            self.fields[name] = self.text(value) if name == BODY else normal(kinds[name], value)

    def visible(self, rule: VisibilityRule, value: Value) -> None:
        """Who alone may see what belongs to an issue."""
        word = rule.outward(_text(value))
        if word is None:
            self.untold.add(VISIBLE_TO)
        else:
            self.fields[VISIBLE_TO] = word

    def version(self, rule: VersionRule, value: Value) -> None:
        """The name of a version."""
        try:
            self.fields[versions.NAME] = rule.outward(_text(value))
        except UNFIT as error:
            self.dropped.append(Dropped(versions.NAME, FieldKind.VERSION, shown(str(error), limit=WHY)))
            self.untold.add(versions.NAME)

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


class WayIn:
    """Wire fields in our words."""

    def __init__(self, local_of: Callable[[Gid], str | None], prose: Prose | None) -> None:
        self.local_of = local_of
        self.prose = prose
        self.fields: dict[str, Value | None] = {}
        self.refused: dict[str, str] = {}
        self.waits: list[Gid] = []

    def text(self, value: str) -> str:
        """A free text, as it is written here. Raises ValueError with words for a person."""
        return value if self.prose is None else self.prose.inward(value)

    def take(self, kind: Kind, rule: Rule | None, flat: str, value: Value | None) -> None:
        """Convert one wire field. Raises ValueError with words for a person."""
        if rule is None:
            said = _below(kind, flat, value)
            self.fields[flat] = self.text(said) if said is not None and flat == BODY else said
            return
        if isinstance(rule, LinkRule):
            self._link(rule, flat, value)
            return
        if isinstance(rule, VersionRule | VisibilityRule):
            self._worded(kind, rule, flat, value)
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
            self.fields[rule.local] = next(iter(rule.inward(_text(value))), None)

    def _worded(self, kind: Kind, rule: VersionRule | VisibilityRule, flat: str, value: Value | None) -> None:
        if isinstance(rule, VersionRule):
            self.fields[flat] = rule.inward(_text(value or ""))
        else:
            self.fields[RESTRICTION[kind]] = None if value is None else rule.inward(_text(value))

    def _element(self, rule: FieldRule, element: str, value: Value | None) -> None:
        if value is not None and value is not True:
            raise ValueError("an element of a set is there or not, and has no value")
        ours = rule.inward(element)
        for word in ours[:1] if value is True else ours:
            self.fields[flat_name(rule.local, word)] = value

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
    if value is None and ((kind is Kind.WORKLOG and name == BODY) or kind is Kind.VERSION):
        return None  # work may be logged without a word, and a version needs nothing but its name
    if kind is Kind.VERSION and name in {versions.RELEASED, versions.ARCHIVED} and value != versions.YES:
        raise ValueError(f'a {kind} is "{versions.YES}" {name.removeprefix(f"{kind}-")}, or nothing is said')
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
