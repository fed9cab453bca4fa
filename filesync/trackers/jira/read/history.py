"""An issue as it was born, from what it is now and from its history.

A history says of each change what was there before, in words and as an id; of some fields neither can be read back. What an
import gave is known from what it is about to give again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from filesync.errors import Unavailable
from filesync.model.values import FieldKind, Value, flat_name, normal, split_name
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.rest.http import Http
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.offered import JiraField

_PAGE: Final = 100  # histories of a page in Cloud
_IN_WORDS: Final = (FieldKind.TEXT, FieldKind.OPTION, FieldKind.TYPE, FieldKind.STATUS)
# how Data Center names them in a history, by id
_CALLED: Final = {"fixVersions": "Fix Version", "versions": "Version", "components": "Component"}
_BY_ENTRY: Final = (FieldKind.VERSION, FieldKind.COMPONENT)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a history: a field by Jira's id ("" where none is told) and by its name; what was there, and what came."""

    id: str
    field: str
    old: str
    old_text: str
    new_text: str


def read_changes(http: Http, issue: str, *, cloud: bool) -> list[Change]:
    """Everything that was changed since the issue was made, oldest first. Raises Gone, Unavailable."""
    gone = f"issue {issue} is gone"
    if not cloud:
        params = {"fields": "created", "expand": "changelog", "updateHistory": "false"}
        answer = http.get(f"{API}/issue/{issue}", params=params, gone=gone)
        log = answer.get("changelog") if isinstance(answer, Mapping) else None
        return _in_order(objects(log, "histories"))
    found: dict[str, Mapping[str, Any]] = {}
    while True:
        params = {"startAt": str(len(found)), "maxResults": str(_PAGE)}
        page = http.get(f"{API}/issue/{issue}/changelog", params=params, gone=gone)
        before = len(found)
        found.update((str(one.get("id")), one) for one in objects(page, "values"))
        if len(found) == before or page.get("isLast") is True:
            return _in_order(found.values())


def _in_order(histories: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Data Center tells the oldest first, Cloud the newest."""
    try:
        ordered = sorted(histories, key=lambda one: int(one.get("id", "")))
    except (TypeError, ValueError) as error:
        raise Unavailable(
            "Jira's history of an issue cannot be read", hint="Nothing was made or changed. It is tried again."
        ) from error
    return [
        Change(*(str(item.get(name) or "") for name in ("fieldId", "field", "from", "fromString", "toString")))
        for history in ordered
        for item in objects(history, "items")
    ]


def as_born(
    catalogue: Catalogue, now: Mapping[str, Value], changes: Iterable[Change], *, told: Mapping[str, Value]
) -> dict[str, Value]:
    """The flat fields that the issue was born with. `told` is what it was made of."""
    listed = list(changes)
    born = dict(now)
    for field in catalogue.fields:
        names = {field.id, field.label, _CALLED.get(field.id)}
        own = [change for change in listed if (change.id == field.id if change.id else change.field in names)]
        if not own:
            continue
        given = {flat: value for flat, value in told.items() if split_name(flat)[0] == field.name}
        before = given or _undone(field, own, now, cloud=catalogue.cloud)
        if before is not None:
            born = {flat: value for flat, value in born.items() if split_name(flat)[0] != field.name} | before
    return born


def _undone(field: JiraField, changes: list[Change], now: Mapping[str, Value], *, cloud: bool) -> dict[str, Value] | None:
    """What stood in a field before its changes; None where a history does not say so that it can be read back."""
    first = changes[0]
    if field.many and field.kind in _BY_ENTRY:
        there = {flat: value for flat, value in now.items() if split_name(flat)[0] == field.name}
        for change in reversed(changes):
            if change.new_text:
                there.pop(flat_name(field.name, change.new_text), None)
            if change.old_text:
                there[flat_name(field.name, change.old_text)] = True
        return there
    if field.many:
        return {flat_name(field.name, one): True for one in first.old_text.split()} if field.kind is FieldKind.LABEL else None
    if not first.old and not first.old_text:
        return {}
    if field.kind in _IN_WORDS:
        value = normal(FieldKind.TEXT, first.old_text)
    elif field.kind is FieldKind.PARENT or (field.kind is FieldKind.USER and cloud):
        value = first.old
    else:
        return None
    return {field.name: value} if value else {}
