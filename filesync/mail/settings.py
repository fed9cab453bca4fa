"""`mail` in a configuration: through which server, to whom, and of what. The secret in it is a path, not a password."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from filesync.settings import At, duration

PASSWORD: Final = "password_file"  # noqa: S105, the name of a setting
_DAY: Final = dt.timedelta(days=1)


class Security(StrEnum):
    """How the way to the server is guarded: TLS from the start, TLS once both have greeted, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Topic(StrEnum):
    """What a letter may be about."""

    CONFLICTS = "conflicts"  # edits that met
    TROUBLE = "trouble"  # what else needs a person
    SILENCE = "silence"  # a partner of whom nothing comes


_PORTS: Final[Mapping[Security, int]] = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`mail`, with its defaults. `values`: whether letters show the values of edits that met."""

    server: str
    port: int
    security: Security
    user: str | None
    password_file: Path | None
    ca_file: Path | None
    sender: str
    to: tuple[str, ...]
    topics: frozenset[Topic]
    silence: dt.timedelta
    values: bool


def read_settings(given: Mapping[str, Any], *, path: Callable[[str, str], Path], report_every: dt.timedelta) -> MailSettings:
    """What fits the schema, as values. `path` resolves what a setting of this name holds."""
    security = Security(given.get("security", Security.STARTTLS))
    files = {name: path(name, given[name]) if name in given else None for name in (PASSWORD, "ca_file")}
    return MailSettings(
        server=given["server"],
        port=given.get("port", _PORTS[security]),
        security=security,
        user=given.get("user"),
        password_file=files[PASSWORD],
        ca_file=files["ca_file"],
        sender=given["from"],
        to=tuple(given["to"]),
        topics=frozenset(map(Topic, given.get("what", Topic))),
        silence=duration(given["silence"]) if "silence" in given else max(2 * report_every, _DAY),
        values=given.get("values", False),
    )


def problems(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    """What is wrong with `mail` and the schema cannot see, each with its place under it."""
    one, other = ("user", PASSWORD) if "user" in given else (PASSWORD, "user")
    if one in given and other not in given:
        yield (one,), f"{one} without {other}: either both, or none where the server asks for none"
    if given.get("security") == Security.NONE and "user" in given and not _is_here(given["server"]):
        risk = "whoever is on the way could read our password"
        yield ("security",), f"mail.security is none: {risk}. It must be starttls or tls, but for this machine's own"


def _is_here(server: str) -> bool:
    return server in {"localhost", "::1"} or re.fullmatch(r"127(\.[0-9]{1,3}){3}", server) is not None
