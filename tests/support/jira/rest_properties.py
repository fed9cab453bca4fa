"""Entity properties of issues, comments, projects and, on Cloud, worklogs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.support.jira.properties import MAX_VALUE, set_property
from tests.support.jira.records import Json, Refusal
from tests.support.jira.router import Answer, Only, Request, route


def of_issue(request: Request) -> dict[str, Json]:
    issue = request.issue()
    if request.method != "GET":
        request.store.demand(request.user, "EDIT_ISSUES", issue, "You do not have permission to edit this issue.")
    return issue.properties


def of_comment(request: Request) -> dict[str, Json]:
    for issue in request.store.issues.values():
        for comment in issue.comments:
            if comment.id == request.params["comment"] and request.store.sees(request.user, issue):
                return comment.properties
    raise Refusal(404, f"Can not find a comment for the id: {request.params['comment']}.")


def of_worklog(request: Request) -> dict[str, Json]:
    for worklog in request.issue().worklogs:
        if worklog.id == request.params["worklog"]:
            return worklog.properties
    raise Refusal(404, f"Cannot find worklog with id: '{request.params['worklog']}'.")


def of_project(request: Request) -> dict[str, Json]:
    project = request.project()
    if request.method != "GET" and not request.store.can(request.user, "ADMINISTER_PROJECTS", project):
        raise Refusal(403, "You do not have permission to administer this project.")
    return project.properties


Owner: TypeAlias = Callable[[Request], dict[str, Json]]


def offer(path: str, find: Owner, only: Only) -> None:
    """The four verbs for the properties of one kind of thing."""

    def keys(request: Request) -> Answer:
        at = request.path.split("/rest/api/", 1)[1].split("/", 1)[1]
        return Answer(200, {"keys": [{"self": request.view.url(f"{at}/{key}"), "key": key} for key in find(request)]})

    def read(request: Request) -> Answer:
        kept, key = find(request), request.params["key"]
        if key not in kept:
            raise Refusal(404, f"The property {key} does not exist.")
        return Answer(200, {"key": key, "value": kept[key]})

    def write(request: Request) -> Answer:
        kept = find(request)
        if len(request.body) > MAX_VALUE:
            raise Refusal(400, f"The property value cannot be longer than {MAX_VALUE} characters.")
        return Answer(201 if set_property(kept, request.params["key"], request.json()) else 200)

    def delete(request: Request) -> Answer:
        kept, key = find(request), request.params["key"]
        if key not in kept:
            raise Refusal(404, f"The property {key} does not exist.")
        del kept[key]
        return Answer(204)

    route("GET", f"{path}/properties", only=only)(keys)
    for method, handler in (("GET", read), ("PUT", write), ("DELETE", delete)):
        route(method, f"{path}/properties/{{key}}", only=only)(handler)


offer("issue/{issue}", of_issue, Only.BOTH)
offer("comment/{comment}", of_comment, Only.BOTH)
offer("issue/{issue}/worklog/{worklog}", of_worklog, Only.CLOUD)
offer("project/{project}", of_project, Only.BOTH)
