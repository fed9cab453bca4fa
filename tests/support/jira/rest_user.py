"""Users: by name on Data Center, by account id on Cloud."""

from __future__ import annotations

from tests.support.jira.records import Refusal, User
from tests.support.jira.router import Answer, Only, Request, route


@route("GET", "user")
def user(request: Request) -> Answer:
    store = request.store
    if store.flavour.cloud:
        found = store.user_of({"accountId": request.one("accountId")})
        words = "Specified user does not exist or you do not have required permissions"
    else:
        named = {"key": request.one("key")} if "key" in request.query else {"name": request.one("username")}
        found = store.user_of(named)
        words = f"The user named '{request.one('username')}' does not exist"
    if found is None:
        raise Refusal(404, words)
    return Answer(200, request.view.person(found.key))


@route("GET", "user/search")
def search(request: Request) -> Answer:
    return _chosen(request, [one for one in _found(request) if one.active])


@route("GET", "user/assignable/search")
def assignable(request: Request) -> Answer:
    """Users whom an issue of a project, or this issue, may be given to."""
    store, key = request.store, request.one("issueKey")
    project = store.projects[store.find(key, request.user).project] if key else store.project(request.one("project"))
    if project is None:
        raise Refusal(404 if request.one("project") else 400, "A project or an issue key must be given.")
    return _chosen(request, [one for one in _found(request) if one.active and store.can(one, "ASSIGNABLE_USER", project)])


@route("GET", "user/bulk", only=Only.CLOUD)
def many(request: Request) -> Answer:
    wanted = set(request.query.get("accountId", []))
    found = [one for one in request.store.users.values() if one.account in wanted]
    shown = [request.view.person(one.key) for one in found]
    return Answer(200, {"startAt": 0, "maxResults": 10, "total": len(shown), "isLast": True, "values": shown})


@route("GET", "users/search", only=Only.CLOUD)
def everybody(request: Request) -> Answer:
    return _chosen(request, list(request.store.users.values()))


@route("GET", "user/list", only=Only.DC, since=(10, 1))
def by_cursor(request: Request) -> Answer:
    shown = [request.view.person(one.key) for one in request.store.users.values()]
    return Answer(200, {"values": shown, "isLast": True})


def _found(request: Request) -> list[User]:
    """Those whose name, key, display name or shown e-mail begins with what was asked for; Data Center's "." is all."""
    store = request.store
    asked = request.one("query" if store.flavour.cloud else "username").lower()
    if store.flavour.cloud:
        account = request.one("accountId")
        if account:
            return [one for one in store.users.values() if one.account == account]
    users = [one for one in store.users.values() if not one.gone]
    if asked in {"", "."}:
        return users
    own = [({one.display.lower(), *one.display.lower().split()}, one) for one in users]
    names = [words | ({one.email} if not one.email_hidden else set()) for words, one in own]
    if store.flavour.dc:
        names = [words | {one.name} for words, one in zip(names, users, strict=True)]
    return [one for words, one in zip(names, users, strict=True) if any(word.startswith(asked) for word in words)]


def _chosen(request: Request, found: list[User]) -> Answer:
    start, size = request.window(50, 1000 if "assignable" not in request.path or request.store.flavour.cloud else 100)
    return Answer(200, [request.view.person(one.key) for one in found[start : start + size]])
