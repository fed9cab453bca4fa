"""The simulated Jira's HTTP: connections that are kept, bodies that stream, and faults on the way."""

from __future__ import annotations

import gzip
import secrets
import selectors
import shutil
import socket
import sys
import traceback
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from tests.support.jira.auth import Gate
from tests.support.jira.faults import Fault, Kind
from tests.support.jira.multipart import Body, read_parts
from tests.support.jira.records import Refusal, User
from tests.support.jira.router import Answer, Part, Request, dispatch, refused
from tests.support.jira.store import Store
from tests.support.jira.strange import strange

LOGIN = (
    "<!DOCTYPE html><html><head><title>Log in - Jira</title></head>"
    '<body><form id="login-form" action="/login.jsp"><input name="os_username"></form></body></html>'
)
ASKING = ("search", "search/jql", "bulkfetch", "list", "match", "approximate-count", "check")  # POSTs that only read
KEPT = 50_000  # requests, the latest
SMALL = 2000  # bytes; what is longer is compressed where the client takes that


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came, as it came, with the status it was answered with (0: lost)."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    status: int


class Server(ThreadingHTTPServer):
    """One listening socket; `talk` makes the answer."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 64
    timeout = 0  # a client that has gone again is not waited for

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, Connection)
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self.stopping = Event()
        self._bell, self._rung = socket.socketpair()  # ends the waiting, at once
        self._thread = Thread(target=self._serve, name="simulated Jira")

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end every connection, wait for their threads."""
        self.stopping.set()
        self._bell.close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with_nobody(connection)
        self.server_close()
        self._rung.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiting:
            for one in (self, self._rung):
                waiting.register(one, selectors.EVENT_READ)
            while not self.stopping.is_set():
                if any(key.fileobj is self for key, _ in waiting.select()):
                    self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is the simulator's own fault and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def talk(self, connection: Connection) -> None:
        raise NotImplementedError


def with_nobody(connection: socket.socket) -> None:
    """End a connection, whether or not the other side has."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it had ended
        return


class Connection(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's word)
        """Requests are kept by the site, not printed."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.server.talk(self)
        self.wfile.flush()

    def send(self, answer: Answer, fault: Fault | None = None) -> None:
        """Send an answer, spoilt where a fault says so."""
        body = answer.bytes() if answer.file is None else b""
        size = answer.file.stat().st_size if answer.file is not None else len(body)
        headers = {"Content-Type": answer.content_type} if size else {}
        if fault is not None and fault.kind is Kind.HUGE:
            body += b" " * fault.size
        packed = answer.file is None and len(body) > SMALL and "gzip" in self.headers.get("Accept-Encoding", "")
        if packed:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        size = size if answer.file is not None else len(body)
        self.send_response(answer.status)
        for name, value in {**headers, **answer.headers, "Content-Length": str(size)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = size // 2 if fault is not None and fault.kind is Kind.TRUNCATE else None
        if answer.file is not None:
            with answer.file.open("rb") as file:
                shutil.copyfileobj(cast(BinaryIO, file if cut is None else _Head(file, cut)), self.wfile)
        else:
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, whatever was sent."""
        self.wfile.flush()
        self.close_connection = True
        with_nobody(self.connection)


class _Head:
    """The first bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        got = self._file.read(min(size, self._left))
        self._left -= len(got)
        return got


class JiraServer(Server):
    """The host that is Jira."""

    def __init__(self, store: Store, *, context: str, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address)
        self.store, self.context = store, context
        self.gate = Gate(store)
        self.media = ""  # the other host's URL
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self.crashes: list[str] = []
        self._session = secrets.token_hex(16)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.context}"

    def talk(self, connection: Connection) -> None:
        """Read one request, answer it, and keep what it was."""
        method, target = connection.command, connection.path
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in connection.headers.items()}
        body, pieces, malformed = b"", [], None
        stream = Body(cast(BinaryIO, connection.rfile), connection.headers)
        kind = headers.get("content-type", "")
        try:
            if kind.startswith("multipart/"):
                pieces = read_parts(stream, kind, self.store.spool)
            else:
                body = stream.all()
        except Refusal as refusal:
            malformed = refused(refusal)
            connection.close_connection = True
        fault = self.store.faults.due(method, target)
        answer = malformed or (self._instead(fault, headers) if fault else None)
        if fault is not None and fault.kind is Kind.LOSE_REQUEST:
            self._keep(Seen(method, parts.path, query, headers, body, 0))
            connection.hang_up()
            return
        if fault is not None and fault.action is not None:
            fault.action()
        if answer is None:
            answer = self._answer(method, parts.path, query, headers, body, pieces)
        lost = fault is not None and fault.kind is Kind.LOSE_ANSWER
        self._keep(Seen(method, parts.path, query, headers, body, 0 if lost else answer.status))
        if fault is not None and fault.kind is Kind.SLOW:
            self.stopping.wait(fault.seconds)
        if lost:
            connection.hang_up()
        else:
            connection.send(answer, fault)

    def _keep(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    @staticmethod
    def _instead(fault: Fault, headers: dict[str, str]) -> Answer | None:
        """The answer that a fault gives instead of Jira's."""
        if fault.kind is Kind.STATUS:
            wait = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            text = fault.body or f"<html><body><h1>Error {fault.status}</h1></body></html>"
            kind = "application/json" if text.startswith("{") else "text/html;charset=UTF-8"
            return Answer(fault.status, text=text, headers=wait, content_type=kind)
        if fault.kind is Kind.LOGIN_PAGE:
            return Answer(200, text=LOGIN, content_type="text/html;charset=UTF-8")
        if fault.kind is Kind.ECHO:
            return Answer(500, {"errorMessages": [f"{name}: {value}" for name, value in headers.items()], "errors": {}})
        return None

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, list[str]],
        headers: dict[str, str],
        body: bytes,
        pieces: list[Part],
    ) -> Answer:
        if not path.startswith(self.context + "/"):
            return Answer(404, text="<html><body>Not here</body></html>", content_type="text/html;charset=UTF-8")
        path = path.removeprefix(self.context)
        if path in {"/oauth/token", "/rest/oauth2/latest/token"} and method == "POST":
            return self.gate.give_token(headers, body)
        user = self.gate.enter(headers, method, path)
        if isinstance(user, Answer):
            return user
        answer = self._refusal(method, path, headers) or self._dispatched(
            Request(
                method=method,
                path=path,
                query=query,
                headers=headers,
                store=self.store,
                user=user,
                base="https://jira.example.com" if self.store.faults.foreign_urls else self.url,
                media=self.media,
                body=body,
                parts=pieces,
            )
        )
        return self._dressed(answer, user)

    def _dispatched(self, request: Request) -> Answer:
        """The simulator's own faults are an answer too, and are told when the site stops."""
        try:
            return dispatch(request)
        except Exception:  # noqa: BLE001 (whatever it is, it is kept)
            with self._lock:
                self.crashes.append(f"{request.method} {request.path}\n{traceback.format_exc()}")
            return Answer(500, {"errorMessages": ["Internal server error"], "errors": {}})

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> Answer | None:
        """What is refused before anybody looks at what is asked."""
        writes = method != "GET" and not path.endswith(tuple(f"/{name}" for name in ASKING))
        if writes and (self.store.faults.read_only or self.store.readonly) and not path.endswith("/readonly-mode"):
            self.store.faults.strike("read only")
            return Answer(
                503, {"errorMessages": ["This site is in read-only mode. Changes are not possible now."], "errors": {}}
            )
        unchecked = headers.get("x-atlassian-token", "").lower() not in {"no-check", "nocheck"}
        forged = headers.get("user-agent", "").startswith("Mozilla") or path.endswith("/attachments")
        if writes and unchecked and forged:
            return Answer(403, text="XSRF check failed", content_type="text/html;charset=UTF-8")
        return None

    def _dressed(self, answer: Answer, user: User) -> Answer:
        if self.store.faults.strange:
            answer.body = strange(answer.body)
        if self.store.flavour.dc:
            answer.headers.setdefault("X-AUSERNAME", user.name or "anonymous")
            answer.headers.setdefault("Set-Cookie", f"JSESSIONID={self._session}; Path=/; HttpOnly")
        elif user.account:
            answer.headers.setdefault("X-AACCOUNTID", user.account)
        return answer
