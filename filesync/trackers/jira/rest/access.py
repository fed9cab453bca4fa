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
from filesync.errors import KeyProblem
from filesync.secret import Whose, one_line
from filesync.secret import read_secret as read_one_line
from filesync.trackers.jira.settings import JiraSettings

_WHOSE: Final = Whose(what="the tracker's secret", setting="tracker.settings", anew="make a new one in Jira")
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
    """The one line of a file that nobody else may read. Raises KeyProblem."""
    return read_one_line(path, _WHOSE, private=private)


def _from_environment(variable: str) -> str:
    value = os.environb.get(variable.encode())
    if value is None:
        raise KeyProblem(f"the environment has no {shown(variable)}", hint="Set it for the account that filesync runs as.")
    return one_line(value, f"the environment's {shown(variable)}")


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
    return one_line(secret.encode(), "the keyring's entry")
