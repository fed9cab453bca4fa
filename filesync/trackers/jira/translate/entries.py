"""A comment or worklog as it is sent to Jira: its fields checked, and the line above its text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from filesync.model.ids import Kind
from filesync.model.values import FieldKind, Flat, Value, normal
from filesync.settings import quoted
from filesync.trackers.jira.translate import overflow
from filesync.trackers.jira.translate.offered import INTERNAL, SERVICE_DESK, VISIBILITY
from filesync.trackers.jira.translate.shapes import epoch_ms

_TAKES: Final[Mapping[Kind, Mapping[str, FieldKind]]] = {
    Kind.COMMENT: {"body": FieldKind.TEXT},
    Kind.WORKLOG: {"started": FieldKind.DATETIME, "seconds": FieldKind.NUMBER, "body": FieldKind.TEXT},
}
_NEEDS: Final[Mapping[Kind, tuple[str, ...]]] = {Kind.COMMENT: ("body",), Kind.WORKLOG: ("started", "seconds")}
_LEVELS: Final = ("role", "group")  # to which Jira shows a comment or worklog alone
_MINUTE: Final = 60
_LONGEST_WORK: Final = 10 * 366 * 24 * 3600  # seconds in one worklog

TEXT: Final[Mapping[Kind, str]] = {Kind.COMMENT: "body", Kind.WORKLOG: "comment"}  # what Jira calls their text
# the estimate that remains is a field of its own, and told as such
PARAMS: Final[Mapping[Kind, Mapping[str, str]]] = {Kind.COMMENT: {}, Kind.WORKLOG: {"adjustEstimate": "leave"}}


@dataclass(frozen=True, slots=True)
class Entry:
    """The fields in canonical form as they are to be after the write, and why not, by field: then nothing is sent."""

    after: Mapping[str, Value]
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """Its text."""
        return str(self.after.get("body", ""))

    def json(self, kind: Kind, said: str) -> dict[str, Any]:
        """The body of a POST or PUT; `said` stands for its text."""
        level, _, name = str(self.after.get(VISIBILITY, "")).partition(":")
        few = {"visibility": {"type": level, "value": name}} if level in _LEVELS else {}
        if kind is Kind.COMMENT:
            return {TEXT[kind]: said, **few}
        started = str(self.after["started"]).removesuffix("Z") + "+0000"
        return {TEXT[kind]: said, "started": started, "timeSpentSeconds": int(str(self.after["seconds"])), **few}

    def desk(self, before: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The property by which a service desk keeps the comment from its customers, or shows it to them; none as before."""
        internal = self.after.get(VISIBILITY) == INTERNAL
        if internal == (before.get(VISIBILITY) == INTERNAL):
            return []
        return [{"key": SERVICE_DESK, "value": {"internal": internal}}]


def checked(kind: Kind, fields: Flat, *, before: Mapping[str, Value], desk: bool) -> Entry:
    """The fields of a comment (`body`) or worklog (`started`, `seconds`, perhaps a `body`) that has these `before`.

    Both may have a `visibility`. `desk`: the project is a service desk's.
    """
    takes, refused, after = _TAKES[kind], dict[str, str](), dict(before)
    for name, value in fields.items():
        after.pop(name, None)
        try:
            if name == VISIBILITY and value is not None:
                after[name] = _level(kind, value, desk=desk)
            elif name == VISIBILITY:
                continue
            elif name not in takes:
                refused[name] = f"a {kind} has the fields {', '.join(takes)} and no other"
            elif (said := _said(takes[name], value)) is not None:
                after[name] = said
        except ValueError as error:
            refused[name] = str(error)
    refused |= {name: f"a {kind} is never without it" for name in _NEEDS[kind] if name not in {*after, *refused}}
    return Entry(after, refused)


def same_work(shown: Mapping[str, Any], sent: Mapping[str, Any], *, since: int) -> bool:
    """Whether a worklog, as Jira shows it, may have been made by a call that sent this, not before `since` (ms)."""
    try:
        times = [epoch_ms(shown.get(name)) for name in ("created", "started")]
        lasted = abs(int(shown.get("timeSpentSeconds", 0)) - sent["timeSpentSeconds"]) < _MINUTE
    except (TypeError, ValueError):
        return False
    said = normal(FieldKind.TEXT, str(shown.get("comment") or ""))
    return times[0] >= since and times[1] == epoch_ms(sent["started"]) and lasted and said == sent["comment"]


def _level(kind: Kind, value: Value, *, desk: bool) -> str:
    """Who alone may see it, in a form that is written. Raises ValueError: what Jira would not heed, all would see."""
    if value == INTERNAL and kind is Kind.COMMENT:
        if desk:
            return INTERNAL
        raise ValueError("the project is no service desk's: a comment that is internal there would be shown to all here")
    said, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if said not in _LEVELS or not name:
        forms = ", ".join((*(f"{one}:NAME" for one in _LEVELS), *((INTERNAL,) if kind is Kind.COMMENT else ())))
        raise ValueError(f"{quoted(str(value))} is nobody in a Jira: there are {forms}")
    return f"{said}:{name}"


def _said(kind: FieldKind, value: Value | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("the field holds one text")  # noqa: TRY004 - a value that came from outside, not a programming fault
    said = normal(kind, value)
    if kind is FieldKind.TEXT:
        return overflow.sound(said) if said.strip() else None
    if kind is FieldKind.NUMBER and (not said.isdigit() or not 0 < int(said) <= _LONGEST_WORK):
        raise ValueError(f"a whole number from 1 to {_LONGEST_WORK:,} was expected")
    return said
