"""Wiki text as Jira keeps it: how long it may be, the line that says who wrote it elsewhere, and what it refers to. Pure.

Images (`!pump.png!`) and attachments (`[^pump.txt]`) are named in a text as they are called on the issue: they are left as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from filesync.bundle.verdict import shown
from filesync.model.issue import About
from filesync.model.values import FieldKind, normal

LIMIT: Final = 32_767  # of a text, as Jira counts (`length`), unless its administrator set another limit
LINE_LIMIT: Final = 255  # of a summary, a text of one line, a label
HEADER: Final = "_{author}, {time} UTC:_"  # the line above a comment and a worklog, unless the settings have another
_PLACE = re.compile(r"\{(author|time|key)\}")
_SHOWN: Final = 80  # characters of a foreign name in a header
_MARKUP = re.compile(r"[\\{}\[\]!*_^~|+?#-]")
_MINUTES: Final = 16  # characters of a date and time up to its minutes
_POINTER: Final = "_This text is longer than there is room for. The whole of it is attached: [^{name}]_\n\n"
# what stands in a block of code is shown as it is and refers to nothing
_REFERENCE = re.compile(
    r"(?P<code>\{(?P<block>code|noformat)(?::[^}\n]*)?\}.*?\{(?P=block)\})"
    r"|(?<!\\)\[~(?P<account>accountid:)?(?P<user>[^\]\n]{1,255})\]"
    r"|(?<![\w./!^-])(?P<key>[A-Z][A-Z0-9_]{1,79}-[1-9][0-9]{0,17})(?![\w/-]|\.\w)",
    re.DOTALL,
)


def length(text: str) -> int:
    """How long a text is to Jira, which counts in units of UTF-16: a symbol beyond the first 65,536 counts twice."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def fit(text: str, *, limit: int) -> str:
    """The text, where Jira keeps it as it is. Raises ValueError with words for a person."""
    if "\x00" in text:
        raise ValueError("the text holds a NUL character, and Jira's database keeps none")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds half a character (a lone surrogate)") from None
    if length(text) > limit:
        raise ValueError(f"{length(text):,} characters are more than the {limit:,} there is room for")
    return text


@dataclass(frozen=True, slots=True)
class Overflow:
    """A text that is too long: what is written in its place, and the whole as a file of UTF-8 that is attached."""

    text: str
    name: str
    content: bytes


def overflow(text: str, *, limit: int, name: str) -> Overflow | None:
    """The beginning of a text under a line that points at the file `name`; None for a text that is short enough.

    The line itself stands whole, also where the limit has no room for it.
    """
    if length(text) <= limit:
        return None
    pointer = _POINTER.format(name=name)
    room = max(limit - length(pointer), 0)
    taken = text[:room]
    while length(taken) > room:  # a symbol counts for two at most: each turn takes away what is too much, or half of it
        taken = taken[: len(taken) - (length(taken) - room + 1) // 2]
    return Overflow(pointer + taken, name, text.encode())


# ── the line above it ───────────────────────────────────────────────────────────────────────────────────────────


def header(template: str, about: About) -> str:
    """The line that says who wrote a comment elsewhere, and when. "" where nobody knows, or the template is empty.

    `{author}`, `{time}` (to the minute, UTC) and `{key}` are filled in; what they hold is shown, never obeyed as markup.
    """
    if not about.author or not about.at:
        return ""
    said = {"author": plain(about.author), "time": about.at[:_MINUTES].replace("T", " "), "key": plain(about.key)}
    return _PLACE.sub(lambda place: said[place[1]], normal(FieldKind.TEXT, template)).replace("\n", " ").strip()


def under(head: str, body: str) -> str:
    """A text with its header above it, as it is written. `head` is kept in our marker, to be taken off again."""
    return f"{head}\n{body}" if head else body


def body_of(head: str, text: str) -> str:
    """The text without its header. One that somebody changed or took away is part of the text."""
    text = normal(FieldKind.TEXT, text)
    if head and text == head:
        return ""
    return text.removeprefix(head + "\n") if head else text


def plain(text: str) -> str:
    """Foreign words in wiki text: shown, cut, and never obeyed as markup."""
    return _MARKUP.sub(lambda sign: "\\" + sign[0], shown(text, limit=_SHOWN))


# ── what it refers to ───────────────────────────────────────────────────────────────────────────────────────────


def renamed(
    text: str,
    *,
    user: Callable[[str], str | None] = lambda _: None,
    key: Callable[[str], str | None] = lambda _: None,
    cloud: bool,
) -> str:
    """The text with users who are mentioned (`[~name]`) and keys of issues named otherwise; None leaves one as it is.

    What stands in {code} and {noformat} is left alone. `cloud`: users of the result are account ids.
    """

    def one(found: re.Match[str]) -> str:
        if found["user"] is not None:
            other = user(found["user"])
            return found[0] if other is None else mention(other, cloud=cloud)
        if found["key"] is not None:
            return key(found["key"]) or found[0]
        return found[0]

    return _REFERENCE.sub(one, text)


def mention(user: str, *, cloud: bool) -> str:
    """How a text mentions a user."""
    return f"[~accountid:{user}]" if cloud else f"[~{user}]"
