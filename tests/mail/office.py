"""A mail server of the tests' own, as real as it gets: aiosmtpd, on a port of this machine, with TLS and passwords."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from filesync.mail.settings import MailSettings, Security, Topic

HERE = "127.0.0.1"
USER, PASSWORD = "filesync", "Ke1n-Gru5z-an-niemanden"


@dataclass
class Office:
    """What the server took, and what it refuses."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    full: bool = False
    hangs_up: bool = False  # when it has a letter, without a word

    async def handle_RCPT(  # noqa: N802, aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuses:
            return "550 no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802, aiosmtpd's name
        if self.full:
            return "452 no room"
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        if self.hangs_up:
            server.transport.close()
        return "250 taken"

    def settings(self, **other: Any) -> MailSettings:
        """How to reach it, where it wants neither TLS nor a password."""
        given: dict[str, Any] = {
            "server": HERE,
            "port": self.port,
            "security": Security.NONE,
            "user": None,
            "password_file": None,
            "ca_file": None,
            "sender": "filesync@acme.example",
            "to": ("anna@acme.example",),
            "topics": frozenset(Topic),
            "silence": dt.timedelta(days=2),
            "values": False,
        }
        return MailSettings(**(given | other))

    def texts(self) -> list[str]:
        """What the letters say, oldest first."""
        return [letter.get_content().replace("\r\n", "\n") for letter in self.letters]

    def subjects(self) -> list[str]:
        return [letter["Subject"].removeprefix("[filesync globex] ") for letter in self.letters]


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HERE, 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def office(*, security: Security = Security.NONE, password: bool = False) -> Iterator[Office]:
    made = Office(free_port())
    options: dict[str, Any] = {}
    if security is not Security.NONE:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate())
        options |= {"ssl_context": context} if security is Security.TLS else {"tls_context": context, "require_starttls": True}
    if password:
        options |= {"authenticator": _knows, "auth_required": True, "auth_require_tls": security is Security.STARTTLS}
    controller = Controller(made, hostname=HERE, port=made.port, **options)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


def _knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@cache
def certificate() -> Path:
    """The server's certificate, which signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of the tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HERE))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = Path(mkdtemp(prefix="filesync-mail-")) / "server.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return file


def password_file(folder: Path, password: str = PASSWORD) -> Path:
    file = folder / "mail-password"
    file.write_text(f"{password}\n")
    file.chmod(0o600)
    return file
