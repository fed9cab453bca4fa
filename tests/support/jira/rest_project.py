"""Projects, and what belongs to one: versions, components, statuses, security levels, roles."""

from __future__ import annotations

import datetime as dt

from tests.support.jira.records import Component, Json, Project, Refusal, Version
from tests.support.jira.router import Answer, Only, Request, route

_DESCRIPTION = 16_384  # bytes


def visible(request: Request) -> list[Project]:
    store = request.store
    if store.faults.project_hidden:
        return []
    return [project for project in store.projects.values() if store.can(request.user, "BROWSE_PROJECTS", project)]


@route("GET", "project")
def projects(request: Request) -> Answer:
    shown = []
    for project in visible(request):
        keys = {"projectKeys": [project.key, *project.old_keys]} if "projectKeys" in request.many("expand") else {}
        shown.append({**request.view.project(project), **keys})
    return Answer(200, shown)


@route("GET", "project/search", only=Only.CLOUD)
def search_projects(request: Request) -> Answer:
    start, size = request.window(50, 100)
    found = visible(request)
    keys = set(request.query.get("keys", []))
    found = [project for project in found if not keys or project.key in keys]
    page = {"startAt": start, "maxResults": size, "total": len(found), "isLast": start + size >= len(found)}
    return Answer(200, {**page, "values": [request.view.project(one) for one in found[start : start + size]]})


@route("GET", "project/{project}")
def project(request: Request) -> Answer:
    one, view = request.project(), request.view
    more = {
        "lead": view.person(one.lead),
        "components": [view.component(part) for part in one.components.values()],
        "versions": [view.version(version) for version in one.versions.values()],
        "issueTypes": [view.type(request.store.types[issue_type]) for issue_type in one.types],
        "roles": {role.name: view.url(f"project/{one.id}/role/{role.id}") for role in request.store.roles},
        "assigneeType": "UNASSIGNED",
    }
    return Answer(200, {**view.project(one), **more})


@route("GET", "project/{project}/statuses")
def statuses(request: Request) -> Answer:
    """The statuses of each issue type: those of its workflow."""
    one, store, view = request.project(), request.store, request.view
    shown = []
    for issue_type in (store.types[name] for name in one.types):
        flow = store.workflows[issue_type.workflow]
        names = {flow.initial, *(step.target for step in flow.transitions)}
        listed = [view.status(status) for status in store.statuses.values() if status.name in names]
        kind = {name: view.type(issue_type)[name] for name in ("self", "id", "name", "subtask")}
        shown.append({**kind, "statuses": listed})
    return Answer(200, shown)


@route("GET", "project/{project}/securitylevel")
def security_levels(request: Request) -> Answer:
    one = request.project()
    may = request.store.can(request.user, "SET_ISSUE_SECURITY", one)
    mine = [level for level in one.levels.values() if may and request.user.key in level.members]
    return Answer(200, {"levels": [request.view.level(one, level.id) for level in mine]})


@route("GET", "project/{project}/roledetails", only=Only.CLOUD)
def role_details(request: Request) -> Answer:
    one = request.project()
    mine = request.user.roles if request.one("currentMember") == "true" else {role.name for role in request.store.roles}
    shown = [
        {"self": request.view.url(f"project/{one.id}/role/{role.id}"), "name": role.name, "id": int(role.id), "admin": False}
        for role in request.store.roles
        if role.name in mine
    ]
    return Answer(200, shown)


@route("GET", "project/{project}/role")
def roles(request: Request) -> Answer:
    one = request.project()
    return Answer(200, {role.name: request.view.url(f"project/{one.id}/role/{role.id}") for role in request.store.roles})


@route("GET", "project/{project}/versions")
def versions(request: Request) -> Answer:
    return Answer(200, [request.view.version(one) for one in request.project().versions.values()])


@route("GET", "project/{project}/version")
def versions_by_page(request: Request) -> Answer:
    found = list(request.project().versions.values())
    start, size = request.window(50, 1000)
    page = {"startAt": start, "maxResults": size, "total": len(found), "isLast": start + size >= len(found)}
    return Answer(200, {**page, "values": [request.view.version(one) for one in found[start : start + size]]})


@route("GET", "project/{project}/components")
def components(request: Request) -> Answer:
    return Answer(200, [request.view.component(one) for one in request.project().components.values()])


def _place(request: Request, named: Json) -> Project:
    """The project that a body names, where this user administers it."""
    one = request.store.project(str(named))
    if one is None:
        raise Refusal(404, f"No project could be found with key '{named}'.")
    if not request.store.can(request.user, "ADMINISTER_PROJECTS", one):
        raise Refusal(403, f"The user {request.user.name} does not have permission to complete this operation.")
    return one


@route("POST", "version")
def add_version(request: Request) -> Answer:
    body = request.json()
    one, name = _place(request, body.get("projectId") or body.get("project")), str(body.get("name") or "")
    _check_name(name, {version.name for version in one.versions.values()}, "version")
    made = _said_of(Version(request.store.next_id(), name, one.id), body)
    one.versions[made.id] = made
    return Answer(201, request.view.version(made))


@route("GET", "version/{id}")
def version(request: Request) -> Answer:
    return Answer(200, request.view.version(_version(request)[1]))


@route("PUT", "version/{id}")
def edit_version(request: Request) -> Answer:
    """Renamed: every issue shows the new name, and none has changed."""
    one, kept = _version(request)
    _place(request, one.id)
    body = request.json()
    if "name" in body:
        _check_name(str(body["name"]), {other.name for other in one.versions.values() if other is not kept}, "version")
        kept.name = str(body["name"])
    return Answer(200, request.view.version(_said_of(kept, body)))


def _said_of(version: Version, body: Json) -> Version:
    """With what a body says of it: a day that is null is taken away. Nothing of it changes where a part is refused."""
    days = {"startDate": version.start_date, "releaseDate": version.release_date} | body
    for name in ("startDate", "releaseDate"):
        try:
            dt.date.fromisoformat(days[name] or "2000-01-01")
        except (TypeError, ValueError):
            raise Refusal(400, errors={name: "Date must be in the format YYYY-MM-DD."}) from None
    start, release = days["startDate"], days["releaseDate"]
    if start and release and start > release:
        raise Refusal(400, errors={"startDate": "The start date must be before the release date."})
    description = str(body.get("description", version.description) or "")
    if len(description.encode()) > _DESCRIPTION:
        raise Refusal(400, errors={"description": f"The description must not exceed {_DESCRIPTION} bytes."})
    version.description, version.start_date, version.release_date = description, start or None, release or None
    version.released = bool(body.get("released", version.released))
    version.archived = bool(body.get("archived", version.archived))
    return version


@route("POST", "version/{id}/removeAndSwap")
def swap_version(request: Request) -> Answer:
    body = request.bean("moveFixIssuesTo", "moveAffectedIssuesTo", "customFieldReplacementList")
    return _remove_version(request, {"fixVersions": body.get("moveFixIssuesTo"), "versions": body.get("moveAffectedIssuesTo")})


@route("PUT", "version/{id}/mergeto/{target}")
def merge_version(request: Request) -> Answer:
    return _remove_version(request, dict.fromkeys(("fixVersions", "versions"), request.params["target"]))


def _remove_version(request: Request, instead: dict[str, Json]) -> Answer:
    """Away with a version, another one in its place where one is named; no issue's `updated` moves."""
    one, kept = _version(request)
    _place(request, one.id)
    for other in instead.values():
        if other is not None and (str(other) not in one.versions or str(other) == kept.id):
            raise Refusal(400, f"Could not find version for id '{other}'")
    del one.versions[kept.id]
    for issue in request.store.issues.values():
        for name, other in instead.items():
            if kept.id in issue.values.get(name, []):
                swapped = [left if left != kept.id else str(other) for left in issue.values[name] if left != kept.id or other]
                request.store.put(issue, {name: list(dict.fromkeys(swapped)) or None})
    return Answer(204)


def _version(request: Request) -> tuple[Project, Version]:
    for one in visible(request):
        if request.params["id"] in one.versions:
            return one, one.versions[request.params["id"]]
    raise Refusal(404, f"Could not find version for id '{request.params['id']}'")


@route("POST", "component")
def add_component(request: Request) -> Answer:
    body = request.json()
    one, name = _place(request, body.get("project")), str(body.get("name") or "")
    _check_name(name, {component.name for component in one.components.values()}, "component")
    made = Component(request.store.next_id(), name, one.id, str(body.get("description") or ""))
    one.components[made.id] = made
    return Answer(201, request.view.component(made))


@route("GET", "component/{id}")
def component(request: Request) -> Answer:
    return Answer(200, request.view.component(_component(request)[1]))


@route("PUT", "component/{id}")
def edit_component(request: Request) -> Answer:
    one, kept = _component(request)
    _place(request, one.id)
    body = request.json()
    kept.name, kept.description = str(body.get("name", kept.name)), str(body.get("description", kept.description))
    return Answer(200, request.view.component(kept))


@route("DELETE", "component/{id}")
def remove_component(request: Request) -> Answer:
    one, kept = _component(request)
    _place(request, one.id)
    other = request.one("moveIssuesTo")
    if other and other not in one.components:
        raise Refusal(404, f"The component with id {other} does not exist.")
    del one.components[kept.id]
    for issue in request.store.issues.values():
        if kept.id in issue.values.get("components", []):
            swapped = [left if left != kept.id else other for left in issue.values["components"] if left != kept.id or other]
            request.store.put(issue, {"components": list(dict.fromkeys(swapped)) or None})
    return Answer(204)


def _component(request: Request) -> tuple[Project, Component]:
    for one in visible(request):
        if request.params["id"] in one.components:
            return one, one.components[request.params["id"]]
    raise Refusal(404, f"The component with id {request.params['id']} does not exist.")


def _check_name(name: str, taken: set[str], what: str) -> None:
    if not name.strip():
        raise Refusal(400, errors={"name": f"You must specify a valid {what} name"})
    if len(name) > 255:
        raise Refusal(400, errors={"name": f"The {what} name must not exceed 255 characters in length."})
    if name in taken:
        raise Refusal(400, errors={"name": f"A {what} with this name already exists in this project."})
