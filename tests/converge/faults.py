"""What goes wrong inside one command, as numbers: refused calls, a tracker that is down for a moment, a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from filesync.errors import Unavailable
from filesync.trackers.base import Draft, Write
from tests.support.jira.faults import Faults
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


def arm(jira: Faults, draw: int, *, quiet: bool) -> None:
    """One thing goes wrong at one or a few of a Jira's next requests, or at all of them; or with its searches. `quiet`: nobody edits."""
    which, skip, times = draw % 13, draw // 13 % 30, (1, 1, 2, 4, 1_000)[draw // 390 % 5]
    jira.meanwhile(lambda: None, times=skip)
    armed: list[Callable[[], None]] = [
        lambda: jira.refuse(429, retry_after="7", times=times),
        lambda: jira.refuse(503, times=times),
        lambda: jira.refuse(502, times=times),
        lambda: jira.lose_request(times=times),
        lambda: jira.lose_answer(times=times),  # it was done, and nobody knows
        lambda: jira.lose_answer(times=times, method="POST"),
        lambda: jira.lose_answer(times=times, method="PUT"),
        lambda: jira.lose_answer(times=times, path="/issue(/bulk)?$"),
        lambda: jira.truncate(times=times),
        lambda: jira.login_page(times=times),
    ]
    if which < len(armed):
        armed[which]()
    jira.read_only, jira.rows_move, jira.token_expires = which == 10, which == 11 and not quiet, which == 12
    if which >= 11:
        jira.page_cap = 2


def mend(jira: Faults) -> None:
    """All goes well again."""
    jira.disarm()
    jira.read_only = jira.rows_move = jira.token_expires = False


def _at(place: int, counts: Callable[[str], bool], error: type[BaseException]) -> Callable[[str], None]:
    left = [place]

    def strike(name: str) -> None:
        if counts(name):
            left[0] -= 1
            if left[0] == -1:
                raise error(name)

    return strike
