"""A version of a project as Jira shows it and takes it, and as its fields (model/versions.py). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from filesync.model.ids import Kind
from filesync.model.issue import About, Item, Ref
from filesync.model.values import FieldKind, Flat, Value, normal
from filesync.model.versions import ARCHIVED, DESCRIPTION, LISTS, NAME, RELEASE, RELEASED, START, YES
from filesync.trackers.jira.translate.shapes import member

_STAMP: Final = "0"  # a version shows no day on which it was made; its id is never given again
_DAY: Final = len("2026-11-23")
_TEXTS: Final[Mapping[str, str]] = {NAME: "name", DESCRIPTION: "description"}
_DATES: Final[Mapping[str, str]] = {START: "startDate", RELEASE: "releaseDate"}
_FLAGS: Final[Mapping[str, str]] = {RELEASED: "released", ARCHIVED: "archived"}
_JSON: Final = {**_TEXTS, **_DATES, **_FLAGS}
_OURS: Final = {jira: ours for ours, jira in _JSON.items()}


def item(shown: object) -> Item:
    """A version. A date that no calendar has is left out. Raises ValueError where it has no id or no name."""
    local, name = member(shown, "id"), member(shown, "name")
    known: Mapping[str, object] = shown if isinstance(shown, Mapping) else {}
    fields: dict[str, Value] = {NAME: normal(FieldKind.TEXT, name)}
    description = known.get(_TEXTS[DESCRIPTION])
    if isinstance(description, str) and description.strip():
        fields[DESCRIPTION] = normal(FieldKind.TEXT, description)
    for ours, jira in _DATES.items():
        if (day := _day(known.get(jira))) is not None:
            fields[ours] = day
    fields.update((ours, YES) for ours, jira in _FLAGS.items() if known.get(jira) is True)
    return Item(ref=Ref(Kind.VERSION, LISTS, local), stamp=_STAMP, origin=None, fields=fields, about=About(key=name))


def _day(shown: object) -> str | None:
    try:
        return normal(FieldKind.DATE, shown[:_DAY]) if isinstance(shown, str) and shown else None
    except ValueError:
        return None


def body(fields: Flat) -> dict[str, Any]:
    """The JSON that sets these fields. A text is emptied with "", a date with null."""
    sent: dict[str, Any] = {_TEXTS[name]: value or "" for name, value in fields.items() if name in _TEXTS}
    sent |= {_DATES[name]: value for name, value in fields.items() if name in _DATES}
    return sent | {_FLAGS[name]: value == YES for name, value in fields.items() if name in _FLAGS}


def problems(fields: Flat) -> dict[str, str]:
    """What of these fields no Jira takes, or would take for something else, and why."""
    found = {name: "a version has no such field" for name in fields if name not in _JSON}
    days = {name: fields[name] for name in _DATES if fields.get(name) is not None}
    found |= {name: "a day was expected, YYYY-MM-DD" for name, day in days.items() if _day(day) != day}
    called = fields.get(NAME, ".")
    if not isinstance(called, str) or called != called.strip() or not called or not called.isprintable():
        found[NAME] = "the name of a version is one line of characters that can be seen, without blanks at its ends"
    return found


def refused(errors: Mapping[str, str]) -> dict[str, str]:
    """Jira's refusals, by our names of the fields where it names one."""
    return {_OURS.get(name, name): why for name, why in errors.items()}
