"""What an answer of Jira's says. Pure: status, headers and bytes in, data or words for a person out.

Errors of Jira are `{"errorMessages": [text], "errors": {field: text}}`, of its bulk calls `{"errors": [{"message": text}]}`,
of gateways and proxies whatever they like. All of it is data: escaped and cut before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from filesync.bundle.verdict import shown
from filesync.errors import Unavailable

_SAID: Final = 300  # characters of Jira's words in one message
_FIELD: Final = 200  # characters of what it says of one field
_MOST_FIELDS: Final = 50
_LONGEST_WAIT: Final = 24 * 3600.0  # seconds; who asks for more is taken for this much
_PAGE: Final = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LOGIN_PAGE: Final = re.compile(r"log-?\s?in|sign-?\s?in|single sign|os_username", re.IGNORECASE)
_LOGIN_PATH: Final = re.compile(r"/(log-?in|sign-?in|sso|saml2?)(\.(jsp|action|html?|aspx|php|do))?(/|$)", re.IGNORECASE)
_READ_ONLY: Final = re.compile(r"read-?\s?only mode|in read-?\s?only", re.IGNORECASE)
_WHO: Final = ("x-ausername", "x-aaccountid")  # Data Center, Cloud
# Numbers keep their digits: 0.1 is no binary fraction.
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)


class Unknown(Unavailable):
    """A write left us and no answer came that says what became of it: done or not, nobody here knows.

    `failed`: Jira, or what stands before it, answered that something went wrong there.
    """

    def __init__(self, message: str, *, hint: str = "", failed: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # cookies are among them
    body: bytes = field(repr=False)  # may be a token

    @property
    def good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's classes of statuses

    @property
    def text(self) -> str:
        """The beginning of its body: what is looked into for words."""
        return self.body[:65536].decode("utf-8", "replace")

    @property
    def elsewhere(self) -> bool:
        """Whether it sends us to another address."""
        return self.status in {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Said:
    """Why something is refused: in general, and by field. Fit to be shown."""

    general: str
    fields: Mapping[str, str]

    def __str__(self) -> str:
        by_field = (f"{name}: {why}" for name, why in self.fields.items())
        return shown("; ".join([*([self.general] if self.general else []), *by_field]), limit=_SAID) or "it says nothing more"


class Garbled(ValueError):
    """An answer that is no JSON; the text says what it is instead."""


def data(answer: Answer) -> Any:
    """The JSON of an answer; None where it is empty. Fractions are Decimals. Raises Garbled."""
    if not answer.body.strip():
        return None
    try:
        return _decoder.decode(answer.body)
    except RecursionError:
        raise Garbled("JSON of endless depth") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Garbled(shown(answer.headers.get("content-type", "no type given"), limit=_FIELD)) from None


def is_page(answer: Answer) -> bool:
    """Whether it is a page for people: what gateways, proxies and log-in forms answer, also with status 200."""
    return answer.headers.get("content-type", "").lower().startswith("text/html") or _PAGE.match(answer.body[:2048]) is not None


def is_login(answer: Answer) -> bool:
    """Whether it asks a person to log in, or leads there. A file may well be called login: its address is not looked at."""
    path = re.split(r"[?#]", answer.headers.get("location", ""))[0]
    return _LOGIN_PATH.search(path) is not None or (is_page(answer) and _LOGIN_PAGE.search(answer.text) is not None)


def is_read_only(answer: Answer) -> bool:
    """Whether Jira was put into its read-only mode."""
    return _READ_ONLY.search(answer.text) is not None


def locked_out(answer: Answer) -> bool:
    """Whether Jira wants this account to solve a CAPTCHA before it looks at the password again."""
    return "captcha" in answer.headers.get("x-authentication-denied-reason", "").lower()


def names_us(answer: Answer) -> bool:
    """Whether a header of it names a user, as Jira's answers do to those it knows."""
    return any(answer.headers.get(name, "anonymous").lower() not in {"anonymous", ""} for name in _WHO)


def anonymous(answer: Answer) -> bool:
    """Whether it says that Jira did not know us: it may then show what anybody may see."""
    reason = answer.headers.get("x-seraph-loginreason", "OK").upper()
    return answer.headers.get("x-ausername", "").lower() == "anonymous" or "OK" not in reason


def wait_of(answer: Answer) -> float | None:
    """The seconds that `Retry-After` asks for, given as such or as a date; None where there is none that can be read."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return min(float(text), _LONGEST_WAIT)
    try:
        # Against the server's own clock: ours need not be right.
        wait = (parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT)


def said(answer: Answer) -> Said:
    """Jira's own words."""
    if is_page(answer):
        title = _TITLE.search(answer.text)
        return Said(f'a page called "{_line(title[1])}"' if title else "a page for people", {})
    try:
        value = data(answer)
    except Garbled:
        return Said(_line(answer.body[: 4 * _SAID].decode("utf-8", "replace")), {})
    if not isinstance(value, dict):
        return Said("" if value is None else _line(str(value)[: 4 * _SAID]), {})
    errors = value.get("errors")
    general = list(_general(value))
    fields: dict[str, str] = {}
    if isinstance(errors, dict):
        for name, why in list(errors.items())[:_MOST_FIELDS]:
            fields[shown(str(name))] = _line(str(why)[: 4 * _FIELD], limit=_FIELD)
    return Said(shown("; ".join(general), limit=_SAID), fields)


def _general(value: Mapping[str, Any]) -> Iterator[str]:
    """What is said outside of fields, in all the shapes that there are."""
    for name in ("errorMessages", "errorMessage", "message", "error", "error_description"):
        found = value.get(name)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, str) and one.strip():
                yield _line(one[: 4 * _SAID])
    errors = value.get("errors")
    for one in errors if isinstance(errors, list) else ():
        yield from _general(one) if isinstance(one, dict) else [_line(str(one)[: 4 * _SAID])]


def _line(text: str, *, limit: int = _SAID) -> str:
    """One line without runs of blanks, escaped and cut."""
    return shown(" ".join(text.split()), limit=limit)
