"""Links between issues, and to elsewhere."""

from __future__ import annotations

from tests.support.jira.links import LinkWork
from tests.support.jira.records import Issue, Link, Refusal, RemoteLink
from tests.support.jira.router import Answer, Request, route
from tests.support.jira.threads import ThreadWork


def work(request: Request) -> LinkWork:
    return LinkWork(request.store, request.user)


def find(request: Request) -> Link:
    """The link in the path, where the user sees both ends."""
    link = request.store.links.get(request.params["id"])
    if link is None or not all(request.store.seek(end, request.user) for end in (link.source, link.target)):
        raise Refusal(404, f"No issue link with id '{request.params['id']}' exists.")
    return link


def find_remote(request: Request, issue: Issue) -> RemoteLink:
    for link in issue.remote_links:
        if link.id == request.params["id"]:
            return link
    raise Refusal(404, f"A remote issue link with the id '{request.params['id']}' does not exist.")


@route("POST", "issueLink")
def link(request: Request) -> Answer:
    """201 and nothing else: the id is to be found by reading."""
    body = request.json()
    made = work(request).link(body)
    if body.get("comment"):
        ThreadWork(request.store, request.user).comment(request.store.issues[made.source], body["comment"])
    return Answer(201)


@route("GET", "issueLink/{id}")
def read(request: Request) -> Answer:
    return Answer(200, request.view.link(find(request)))


@route("DELETE", "issueLink/{id}")
def unlink(request: Request) -> Answer:
    work(request).unlink(find(request))
    return Answer(204)


@route("GET", "issueLinkType")
def types(request: Request) -> Answer:
    return Answer(200, {"issueLinkTypes": [request.view.link_type(one.id) for one in request.store.link_types]})


@route("GET", "issueLinkType/{id}")
def link_type(request: Request) -> Answer:
    if request.params["id"] not in {one.id for one in request.store.link_types}:
        raise Refusal(404, f"No issue link type with id '{request.params['id']}' found.")
    return Answer(200, request.view.link_type(request.params["id"]))


@route("GET", "issue/{issue}/remotelink")
def remote_links(request: Request) -> Answer:
    issue, wanted = request.issue(), request.one("globalId")
    shown = [
        request.view.remote_link(link, issue)
        for link in issue.remote_links
        if not wanted or link.body.get("globalId") == wanted
    ]
    if wanted:
        if not shown:
            raise Refusal(404, f"A remote issue link with the global id '{wanted}' does not exist.")
        return Answer(200, shown[0])
    return Answer(200, shown)


@route("POST", "issue/{issue}/remotelink")
def put_remote(request: Request) -> Answer:
    made, new = work(request).remote(request.issue(), request.json())
    return Answer(201 if new else 200, {"id": int(made.id), "self": request.view.url(f"issue/remotelink/{made.id}")})


@route("PUT", "issue/{issue}/remotelink/{id}")
def renew_remote(request: Request) -> Answer:
    find_remote(request, request.issue()).body = request.json()
    return Answer(204)


@route("DELETE", "issue/{issue}/remotelink/{id}")
def delete_remote(request: Request) -> Answer:
    issue = request.issue()
    issue.remote_links.remove(find_remote(request, issue))
    return Answer(204)


@route("DELETE", "issue/{issue}/remotelink")
def delete_remotes(request: Request) -> Answer:
    issue, wanted = request.issue(), request.one("globalId")
    issue.remote_links = [link for link in issue.remote_links if link.body.get("globalId") != wanted]
    return Answer(204)
