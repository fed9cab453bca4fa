"""Letters on their way to a real server, and servers that are none: each is named, in little time, and nothing secret is said."""

from __future__ import annotations

import base64
import datetime as dt
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.errors import ExitCode, KeyProblem, MailFails, MailInDoubt
from filesync.mail import server
from filesync.mail.letter import trial, write_letter
from filesync.mail.server import deliver
from filesync.mail.settings import MailSettings, Security
from tests.mail.office import HERE, PASSWORD, USER, Office, certificate, free_port, office, password_file

AT = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def send(settings: MailSettings) -> object:
    return deliver(settings, trial(settings, site="acme", at=AT, ident="0f"))


def fails(settings: MailSettings) -> str:
    with pytest.raises(MailFails) as caught:
        send(settings)
    assert type(caught.value) is MailFails
    assert caught.value.exit_code is ExitCode.CONFIG
    assert caught.value.hint.startswith("Nothing else is affected. ")
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"
    return str(caught.value).removeprefix(f"the mail server {settings.server}:{settings.port} ")


def guarded(folder: Path) -> dict[str, Any]:
    """Settings for a server that wants STARTTLS and a password."""
    return {
        "security": Security.STARTTLS,
        "ca_file": certificate(),
        "user": USER,
        "password_file": password_file(folder),
    }


@contextmanager
def scripted(talk: Callable[[socket.socket], None]) -> Iterator[Office]:
    """A server that does as it likes with the one who calls."""
    with socket.create_server((HERE, 0)) as listening:

        def serve() -> None:
            caller, _ = listening.accept()
            with caller:
                talk(caller)

        thread = Thread(target=serve)
        thread.start()
        yield Office(listening.getsockname()[1])
        thread.join()


def test_a_letter_comes_through_starttls_with_a_password(tmp_path: Path) -> None:
    with office(security=Security.STARTTLS, password=True) as made:
        assert send(made.settings(**guarded(tmp_path))) == {}
    (letter,) = made.letters
    assert (letter["Subject"], letter["To"]) == ("[filesync acme] a trial of the mail", "anna@acme.example")
    assert letter["From"] == "filesync acme <filesync@acme.example>"
    assert (letter["Message-ID"], letter["Auto-Submitted"]) == ("<0f@acme.example>", "auto-generated")
    assert letter["Date"].datetime == AT
    assert "Nothing does for this letter." in made.texts()[0]


def test_a_letter_comes_through_tls_from_the_start() -> None:
    with office(security=Security.TLS) as made:
        assert send(made.settings(security=Security.TLS, ca_file=certificate())) == {}
    assert len(made.letters) == 1


def test_without_a_letter_all_is_tried_that_comes_before_it() -> None:
    with office() as made:
        made.refuses = {"otto@acme.example"}
        refused = deliver(made.settings(to=("anna@acme.example", "otto@acme.example")), None)
    assert refused == {"otto@acme.example": "550 no such person here"}
    assert not made.letters


def test_an_address_that_is_refused_keeps_the_letter_from_no_other() -> None:
    with office() as made:
        made.refuses = {"otto@acme.example"}
        settings = made.settings(to=("anna@acme.example", "otto@acme.example"))
        assert send(settings) == {"otto@acme.example": "550 no such person here"}
        assert len(made.letters) == 1
        made.refuses = set(settings.to)
        assert fails(settings).startswith("takes no mail for anna@acme.example (550 no such person here); otto@")
        made.refuses, made.full = set(), True
        assert fails(settings) == "does not take the letter (452 no room)"
        made.full, made.hangs_up = False, True
        with pytest.raises(MailInDoubt, match="hung up"):
            send(settings)


def test_what_is_wrong_with_the_password_is_said_and_the_password_is_not(tmp_path: Path) -> None:
    given = guarded(tmp_path)
    file = password_file(tmp_path, "wrong-" + PASSWORD)
    with office(security=Security.STARTTLS, password=True) as made:
        settings = made.settings(**given)
        assert fails(settings).startswith("does not take the user and password that `mail` names (535 ")
        file.write_text("Gruß\n")
        assert fails(settings) == "takes user and password in ASCII alone, and ours are not"
        file.chmod(0o640)
        with pytest.raises(KeyProblem, match=r"others may read the secret in .* its mode is 0640") as caught:
            send(settings)
    assert "change it at the mail server" in caught.value.hint
    assert not made.letters


def test_a_server_that_repeats_the_password_has_it_not_in_our_words(tmp_path: Path) -> None:
    def parrot(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        caller.recv(1000)
        caller.sendall(b"250-here\r\n250 AUTH PLAIN\r\n")
        told = caller.recv(1000).strip()
        both = base64.b64decode(told.rpartition(b" ")[2])
        assert PASSWORD.encode() in both
        caller.sendall(b"535 what is \x1b[31m " + told + b" or " + PASSWORD.encode() + b"?\r\n")
        caller.recv(1000)

    with scripted(parrot) as made:
        found = fails(made.settings(user=USER, password_file=password_file(tmp_path)))
    assert found.endswith(r"(535 what is \x1b[31m AUTH PLAIN *** or ***?)")


def test_a_server_that_asks_for_what_is_no_question_is_named(tmp_path: Path) -> None:
    def riddle(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        caller.recv(1000)
        caller.sendall(b"250-here\r\n250 AUTH CRAM-MD5\r\n")
        caller.recv(1000)
        caller.sendall(b"334 abc\r\n")
        caller.recv(1000)

    with scripted(riddle) as made:
        assert fails(made.settings(user=USER, password_file=password_file(tmp_path))) == "does not speak SMTP as we do"


@pytest.mark.parametrize(("holds", "why"), [(None, "No such file or directory"), ("none", "NO_CERTIFICATE_OR_CRL_FOUND")])
def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path, holds: str | None, why: str) -> None:
    file = tmp_path / "ca.pem"
    if holds is not None:
        file.write_text(holds)
    with pytest.raises(MailFails) as caught:
        send(Office(free_port()).settings(security=Security.TLS, ca_file=file))
    assert str(caught.value) == f"mail.ca_file {str(file)!r} cannot be used: {why}"


def test_a_certificate_that_nobody_trusts_ends_it_before_the_password_is_shown(tmp_path: Path) -> None:
    given = guarded(tmp_path) | {"ca_file": None}
    with office(security=Security.STARTTLS, password=True) as made:
        assert fails(made.settings(**given)).startswith("shows a certificate that is not trusted: ")
    with office() as made:
        assert fails(made.settings(**given)) == "offers no STARTTLS"
        assert fails(made.settings(**given | {"security": Security.TLS})).startswith("does not speak TLS as we do: ")


def silent(caller: socket.socket) -> None:
    caller.recv(1)


def test_a_server_that_is_down_or_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fails(Office(free_port()).settings()) == "cannot be used: Connection refused"
    assert fails(Office(1).settings(server="no-such-machine.invalid")) == "has no address that is known here"
    monkeypatch.setattr(server, "_ANSWER", 0.05)
    with scripted(silent) as made:
        assert fails(made.settings()) == "did not answer within 0 s"


def test_a_server_that_looks_at_a_letter_for_long_has_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def careful(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        with caller.makefile("rb") as told:
            for line in told:
                if line == b".\r\n":
                    sleep(0.8)  # longer than for any other answer
                if line[:4].lower() == b"data":
                    caller.sendall(b"354 go on\r\n")
                elif line == b".\r\n" or line[:4].lower() in {b"ehlo", b"mail", b"rcpt"}:
                    caller.sendall(b"250 yes\r\n")

    monkeypatch.setattr(server, "_ANSWER", 0.5)
    with scripted(careful) as made:
        assert send(made.settings()) == {}


def test_a_server_that_talks_without_end_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def chatter(caller: socket.socket) -> None:
        caller.settimeout(10)
        with suppress(BrokenPipeError, ConnectionResetError):
            while True:  # 10 s without room for more would be no hanging up
                caller.sendall(b"220-here\r\n")

    monkeypatch.setattr(server, "_ALL", 0.05)
    with scripted(chatter) as made:
        assert fails(made.settings()).startswith("was not done with it within")
        server._left[HERE, made.port].join()


def test_a_server_that_is_still_waited_for_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = Event()

    def slow(*_: object, **__: object) -> object:
        looked_up.wait()
        raise socket.gaierror

    monkeypatch.setattr(server, "_ALL", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    settings = Office(free_port()).settings(server="mail.example")
    assert fails(settings).startswith("was not done with it within")
    assert fails(settings) == "still does not answer to what was asked before"
    looked_up.set()
    server._left[settings.server, settings.port].join()


@given(text=st.text(), site=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True))
def test_nothing_in_a_subject_makes_a_header(text: str, site: str) -> None:
    settings = Office(25).settings()
    letter = write_letter(settings, site=site, subject=text, lines=["one line"], at=AT, ident="0f")
    head, _, body = letter.as_bytes().partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == [
        b"Auto-Submitted", b"Content-Transfer-Encoding", b"Content-Type", b"Date", b"From", b"MIME-Version", b"Message-ID", b"Subject", b"To",
    ]  # fmt: skip
    assert body == b"one line\r\n"
