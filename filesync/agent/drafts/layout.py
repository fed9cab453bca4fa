"""Words as they stand in a settings file that a person will read: short lists in a line, long ones below each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from filesync.bundle.verdict import shown
from filesync.settings import spelt

_LINE: Final = 110  # characters
_COMMENT: Final = 200  # characters of one, without those before it
_LISTED: Final = 50  # words in a comment


def listed(key: str, words: Sequence[str], *, indent: int = 0) -> str:
    """`key: [a, b]`, or each word in a line of its own."""
    line = f"{' ' * indent}{key}: [{', '.join(map(spelt, words))}]"
    if len(line) <= _LINE:
        return line
    return "\n".join([f"{' ' * indent}{key}:", *(f"{' ' * indent}  - {spelt(word)}" for word in words)])


def comment(text: str, *, indent: int = 0) -> str:
    """A line that says something to a person and nothing to filesync, whatever somebody's words in it are."""
    return f"{' ' * indent}# {shown(text, limit=_COMMENT)}"


def comment_lines(said: Iterable[str], *, indent: int = 0) -> list[str]:
    """Such lines, not too many of them."""
    lines = list(said)
    more = [f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return [comment(one, indent=indent) for one in (*lines[:_LISTED], *more)]
