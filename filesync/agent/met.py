"""How edits met, in words for people."""

from __future__ import annotations

from typing import Final

UNSAID: Final = "unsaid"  # how an edit met the pen where it cannot be told
_OPEN: Final = "each side keeps its own until a person decides"


def how_met(rule: str, winner: str, *, decided: bool = False) -> str:
    """In which way two edits met, in words, and what came of it: `rule` is that of a decision (docs/merge.md).

    `winner`: a site; "": none until a person decides, which has been done where it is `decided`.
    """
    if rule == UNSAID:
        return (
            f"set here to something the contract has no word for, and is {winner}'s alone to edit: {winner} does not hear of "
            f"it, and each side keeps its own until {winner} edits it, or runs filesync resync"
        )
    stands = f"{winner}'s value stands" if winner else "a person decided" if decided else _OPEN
    how = {
        "crossing": "edited on both sides at once",
        "unsent": "edited here, and not sent yet when theirs came",
        "untold": "set here to something the contract has no word for",
        "one-way": "edited on the side that does not own it",
    }[rule]
    return f"{how}; {stands}"
