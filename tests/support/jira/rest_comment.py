"""Comments and worklogs of an issue."""

from __future__ import annotations

from tests.support.jira.issue_views import show_issue
from tests.support.jira.records import Comment, Issue, Json, Refusal, Worklog
from tests.support.jira.router import Answer, Only, Request, route
from tests.support.jira.threads import ThreadWork
from tests.support.jira.views import number, page

MAX_LIST = 1000
MINUTE = 60_000


def work(request: Request) -> ThreadWork:
    return ThreadWork(request.store, request.user)


def find_comment(request: Request, issue: Issue) -> Comment:
    """The comment in the path, where the user sees it."""
    for comment in issue.comments:
        if comment.id == request.params["id"] and work(request).sees(comment, request.store.projects[issue.project]):
            return comment
    raise Refusal(404, f"Can not find a comment for the id: {request.params['id']}.")


def find_worklog(request: Request, issue: Issue) -> Worklog:
    """The worklog in the path."""
    for worklog in issue.worklogs:
        if worklog.id == request.params["id"] and work(request).sees(worklog, request.store.projects[issue.project]):
            return worklog
    raise Refusal(404, f"Cannot find worklog with id: '{request.params['id']}'.")


SHARED = ("self", "id", "author", "updateAuthor", "created", "updated", "visibility")


def comment_of(request: Request) -> Json:
    cloud = ("parentId", "jsdPublic", "jsdAuthorCanSeeRequest") if request.store.flavour.cloud else ()
    return request.bean(*SHARED, *cloud, "body", "renderedBody", "properties")


def worklog_of(request: Request) -> Json:
    """Data Center's worklogs know no properties."""
    cloud = ("properties",) if request.store.flavour.cloud else ()
    return request.bean(*SHARED, *cloud, "issueId", "comment", "started", "timeSpent", "timeSpentSeconds")


def with_properties(request: Request) -> bool:
    return "properties" in request.many("expand")


@route("GET", "issue/{issue}/comment")
def comments(request: Request) -> Answer:
    issue, view = request.issue(), request.view
    project = request.store.projects[issue.project]
    seen = [comment for comment in issue.comments if work(request).sees(comment, project)]
    if request.one("orderBy").startswith("-"):
        seen.reverse()
    start, size = request.window(100 if request.store.flavour.cloud else 50, 5000)
    shown = [view.comment(one, issue, properties=with_properties(request)) for one in seen[start : start + size]]
    return Answer(200, page("comments", shown, start=start, size=size, total=len(seen)))


@route("GET", "issue/{issue}/comment/{id}")
def comment(request: Request) -> Answer:
    issue = request.issue()
    found = find_comment(request, issue)
    return Answer(200, request.view.comment(found, issue, properties=with_properties(request)))


@route("POST", "issue/{issue}/comment")
def add_comment(request: Request) -> Answer:
    issue = request.issue()
    made = work(request).comment(issue, comment_of(request))
    return Answer(201, request.view.comment(made, issue, properties=with_properties(request)))


@route("PUT", "issue/{issue}/comment/{id}")
def edit_comment(request: Request) -> Answer:
    issue = request.issue()
    found = find_comment(request, issue)
    work(request).edit_comment(issue, found, comment_of(request))
    return Answer(200, request.view.comment(found, issue, properties=with_properties(request)))


@route("DELETE", "issue/{issue}/comment/{id}")
def delete_comment(request: Request) -> Answer:
    issue = request.issue()
    work(request).delete_comment(issue, find_comment(request, issue))
    return Answer(204)


@route("POST", "comment/list", only=Only.CLOUD)
def comments_by_id(request: Request) -> Answer:
    wanted = {str(one) for one in request.json().get("ids") or []}
    found = [
        request.view.comment(one, issue, properties=with_properties(request))
        for issue in request.store.issues.values()
        if request.store.sees(request.user, issue)
        for one in issue.comments
        if one.id in wanted and work(request).sees(one, request.store.projects[issue.project])
    ]
    return Answer(200, {"startAt": 0, "maxResults": len(found), "total": len(found), "isLast": True, "values": found})


@route("GET", "issue/{issue}/worklog")
def worklogs(request: Request) -> Answer:
    issue, view = request.issue(), request.view
    project = request.store.projects[issue.project]
    seen = [worklog for worklog in issue.worklogs if work(request).sees(worklog, project)]
    start, size = request.window(5000, 5000)
    if request.store.flavour.dc:  # which knows no pages here
        start, size = 0, len(seen)
    shown = [view.worklog(one, issue, properties=with_properties(request)) for one in seen[start : start + size]]
    return Answer(200, page("worklogs", shown, start=start, size=size, total=len(seen)))


@route("GET", "issue/{issue}/worklog/{id}")
def worklog(request: Request) -> Answer:
    issue = request.issue()
    shown = request.view.worklog(find_worklog(request, issue), issue, properties=with_properties(request))
    return Answer(200, shown)


@route("POST", "issue/{issue}/worklog")
def add_worklog(request: Request) -> Answer:
    issue = request.issue()
    made = work(request).log_work(issue, worklog_of(request), {name: values[0] for name, values in request.query.items()})
    return Answer(201, request.view.worklog(made, issue, properties=with_properties(request)))


@route("PUT", "issue/{issue}/worklog/{id}")
def edit_worklog(request: Request) -> Answer:
    issue = request.issue()
    found = find_worklog(request, issue)
    query = {name: values[0] for name, values in request.query.items()}
    work(request).edit_worklog(issue, found, worklog_of(request), query)
    return Answer(200, request.view.worklog(found, issue, properties=with_properties(request)))


@route("DELETE", "issue/{issue}/worklog/{id}")
def delete_worklog(request: Request) -> Answer:
    issue = request.issue()
    query = {name: values[0] for name, values in request.query.items()}
    work(request).delete_worklog(issue, find_worklog(request, issue), query)
    return Answer(204)


@route("GET", "worklog/updated")
def updated_worklogs(request: Request) -> Answer:
    since = number(request.one("since"), 0)
    changed = [(one.id, one.updated) for issue in request.store.issues.values() for one in issue.worklogs]
    return _feed(request, [entry for entry in changed if entry[1] > since], since, "updated")


@route("GET", "worklog/deleted")
def deleted_worklogs(request: Request) -> Answer:
    since = number(request.one("since"), 0)
    return _feed(request, [entry for entry in request.store.worklogs_gone if entry[1] > since], since, "deleted")


def _feed(request: Request, entries: list[tuple[str, int]], since: int, name: str) -> Answer:
    """A page of changes, oldest first; the last minute is withheld."""
    now = request.store.clock.now()
    ready = sorted((moment, int(one)) for one, moment in entries if moment <= now - MINUTE)
    chosen = ready[:MAX_LIST]
    last = len(chosen) == len(ready)
    until = chosen[-1][0] if chosen else since
    values = [{"worklogId": one, "updatedTime": moment, "properties": []} for moment, one in chosen]
    shown = {"values": values, "since": since, "until": until, "self": request.view.url(f"worklog/{name}?since={since}")}
    more = {} if last else {"nextPage": request.view.url(f"worklog/{name}?since={until}")}
    return Answer(200, {**shown, **more, "lastPage": last, **({"isLastPage": last} if request.store.flavour.dc else {})})


@route("POST", "worklog/list")
def worklogs_by_id(request: Request) -> Answer:
    wanted = {str(one) for one in request.json().get("ids") or []}
    if len(wanted) > MAX_LIST:
        raise Refusal(400, f"The maximum number of ids is {MAX_LIST}.")
    found = [
        request.view.worklog(one, issue)
        for issue in request.store.issues.values()
        if request.store.sees(request.user, issue)
        for one in issue.worklogs
        if one.id in wanted
    ]
    return Answer(200, found)


@route("GET", "issue/{issue}/watchers")
def watchers(request: Request) -> Answer:
    issue = request.issue()
    people = [request.view.person(one) for one in issue.watchers]
    shown = {"watchCount": len(people), "isWatching": request.user.key in issue.watchers, "watchers": people}
    return Answer(200, {"self": request.view.url(f"issue/{issue.key}/watchers"), **shown})


@route("POST", "issue/{issue}/watchers")
def watch(request: Request) -> Answer:
    issue = request.issue()
    named = request.json() if request.body else None
    if named is not None and not isinstance(named, str):
        raise Refusal(400, "The body must be a user's name as a JSON string.")
    user = (
        request.user
        if named is None
        else request.store.user_of({"accountId" if request.store.flavour.cloud else "name": named})
    )
    if user is None:
        raise Refusal(404, f"The user {named!r} does not exist.")
    if user.key not in issue.watchers:
        issue.watchers.append(user.key)
    return Answer(204)


@route("DELETE", "issue/{issue}/watchers")
def unwatch(request: Request) -> Answer:
    issue = request.issue()
    name = "accountId" if request.store.flavour.cloud else "username"
    user = request.store.user_of({name if request.store.flavour.cloud else "name": request.one(name)})
    if user is None:
        raise Refusal(404, "The user does not exist.")
    issue.watchers = [one for one in issue.watchers if one != user.key]
    return Answer(204)


@route("GET", "issue/{issue}/votes")
def votes(request: Request) -> Answer:
    issue = request.issue()
    shown = show_issue(request.view, issue, fields=["votes"])["fields"]["votes"]
    return Answer(200, {**shown, "voters": [request.view.person(one) for one in issue.voters]})


@route("POST", "issue/{issue}/votes")
def vote(request: Request) -> Answer:
    """The caller's own vote: for others nobody votes."""
    issue = request.issue()
    if request.user.key in {issue.values.get("reporter"), *issue.voters}:
        raise Refusal(404, "You cannot vote for an issue that you have reported, or voted for already.")
    issue.voters.append(request.user.key)
    return Answer(204)
