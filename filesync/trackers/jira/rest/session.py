"""One try of a call, as us: the answer's data, or a `Trouble` that says what is wrong. Nothing is tried twice here.

The exception is a 401, which is asked once more where the secret was exchanged meanwhile.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from filesync.bundle.verdict import shown
from filesync.errors import KeyProblem, Unavailable
from filesync.trackers.jira.rest.access import Access
from filesync.trackers.jira.rest.answers import Answer, Garbled, anonymous, data, is_login, is_page, names_us, said
from filesync.trackers.jira.rest.pace import Waiting
from filesync.trackers.jira.rest.refusals import AGAIN, Asked, Trouble, abroad, broken, garbled, not_known, refusal, unknown
from filesync.trackers.jira.rest.wire import Broken, Request, Wire

_MYSELF: Final = "rest/api/2/myself"
_SURE: Final = 30.0  # seconds for which Jira is believed to know us, once it said so
_HOPS: Final = 5  # redirects of one download
_ID: Final = re.compile(r"[0-9]|[^A-Za-z0-9._-]|^[A-Z_]+$")  # what tells an id, key or name in a path from Jira's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as its caller wants it."""

    request: Request  # with neither content nor credentials
    content: Callable[[], bytes | Iterable[bytes]] | None = None  # made anew for each try
    asked: Asked
    idempotent: bool  # doing it twice is doing it once


class Session:
    """Asks Jira as us, and believes only what it says to us."""

    def __init__(self, base: str, *, access: Access, wire: Wire, waiting: Waiting) -> None:
        self.who = f"Jira at {shown(urlsplit(base).netloc)}"
        self.requests: Counter[str] = Counter()  # by method and path, ids left out
        self._base = base
        self._access = access
        self._wire = wire
        self._waiting = waiting
        self._lock = threading.Lock()
        self._sure_until = waiting.now()
        self._named = False  # Jira's answers name us: one that does not is not to us

    def close(self) -> None:
        """Let go of all connections."""
        self._wire.close()

    def read(self, call: Call) -> Any:
        """The data of the answer. Raises Trouble, and what reading the content raises."""
        answer, _ = self._as_us(lambda authorization: self._exchange(call, authorization))
        if not answer.good or is_page(answer):
            raise self._believed(refusal(call.asked, answer))
        if anonymous(answer) or (self._named and not names_us(answer)):
            self._make_sure_after(call)
        self._named = self._named or names_us(answer)
        try:
            return data(answer)
        except Garbled as error:
            raise garbled(call.asked, f"{error}: {said(self._hidden(answer))}") from error

    def open_file(self, call: Call, *, size: int, stack: ExitStack) -> Iterator[bytes]:
        """The bytes of a file, from where Jira says that they are; `stack` closes the connection. Raises Trouble.

        Whoever we are sent to hears neither who we are nor what cookies we have, unless that is Jira itself.
        """
        url = call.request.url
        for _ in range(_HOPS + 1):
            away = _origin(url) != _origin(self._base)
            with ExitStack() as here:
                answer, pieces = self._head(call, url, away=away, stack=here)
                if answer.elsewhere and (target := self._target(url, answer)):
                    url = target
                    continue
                if not answer.good:
                    answer = replace(answer, body=_beginning(pieces))
                    raise abroad(call.asked, answer) if away else self._believed(refusal(call.asked, self._hidden(answer)))
                if is_page(answer) and "content-disposition" not in answer.headers:
                    raise refusal(call.asked, replace(answer, body=_beginning(pieces)))
                self._fits(call.asked, answer, size)
                stack.push(here.pop_all())
                return pieces
        raise Trouble(Unavailable(f"{self.who} sends {call.asked.what} from one address to the next, more than {_HOPS} times"))

    def cut_off(self, asked: Asked, error: Broken) -> Trouble:
        """What it means that no whole answer came."""
        return broken(asked, self._access.hide(str(error)), sent=error.sent, again=error.again, hint=error.hint)

    def _head(self, call: Call, url: str, *, away: bool, stack: ExitStack) -> tuple[Answer, Iterator[bytes]]:
        """The head of an answer and its bytes to come."""
        found: list[tuple[Answer, Iterator[bytes]]] = []

        def ask(headers: dict[str, str]) -> Answer:
            request = replace(call.request, url=url, headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers})
            self._count(request)
            try:
                found.append(stack.enter_context(self._wire.stream(request, abroad=away)))
            except Broken as error:
                raise self.cut_off(call.asked, error) from error
            return found[-1][0]

        if away:
            ask({})
        else:
            self._as_us(lambda authorization: ask({"Authorization": authorization}))
        return found[-1]

    def _fits(self, asked: Asked, answer: Answer, size: int) -> None:
        """Raises Trouble where the answer says that it has another size."""
        length = answer.headers.get("content-length", str(size))
        if length != str(size) and "content-encoding" not in answer.headers:
            raise Trouble(Unavailable(f"{self.who} has {shown(length)} bytes for {asked.what} and said {size}", hint=AGAIN))

    def _target(self, url: str, answer: Answer) -> str | None:
        """Where a download goes on; None where that is no place to go to: a log-in page, or a way that others can read."""
        try:
            target = urljoin(url, answer.headers.get("location", ""))
            parts = urlsplit(target)
            schemes = {"https", urlsplit(self._base).scheme}
            fit = parts.scheme in schemes and parts.hostname and parts.port != 0 and parts.username is None
        except ValueError:
            return None
        return target if fit and not is_login(answer) else None

    def _exchange(self, call: Call, authorization: str) -> Answer:
        self._count(call.request)
        content = call.content() if call.content is not None else None
        headers = {**call.request.headers, "Authorization": authorization}
        try:
            answer = self._wire.exchange(replace(call.request, headers=headers, content=content))
        except Broken as error:
            raise self.cut_off(call.asked, error) from error
        return answer if answer.good else self._hidden(answer)

    def _as_us(self, ask: Callable[[str], Answer]) -> tuple[Answer, bool]:
        """Ask with our credentials; after a 401 once more, with those that are there by then (True). Raises Trouble."""
        other = None
        try:
            authorization = self._access.header()
            answer = ask(authorization)
            if answer.status == 401 and (other := self._access.renewed(authorization)):  # noqa: PLR2004 - Unauthorized
                self._wire.forget()
                answer = ask(other)
        except KeyProblem as error:  # for those who ask, the tracker is not available
            raise Trouble(Unavailable(str(error), hint=error.hint)) from error
        return answer, other is not None

    def _hidden(self, answer: Answer) -> Answer:
        """An answer whose words will be shown: some servers repeat what they were sent."""
        return replace(answer, body=self._access.hide(answer.text).encode())

    def _believed(self, trouble: Trouble) -> Trouble:
        """A refusal that stands: where a stranger would have met it as well, Jira was asked whether it knows us."""
        if trouble.doubt:
            self._make_sure()
        return trouble

    def _make_sure_after(self, call: Call) -> None:
        """The same after an answer that says that it was done: of a write nobody knows then by whom, if by anybody."""
        try:
            self._make_sure()
        except Trouble as trouble:
            if call.asked.reads:
                raise
            raise Trouble(unknown(call.asked, str(trouble)), done=True, again=trouble.again) from trouble

    def _make_sure(self) -> None:
        """Raises Trouble unless Jira says who we are."""
        if self._waiting.now() < self._sure_until:
            return
        request = Request(method="GET", url=f"{self._base}/{_MYSELF}", headers={"Accept": "application/json"})
        asked = Asked(who=self.who, what=f"GET {_MYSELF}", base=self._base, reads=True)
        call = Call(request=request, asked=asked, idempotent=True)
        answer, renewed = self._as_us(lambda authorization: self._exchange(call, authorization))
        if answer.status in {401, 403, 404}:
            raise Trouble(not_known(self.who, answer))
        if not answer.good or is_page(answer):
            raise refusal(call.asked, answer)
        if renewed:  # Jira knows us by the new secret; what it said to the old one is void
            raise Trouble(not_known(self.who, answer), again=True)
        self._sure_until = self._waiting.now() + _SURE

    def _count(self, request: Request) -> None:
        url = request.url if request.url.startswith(f"{self._base}/") else f"{self._base}/ELSEWHERE"
        words = url.removeprefix(f"{self._base}/").split("/")
        path = "/".join([*words[:3], *("{}" if _ID.search(one) else one for one in words[3:])])
        with self._lock:
            self.requests[f"{request.method} {path}"] += 1


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """As much of a refusal as is looked into for words."""
    body = b""
    try:
        for piece in pieces:
            body += piece
            if len(body) >= 1 << 16:
                break
    except Broken:
        return body  # the refusal stands, whatever else it would have said
    return body


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Who answers there: credentials go to no other."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
