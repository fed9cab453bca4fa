"""Fields on screens, as createmeta, editmeta and transitions show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.support.jira.records import Field, FieldType, Json, Option, Project
from tests.support.jira.views import View


def show_fields(view: View, project: Project, names: Iterable[str], *, required: Iterable[str] = ()) -> Json:
    """Fields by id, with what they may hold."""
    obligatory = set(required)
    return {name: show_field(view, project, view.store.fields[name], required=name in obligatory) for name in names}


def show_field(view: View, project: Project, field: Field, *, required: bool) -> Json:
    """One field on a screen."""
    shown: Json = {
        "required": required,
        "schema": field.schema,
        "name": field.name,
        "key": field.id,
        "hasDefaultValue": field.id in {"priority", "reporter"},
        "operations": list(_operations(field)),
    }
    if view.store.flavour.dc:
        shown["fieldId"] = field.id
    allowed = _allowed(view, project, field)
    return shown if allowed is None else {**shown, "allowedValues": allowed}


def _operations(field: Field) -> tuple[str, ...]:
    special = {FieldType.TIME: ("set", "edit"), FieldType.COMMENTS: ("add", "edit", "remove"), FieldType.LINKS: ("add", "edit")}
    return special.get(field.type, field.operations)


def _allowed(view: View, project: Project, field: Field) -> Json:
    store = view.store
    allowed: dict[FieldType, Callable[[], Json]] = {
        FieldType.PRIORITY: lambda: [view.priority(one.id) for one in store.priorities],
        FieldType.RESOLUTION: lambda: [view.resolution(one.id) for one in store.resolutions],
        FieldType.SECURITY: lambda: [
            view.level(project, one.id) for one in project.levels.values() if view.user.key in one.members
        ],
        FieldType.VERSION: lambda: [view.version(one) for one in project.versions.values() if not one.archived],
        FieldType.COMPONENTS: lambda: [view.component(one) for one in project.components.values()],
        FieldType.ISSUETYPE: lambda: [view.type(store.types[one]) for one in project.types],
        FieldType.PROJECT: lambda: [view.project(project)],
        FieldType.OPTION: lambda: [_option(view, one) for one in field.options if not one.disabled],
    }
    allowed[FieldType.VERSIONS] = allowed[FieldType.VERSION]
    allowed[FieldType.OPTIONS] = allowed[FieldType.CASCADE] = allowed[FieldType.OPTION]
    return allowed[field.type]() if field.type in allowed else None


def _option(view: View, option: Option) -> Json:
    shown: Json = {"self": view.url(f"customFieldOption/{option.id}"), "value": option.value, "id": option.id}
    if option.children:
        shown["children"] = [_option(view, child) for child in option.children]
    return shown
