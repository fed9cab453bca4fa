"""How the texts of a tracker are written, and name issues and people."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

# !pump.png!, !pump.png|width=300!, [^pump.txt], [a drawing^pump.pdf]; what has no ending, or is elsewhere, is no file of ours
_FILE: Final = r"[^\s!|^\[\]/\\][^!|^\[\]\n/\\]{0,250}\.[A-Za-z0-9]{1,10}"
_SHOWN: Final = re.compile(rf"!(?P<image>{_FILE})(?:\|[^!\n]{{0,300}})?!|\[[^\[\]\n^]{{0,300}}\^(?P<link>{_FILE})\]")


class Markup(StrEnum):
    """How texts are written, so that headings, lists and images are seen as such."""

    WIKI = "wiki"  # Jira's
    MARKDOWN = "markdown"
    PLAIN = "plain"  # texts are shown as they are


class Manner(msgspec.Struct, frozen=True):
    """A text names an issue by its key, and a person as `[~name]`; where `accounts`, by account id: `[~accountid:…]`.

    It shows a file as `!name!` and links to one as `[^name]`.
    """

    project: str  # what the keys of its issues begin with: ABC of ABC-17
    accounts: bool = False
    files_first: bool = False  # what a text shows of a file is found when the text is written, and not when it is read


def files_shown(text: str) -> tuple[str, ...]:
    """The names of the files that a text shows or links to, each once."""
    return tuple(dict.fromkeys(one["image"] or one["link"] for one in _SHOWN.finditer(text)))
