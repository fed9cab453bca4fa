"""Who we are to Jira: a password or token with a user (basic), a token alone (bearer), or OAuth 2.0.

A secret is read when it is needed and again when it is refused, so one that was exchanged works without a restart. It comes
from a file that is ours alone, from the environment, from systemd's credentials or from a keyring: never from a command
line, where every process of the machine could read it.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote_plus

from filesync.bundle.verdict import shown
from filesync.errors import KeyProblem, disk_problem
from filesync.trackers.jira.settings import JiraSettings

_LONGEST: Final = 16_384  # bytes of a secret
_OPEN_TO_OTHERS: Final = 0o077
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")  # what can stand in a header
_HIDDEN: Final = "***"


class Access(Protocol):
    """What stands in the `Authorization` header. Calls come from several threads."""

    def header(self) -> str:
        """The header's value. Raises KeyProblem, Unavailable."""
        ...

    def renewed(self, refused: str) -> str | None:
        """After Jira refused this value: another one, where there is one by now. Raises KeyProblem, Unavailable."""
        ...

    def hide(self, text: str) -> str:
        """The text without the secrets that were used."""
        ...


class Token:
    """A password or token that stays the same until a person exchanges it."""

    def __init__(self, read: Callable[[], str], *, user: str | None) -> None:
        self._read = read
        self._user = user
        self._last: tuple[str, str] | None = None  # the secret and its header

    def header(self) -> str:
        """See Access."""
        return (self._last or self._fresh())[1]

    def renewed(self, refused: str) -> str | None:
        """See Access."""
        header = self._fresh()[1]
        return header if header != refused else None

    def hide(self, text: str) -> str:
        """See Access."""
        secret, header = self._last or ("", "")
        return hidden(text, secret, header.partition(" ")[2])

    def _fresh(self) -> tuple[str, str]:
        secret = self._read()
        if self._user is not None:
            encoded = base64.b64encode(f"{self._user}:{secret}".encode()).decode()
            self._last = (secret, f"Basic {encoded}")
        elif _TOKEN.fullmatch(secret):
            self._last = (secret, f"Bearer {secret}")
        else:
            raise KeyProblem(
                "the token holds blanks or letters that no token has",
                hint="Copy it again. If it is a password, set tracker.settings.user.",
            )
        return self._last


def hidden(text: str, *secrets: str) -> str:
    """The text without these secrets, as they are and as a form or JSON spells them."""
    for secret in filter(None, secrets):
        for spelt in (secret, quote_plus(secret), json.dumps(secret)[1:-1]):
            text = text.replace(spelt, _HIDDEN)
    return text


def secret_of(settings: JiraSettings) -> Callable[[], str]:
    """What reads the secret, from the one place that the settings name (`read_settings` saw to that)."""
    if settings.token_file is not None:
        file = settings.token_file
        return lambda: read_secret(file)
    if settings.token_env is not None:
        variable = settings.token_env
        return lambda: _from_environment(variable)
    if settings.token_credential is not None:
        name = settings.token_credential
        return lambda: _from_systemd(name)
    service, user = settings.token_keyring or "", settings.user or "filesync"
    return lambda: _from_keyring(service, user)


def read_secret(path: Path, *, private: bool = True) -> str:
    """The one line of a file that nobody else may read. Raises KeyProblem: missing, unreadable, open to others, no secret."""
    where = repr(str(path))
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_LONGEST + 1)
    except FileNotFoundError:
        hint = "Check the path under `tracker.settings`, or write the secret into that file, mode 0600."
        raise KeyProblem(f"there is no file {where} to read the tracker's secret from", hint=hint) from None
    except OSError as error:
        problem = disk_problem(error, path, doing="read")
        raise KeyProblem(str(problem), hint=problem.hint) from error
    if private and mode & _OPEN_TO_OTHERS:
        raise KeyProblem(
            f"others may read the secret in {where}: its mode is {mode & 0o777:04o}",
            hint=f"Run: chmod 600 {shlex.quote(str(path))}. If others had access to it, make a new one in Jira.",
        )
    return _one_line(raw, f"the file {where}")


def _one_line(raw: bytes, where: str) -> str:
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        raise KeyProblem(f"{where} holds no text") from None
    if not text or len(raw) > _LONGEST or any(not letter.isprintable() for letter in text):
        raise KeyProblem(f"{where} must hold one line, the secret, and nothing else")
    return text


def _from_environment(variable: str) -> str:
    value = os.environb.get(variable.encode())
    if value is None:
        raise KeyProblem(f"the environment has no {shown(variable)}", hint="Set it for the account that filesync runs as.")
    return _one_line(value, f"the environment's {shown(variable)}")


def _from_systemd(name: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise KeyProblem(
            f"there are no systemd credentials here to read {shown(name)} from",
            hint=f"Write LoadCredential={name}:PATH into the unit, and start filesync by it.",
        )
    # systemd guards that folder itself, by access lists that a file's mode does not tell.
    return read_secret(Path(folder) / name, private=False)


def _from_keyring(service: str, user: str) -> str:
    """Ask the desktop's keyring, by a library that only those have who want this."""
    try:
        keyring: Any = importlib.import_module("keyring")
    except ImportError:
        raise KeyProblem("the library `keyring` is not installed", hint="Install it: pip install 'filesync[keyring]'") from None
    try:
        secret: str | None = keyring.get_password(service, user)
    except Exception as error:  # its back ends raise what they like
        raise KeyProblem(
            f"no keyring can be asked here: {shown(str(error), limit=200)}",
            hint="A service has none: use token_file or token_credential.",
        ) from error
    if secret is None:
        raise KeyProblem(
            f"the keyring has no secret of {shown(user)} for {shown(service)}",
            hint=f"Run: keyring set {shlex.quote(service)} {shlex.quote(user)}",
        )
    return _one_line(secret.encode(), "the keyring's entry")
