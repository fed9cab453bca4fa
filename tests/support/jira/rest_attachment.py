"""Attachments: uploaded in parts, downloaded from here (Data Center) or from another host (Cloud)."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from tests.support.jira.records import Attachment, Issue, Refusal
from tests.support.jira.router import Answer, Only, Request, route
from tests.support.jira.threads import ThreadWork

MAX_FILES = 60
ODD = set('\\/"%:$?*<|>')


def find(request: Request) -> tuple[Issue, Attachment]:
    """The attachment in the path, and its issue, where the user sees it."""
    for issue in request.store.issues.values():
        for attachment in issue.attachments:
            if attachment.id == request.params["id"] and request.store.sees(request.user, issue):
                return issue, attachment
    raise Refusal(404, f"The attachment with id '{request.params['id']}' does not exist")


@route("POST", "issue/{issue}/attachments")
def upload(request: Request) -> Answer:
    issue, limit = request.issue(), request.store.faults.upload_limit
    files = [part for part in request.parts if part.name == "file" and part.filename is not None]
    too_big = any(part.content.stat().st_size > limit for part in files)
    if too_big or len(files) > MAX_FILES:
        for part in request.parts:
            part.content.unlink()
        words = f"The attachment is larger than the limit of {limit} bytes."
        raise Refusal(413 if request.store.flavour.cloud else 404, words)
    odd = [part.filename for part in files if request.store.faults.names_checked and set(part.filename or "") & ODD]
    if odd:
        request.store.faults.strike("names checked")
        raise Refusal(400, f"The file name '{odd[0]}' contains an invalid character.")
    if not files:
        raise Refusal(400, "No file part was sent.")
    made = [ThreadWork(request.store, request.user).attach(issue, part.filename or "", part.content) for part in files]
    return Answer(200, [request.view.attachment(one) for one in made])


@route("GET", "attachment/meta")
def meta(request: Request) -> Answer:
    return Answer(200, {"enabled": True, "uploadLimit": request.store.faults.upload_limit})


@route("GET", "attachment/{id}")
def read(request: Request) -> Answer:
    """Cloud shows the id as a number here, and as a text in issues."""
    shown = request.view.attachment(find(request)[1])
    return Answer(200, {**shown, "id": int(shown["id"])} if request.store.flavour.cloud else shown)


@route("DELETE", "attachment/{id}")
def delete(request: Request) -> Answer:
    issue, attachment = find(request)
    ThreadWork(request.store, request.user).detach(issue, attachment)
    return Answer(204)


@route("GET", "/secure/attachment/{id}/{name}", only=Only.DC)
def download(request: Request) -> Answer:
    _, attachment = find(request)
    if attachment.name != request.params["name"]:
        raise Refusal(404, "The attachment does not exist")
    return _spoilt(request) or _content(attachment)


@route("GET", "attachment/content/{id}", only=Only.CLOUD)
def content(request: Request) -> Answer:
    """A redirect to the other host, under an address that is good for a short time."""
    _, attachment = find(request)
    spoilt = _spoilt(request)
    if spoilt is not None:
        return spoilt
    if request.one("redirect") == "false" or not request.store.faults.redirects:
        return _content(attachment)
    token = secrets.token_urlsafe(24)
    request.store.file_tokens[token] = attachment
    request.store.faults.strike("redirect")
    return Answer(303, headers={"Location": f"{request.media}/file/{attachment.id}/binary?token={quote(token)}"})


def _content(attachment: Attachment) -> Answer:
    named = f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}"
    headers = {"Content-Disposition": named, "Accept-Ranges": "bytes"}
    return Answer(200, file=attachment.content, content_type=attachment.mime, headers=headers)


def _spoilt(request: Request) -> Answer | None:
    faults = request.store.faults
    token = request.headers.get("authorization", "").startswith("Bearer")
    if faults.attachment_login or (faults.token_refused_for_files and token):
        faults.strike("attachment login")
        return Answer(302, headers={"Location": f"{request.base}/login.jsp?permissionViolation=true"})
    if faults.attachment_html:
        faults.strike("attachment html")
        return Answer(200, text="<html><body>Sign in</body></html>", content_type="text/html;charset=UTF-8")
    return None


@route("GET", "/login.jsp")
def login(request: Request) -> Answer:
    return Answer(200, text="<html><head><title>Log in - Jira</title></head></html>", content_type="text/html;charset=UTF-8")
