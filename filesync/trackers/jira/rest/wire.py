"""The connection to Jira: bytes out, bytes in, bounded in time and size. It knows HTTP and TLS, and nothing of Jira."""

from __future__ import annotations

import logging
import os
import shlex
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import httpx2

from filesync import __version__
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem, disk_problem, size_text
from filesync.trackers.jira.rest.access import read_secret
from filesync.trackers.jira.rest.answers import Answer
from filesync.trackers.jira.rest.pace import Waiting
from filesync.trackers.jira.settings import JiraSettings

CONNECT: Final = 10.0  # seconds at most until a connection stands
WHOLE: Final = 5  # times `timeout`: what a whole answer may take, and the wait for what becomes of an upload
_CONNECTIONS: Final = 100  # more than threads ever ask
_KEPT: Final = 15.0  # seconds that an idle connection is kept: servers close theirs after 20 and more
_OPEN_TO_OTHERS: Final = 0o077
# The connection never stood, or there was none to be had. Whatever else breaks may break after Jira had it all.
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_PIECE: Final = 1 << 16  # bytes
_GZIP: Final = 16 + zlib.MAX_WBITS

# They would tell every address, signed ones too, and the cookies that servers set.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Broken(Exception):
    """No whole answer came. `sent`: the request may have arrived. The text says what happened, fit to be shown."""

    def __init__(self, what: str, *, sent: bool, hint: str = "", again: bool = True) -> None:
        super().__init__(what)
        self.sent = sent
        self.hint = hint
        self.again = again  # whether trying again may help


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `content` is bytes or a stream of as many bytes as its Content-Length says."""

    method: str
    url: str = field(repr=False)  # that of a file may be signed
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | Iterable[bytes] | None = field(default=None, repr=False)
    slow: bool = False  # the answer may take as long as a whole one


class Wire:
    """Two clients: one for Jira, and one that shows nobody who we are, for the hosts it sends us to."""

    def __init__(self, settings: JiraSettings, *, waiting: Waiting) -> None:
        self._timeout = float(settings.timeout)
        self._most = int(settings.max_answer_bytes)
        self._waiting = waiting
        proxy = _proxy(settings)
        nothing_kept = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        tls = _tls(settings, known=True)
        # Reading whom a machine trusts takes longer than a request: twice only where we have something to hide.
        plain = tls if settings.client_certificate is None else _tls(settings, known=False)
        self._home = _client(tls, proxy=proxy, timeout=self._timeout)
        self._abroad = _client(plain, proxy=proxy, timeout=self._timeout, cookies=nothing_kept)

    def close(self) -> None:
        """Let go of all connections."""
        self._home.close()
        self._abroad.close()

    def forget(self) -> None:
        """Drop the cookies: a session that was logged out."""
        self._home.cookies.clear()

    def exchange(self, request: Request, *, abroad: bool = False) -> Answer:
        """Send it and read the whole answer. Raises Broken, and what a stream of `content` raises."""
        with self.stream(request, abroad=abroad) as (answer, pieces):
            return Answer(answer.status, answer.headers, b"".join(self._whole(pieces)))

    @contextmanager
    def stream(self, request: Request, *, abroad: bool = False) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Send it; the answer's head (its body empty), and its body in pieces. Raises Broken, at any step."""
        client = self._abroad if abroad else self._home
        try:
            built = client.build_request(
                request.method,
                request.url,
                params=request.params,
                headers={"Accept-Encoding": "gzip", **request.headers},
                content=request.content,
                timeout=_timeouts(self._timeout * (WHOLE if request.slow else 1), write=self._timeout),
            )
            response = client.send(built, stream=True)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise _broken(error) from error
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            yield Answer(response.status_code, headers, b""), _unpacked(response)
        finally:
            response.close()

    def _whole(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer that is held in memory, up to the most that may be, in the time that there is."""
        until = self._waiting.now() + self._timeout * WHOLE
        left = self._most
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                what = f"an answer is larger than {size_text(self._most)}"
                raise Broken(
                    what, sent=True, again=False, hint="Raise tracker.settings.max_answer_bytes if that is no mistake."
                )
            if self._waiting.now() > until:
                raise Broken(f"an answer did not end within {self._timeout * WHOLE:.0f} s", sent=True)
            yield piece


def _unpacked(response: httpx2.Response) -> Iterator[bytes]:
    """The body in pieces of bounded size: a few packed bytes may stand for a thousand times as many."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip", ""}:
        raise Broken(f"an answer is packed as {shown(coding)}, which was not asked for", sent=True, again=False)
    unpacker = zlib.decompressobj(_GZIP) if "gzip" in coding else None
    begun = False
    try:
        for raw in response.iter_raw():
            if unpacker is None:
                yield raw
                continue
            begun, rest = True, raw
            while rest:
                yield unpacker.decompress(rest, _PIECE)
                rest = unpacker.unconsumed_tail
        if unpacker is not None and begun:
            yield unpacker.flush()
            if not unpacker.eof:
                raise Broken("an answer was cut short", sent=True)
    except httpx2.TransportError as error:
        raise _broken(error) from error
    except zlib.error as error:
        raise Broken("an answer is packed wrongly", sent=True) from error


def _broken(error: httpx2.TransportError | httpx2.InvalidURL) -> Broken:
    """What httpx2 says, in our words. Only a request whose connection never stood is known not to have arrived."""
    why = shown(str(error), limit=200)
    cause = _tls_failure(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "If it was signed by an authority of your own, name that in tracker.settings.ca_file."
        return Broken(f"its certificate is not trusted: {shown(cause.verify_message)}", sent=False, hint=hint, again=False)
    if cause is not None and "CERTIFICATE_REQUIRED" in str(cause).upper().replace(" ", "_"):
        hint = "Set tracker.settings.client_certificate and client_key."
        return Broken("it wants a client certificate", sent=False, hint=hint, again=False)
    if isinstance(error, httpx2.ProxyError):
        hint = "Look at tracker.settings.proxy, proxy_user and proxy_password_file."
        return Broken(f"the proxy does not connect us: {why}", sent=False, hint=hint)
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return Broken(f"no address: {why}", sent=False, again=False)
    sent = not isinstance(error, _NOT_SENT)
    if isinstance(error, httpx2.TimeoutException):
        return Broken("no answer in time" if sent else f"no connection within {CONNECT:.0f} s", sent=sent)
    return Broken(f"the connection broke: {why or type(error).__name__}" if sent else f"no connection: {why}", sent=sent)


def _tls_failure(error: BaseException) -> ssl.SSLError | None:
    """The TLS failure that this error stands for, if one does."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _client(
    tls: ssl.SSLContext, *, proxy: httpx2.Proxy | None, timeout: float, cookies: CookieJar | None = None
) -> httpx2.Client:
    return httpx2.Client(
        verify=tls,
        proxy=proxy,
        cookies=cookies,
        timeout=_timeouts(timeout, write=timeout),
        limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_KEPT),
        headers={"User-Agent": f"filesync/{__version__}"},
        trust_env=False,  # neither .netrc nor a proxy that nobody wrote into the settings
    )


def _timeouts(read: float, *, write: float) -> httpx2.Timeout:
    return httpx2.Timeout(connect=min(CONNECT, write), read=read, write=write, pool=write)


def _proxy(settings: JiraSettings) -> httpx2.Proxy | None:
    """Raises KeyProblem."""
    if settings.proxy is None:
        return None
    if settings.proxy_user is None or settings.proxy_password_file is None:
        return httpx2.Proxy(settings.proxy)
    return httpx2.Proxy(settings.proxy, auth=(settings.proxy_user, read_secret(settings.proxy_password_file)))


def _tls(settings: JiraSettings, *, known: bool) -> ssl.SSLContext:
    """Whom we trust and, for Jira itself (`known`), our own certificate. Raises ConfigError."""
    context = httpx2.create_ssl_context(trust_env=False)
    wrong = []
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except OSError as error:
            wrong.append(_unusable("ca_file", settings.ca_file, error))
    if known and settings.client_certificate is not None:
        key = settings.client_key or settings.client_certificate
        try:
            if key.stat().st_mode & _OPEN_TO_OTHERS:
                what = f"others may use the private key {str(key)!r}: run chmod 600 {shlex.quote(str(key))}"
                wrong.append(Problem("tracker.settings.client_key", what))
            # An encrypted key would be asked about on a terminal that nobody sits at.
            context.load_cert_chain(settings.client_certificate, settings.client_key, password=lambda: b"")
        except OSError as error:
            wrong.append(_unusable("client_certificate", settings.client_certificate, error))
    if wrong:
        raise ConfigError(wrong, hint="PEM is what is taken; a private key must not be encrypted.")
    return context


def _unusable(setting: str, path: Path, error: OSError) -> Problem:
    """A file that OpenSSL does not take."""
    where = os.fspath(path)
    why = (
        f"holds nothing that can be used: {where!r}"
        if isinstance(error, ssl.SSLError)
        else str(disk_problem(error, path, doing="read"))
    )
    return Problem(f"tracker.settings.{setting}", why)
