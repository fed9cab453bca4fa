"""What names mean in JQL: fields, and the values of fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.jira.records import Field, FieldType, Issue, Json, User, every_option
from tests.support.jira.store import Store

ALIASES = {
    "type": "issuetype",
    "component": "components",
    "fixversion": "fixVersions",
    "affectedversion": "versions",
    "level": "security",
    "due": "duedate",
    "resolved": "resolutiondate",
    "createddate": "created",
    "updateddate": "updated",
}
SCALARS = {FieldType.TEXT, FieldType.TEXTAREA, FieldType.URL, FieldType.NUMBER}


class Lookups:
    """One query's look into the site."""

    def __init__(self, store: Store, user: User) -> None:
        self.store, self.user = store, user

    def field(self, name: str) -> Field | None:
        """The field of this name, by id, `cf[10011]`, alias or display name."""
        low = name.lower()
        wanted = ALIASES.get(low, low)
        if wanted.startswith("cf[") and wanted.endswith("]"):
            wanted = f"customfield_{wanted[3:-1]}"
        for field in self.store.fields.values():
            if wanted == field.id.lower():
                return field
        return next((field for field in self.store.fields.values() if field.custom and field.name.lower() == low), None)

    def is_date(self, name: str) -> bool:
        """Whether it is a custom field with a date in it."""
        field = self.field(name)
        return field is not None and field.type in {FieldType.DATE, FieldType.DATETIME}

    def moment(self, name: str, zone: ZoneInfo) -> Callable[[Issue], int | None]:
        """The date-time that a field of an issue holds."""
        field = self.field(name)
        assert field is not None
        if field.id == "created":
            return lambda issue: issue.created
        if field.id == "updated":
            return lambda issue: issue.updated

        def kept(issue: Issue) -> int | None:
            value = issue.values.get(field.id)
            if isinstance(value, str):
                return round(dt.datetime.fromisoformat(value).replace(tzinfo=zone).timestamp() * 1000)
            return value

        return kept

    def values(self, name: str) -> Callable[[Issue], set[str]] | None:
        """What a field of an issue holds, as ids or as text; None: no such field."""
        if name.lower() == "text":
            return lambda issue: {str(issue.values.get(one, "")) for one in ("summary", "description", "environment")}
        if name.lower() == "comment":
            return lambda issue: {comment.body for comment in issue.comments}
        if name.lower() == "statuscategory":
            return lambda issue: {self.store.statuses[issue.status].category}
        field = self.field(name)
        if field is None:
            return None
        special: dict[str, Callable[[Issue], set[str]]] = {
            "project": lambda issue: {issue.project},
            "issuetype": lambda issue: {issue.type},
            "status": lambda issue: {issue.status},
            "creator": lambda issue: {issue.creator},
            "watches": lambda issue: set(issue.watchers),
        }
        return special.get(field.id) or (lambda issue: _elements(issue.values.get(field.id)))

    def meant(self, name: str, text: str) -> set[str] | None:
        """The ids (or texts) that a value stands for; None: there is no such value."""
        if name.lower() == "statuscategory":
            named = {"to do": "new", "in progress": "indeterminate", "done": "done"}
            return {named.get(text.lower(), text.lower())}
        field = self.field(name)
        assert field is not None
        if field.type in SCALARS or field.type is FieldType.LABELS:
            return {text}
        if field.type in {FieldType.USER, FieldType.USERS} or field.id in {"creator", "watches"}:
            return self._user(text)
        if field.type in {FieldType.PARENT, FieldType.EPIC_LINK}:
            issue = self.store.seek(text.upper(), self.user)
            return {issue.id} if issue else None
        return self._project(text) if field.id == "project" else self._by_name(field, text.lower())

    def _project(self, text: str) -> set[str] | None:
        projects = self.store.projects.values()
        found = self.store.project(text) or next((one for one in projects if one.name.lower() == text.lower()), None)
        hidden = found is None or self.store.faults.project_hidden or not self.store.can(self.user, "BROWSE_PROJECTS", found)
        return None if hidden or found is None else {found.id}

    def _by_name(self, field: Field, low: str) -> set[str] | None:
        return {one for one, name in self._named(field) if low in {name.lower(), one}} or None

    def _user(self, text: str) -> set[str] | None:
        for user in self.store.users.values():
            own = {user.account} if self.store.flavour.cloud else {user.name, user.key}
            if text in own or text in {user.email, user.display}:
                return {user.key}
        return None

    def _named(self, field: Field) -> list[tuple[str, str]]:
        store = self.store
        if field.options:
            return [(one.id, one.value) for one in every_option(field.options)]
        kept: dict[str, Iterable[Any]] = {
            "issuetype": store.types.values(),
            "status": store.statuses.values(),
            "priority": store.priorities,
            "resolution": store.resolutions,
            "sprint": store.sprints.values(),
            "components": [one for project in store.projects.values() for one in project.components.values()],
            "security": [one for project in store.projects.values() for one in project.levels.values()],
        }
        versions = [one for project in store.projects.values() for one in project.versions.values()]
        return [(str(one.id), one.name) for one in kept.get("status" if field.id == "status" else str(field.type), versions)]


def _elements(value: Json) -> set[str]:
    if value is None:
        return set()
    if isinstance(value, list):
        return {str(one) for one in value if one is not None}
    if isinstance(value, float) and value.is_integer():
        return {str(int(value))}
    return {str(value)}
