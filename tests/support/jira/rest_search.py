"""Search: by offset on Data Center, by token on Cloud. What it shows is what the index knows."""

from __future__ import annotations

import json
import secrets
from typing import NoReturn

from tests.support.jira.issue_views import show_issue
from tests.support.jira.issues import IssueWork
from tests.support.jira.matching import Search
from tests.support.jira.records import Issue, Json, Refusal
from tests.support.jira.router import Answer, Only, Request, route
from tests.support.jira.store import Store

IDS_ONLY = 5000
WITH_FIELDS = 100
DEFAULT = 50
MAX_PROPERTIES = 5
WEEK = 7 * 86_400_000


@route("GET", "search", only=Only.DC)
def search_by_url(request: Request) -> Answer:
    query = {name: values[0] for name, values in request.query.items()}
    body: Json = {
        **query,
        "startAt": request.one("startAt") or 0,
        "maxResults": request.one("maxResults") or DEFAULT,
        "fields": [request.many("fields")] if request.many("fields") else None,
        "expand": [request.many("expand")],
        "validateQuery": request.one("validateQuery", "true"),
    }
    return _pages(request, body)


@route("POST", "search", only=Only.DC)
def search(request: Request) -> Answer:
    return _pages(request, request.bean("jql", "startAt", "maxResults", "fields", "expand", "validateQuery"))


@route("GET", "search", only=Only.CLOUD)
def removed_by_url(request: Request) -> Answer:
    return _removed()


@route("POST", "search", only=Only.CLOUD)
def removed(request: Request) -> Answer:
    return _removed()


def _removed() -> NoReturn:
    raise Refusal(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")


def _pages(request: Request, body: Json) -> Answer:
    store, faults = request.store, request.store.faults
    strict = str(body.get("validateQuery", True)).lower() in {"true", "strict"}
    start, asked = int(body.get("startAt") or 0), int(body.get("maxResults", DEFAULT))
    size = max(0, min(asked, faults.page_cap))
    if start + size > faults.window:
        faults.strike("window")
        words = f"Search limit exceeded: results beyond the limit of {faults.window} were asked for."
        raise Refusal(500, words)
    find = Search(store, request.user, strict=strict)
    found = find.find(str(body.get("jql") or ""))
    if start > 0 and faults.rows_move:
        _move_rows(store, found[:start])
        found = find.find(str(body.get("jql") or ""))
    issues = [
        show_issue(
            request.view,
            issue,
            fields=body.get("fields") or ["*navigable"],
            expand=",".join(body.get("expand") or []),
        )
        for issue in found[start : start + size]
    ]
    page = {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": issues}
    return Answer(200, {**page, "warningMessages": find.warnings} if find.warnings else page)


@route("GET", "search/jql", only=Only.CLOUD)
def search_tokens_by_url(request: Request) -> Answer:
    body: Json = {name: values[0] for name, values in request.query.items()}
    body |= {name: request.many(name).split(",") for name in ("fields", "properties") if request.many(name)}
    return _tokens(request, body)


@route("POST", "search/jql", only=Only.CLOUD)
def search_tokens(request: Request) -> Answer:
    known = ("jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "reconcileIssues")
    return _tokens(request, request.bean(*known, "failFast"))


def _tokens(request: Request, body: Json) -> Answer:
    store, faults = request.store, request.store.faults
    fields = _list(body.get("fields")) or ["id"]
    properties = _list(body.get("properties"))
    if len(properties) > MAX_PROPERTIES:
        raise Refusal(400, f"The maximum number of properties is {MAX_PROPERTIES}.")
    for known in _list(body.get("reconcileIssues")):
        issue = store.issues.get(str(known))
        if issue is not None:
            store.index.refresh(issue)
    found = Search(store, request.user).find(str(body.get("jql") or ""))
    light = set(fields) <= {"id", "key"} and not properties
    largest = min(IDS_ONLY if light else WITH_FIELDS, faults.page_cap)
    size = max(1, min(int(body.get("maxResults") or DEFAULT), largest))
    start = _start(request, body)
    chunk = found[start : start + size]
    last = start + len(chunk) >= len(found)
    shown = [_light(request, issue, fields) if light else _whole(request, issue, body, fields) for issue in chunk]
    answer: Json = {"issues": shown, "isLast": last}
    if not last:
        answer["nextPageToken"] = _token(request, body, start + len(chunk))
        if faults.rows_move:
            _move_rows(store, found[: start + len(chunk)])
    elif faults.token_loops and found:
        faults.strike("token loops")
        answer |= {"nextPageToken": _token(request, body, 0), "isLast": False}
    return Answer(200, answer)


def _light(request: Request, issue: Issue, fields: list[str]) -> Json:
    shown = {"id": issue.id}
    return {**shown, "key": issue.key, "self": request.view.url(f"issue/{issue.id}")} if "key" in fields else shown


def _whole(request: Request, issue: Issue, body: Json, fields: list[str]) -> Json:
    expand, properties = str(body.get("expand") or ""), ",".join(_list(body.get("properties")))
    return show_issue(request.view, issue, fields=fields, expand=expand, properties=properties)


def _token(request: Request, body: Json, start: int) -> str:
    """Opaque to the caller: bound to the query, and to a week."""
    token = secrets.token_urlsafe(18)
    request.store.page_tokens[token] = (json.dumps(body.get("jql")), start, request.store.clock.now() + WEEK)
    return token


def _start(request: Request, body: Json) -> int:
    token, faults = body.get("nextPageToken"), request.store.faults
    if not token:
        return 0
    if faults.token_ignored:
        faults.strike("token ignored")
        return 0
    jql, start, until = request.store.page_tokens.get(str(token), ("", 0, 0))
    if faults.token_expires or until < request.store.clock.now() or jql != json.dumps(body.get("jql")):
        faults.strike("token expires")
        raise Refusal(400, "The provided next page token is invalid or expired.")
    return start


def _move_rows(store: Store, seen: list[Issue]) -> None:
    """Somebody edits the first issue of those that were shown."""
    if seen:
        store.faults.strike("rows move")
        actor = store.person("m.silva")
        text = f"{seen[0].values.get('environment') or ''}."
        live = store.issues.get(seen[0].id)
        if live is not None and not live.archived:
            IssueWork(store, actor).edit(live, {"fields": {"environment": text}})


@route("POST", "search/approximate-count", only=Only.CLOUD)
def count(request: Request) -> Answer:
    return Answer(200, {"count": len(Search(request.store, request.user).find(str(request.json().get("jql") or "")))})


@route("POST", "jql/match", only=Only.CLOUD)
def match(request: Request) -> Answer:
    """Which of these issues each query finds."""
    body = request.json()
    matches: list[Json] = []
    ids = {str(one) for one in body.get("issueIds") or []}
    for text in body.get("jqls") or []:
        try:
            found = Search(request.store, request.user).find(text)
            matches.append({"matchedIssues": [int(one.id) for one in found if one.id in ids], "errors": []})
        except Refusal as refusal:
            matches.append({"matchedIssues": [], "errors": refusal.messages})
    return Answer(200, {"matches": matches})


@route("GET", "searchLimits", only=Only.DC, since=(11, 3))
def limits(request: Request) -> Answer:
    return Answer(200, {"maxResultWindow": request.store.faults.window})


def _list(value: Json) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value]
