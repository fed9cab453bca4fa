"""Texts that are longer than Jira takes: their beginning stands in Jira, and all of them in an attached file. Pure.

Below the beginning a line says how much of the text it is, and which file has all of it. The text is what stands above that
line, and then what the file has from there on: also where somebody edited the beginning. Nothing else has to be
remembered, as the name of the file holds a digest of what is in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from filesync.model.ids import Gid, Kind
from filesync.model.values import FieldKind, normal
from filesync.trackers.jira.translate import text

LARGEST: Final = 64 << 20  # bytes of a text that is kept so
_DIGEST: Final = 12  # hex digits of the SHA-256 of a file's bytes
_FILE: Final = rf"[A-Za-z0-9_-]{{1,200}}-[0-9a-f]{{{_DIGEST}}}\.txt"
_NAME: Final = re.compile(_FILE)
# Jira Cloud may show a link to a file otherwise than it was written
_LINE: Final = re.compile(
    rf"\n\n?… \(([0-9]{{1,9}}) of [0-9]{{1,9}} characters; all of them are in \[?\^?({_FILE})(?:\|[^\]\n]{{0,300}})?\]?\)"
)
_BLANKS: Final = re.compile(r"[^\S\n]+")
_SPARE: Final = 50  # one in so many characters is left to whoever edits what stands in Jira
_OWNER: Final = 16  # hex digits of a gid's digest
_ODD: Final = re.compile(r"[^A-Za-z0-9_-]")
_KEY: Final = 80  # characters of an issue's key
_BLOCK: Final = re.compile(r"\{(code|noformat)(?::[^}\n]*)?\}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """The line in a text that stands for the rest of it."""

    above: str
    below: str  # what somebody wrote under it
    at: int  # characters of the whole text that stand above
    file: str

    def whole(self, content: str) -> str:
        """The text, with what the file holds."""
        return self.above + content[self.at :] + self.below


def find(said: str) -> Pointer | None:
    """The line that stands for the rest of a text as Jira shows it, the last one of several; None where all of it is there."""
    if "… (" not in said:
        return None
    said = normal(FieldKind.TEXT, said)
    lines = list(_LINE.finditer(said))
    return Pointer(said[: lines[-1].start()], said[lines[-1].end() :], int(lines[-1][1]), lines[-1][2]) if lines else None


def sound(said: str) -> str:
    """A text that can be written. Raises ValueError with words for a person.

    One that came with such a line would point to a file that is not there, or to another text's. It may be the first one, which
    stands below a header, and a Jira may make one of what is nearly one.
    """
    if "…" in said and find(_bare("\n" + normal(FieldKind.TEXT, said))) is not None:
        raise ValueError("the text holds a line by which filesync means the rest of a longer text: take it out, or reword it")
    return text.sound(said)


def is_file(name: str) -> bool:
    """Whether a file of this name, which our account attached for no partner's attachment, holds a text."""
    return _NAME.fullmatch(name) is not None


def holds(name: str, content: bytes) -> bool:
    """Whether it is the content that the file was given its name for."""
    return name.endswith(f"-{_digest(content)}.txt")


def file_name(owner: str, key: str, whole: str) -> str:
    """The name of the file for a text. `owner`: which text of the issue with this key; no two have the same."""
    return f"{owner}-{_ODD.sub('_', key)[:_KEY]}-{_digest(whole.encode())}.txt"


def is_of(name: str, owner: str) -> bool:
    """Whether a file holds, or held, this text."""
    return is_file(name) and name.startswith(f"{owner}-")


def owner(kind: Kind, origin: Gid | None, local: str = "") -> str:
    """What `file_name` calls the text of a comment or worklog: by the gid it was made for, else by Jira's id."""
    return f"{kind}-{_digest(origin.encode())[:_OWNER] if origin is not None else local}"


def fitted(body: str, *, head: str, limit: int, owner: str, key: Callable[[], str], few: bool = False) -> tuple[str, str]:
    """What is written for a text with this line above it, and the file that is to have all of it; "" where it fits.

    `few`: not all who see the issue may see the text, and all would see a file. Raises ValueError where it does not fit.
    """
    said = text.under(head, body)
    if text.length(said) <= limit:
        return said, ""
    if few:
        try:
            return text.fit(body, limit=limit), ""  # rather without the line above it
        except ValueError as error:
            raise ValueError(f"{error}, and in an attached file all would see what is for few") from None
    file = file_name(owner, key(), body)
    return text.under(head, begin(body, file, limit=limit - text.length(text.under(head, "")))), file


def begin(whole: str, file: str, *, limit: int) -> str:
    """What stands in Jira, shorter than `limit`, so that people can still edit it: much of the text, and the line."""
    all_of_it = len(whole)
    above = whole[: _place(whole, limit - limit // _SPARE - _room(_line(all_of_it, all_of_it, file)))]
    return above + _line(len(above), all_of_it, file)


def beginning(whole: str, *, limit: int) -> str:
    """The same without the line: for an issue that is just being made, to which nothing can be attached yet."""
    return whole[: _place(whole, limit)]


def _line(shown: int, of: int, file: str) -> str:
    return f"\n\n… ({shown} of {of} characters; all of them are in [^{file}])"


def _room(said: str) -> int:
    """How much room a text takes: where people edit it, a line has two characters at its end."""
    return text.length(said) + said.count("\n")


def _place(whole: str, room: int) -> int:
    """Where to cut: above a block of code, after a paragraph, a line, a word, where that is in the second half."""
    end = len(whole[:room])
    while (over := _room(whole[:end]) - room) > 0:
        end -= -(-over // 2)  # a character takes room for one or two
    marks = [mark.start() for mark in _BLOCK.finditer(whole)]
    cut = next((start for start, stop in list(pairwise(marks))[::2] if start < end <= stop), None)
    if cut is not None and cut > end // 2:
        end = cut
    for sign in ("\n\n", "\n", " "):
        at = whole.rfind(sign, end // 2, end + 1)
        if at > 0:
            return len(whole[:at].rstrip()) or at
    return end


def _bare(said: str) -> str:
    """Without what a Jira may not keep: signs that take from others their meaning, blanks that nobody sees."""
    return _BLANKS.sub(" ", said.replace("\\", "")).replace("\n ", "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST]
