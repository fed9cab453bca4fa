"""Why something of an issue is not at the other side as it is at this one."""

from __future__ import annotations

from enum import StrEnum

from filesync.model.ids import Kind
from filesync.model.values import split_name


class Cause(StrEnum):
    """One word for each. They travel in reports; they are never renamed."""

    # of what a site sends
    NO_WORD = "no-word"  # the contract has no word for the value; of what it takes: nothing here stands for the word
    MERGED = "merged"  # several of its words stand for one of the contract's: which of them it was is not told
    WITHHELD = "withheld"  # few may see it
    KEPT = "kept"  # its mapping or settings keep it out, on the way out or in
    STAND_IN = "stand-in"  # another value stands for one without a word; also of what a site takes, another user too
    FAILED = "failed"  # its mapping could not say what is told, or whether
    # of what a site takes
    NO_PLACE = "no-place"  # nothing in its tracker stands for the field
    REFUSED = "refused"  # by its tracker: a person decides
    CUT = "cut"  # its tracker keeps only the beginning
    ATTACHED = "attached"  # its tracker shows only the beginning of a text, and has all of it in a file
    CHANGED = "changed"  # its tracker keeps it in another form, or another value


def bare(kind: Kind, wire: str) -> str:
    """The name of a field without the element of a set, which is a value; `comment.body` of what belongs to an issue.

    "" is the whole of it: `issue`, `comment`.
    """
    name = split_name(wire)[0]
    return (name if kind is Kind.ISSUE else f"{kind}.{name.removeprefix(f'{kind}-')}") if name else str(kind)
