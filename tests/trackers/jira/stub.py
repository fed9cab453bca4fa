"""A server that answers as it is told, over real sockets: what no Jira would do on purpose, and what those between do.

What Jira itself does is the simulator's matter.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer. `lost`: the request was read, and the connection is closed without a word."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


def said(value: object, *, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON. Names of headers are given with underscores."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"} | names)


def page(title: str, *, status: int = 200, **headers: str) -> Reply:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    body = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>words</body></html>".encode()
    return Reply(status=status, body=body, headers={"Content-Type": "text/html;charset=UTF-8"} | names)


US = said({"name": "filesync", "active": True})
NOT_US = said({"errorMessages": ["Client must be authenticated to access this resource."]}, status=401)


class _Server(ThreadingHTTPServer):
    """Says nothing where the other side hangs up, as it does on purpose."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class Stub:
    """The server. `play` says the next answers; the last one stays. `myself` is answered by `us`."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.us = US
        self.swallow: Callable[[int], None] | None = None  # is told how long the pieces of a body were, which is not kept
        self.answer: Callable[[Seen], Reply] = self._played
        self._next: deque[Reply] = deque([said({})])
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                stub._handle(self)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def play(self, *replies: Reply) -> None:
        with self._lock:
            self._next = deque(replies)

    @property
    def asked(self) -> list[str]:
        """The requests as lines, who we are left out."""
        return [f"{one.method} {one.path}" for one in self.seen if not one.path.endswith("/myself")]

    def _played(self, seen: Seen) -> Reply:
        if seen.path.endswith("/rest/api/2/myself"):
            return self.us
        with self._lock:
            return self._next.popleft() if len(self._next) > 1 else self._next[0]

    def _body(self, handler: BaseHTTPRequestHandler) -> bytes:
        left = int(handler.headers.get("Content-Length") or 0)
        if self.swallow is None:
            return handler.rfile.read(left)
        while left and (piece := handler.rfile.read(min(left, 1 << 16))):
            self.swallow(len(piece))
            left -= len(piece)
        return b""

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = self._body(handler)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        seen = Seen(method=handler.command, path=handler.path, headers=headers, body=body)
        with self._lock:
            self.seen.append(seen)
        reply = self.answer(seen)
        if reply.lost:
            handler.close_connection = True
            return
        handler.send_response_only(reply.status)
        pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
        if isinstance(reply.body, bytes):
            handler.close_connection |= "Content-Length" in reply.headers  # which may promise more than there is
            handler.send_header("Content-Length", reply.headers.get("Content-Length", str(len(reply.body))))
        else:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        for name, value in reply.headers.items():
            if name != "Content-Length":
                handler.send_header(name, value)
        handler.end_headers()
        with suppress(ConnectionError):  # on purpose, or because the other side has seen enough
            for piece in pieces:
                handler.wfile.write(piece)


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.at = 1_000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.at += seconds
