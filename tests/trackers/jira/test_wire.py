"""The connection: TLS and its failures, proxies, bounds in size and time, and nothing that tells a secret."""

from __future__ import annotations

import base64
import gzip
import logging
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from urllib.request import Request as Plain
from urllib.request import urlopen

import pytest

from filesync.errors import ConfigError, FilesyncError, KeyProblem, Unavailable
from filesync.trackers.jira.rest.answers import Answer
from filesync.trackers.jira.rest.http import Http, Unknown
from filesync.trackers.jira.rest.wire import Request
from tests.trackers.jira.certificates import Authority
from tests.trackers.jira.conftest import TOKEN
from tests.trackers.jira.stub import Clock, Reply, Stub, page, said

Make = Callable[..., Http]


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def sealed(authority: Authority) -> Iterator[Stub]:
    """A server whose certificate our own authority signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("server"))
    with Stub(tls=context) as server:
        yield server


@pytest.fixture
def choosy(authority: Authority) -> Iterator[Stub]:
    """A server that wants to see a certificate of ours."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(authority.issue("choosy"))
    context.verify_mode = ssl.CERT_REQUIRED
    with Stub(tls=context) as server:
        yield server


def test_an_authority_of_our_own_is_trusted_where_it_is_named(jira: Make, sealed: Stub, authority: Authority) -> None:
    sealed.play(said([1]))
    assert jira(url=sealed.url, ca_file=str(authority.file)).get("rest/api/2/field") == [1]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(jira: Make, sealed: Stub) -> None:
    with pytest.raises(Unavailable, match="its certificate is not trusted: ") as caught:
        jira(url=sealed.url).send("POST", "rest/api/2/issue", body={})
    assert "ca_file" in caught.value.hint
    assert not isinstance(caught.value, Unknown)
    assert sealed.seen == []


def test_a_client_certificate_is_shown(jira: Make, choosy: Stub, authority: Authority) -> None:
    ours = authority.issue("ours")
    choosy.play(said([1]))
    http = jira(url=choosy.url, ca_file=str(authority.file), client_certificate=str(ours))
    assert http.get("rest/api/2/field") == [1]


def test_a_server_that_wants_a_client_certificate_says_so(jira: Make, choosy: Stub, authority: Authority) -> None:
    with pytest.raises(Unavailable, match="wants a client certificate"):
        jira(url=choosy.url, ca_file=str(authority.file), patience="0s").get("rest/api/2/field")


def test_our_certificate_is_shown_to_jira_alone(jira: Make, sealed: Stub, choosy: Stub, authority: Authority) -> None:
    sealed.play(Reply(status=303, headers={"Location": f"{choosy.url}/file"}))
    http = jira(url=sealed.url, ca_file=str(authority.file), client_certificate=str(authority.issue("ours")), patience="0s")
    with pytest.raises(Unavailable):
        list(http.download("secure/attachment/1/a", size=1))
    assert choosy.seen == []


def test_certificates_that_cannot_be_used_are_told_at_once(jira: Make, authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    ours = authority.issue("open")
    ours.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        jira(ca_file="ca.pem", client_certificate=str(ours))
    assert [one.where for one in caught.value.problems] == ["tracker.settings.ca_file", "tracker.settings.client_key"]
    with pytest.raises(ConfigError, match="client_certificate"):
        jira(client_certificate="none.pem")


def test_a_key_that_is_encrypted_is_refused_and_not_asked_about(jira: Make, authority: Authority) -> None:
    with pytest.raises(ConfigError, match=r"tracker\.settings\.client_certificate") as caught:
        jira(client_certificate=str(authority.issue("locked", password=b"secret")))
    assert "must not be encrypted" in caught.value.hint


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Proxy:
    """A small forward and CONNECT proxy. It lets through who shows `password`, where there is one."""

    def __init__(self, password: str = "") -> None:
        self.asked: list[str] = []
        proxy = self
        wanted = "Basic " + base64.b64encode(f"anna:{password}".encode()).decode() if password else None

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                if self._let_in():
                    host, _, port = self.path.partition(":")
                    with socket.create_connection((host, int(port))) as there:
                        self.send_response(200)
                        self.end_headers()
                        _join(self.connection, there)

            def do_GET(self) -> None:
                if self._let_in():
                    headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
                    with urlopen(Plain(self.path, headers=headers)) as answer:
                        self.send_response(answer.status)
                        self.send_header("Content-Type", answer.headers["Content-Type"])
                        self.end_headers()
                        self.wfile.write(answer.read())

            def _let_in(self) -> bool:
                proxy.asked.append(f"{self.command} {self.path}")
                if wanted in {None, self.headers.get("Proxy-Authorization")}:
                    return True
                self.send_response(407)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Hand on what either says until one ends."""
    while True:
        for side in select.select([one, other], [], [])[0]:
            data = side.recv(1 << 16)
            if not data:
                return
            (other if side is one else one).sendall(data)


def test_a_proxy_is_gone_through(jira: Make, stub: Stub) -> None:
    stub.play(said([1]))
    with Proxy() as proxy:
        assert jira(proxy=proxy.url).get("rest/api/2/field") == [1]
        assert proxy.asked == [f"GET {stub.url}/rest/api/2/field"]


def test_a_proxy_hands_on_what_it_cannot_read(jira: Make, sealed: Stub, authority: Authority) -> None:
    sealed.play(said([1]))
    with Proxy() as proxy:
        http = jira(url=sealed.url, ca_file=str(authority.file), proxy=proxy.url)
        assert http.get("rest/api/2/field") == [1]
        http.close()
        assert proxy.asked == [f"CONNECT {urlsplit(sealed.url).netloc}"]


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_a_proxy_is_shown_who_we_are_and_jira_is_not(
    jira: Make, stub: Stub, sealed: Stub, authority: Authority, tmp_path: Path, *, secure: bool
) -> None:
    jira_itself = sealed if secure else stub
    jira_itself.play(said([1]))
    password = tmp_path / "proxy"
    password.touch(mode=0o600)
    password.write_text("wrong\n")
    with Proxy("let me in") as proxy:
        given = {"url": jira_itself.url, "ca_file": str(authority.file), "proxy": proxy.url, "patience": "0s"}
        given |= {"proxy_user": "anna", "proxy_password_file": "proxy"}
        with pytest.raises(Unavailable, match="proxy") as caught:
            jira(**given).get("rest/api/2/field")
        assert "proxy_password_file" in caught.value.hint
        password.write_text("let me in\n")
        http = jira(**given)
        assert http.get("rest/api/2/field") == [1]
        http.close()
    assert all("proxy-authorization" not in one.headers for one in jira_itself.seen)


def test_nobody_is_gone_through_that_the_settings_do_not_name(
    jira: Make, stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.play(said([1]))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login root password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert jira().get("rest/api/2/field") == [1]
    assert stub.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_has_a_bound(jira: Make, stub: Stub) -> None:
    http = jira(max_answer_bytes="1 MiB")
    stub.play(Reply(body=b" " * (1 << 20)))
    assert http.get("rest/api/2/field") is None
    stub.play(Reply(body=b" " * ((1 << 20) + 1)))
    with pytest.raises(Unavailable, match=r"an answer is larger than 1\.0 MB") as caught:
        http.get("rest/api/2/field")
    assert "max_answer_bytes" in caught.value.hint
    assert len(stub.asked) == 2, "the next one would be as large"
    with pytest.raises(Unknown):
        http.send("POST", "rest/api/2/issue", body={})


def test_a_packed_answer_is_unpacked(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=gzip.compress(b"[1, 2]"), headers={"Content-Encoding": "gzip"}))
    assert jira().get("rest/api/2/field") == [1, 2]
    stub.play(Reply(status=204, headers={"Content-Encoding": "gzip"}))
    assert jira().get("rest/api/2/field") is None


def test_a_few_packed_bytes_cannot_fill_the_memory(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=gzip.compress(bytes(256 << 20)), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Unavailable, match="is larger than"):
        jira(max_answer_bytes="1 MiB").get("rest/api/2/field")


@pytest.mark.parametrize(
    ("body", "coding"), [(gzip.compress(b"[1]")[:-9], "gzip"), (b"[1]", "gzip"), (b"[1]", "br")], ids=["cut", "plain", "other"]
)
def test_an_answer_that_is_packed_wrongly_is_none(jira: Make, stub: Stub, body: bytes, coding: str) -> None:
    stub.play(Reply(body=body, headers={"Content-Encoding": coding}))
    with pytest.raises(Unavailable, match=r"cut short|packed wrongly|packed as br"):
        jira(patience="0s").get("rest/api/2/field")


def test_json_of_endless_depth_is_none(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b"[" * 1_000_000))
    with pytest.raises(Unavailable, match="with no JSON"):
        jira().get("rest/api/2/field")


def test_an_answer_that_does_not_come_is_not_waited_for(jira: Make, stub: Stub) -> None:
    released = threading.Event()

    def late() -> Iterator[bytes]:
        yield b" "
        released.wait(30)

    stub.play(Reply(body=late()))
    try:
        with pytest.raises(Unavailable, match="no answer in time"):
            jira(timeout="1s", patience="0s").get("rest/api/2/field")
    finally:
        released.set()


def test_an_answer_that_drips_comes_to_an_end(jira: Make, stub: Stub, passing: Clock) -> None:
    released = threading.Event()

    def dripping() -> Iterator[bytes]:
        while not released.wait(0.01):
            passing.at += 60
            yield b" "

    stub.play(Reply(body=dripping()))
    try:
        with pytest.raises(Unavailable, match="an answer did not end within 300 s"):
            jira(patience="0s").get("rest/api/2/field")
    finally:
        released.set()


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_message_and_no_log_line_holds_a_secret(
    jira: Make, stub: Stub, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A careless proxy shows a request's headers in its error page, and a file's address is signed."""
    basic = base64.b64encode(f"anna:{TOKEN}".encode()).decode()
    caplog.set_level(logging.DEBUG)
    told = []
    for given in ({}, {"user": "anna"}):
        http = jira(patience="0s", **given)
        for body in (TOKEN, basic):
            for status in (400, 403, 404, 500, 503, 200):
                echo = f"you sent {body}"
                for reply in (
                    Reply(status=status, body=echo.encode()),
                    page(echo, status=status),
                    said({"errors": {"a": echo}}, status=status),
                ):
                    stub.play(reply)
                    try:
                        told.append(str(http.send("PUT", "rest/api/2/issue/1", body={}) and ""))
                    except FilesyncError as error:
                        told += [str(error), error.hint, repr(error), *getattr(error, "fields", {}).values()]
        stub.play(Reply(status=303, headers={"Location": f"{stub.url}/file?token=signed-{TOKEN}"}))
        with pytest.raises(Unavailable):
            list(http.download("secure/attachment/1/a", size=1))
        told.append(repr(http))
    told.append(repr(Request(method="GET", url=f"https://a/?{TOKEN}", headers={"a": TOKEN}, content=TOKEN.encode())))
    told.append(repr(Answer(200, {"a": TOKEN}, TOKEN.encode())))
    told += [record.getMessage() for record in caplog.records]
    assert len(told) > 100
    assert [one for one in told if TOKEN in one or basic in one] == []
    assert not any("Cookie" in record.getMessage() for record in caplog.records)


def test_a_password_of_the_proxy_that_cannot_be_read_is_told(jira: Make, tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="there is no file"):
        jira(proxy="http://127.0.0.1:9", proxy_user="anna", proxy_password_file="none")
