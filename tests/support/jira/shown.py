"""A kept value as people and histories show it: an id and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.support.jira.records import Field, FieldType, Item, Json, every_option
from tests.support.jira.store import Store
from tests.support.jira.values import duration

NAMES = {"fixVersions": "Fix Version", "versions": "Version", "components": "Component"}
SETS = {FieldType.VERSIONS, FieldType.COMPONENTS}


def words(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    """(id or None, words or None) of one value."""
    if value is None:
        return None, None
    show = WORDS.get(field.type)
    return (None, str(value)) if show is None else show(store, field, value)


def changes(store: Store, field: Field, old: Json, new: Json) -> list[Item]:
    """The lines of history for a change of this field: one, or one for each element that came or went."""
    name = NAMES.get(field.id, field.name if field.custom else field.id)
    if field.type in SETS:
        gone = [Item(name, one, name_of(store, one), field_id=field.id) for one in old or [] if one not in (new or [])]
        come = [
            Item(name, new=one, new_text=name_of(store, one), field_id=field.id) for one in new or [] if one not in (old or [])
        ]
        return gone + come
    return [Item(name, *words(store, field, old), *words(store, field, new), field_id=field.id, custom=field.custom)]


def name_of(store: Store, one: str) -> str:
    """The name of a version, component or security level."""
    for project in store.projects.values():
        for kept in (project.versions, project.components, project.levels):
            if one in kept:
                return kept[one].name
    return one


def option_value(field: Field, option: str) -> str:
    """The words of an option."""
    return next((one.value for one in every_option(field.options) if one.id == option), option)


def spent(seconds: int | None) -> str | None:
    """A duration in words, or None."""
    return None if seconds is None else duration(seconds)


def _user(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    user = store.users[value]
    return user.account if store.flavour.cloud else user.key, user.display


def _issue(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    issue = store.issues.get(value)
    return value, issue.key if issue else value


def _cascade(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    chosen = [one for one in value if one]
    return ":".join(chosen), " / ".join(option_value(field, one) for one in chosen)


def _listed(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    text = ", ".join(map(str, value))
    return text, text


Words: TypeAlias = Callable[[Store, Field, Json], tuple[str | None, str | None]]
WORDS: dict[FieldType, Words] = {
    FieldType.USER: _user,
    FieldType.PRIORITY: lambda store, field, value: (value, next(one.name for one in store.priorities if one.id == value)),
    FieldType.RESOLUTION: lambda store, field, value: (value, next(one.name for one in store.resolutions if one.id == value)),
    FieldType.OPTION: lambda store, field, value: (value, option_value(field, value)),
    FieldType.OPTIONS: lambda store, field, value: (str(value), ",".join(option_value(field, one) for one in value)),
    FieldType.CASCADE: _cascade,
    FieldType.LABELS: lambda store, field, value: (None, " ".join(value)),
    FieldType.PARENT: _issue,
    FieldType.EPIC_LINK: _issue,
    FieldType.USERS: _listed,
    FieldType.SPRINT: _listed,
    FieldType.SECURITY: lambda store, field, value: (value, name_of(store, value)),
    FieldType.VERSION: lambda store, field, value: (value, name_of(store, value)),
}
