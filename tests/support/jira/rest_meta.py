"""What the site is and knows: who one is, fields, types, statuses, screens."""

from __future__ import annotations

from tests.support.jira.clock import iso
from tests.support.jira.edits import Edits, Screen
from tests.support.jira.meta_views import show_field
from tests.support.jira.records import Field, FieldType, Issue, IssueType, Json, Project, Refusal
from tests.support.jira.router import Answer, Only, Request, route
from tests.support.jira.store import PERMISSIONS


@route("GET", "serverInfo")
def server_info(request: Request) -> Answer:
    store = request.store
    version = store.flavour.version
    shown = {
        "baseUrl": request.base,
        "version": ".".join(map(str, version)) if store.flavour.dc else "1001.0.0-SNAPSHOT",
        "versionNumbers": list(version),
        "deploymentType": "Cloud" if store.flavour.cloud else "Server",
        "buildNumber": store.flavour.build,
        "serverTime": iso(store.clock.now(), request.user.zone),
        "serverTitle": "Jira",
    }
    return Answer(200, {**shown, "serverTimeZone": "Etc/UTC"} if store.flavour.cloud else shown)


@route("GET", "myself")
def myself(request: Request) -> Answer:
    shown = {**request.view.person(request.user.key), "locale": "en_US"}
    mine = [{"name": name, "groupId": name} for name in sorted(request.user.groups)]
    groups = mine[: request.store.faults.most_groups] if request.one("expand") == "groups" else []
    return Answer(200, {**shown, "groups": {"size": len(mine), "items": groups}, "applicationRoles": {"size": 1, "items": []}})


@route("GET", "mypermissions")
def my_permissions(request: Request) -> Answer:
    store, asked = request.store, request.many("permissions")
    if store.flavour.cloud and not asked:
        raise Refusal(400, "The 'permissions' query parameter is required.")
    project = _meant(request)
    wanted = asked.split(",") if asked and store.flavour.cloud else PERMISSIONS
    unknown = [key for key in wanted if key not in {*PERMISSIONS, "ADMINISTER"}]
    if unknown:
        raise Refusal(400, f"Unrecognized permission: {', '.join(unknown)}")
    shown = {}
    for number, key in enumerate(wanted, 1):
        has = request.user.admin if key == "ADMINISTER" else _has(request, key, project)
        kind = "GLOBAL" if key == "ADMINISTER" else "PROJECT"
        name = key.replace("_", " ").title()
        shown[key] = {"id": str(number), "key": key, "name": name, "type": kind, "description": "", "havePermission": has}
    return Answer(200, {"permissions": shown})


@route("POST", "permissions/check", only=Only.CLOUD)
def check_permissions(request: Request) -> Answer:
    """Which of these permissions the user has for which of these projects and issues."""
    asked, found, store = request.bean("globalPermissions", "projectPermissions", "accountId"), [], request.store
    for group in asked.get("projectPermissions") or []:
        issues = [one for one in (store.seek(str(number), request.user) for number in group.get("issues") or []) if one]
        projects = [one for one in (store.project(str(number)) for number in group.get("projects") or []) if one]
        for key in group["permissions"]:
            seen = [int(one.id) for one in issues if store.can(request.user, key, store.projects[one.project])]
            open_to = [int(one.id) for one in projects if store.can(request.user, key, one)]
            found.append({"permission": key, "issues": seen, "projects": open_to})
    has = [key for key in asked.get("globalPermissions") or [] if request.user.admin]
    return Answer(200, {"projectPermissions": found, "globalPermissions": has})


@route("GET", "label", only=Only.CLOUD)
def labels(request: Request) -> Answer:
    found = sorted({label for issue in request.store.issues.values() for label in issue.values.get("labels", [])})
    start, size = request.window(1000, 1000)
    page = {"startAt": start, "maxResults": size, "total": len(found), "isLast": start + size >= len(found)}
    return Answer(200, {**page, "values": found[start : start + size]})


def _meant(request: Request) -> Project | None:
    store = request.store
    issue = request.one("issueKey") or request.one("issueId")
    if issue:
        return store.projects[store.find(issue, request.user).project]
    key = request.one("projectKey") or request.one("projectId")
    project = store.project(key) if key else None
    if key and (project is None or store.faults.project_hidden):
        raise Refusal(404, f"No project could be found with key '{key}'.")
    return project


def _has(request: Request, key: str, project: Project | None) -> bool:
    projects = [project] if project else list(request.store.projects.values())
    return any(request.store.can(request.user, key, one) for one in projects)


@route("GET", "field")
def fields(request: Request) -> Answer:
    return Answer(200, [_field(request, one) for one in request.store.fields.values()])


@route("GET", "field/search", only=Only.CLOUD)
def search_fields(request: Request) -> Answer:
    start, size = request.window(50, 50)
    found = list(request.store.fields.values())
    page = {"startAt": start, "maxResults": size, "total": len(found), "isLast": start + size >= len(found)}
    names = ("id", "key", "name", "schema")
    values = [{name: _field(request, one)[name] for name in names} for one in found[start : start + size]]
    return Answer(200, {**page, "values": values})


def _field(request: Request, field: Field) -> Json:
    number = field.schema.get("customId")
    clauses = [f"cf[{number}]", field.name] if field.custom else [field.id]
    shown = {
        "id": field.id,
        "name": field.name,
        "custom": field.custom,
        "orderable": field.type is not FieldType.COMPUTED,
        "navigable": True,
        "searchable": True,
        "clauseNames": clauses,
        "schema": field.schema,
    }
    return {**shown, "key": field.id, "untranslatedName": field.name} if request.store.flavour.cloud else shown


@route("GET", "priority")
def priorities(request: Request) -> Answer:
    return Answer(200, [request.view.priority(one.id) for one in request.store.priorities])


@route("GET", "priority/search", only=Only.CLOUD)
def search_priorities(request: Request) -> Answer:
    values = [{**request.view.priority(one.id), "isDefault": one.id == "3"} for one in request.store.priorities]
    return Answer(200, {"startAt": 0, "maxResults": 50, "total": len(values), "isLast": True, "values": values})


@route("GET", "resolution")
def resolutions(request: Request) -> Answer:
    return Answer(200, [request.view.resolution(one.id) for one in request.store.resolutions])


@route("GET", "status")
def statuses(request: Request) -> Answer:
    return Answer(200, [request.view.status(one) for one in request.store.statuses.values()])


@route("GET", "issuetype")
def types(request: Request) -> Answer:
    return Answer(200, [request.view.type(one) for one in request.store.types.values()])


@route("GET", "issuetype/{id}")
def one_type(request: Request) -> Answer:
    if request.params["id"] not in request.store.types:
        raise Refusal(404, "The issue type with the given id does not exist.")
    return Answer(200, request.view.type(request.store.types[request.params["id"]]))


def creatable(request: Request, project: Project, issue_type: IssueType) -> list[Field]:
    """The fields on the screen for new issues of a type, for this user."""
    edits = Edits(request.store, request.user, project=project, type=issue_type, screen=Screen.CREATE)
    always = {"project", "issuetype"}
    every = request.store.fields.values()
    return [field for field in every if (field.id in always or edits.may_set(field)) and field.id != "comment"]


def _project(request: Request) -> Project:
    try:
        return request.project()
    except Refusal as refusal:
        raise Refusal(400 if request.store.flavour.dc else 404, *refusal.messages) from None


def _page(request: Request, name: str, found: list[Json]) -> Answer:
    """Both containers: `values` with `isLast` on Data Center, a name of its own on Cloud."""
    start, size = request.window(50, 200)
    page: Json = {"startAt": start, "maxResults": size, "total": len(found)}
    chosen = found[start : start + size]
    if request.store.flavour.cloud:
        return Answer(200, {**page, name: chosen})
    return Answer(200, {**page, "isLast": start + size >= len(found), "values": chosen})


@route("GET", "issue/createmeta/{project}/issuetypes")
def creatable_types(request: Request) -> Answer:
    project = _project(request)
    return _page(request, "issueTypes", [request.view.type(request.store.types[one]) for one in project.types])


@route("GET", "issue/createmeta/{project}/issuetypes/{type}")
def creatable_fields(request: Request) -> Answer:
    project, issue_type = _project(request), request.store.types.get(request.params["type"])
    if issue_type is None or issue_type.id not in project.types:
        raise Refusal(400 if request.store.flavour.dc else 404, "The issue type does not exist in the project.")
    shown = []
    for field in creatable(request, project, issue_type):
        required = field.required or (issue_type.name, field.id) in request.store.required
        required = required or (field.type is FieldType.PARENT and issue_type.subtask)
        one = show_field(request.view, project, field, required=required)
        shown.append({**one, "fieldId": field.id})
    return _page(request, "fields", shown)


@route("GET", "issue/createmeta", only=Only.CLOUD)
def old_createmeta(request: Request) -> Answer:
    """Deprecated on Cloud, gone on Data Center."""
    keys = set(request.many("projectKeys").split(",")) - {""}
    projects = [project for project in request.store.projects.values() if not keys or project.key in keys]
    shown = []
    for project in projects:
        types_shown = []
        for one in project.types:
            kind = request.store.types[one]
            fields_shown = {
                field.id: show_field(request.view, project, field, required=field.required)
                for field in creatable(request, project, kind)
            }
            types_shown.append({**request.view.type(kind), "fields": fields_shown})
        shown.append({**request.view.project(project), "issuetypes": types_shown})
    return Answer(200, {"expand": "projects", "projects": shown})


@route("GET", "issue/{issue}/editmeta")
def editmeta(request: Request) -> Answer:
    issue = request.issue()
    project, issue_type = request.store.projects[issue.project], request.store.types[issue.type]
    edits = Edits(request.store, request.user, project=project, type=issue_type, screen=Screen.EDIT, issue=issue)
    shown = {}
    if _may_edit(request, issue, project):
        for field in request.store.fields.values():
            if edits.may_set(field):
                required = field.required or (issue_type.name, field.id) in request.store.required
                shown[field.id] = show_field(request.view, project, field, required=required)
    return Answer(200, {"fields": shown})


def _may_edit(request: Request, issue: Issue, project: Project) -> bool:
    return issue.archived is None and request.store.can(request.user, "EDIT_ISSUES", project)


@route("GET", "readonly-mode", only=Only.DC, since=(10, 3))
def read_only(request: Request) -> Answer:
    return Answer(200, {"enabled": request.store.readonly})


@route("PUT", "readonly-mode", only=Only.DC, since=(10, 3))
def set_read_only(request: Request) -> Answer:
    if not request.user.admin:
        raise Refusal(403, "You are not authorized to perform this operation.")
    request.store.readonly = bool(request.json().get("enabled"))
    return Answer(200, {"enabled": request.store.readonly})


@route("GET", "index/summary", only=Only.DC)
def index_summary(request: Request) -> Answer:
    if not request.user.admin:
        raise Refusal(403, "You are not authorized to perform this operation.")
    store = request.store
    written = max((issue.updated for issue in store.issues.values()), default=0)
    indexed = max((issue.updated for issue in store.index.entries()), default=0)
    counts = {"countInDatabase": len(store.issues), "countInIndex": len(store.index.entries()), "countInArchive": 0}
    moments = {"lastUpdatedInDatabase": iso(written, "UTC"), "lastUpdatedInIndex": iso(indexed, "UTC")}
    index = {"indexReadable": True, **counts, **moments}
    return Answer(200, {"nodeId": "node1", "reportTime": iso(store.clock.now(), "UTC"), "issueIndex": index})
