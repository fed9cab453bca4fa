"""The fields of an issue as flat canonical values, from Jira's JSON. Pure. The way back is bodies.py.

Data Center has two ways to put an issue under another: a sub-task's `parent`, and the custom field Epic Link, which holds a
key. Both are the field `parent` here, whose value is the id of the issue above, as in Jira Cloud, where they are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from filesync.model.links import link_name
from filesync.model.values import Value, flat_name
from filesync.trackers.jira.translate import shapes
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.offered import ESTIMATES, JiraField
from filesync.trackers.jira.translate.shapes import Shape


def read_fields(catalogue: Catalogue, held: Mapping[str, Any], *, id_of: Callable[[str], str | None]) -> dict[str, Value]:
    """The flat fields of an issue, from `fields` of its JSON, links at the outward end among them.

    `id_of` gives the id of an issue by its key (an epic is named so); one that nobody can see stands for itself.
    Raises ValueError for links of no known form.
    """
    found = {name: value for one in catalogue.fields for name, value in _read(catalogue, one, held, id_of)}
    return found | dict.fromkeys(link_ids(held), True)


def link_ids(held: Mapping[str, Any]) -> dict[str, list[str]]:
    """The links at whose outward end the issue stands, by flat name, and Jira's ids of each. Raises ValueError."""
    found: dict[str, list[str]] = {}
    for one in held.get("issuelinks") or ():
        link_id, other = shapes.member(one, "id"), one.get("outwardIssue")
        if isinstance(other, Mapping):
            name = link_name(shapes.member(one.get("type"), "name"), shapes.member(other, "id"))
            found.setdefault(name, []).append(link_id)
    return found


def _read(
    catalogue: Catalogue, one: JiraField, held: Mapping[str, Any], id_of: Callable[[str], str | None]
) -> Iterator[tuple[str, Value]]:
    value = held.get(one.id)
    if one.many:
        for element in value if isinstance(value, list) else [value]:
            text_ = shapes.shown(one.shape, element, cloud=catalogue.cloud)
            if isinstance(text_, str):
                yield flat_name(one.name, text_), True
        return
    read: Value | None
    match one.shape:
        case Shape.ESTIMATE:
            seconds = value.get(ESTIMATES[one.name] + "Seconds") if isinstance(value, Mapping) else value
            read = shapes.shown(one.shape, seconds, cloud=catalogue.cloud)
        case Shape.SPRINT:
            read = _sprint(value)
        case Shape.PARENT if shapes.is_empty(value) and catalogue.epic_link:
            key = held.get(catalogue.epic_link)
            read = (id_of(key) or key) if isinstance(key, str) and key else None
        case _:
            read = shapes.shown(one.shape, value, cloud=catalogue.cloud)
    if read is not None:
        yield one.name, read


def _sprint(value: object) -> Value | None:
    """The sprint an issue is in: the one that is not closed, else the last one it was in."""
    if shapes.is_empty(value):
        return None
    try:
        sprints = [shapes.sprint(one) for one in (value if isinstance(value, list) else [value])]
    except ValueError:
        return shapes.odd(value)
    return max(sprints, key=lambda one: (not one[2], one[0]))[1]
