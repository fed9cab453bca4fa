"""The only place that talks to Jira. Bounds, retries, pace and redaction are here, and nowhere else.

What only reads is tried again until `patience` is over; a write only where it is known not to have been done (no connection,
429), or where doing it twice is doing it once. What Jira did not give us, as us, is no answer: a log-in page, a proxy's words,
or a 404 for an account that it does not know never look like data, or like something that is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote as percent

import msgspec

from filesync.bundle.verdict import shown
from filesync.errors import Unavailable
from filesync.trackers.jira.rest.access import Access, Token, secret_of
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.multipart import Multipart
from filesync.trackers.jira.rest.oauth import OAuthAccess
from filesync.trackers.jira.rest.pace import CLOUD_WRITES, Limiter, Turns, Waiting
from filesync.trackers.jira.rest.rate import coming, going
from filesync.trackers.jira.rest.refusals import AGAIN, Asked, Trouble
from filesync.trackers.jira.rest.session import Call, Session
from filesync.trackers.jira.rest.wire import Broken, Request, Wire
from filesync.trackers.jira.settings import JiraSettings

__all__ = ["Http", "Unknown", "Waiting"]

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0  # seconds between two tries; the first one doubles
_REAL: Final = Waiting()
_JSON: Final = {"Accept": "application/json"}
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Http:
    """One Jira, asked by any number of threads. Paths are relative to its address, and built from ids alone.

    Answers are decoded JSON, with fractions as Decimal; None where the answer is empty. Raised are `Unavailable`; `Unknown`
    where a write may have been done or not; `Gone` on 404, where the caller gave the words for it (`gone`); `Rejected` (400,
    403, 404, 409, 413, 422 …), with what Jira says of each field.
    """

    def __init__(self, settings: JiraSettings, session: Session, *, cloud: bool, waiting: Waiting) -> None:
        self.name = session.who  # "Jira at jira.example.org"
        self.cloud = cloud  # as the settings say
        self._base = settings.url
        self._patience = float(settings.patience)
        self._session = session
        self._waiting = waiting
        self._limiter = Limiter(per_second=settings.requests_per_second, waiting=waiting)
        self._turns = Turns(pause=settings.write_pause, limits=CLOUD_WRITES if cloud else (), waiting=waiting)

    @classmethod
    def open(cls, settings: JiraSettings, *, cloud: bool, waiting: Waiting = _REAL) -> Self:
        """Make ready to ask; nobody is asked yet but for OAuth's token. Raises ConfigError, KeyProblem, Unavailable."""
        wire = Wire(settings, waiting=waiting)
        access: Access
        if settings.oauth is not None:
            access = OAuthAccess(settings.oauth, wire=wire, waiting=waiting)
        else:
            access = Token(secret_of(settings), user=settings.user)
        try:
            access.header()
        except BaseException:
            wire.close()
            raise
        session = Session(settings.url, access=access, wire=wire, waiting=waiting)
        return cls(settings, session, cloud=cloud, waiting=waiting)

    def close(self) -> None:
        """Let go of all connections."""
        self._session.close()

    @property
    def requests(self) -> Counter[str]:
        """How often what was asked, by method and path with `{}` for ids; every try counts."""
        return self._session.requests

    def elapsed(self) -> float:
        """Seconds since some moment, by a clock that nobody sets."""
        return self._waiting.now()

    @staticmethod
    def quote(text: str) -> str:
        """Any text as one segment of a path."""
        return percent(text, safe="", errors="replace") if text.strip(".") else "_"

    def get(self, path: str, *, params: Mapping[str, str] | None = None, gone: str = "") -> Any:
        """What is there. Raises Unavailable, Rejected, Gone."""
        call = self._call("GET", path, params=params, gone=gone, reads=True)
        return self._patiently(call, lambda: self._session.read(call))

    def ask(self, path: str, *, body: object, params: Mapping[str, str] | None = None) -> Any:
        """A POST that only reads: a search. Raises Unavailable, Rejected."""
        call = self._call("POST", path, params=params, body=body, reads=True)
        return self._patiently(call, lambda: self._session.read(call))

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
        about: str = "",
        gone: str = "",
        idempotent: bool = False,
    ) -> Any:
        """A write. `about` is the id of the issue it changes; `idempotent`: doing it twice is doing it once.

        Raises Unavailable, Unknown, Rejected, Gone.
        """
        call = replace(self._call(method, path, params=params, body=body, gone=gone), idempotent=idempotent)
        with self._turns.turn(about):
            return self._patiently(call, lambda: self._session.read(call))

    def upload(
        self, path: str, *, name: str, size: int, content: Callable[[], Iterator[bytes]], about: str, gone: str = ""
    ) -> Any:
        """Attach a file of `size` bytes, streamed. Raises as `send`, and what reading the content raises."""
        form = Multipart(name, size)
        plain = self._call("POST", path, gone=gone)
        headers = {**plain.request.headers, **form.headers, "X-Atlassian-Token": "no-check"}
        request = replace(plain.request, headers=headers, slow=True)
        call = replace(plain, request=request, content=lambda: going(form.body(content()), self._waiting.now))
        with self._turns.turn(about):
            return self._patiently(call, lambda: self._session.read(call))

    def download(self, path: str, *, size: int, gone: str = "") -> Iterator[bytes]:
        """The bytes of a file that has `size` of them, in pieces. Raises Unavailable, Rejected, Gone, at any step."""
        plain = self._call("GET", path, gone=gone, reads=True)
        call = replace(plain, asked=replace(plain.asked, a_file=True))
        left = size
        with ExitStack() as stack:
            pieces = self._patiently(call, lambda: self._session.open_file(call, size=size, stack=stack))
            try:
                for piece in coming(pieces, self._waiting.now):
                    left -= len(piece)
                    if left < 0:
                        break
                    yield piece
            except Broken as error:
                raise self._session.cut_off(call.asked, error).error from error
        if left:
            count = "more" if left < 0 else "fewer"
            raise Unavailable(f"{self.name} sent {count} bytes for {call.asked.what} than the {size} it said", hint=AGAIN)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        gone: str = "",
        reads: bool = False,
    ) -> Call:
        sent = None if body is None else _encoder.encode(body)
        return Call(
            request=Request(
                method=method,
                url=f"{self._base}/{path}",
                params=params,
                headers=_JSON if sent is None else {**_JSON, "Content-Type": "application/json"},
            ),
            content=None if sent is None else lambda: sent,
            asked=Asked(who=self.name, what=f"{method} {shown(path)}", base=self._base, reads=reads, gone=gone),
            idempotent=reads,
        )

    def _patiently(self, call: Call, attempt: Callable[[], T]) -> T:
        """What the first try brings that goes through. Raises the last one's error where there is no patience for more."""
        until = self._waiting.now() + self._patience
        tries = 0
        while True:
            tries += 1
            asked_to_wait = self._limiter.take(within=until - self._waiting.now())
            if asked_to_wait > 0:
                words = f"{self.name} asked us to wait, for another {asked_to_wait:.0f} s"
                raise Unavailable(words, hint=AGAIN, retry_after=asked_to_wait)
            try:
                return attempt()
            except Trouble as trouble:
                wait = self._pause(trouble, tries)
                over = tries >= trouble.most or self._waiting.now() + wait > until
                if over or not trouble.again or (trouble.done and not call.idempotent):
                    raise trouble.error from trouble.__cause__
                self._waiting.sleep(wait)

    def _pause(self, trouble: Trouble, tries: int) -> float:
        """The seconds until the next try: what Jira said is the least, and nobody comes at the same moment as others."""
        backoff = min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT)
        wait = max(trouble.wait if trouble.wait is not None else backoff, _FIRST_WAIT)
        if trouble.all_wait:
            self._limiter.hold(wait)
        return wait * (1 + self._waiting.chance() / 4)
