"""Requests, answers, and which function takes which request."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from tests.support.jira.flavours import Flavour
from tests.support.jira.records import Issue, Json, Project, Refusal, User
from tests.support.jira.store import Store
from tests.support.jira.views import View, number


class Only(StrEnum):
    """Which Jira has a resource."""

    BOTH = "both"
    DC = "dc"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body, its content in a file."""

    name: str
    filename: str | None
    content: Path


@dataclass(slots=True)
class Request:
    """What came, and from whom."""

    method: str
    path: str  # without context path and query
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]  # names in lower case
    store: Store
    user: User
    base: str
    media: str  # the other host, where Cloud keeps files
    body: bytes = b""
    parts: list[Part] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)

    @property
    def view(self) -> View:
        return View(self.store, self.user, self.base, "3" if "/api/3/" in self.path else "2")

    def json(self) -> Json:
        """The body. Raises Refusal where it is none, or of a type that Jira does not take."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise Refusal(415, "Unsupported Media Type")
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, f"Unexpected character in the request body: {error}") from None

    def bean(self, *known: str) -> Json:
        """An object with none but these keys: Jira's beans take no others."""
        body = self.json()
        unknown = sorted(set(body) - set(known)) if isinstance(body, dict) else ["(not an object)"]
        if unknown:
            raise Refusal(400, f'Unrecognized field "{unknown[0]}", not marked as ignorable')
        return body

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def many(self, name: str) -> str:
        """A list, as repeated parameters or with commas."""
        return ",".join(self.query.get(name, []))

    def flag(self, name: str) -> bool:
        return self.one(name).lower() == "true"

    def window(self, default: int, largest: int) -> tuple[int, int]:
        """startAt and maxResults."""
        start, size = number(self.one("startAt"), 0), number(self.one("maxResults"), default)
        return max(0, start), min(size if size > 0 else default, largest)

    def issue(self) -> Issue:
        """The issue in the path, or 404."""
        return self.store.find(self.params["issue"], self.user)

    def project(self) -> Project:
        """The project in the path, or 404."""
        wanted = self.params["project"]
        project = self.store.project(wanted)
        hidden = self.store.faults.project_hidden
        if project is None or hidden or not self.store.can(self.user, "BROWSE_PROJECTS", project):
            raise Refusal(404, f"No project could be found with key '{wanted}'.")
        return project


@dataclass(slots=True)
class Answer:
    """What goes back. `file` is streamed; `body` None is an empty answer."""

    status: int = 200
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    text: str | None = None  # instead of JSON
    content_type: str = "application/json;charset=UTF-8"

    def bytes(self) -> bytes:
        if self.text is not None:
            return self.text.encode()
        return b"" if self.body is None else DOUBLE.sub(r"\1", json.dumps(self.body, ensure_ascii=False)).encode()


DOUBLE = re.compile(r'"\\u0000([-0-9.E]+)"')  # how a number that Java writes is marked, as JSON shows the mark


Handler: TypeAlias = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    segments: tuple[str, ...]
    handler: Handler
    only: Only
    since: tuple[int, ...]

    def open_to(self, flavour: Flavour) -> bool:
        if self.only is Only.CLOUD:
            return flavour.cloud
        return flavour.cloud if flavour.cloud and self.only is Only.BOTH else flavour.since(*self.since)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """What stands at its names in as many segments, or None."""
        params: dict[str, str] = {}
        for wanted, segment in zip(self.segments, segments, strict=True):
            if wanted.startswith("{"):
                params[wanted[1:-1]] = unquote(segment)
            elif wanted != segment:
                return None
        return params


ROUTES: list[Route] = []


def route(method: str, path: str, *, only: Only = Only.BOTH, since: tuple[int, ...] = (0,)) -> Callable[[Handler], Handler]:
    """Register a handler. `path` is under /rest/api/VERSION/ unless it begins with a slash. `since`: of Data Center."""

    def register(handler: Handler) -> Handler:
        segments = path.strip("/").split("/") if path.startswith("/") else ["rest", "api", "{api}", *path.split("/")]
        ROUTES.append(Route(method, tuple(segments), handler, only, since))
        ROUTES.sort(key=lambda one: sum(segment.startswith("{") for segment in one.segments))
        return handler

    return register


@functools.cache
def _routes(flavour: Flavour, length: int) -> list[Route]:
    """Asked only when all are registered."""
    return [one for one in ROUTES if len(one.segments) == length and one.open_to(flavour)]


def dispatch(request: Request) -> Answer:
    """Find the handler and let it answer."""
    segments = request.path.strip("/").split("/")
    if segments[:2] == ["rest", "api"] and segments[2:3] not in (
        ["2"],
        ["3" if request.store.flavour.cloud else "latest"],
        ["latest"],
    ):
        return _nothing(request)
    methods = set()
    for one in _routes(request.store.flavour, len(segments)):
        params = one.match(segments)
        if params is None:
            continue
        methods.add(one.method)
        if one.method == request.method:
            request.params = params
            return _carry_out(one.handler, request)
    if methods:
        return Answer(405, {"errorMessages": ["Method Not Allowed"]}, {"Allow": ",".join(sorted(methods))})
    return _nothing(request)


def _carry_out(handler: Handler, request: Request) -> Answer:
    try:
        with request.store.lock:
            return handler(request)
    except Refusal as refusal:
        return refused(refusal)


def refused(refusal: Refusal) -> Answer:
    """An error as both Jiras show it."""
    return Answer(refusal.status, {"errorMessages": refusal.messages, "errors": refusal.errors})


def _nothing(request: Request) -> Answer:
    if request.store.flavour.cloud:
        return Answer(404, {"errorMessages": ["Not Found"], "errors": {}})
    return Answer(404, {"message": f"null for uri: {request.path}", "status-code": 404})
