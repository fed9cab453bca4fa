"""What goes wrong inside one command, as numbers: refused calls, a tracker that is down for a moment, a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from filesync.errors import Unavailable
from filesync.trackers.base import Draft, Write
from tests.support.two_sites import Crash

CALLS: Final = 6  # of one command that may be refused, four bits of a number for each
_CALL_NAMES: Final = frozenset({"get", "create", "apply", "route", "changed", "fetch", "write_checkpoint"})
_NEEDED: Final = frozenset({"summary", "type"})


def refusing(draw: int) -> Callable[[str, object], str | dict[str, str] | None]:
    """One call in sixteen is refused as a whole, one for one of its fields."""
    left = [draw >> 4 * place & 15 for place in range(CALLS)]

    def refuse(_call: str, what: object) -> str | dict[str, str] | None:
        fate = left.pop(0) if left else 0
        fields = sorted(set(what.fields) - _NEEDED) if isinstance(what, Draft | Write) else []
        if fate == 14 and fields:
            return {fields[draw % len(fields)]: "not today"}
        return "not today" if fate >= 14 else None

    return refuse


def crashing(place: int) -> Callable[[str], None]:
    """The process dies at the n-th place where it can: around a call, a commit, a step."""
    return _at(place, lambda _name: True, Crash)


def failing(place: int) -> Callable[[str], None]:
    """The n-th thing around a tracker call fails for now: the call was not made, or its answer was lost."""
    return _at(place, lambda name: name.split()[1] in _CALL_NAMES, Unavailable)


def _at(place: int, counts: Callable[[str], bool], error: type[BaseException]) -> Callable[[str], None]:
    left = [place]

    def strike(name: str) -> None:
        if counts(name):
            left[0] -= 1
            if left[0] == -1:
                raise error(name)

    return strike
