"""Jira Software's sprints and epics, as far as issues show them."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.jira.issue_views import show_issue
from tests.support.jira.issues import IssueWork
from tests.support.jira.records import FieldType, Json, Refusal, Sprint
from tests.support.jira.router import Answer, Request, route

BOARD = 1
KANBAN = 2  # in no project's list that asks for Scrum
MAX_ISSUES = 50
NAME_LIMIT = 30
NEXT = {"future": "active", "active": "closed"}


def shown(request: Request, sprint: Sprint) -> Json:
    base = f"{request.base}/rest/agile/1.0/sprint/{sprint.id}"
    parts = {"id": sprint.id, "self": base, "state": sprint.state, "name": sprint.name, "goal": sprint.goal}
    return {**parts, "originBoardId": sprint.board}


def find(request: Request) -> Sprint:
    sprint = request.store.sprints.get(int(request.params["sprint"])) if request.params["sprint"].isdecimal() else None
    if sprint is None:
        raise Refusal(404, f"Sprint with id {request.params['sprint']} does not exist.")
    return sprint


@route("GET", "/rest/agile/1.0/board")
def boards(request: Request) -> Answer:
    values = [{"id": BOARD, "self": f"{request.base}/rest/agile/1.0/board/1", "name": "ABC board", "type": "scrum"}]
    return Answer(200, {"maxResults": 50, "startAt": 0, "total": 1, "isLast": True, "values": values})


@route("GET", "/rest/agile/1.0/board/{board}/sprint")
def sprints(request: Request) -> Answer:
    if request.params["board"] == str(KANBAN):
        raise Refusal(400, "The board does not support sprints")
    if request.params["board"] != str(BOARD):
        raise Refusal(404, "Requested board cannot be viewed because it either does not exist or you do not have permission.")
    states = request.many("state").split(",") if request.many("state") else [*NEXT, "closed"]
    every = [shown(request, sprint) for sprint in request.store.sprints.values() if sprint.state in states]
    start, size = request.window(50, 50)
    values = every[start : start + size]
    return Answer(200, {"maxResults": size, "startAt": start, "isLast": start + size >= len(every), "values": values})


@route("POST", "/rest/agile/1.0/sprint")
def add(request: Request) -> Answer:
    """A future sprint; that there is one of its name is nothing to Jira."""
    body, project = request.json(), request.store.project("ABC")
    assert project is not None
    name = str(body.get("name") or "").strip()
    if not name:
        raise Refusal(400, errors={"name": "The sprint name must not be blank."})
    if len(name) > NAME_LIMIT:
        raise Refusal(400, errors={"name": f"The sprint name must be shorter than {NAME_LIMIT} characters."})
    if body.get("originBoardId") != BOARD:
        raise Refusal(404, "The requested board cannot be viewed: it does not exist, or you may not see it.")
    if not request.store.can(request.user, "MANAGE_SPRINTS_PERMISSION", project):
        raise Refusal(403, "You do not have the permission to manage sprints on this board.")
    sprint = Sprint(len(request.store.sprints) + 1, name, "future", body.get("goal") or "")
    request.store.sprints[sprint.id] = sprint
    return Answer(201, shown(request, sprint))


@route("GET", "/rest/agile/1.0/sprint/{sprint}")
def read(request: Request) -> Answer:
    return Answer(200, shown(request, find(request)))


@route("POST", "/rest/agile/1.0/sprint/{sprint}")
def change(request: Request) -> Answer:
    """A partial update; states go one way."""
    sprint, body = find(request), request.json()
    state = body.get("state", sprint.state)
    if state not in {sprint.state, NEXT.get(sprint.state)}:
        raise Refusal(400, f"A sprint cannot go from {sprint.state} to {state}.")
    sprint.state, sprint.name, sprint.goal = state, body.get("name", sprint.name), body.get("goal", sprint.goal)
    return Answer(200, shown(request, sprint))


@route("POST", "/rest/agile/1.0/sprint/{sprint}/issue")
def put_into(request: Request) -> Answer:
    return _set_sprint(request, find(request).id)


@route("POST", "/rest/agile/1.0/backlog/issue")
def take_out(request: Request) -> Answer:
    return _set_sprint(request, None)


def _set_sprint(request: Request, sprint: int | None) -> Answer:
    field = request.store.custom(FieldType.SPRINT)
    assert field is not None
    return _edit_all(request, {field.id: sprint})


@route("POST", "/rest/agile/1.0/epic/{epic}/issue")
def put_under(request: Request) -> Answer:
    epic = None if request.params["epic"] == "none" else request.store.find(request.params["epic"], request.user)
    field = request.store.custom(FieldType.EPIC_LINK)
    if field is not None:
        return _edit_all(request, {field.id: epic and epic.key})
    return _edit_all(request, {"parent": {"id": epic.id} if epic else None})


def _edit_all(request: Request, fields: dict[str, Json]) -> Answer:
    named: Iterable[str] = request.json().get("issues") or []
    issues = [request.store.find(str(one), request.user) for one in named]
    if not 0 < len(issues) <= MAX_ISSUES:
        raise Refusal(400, f"Between 1 and {MAX_ISSUES} issues can be moved at once.")
    for issue in issues:
        IssueWork(request.store, request.user).edit(issue, {"fields": fields})
    return Answer(204)


@route("GET", "/rest/agile/1.0/issue/{issue}")
def issue(request: Request) -> Answer:
    """The issue with `sprint`, `closedSprints` and `epic` as objects, on both Jiras."""
    found, store = request.issue(), request.store
    answer = show_issue(request.view, found, fields=[request.many("fields") or "*all"])
    field = store.custom(FieldType.SPRINT)
    own = [store.sprints[one] for one in found.values.get(field.id if field else "", [])]
    current = [sprint for sprint in own if sprint.state != "closed"]
    answer.setdefault("fields", {})
    answer["fields"]["sprint"] = shown(request, current[-1]) if current else None
    answer["fields"]["closedSprints"] = [shown(request, sprint) for sprint in own if sprint.state == "closed"]
    link = store.custom(FieldType.EPIC_LINK)
    epic = store.issues.get(found.values.get(link.id if link else "parent", ""))
    is_epic = epic is not None and store.types[epic.type].level == 1
    answer["fields"]["epic"] = {"id": int(epic.id), "key": epic.key} if epic is not None and is_epic else None
    return Answer(200, answer)
