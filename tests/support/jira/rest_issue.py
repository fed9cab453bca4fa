"""Issues: made, read, edited, deleted, moved along their workflow, archived."""

from __future__ import annotations

from tests.support.jira.issue_views import show_issue
from tests.support.jira.issues import IssueWork
from tests.support.jira.meta_views import show_fields
from tests.support.jira.records import Issue, Json, Refusal
from tests.support.jira.router import Answer, Only, Request, refused, route
from tests.support.jira.workflow import Steps

MAX_BULK = 50
MAX_FETCH = 100
ADMIN = "To discard the user notification either admin or project admin permissions are required."


def made(request: Request, issue: Issue) -> Json:
    """How a new issue is answered."""
    return {"id": issue.id, "key": issue.key, "self": request.view.url(f"issue/{issue.id}")}


def update_of(request: Request) -> Json:
    """The body of a request that makes or changes an issue. Cloud lets unknown keys pass."""
    known = ("fields", "update", "properties", "historyMetadata", "transition")
    return request.json() if request.store.flavour.cloud else request.bean(*known)


def shown(request: Request, issue: Issue) -> Json:
    """The issue as the query asks for it."""
    expand = request.many("expand")
    found = show_issue(
        request.view,
        issue,
        fields=[request.many("fields") or "*all"],
        expand=expand,
        properties=request.many("properties"),
    )
    if "transitions" in {part.strip() for part in expand.split(",")}:
        found["transitions"] = open_to(request, issue, fields=False)
    return found


def check_notify(request: Request, issue: Issue) -> None:
    """`notifyUsers=false` is for administrators: Data Center refuses it, Cloud ignores it."""
    project = request.store.projects[issue.project]
    asked = request.one("notifyUsers") == "false" and request.store.flavour.dc
    if asked and not request.store.can(request.user, "ADMINISTER_PROJECTS", project):
        raise Refusal(403, ADMIN)


@route("POST", "issue")
def create(request: Request) -> Answer:
    return Answer(201, made(request, IssueWork(request.store, request.user).create(update_of(request))))


@route("POST", "issue/bulk")
def create_many(request: Request) -> Answer:
    updates = request.json().get("issueUpdates") or []
    if len(updates) > MAX_BULK:
        raise Refusal(400, f"The maximum number of issues in one request is {MAX_BULK}.")
    issues, errors = [], []
    for number, given in enumerate(updates):
        update = {**given, "properties": []} if request.store.faults.bulk_unmarked else given
        try:
            issues.append(made(request, IssueWork(request.store, request.user).create(update)))
        except Refusal as refusal:
            elements = {"errorMessages": refusal.messages, "errors": refusal.errors}
            errors.append({"status": refusal.status, "elementErrors": elements, "failedElementNumber": number})
    return Answer(201 if issues else 400, {"issues": issues, "errors": errors})


@route("GET", "issue/{issue}")
def read(request: Request) -> Answer:
    return Answer(200, shown(request, request.issue()))


@route("PUT", "issue/{issue}")
def edit(request: Request) -> Answer:
    issue = request.issue()
    check_notify(request, issue)
    IssueWork(request.store, request.user).edit(issue, update_of(request))
    if request.store.flavour.cloud and request.flag("returnIssue"):
        return Answer(200, shown(request, issue))
    return Answer(204)


@route("DELETE", "issue/{issue}")
def delete(request: Request) -> Answer:
    IssueWork(request.store, request.user).delete(request.issue(), subtasks=request.flag("deleteSubtasks"))
    return Answer(204)


@route("PUT", "issue/{issue}/assignee")
def assign(request: Request) -> Answer:
    body = request.json()
    named = body.get("accountId") if request.store.flavour.cloud else body.get("name")
    value = None if named is None else {"accountId" if request.store.flavour.cloud else "name": named}
    IssueWork(request.store, request.user).edit(request.issue(), {"fields": {"assignee": value}})
    return Answer(204)


@route("GET", "issue/{issue}/transitions")
def transitions(request: Request) -> Answer:
    listed = open_to(request, request.issue(), fields="transitions.fields" in request.many("expand"))
    wanted = request.one("transitionId")
    return Answer(200, {"expand": "transitions", "transitions": [one for one in listed if wanted in {"", one["id"]}]})


def open_to(request: Request, issue: Issue, *, fields: bool) -> list[Json]:
    """The transitions that the user may take now, with their screens' fields where these are wanted."""
    store, view, listed = request.store, request.view, []
    for step in Steps(store, request.user).open(issue):
        target = next(status for status in store.statuses.values() if status.name == step.target)
        one = {"id": step.id, "name": step.name, "to": view.status(target)}
        if store.flavour.cloud:
            flags = {"isGlobal": False, "isInitial": False, "isConditional": False, "isAvailable": True, "looped": False}
            one |= {"hasScreen": bool(step.screen), **flags}
        if fields:
            one["fields"] = show_fields(view, store.projects[issue.project], step.screen, required=step.required)
        listed.append(one)
    return listed


@route("POST", "issue/{issue}/transitions")
def take(request: Request) -> Answer:
    Steps(request.store, request.user).take(request.issue(), update_of(request))
    return Answer(204)


@route("PUT", "issue/{issue}/archive", only=Only.DC)
def archive(request: Request) -> Answer:
    IssueWork(request.store, request.user).archive(request.issue())
    return Answer(204)


@route("PUT", "issue/{issue}/restore", only=Only.DC)
def restore(request: Request) -> Answer:
    IssueWork(request.store, request.user).restore(request.issue())
    return Answer(204)


@route("POST", "issue/{issue}/changelog/list", only=Only.CLOUD)
def some_histories(request: Request) -> Answer:
    wanted = {str(one) for one in request.bean("changelogIds").get("changelogIds") or []}
    found = [request.view.history(one) for one in request.issue().histories if one.id in wanted]
    return Answer(200, {"startAt": 0, "maxResults": len(found), "total": len(found), "histories": found})


@route("PUT", "issue/archive", only=Only.CLOUD)
def archive_many(request: Request) -> Answer:
    return _each(request, IssueWork(request.store, request.user).archive)


@route("PUT", "issue/unarchive", only=Only.CLOUD)
def unarchive_many(request: Request) -> Answer:
    return _each(request, IssueWork(request.store, request.user).restore)


@route("GET", "issue/{issue}/changelog", only=Only.CLOUD)
def history(request: Request) -> Answer:
    """All histories by pages, oldest first."""
    issue, view = request.issue(), request.view
    start, size = request.window(100, 100)
    found = issue.histories[start : start + size]
    last = start + len(found) >= len(issue.histories)
    page = {"startAt": start, "maxResults": size, "total": len(issue.histories), "isLast": last}
    return Answer(200, {**page, "values": [view.history(one) for one in found]})


@route("POST", "issue/bulkfetch", only=Only.CLOUD)
def fetch_many(request: Request) -> Answer:
    """Many issues by id or key: in ascending order of ids, what cannot be seen among the errors."""
    body = request.bean("issueIdsOrKeys", "fields", "expand", "properties", "fieldsByKeys")
    wanted = [str(one) for one in body.get("issueIdsOrKeys") or []]
    if not 0 < len(wanted) <= MAX_FETCH:
        raise Refusal(400, f"The number of issues must be between 1 and {MAX_FETCH}.")
    found, errors = {}, []
    for one in wanted:
        issue = request.store.seek(one, request.user)
        if issue is None:
            words = "Issue does not exist or you do not have permission to see it."
            errors.append({"id": one, "errorMessage": words})
        else:
            found[int(issue.id)] = issue
    listed = [
        show_issue(
            request.view,
            found[number],
            fields=body.get("fields") or ["*navigable"],
            expand=",".join(body.get("expand") or []),
            properties=",".join(body.get("properties") or []),
        )
        for number in sorted(found)
    ]
    return Answer(200, {"expand": "", "issues": listed, "issueErrors": errors})


@route("POST", "changelog/bulkfetch", only=Only.CLOUD)
def histories(request: Request) -> Answer:
    """The histories of many issues; moments are numbers here."""
    body, view = request.json(), request.view
    listed = []
    for one in body.get("issueIdsOrKeys") or []:
        issue = request.store.seek(str(one), request.user)
        if issue is not None:
            changed = [{**view.history(history), "created": history.created} for history in issue.histories]
            listed.append({"issueId": issue.id, "changeHistories": changed})
    return Answer(200, {"issueChangeLogs": listed})


def _each(request: Request, act: object) -> Answer:
    assert callable(act)
    named = [str(one) for one in request.json().get("issueIdsOrKeys") or []]
    done = 0
    for one in named:
        try:
            act(request.store.find(one, request.user))
            done += 1
        except Refusal as refusal:
            if len(named) == 1:
                return refused(refusal)
    return Answer(200, {"numberOfIssuesUpdated": done, "errors": {}})
