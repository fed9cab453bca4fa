"""The canonical issue from Jira's JSON: its fields, comments, worklogs and attachments, and what marks them as ours. Pure.

A comment or worklog that only a role or group may see has the field `visibility`: `role:Developers`, `group:staff`; a comment
that a service desk keeps from its customers, `service-desk:internal` (translate/offered.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Unreadable
from filesync.model.ids import Gid, Kind
from filesync.model.issue import About, Issue, Item, Ref, Scope
from filesync.model.values import FieldKind, Value, normal
from filesync.trackers.jira.translate import markers, overflow, shapes, text
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.fields import read_fields
from filesync.trackers.jira.translate.offered import INTERNAL, SERVICE_DESK, VISIBILITY
from filesync.trackers.jira.translate.shapes import Shape

_SHOWN: Final = 60  # characters of foreign text in a message


def read_issue(
    catalogue: Catalogue,
    json: Mapping[str, Any],
    *,
    accounts: Collection[str],
    scope: Scope,
    id_of: Callable[[str], str | None],
) -> Issue:
    """An issue from its JSON: `fields` with all its comments and worklogs, `properties` as in markers.PROPERTIES.

    A comment holds its `properties` where our account wrote it (in Jira Cloud a worklog too). `accounts`: who we are, and who
    we were before, by names in Data Center, by account ids in Cloud: nobody else's marks are believed. `id_of` gives the id of
    an issue by its key. Raises Unreadable where something is missing or has no known form.
    """
    key = str(json.get("key", ""))
    try:
        reading = _Reading(catalogue, json, accounts)
        item = reading.issue(id_of)
        children = sorted(reading.children(), key=lambda one: (int(one.stamp), one.ref.kind, int(one.ref.local)))
    except ValueError as error:
        raise _unreadable(key or str(json.get("id", "")), error) from error
    return Issue(item=item, children=tuple(children), scope=scope, key=key)


def read_child(
    catalogue: Catalogue,
    json: Mapping[str, Any],
    *,
    kind: Kind,
    issue: str,
    key: str,
    properties: Mapping[str, object],
    accounts: Collection[str],
) -> Item:
    """One comment, worklog or attachment of the issue with this id, key and `properties`, as it would come with it.

    Raises Unreadable where it has no known form.
    """
    lists = {Kind.COMMENT: ("comment", "comments"), Kind.WORKLOG: ("worklog", "worklogs")}
    held: dict[str, Any] = {"comment": None, "attachment": [json]}
    if kind in lists:
        container, name = lists[kind]
        held = {"comment": None, container: {name: [json]}}
    whole = {"id": issue, "key": key, "fields": held, "properties": properties}
    try:
        (child,) = _Reading(catalogue, whole, accounts).children()
    except ValueError as error:
        raise _unreadable(key or issue, error) from error
    return child


def visibility(json: Mapping[str, Any]) -> str:
    """Who alone may see a comment or worklog: `role:NAME`, `group:NAME`, INTERNAL; "" for everybody who sees the issue."""
    held = json.get("visibility")
    if isinstance(held, Mapping) and held:
        return f"{held.get('type') or 'role'}:{held.get('value') or held.get('identifier') or ''}"
    desk = properties(json).get(SERVICE_DESK)
    internal = json.get("jsdPublic") is False or (isinstance(desk, Mapping) and desk.get("internal") in {True, "true"})
    return INTERNAL if internal else ""


def properties(json: Mapping[str, Any]) -> Mapping[str, object]:
    """The properties that came with an issue (a map) or with a comment (a list), by name."""
    held = json.get("properties")
    if isinstance(held, Mapping):
        return held
    return {str(one.get("key")): one.get("value") for one in held or () if isinstance(one, Mapping)}


def _unreadable(issue: str, error: ValueError) -> Unreadable:
    return Unreadable(
        f"what Jira shows of the issue {shown(issue, limit=_SHOWN)} cannot be read: {error}",
        hint="Nothing of it was told or changed. Look at the issue in Jira; it is read again in the next run.",
    )


class _Reading:
    """One issue, while it is read. Raises ValueError for what has no known form."""

    def __init__(self, catalogue: Catalogue, json: Mapping[str, Any], accounts: Collection[str]) -> None:
        self._catalogue, self._json, self._accounts = catalogue, json, accounts
        self._held = _object(json.get("fields"))
        self._local, self._key = shapes.member(json, "id"), str(json.get("key", ""))
        self._parts = markers.read_parts(properties(json))

    def issue(self, id_of: Callable[[str], str | None]) -> Item:
        fields = read_fields(self._catalogue, self._held, id_of=id_of)
        created, author = self._held.get("created"), self._held.get("creator")
        marker = self._marker(Kind.ISSUE, self._json, author, created)
        return self._item(Kind.ISSUE, self._local, fields, created=created, author=author, origin=_origin(marker))

    def children(self) -> Iterator[Item]:
        if "comment" not in self._held:
            raise ValueError("its comments are missing")
        for one in _all(self._held, "comment", "comments"):
            if self._ours(one.get("author")) and markers.read_notice(properties(one).get(markers.PROPERTY)) is not None:
                continue  # what our account says to people here
            yield self._said(Kind.COMMENT, one, one.get("body"), {})
        for one in _all(self._held, "worklog", "worklogs"):
            seconds = normal(FieldKind.NUMBER, shapes.member(one, "timeSpentSeconds"))
            spent: dict[str, Value] = {"started": shapes.moment(one.get("started")), "seconds": seconds}
            yield self._said(Kind.WORKLOG, one, one.get("comment"), spent)
        for one in self._held.get("attachment") or ():
            local, author = shapes.member(one, "id"), one.get("author")
            part = self._part(Kind.ATTACHMENT, local, author)
            if part is None and self._ours(author) and overflow.is_file(str(one.get("filename"))):
                continue  # the rest of a text, which travels as a text
            file: dict[str, Value] = {"name": shapes.member(one, "filename"), "size": shapes.member(one, "size")}
            yield self._item(Kind.ATTACHMENT, local, file, created=one.get("created"), author=author, origin=_origin(part))

    def _said(self, kind: Kind, json: Mapping[str, Any], said: object, fields: dict[str, Value]) -> Item:
        """A comment or worklog, without the line that an import put above its text."""
        local, created, author = shapes.member(json, "id"), json.get("created"), json.get("author")
        mark: markers.Marker | markers.Part | None = self._marker(kind, json, author, created)
        mark = mark or self._part(kind, local, author)
        body = shapes.shown(Shape.TEXT, said, cloud=self._catalogue.cloud)
        texts = {
            "body": text.body_of(mark.head if mark else "", str(body or ""), cloud=self._catalogue.cloud),
            VISIBILITY: visibility(json),
        }
        fields |= {name: value for name, value in texts.items() if value}
        return self._item(kind, local, fields, created=created, author=author, origin=_origin(mark))

    def _item(
        self, kind: Kind, local: str, fields: Mapping[str, Value], *, created: object, author: object, origin: Gid | None
    ) -> Item:
        name = str(author.get("displayName", "")) if isinstance(author, Mapping) else ""
        return Item(
            ref=Ref(kind, self._local, local),
            stamp=str(shapes.epoch_ms(created)),
            origin=origin,
            fields=fields,
            about=About(key=self._key, author=name, at=shapes.moment(created)),
        )

    def _marker(self, kind: Kind, json: Mapping[str, Any], author: object, created: object) -> markers.Marker | None:
        value = properties(json).get(markers.PROPERTY)
        return markers.believed(kind, value, ours=self._ours(author), created=shapes.epoch_ms(created))

    def _part(self, kind: Kind, local: str, author: object) -> markers.Part | None:
        return self._parts.get(markers.part_name(kind, local)) if self._ours(author) else None

    def _ours(self, author: object) -> bool:
        name = "accountId" if self._catalogue.cloud else "name"
        return isinstance(author, Mapping) and author.get(name) in self._accounts


def _origin(mark: markers.Marker | markers.Part | None) -> Gid | None:
    return mark.origin if mark is not None else None


def _all(held: Mapping[str, Any], container: str, name: str) -> list[Mapping[str, Any]]:
    """What stands in a container that says how much there is. Raises ValueError where it does not hold all."""
    page = held.get(container)
    if page is None:
        return []
    entries = _object(page).get(name)
    total = page.get("total")
    if not isinstance(entries, list) or (isinstance(total, int) and len(entries) < total):
        raise ValueError(f"not all of its {name} are there")
    return [_object(one) for one in entries]


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError("something else stands where an object was expected")
