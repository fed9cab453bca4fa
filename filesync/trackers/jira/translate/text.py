"""Wiki text as Jira keeps it: how long it may be, and the line that says who wrote it elsewhere. Pure.

What a text refers to is translated for all trackers alike (rules/prose.py).
"""

from __future__ import annotations

import re
from typing import Final

from filesync.bundle.verdict import shown
from filesync.model.issue import About
from filesync.model.values import FieldKind, normal
from filesync.settings import did_you_mean, quoted

LIMIT: Final = 32_767  # of a text, as Jira counts (`length`), unless its administrator set another limit
LINE_LIMIT: Final = 255  # of a summary, a text of one line, a label
_PLACES: Final = ("author", "date", "key")  # what a template for the line above a comment has room for
_PLACE = re.compile(rf"\{{({'|'.join(_PLACES)})\}}")
_BRACED: Final = re.compile(r"\{([^{}:]*)\}")
_COLOR: Final = "color"  # Jira's own, and the only one that makes sense within a line: {color:#777}…{color}
_HEADER: Final = 500  # characters of a header
_SHOWN: Final = 80  # characters of a foreign name in a header
_MARKUP = re.compile(r"[\\{}\[\]!*_^~|+?#-]")
_MINUTES: Final = 16  # characters of a date and time up to its minutes


def length(text: str) -> int:
    """How long a text is to Jira, which counts in units of UTF-16: a symbol beyond the first 65,536 counts twice."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def sound(text: str) -> str:
    """The text, where Jira keeps its characters. Raises ValueError with words for a person."""
    if "\x00" in text:
        raise ValueError("the text holds a NUL character, and Jira's database keeps none")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds half a character (a lone surrogate)") from None
    return text


def fit(text: str, *, limit: int) -> str:
    """The text, where Jira keeps it as it is. Raises ValueError with words for a person."""
    sound(text)
    if length(text) > limit:
        raise ValueError(f"{length(text):,} characters are more than the {limit:,} there is room for")
    return text


# ── the line above it ───────────────────────────────────────────────────────────────────────────────────────────


def header(template: str, about: About) -> str:
    """The line that says who wrote a comment elsewhere, and when. "" where nobody knows, or the template is empty.

    `{author}`, `{date}` (to the minute, UTC) and `{key}` are filled in; what they hold is shown, never obeyed as markup.
    """
    if not about.author or not about.at:
        return ""
    said = {"author": plain(about.author), "date": _minutes(about.at), "key": plain(about.key)}
    filled = _PLACE.sub(lambda place: said[place[1]], normal(FieldKind.TEXT, template))
    return filled.replace("\n", " ")[:_HEADER].strip()


def _minutes(at: str) -> str:
    """A time to the minute; as any foreign words where it is none."""
    try:
        return normal(FieldKind.DATETIME, at)[:_MINUTES].replace("T", " ")
    except ValueError:
        return plain(at)


def unknown_place(template: str) -> str:
    """Why a template cannot be filled in; "" where it can."""
    wrong = next((name for name in _BRACED.findall(template) if name not in (*_PLACES, _COLOR)), None)
    if wrong is None:
        return ""
    there = ", ".join(f"{{{name}}}" for name in _PLACES)
    return f"{quoted(f'{{{wrong}}}')} is not filled in; there are {there}{did_you_mean(wrong, _PLACES)}"


def under(head: str, body: str) -> str:
    """A text with its header above it, as it is written. `head` is kept in our marker, to be taken off again."""
    return f"{head}\n{body}" if head else body


def body_of(head: str, text: str, *, cloud: bool) -> str:
    """The text without its header. One that somebody changed or took away is part of the text.

    Cloud keeps documents, and sets a heading or a list apart from the header by an empty line.
    """
    text = normal(FieldKind.TEXT, text)
    if not head or not f"{text}\n".startswith(f"{head}\n"):
        return text
    body = text[len(head) + 1 :]
    return body.removeprefix("\n") if cloud else body


def plain(text: str) -> str:
    """Foreign words in wiki text: shown, cut, and never obeyed as markup."""
    return _MARKUP.sub(lambda sign: "\\" + sign[0], shown(text, limit=_SHOWN))
