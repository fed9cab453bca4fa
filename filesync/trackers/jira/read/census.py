"""Which of the known issues are looked at though no poll names them, and what is made of those that are missing. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_SHARE: Final = 20  # one in so many of the known issues may be missing, where that is more than the limit

# ids of one project may all be even, or end alike: spread so, the shares are of one size
_SPREAD: Final = 0x9E3779B1
_WORD: Final = 0xFFFF_FFFF


class Fate(Enum):
    """What became of a known issue that no search shows."""

    THERE = auto()  # in another project, archived, hidden from us by name, or changed a moment ago: nothing to tell
    UNLISTED = auto()  # where it was: the search should have shown it
    MISSING = auto()  # deleted, or hidden from us so that it cannot be told from deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run makes of the suspects it asked for. Where there are `too_many` of a kind, a person must look first."""

    gone: tuple[str, ...] = ()  # not found twice: to be named, and so told to be deleted
    once: tuple[str, ...] = ()  # not found for the first time: to be remembered
    unlisted: tuple[str, ...] = ()
    too_many: tuple[Fate, int] | None = None  # how many, by estimate


def most_missing(known: int, limit: int) -> int:
    """How many of so many issues may be missing at once before a person is asked."""
    return max(limit, known // _SHARE)


def share(known: Collection[int], *, parts: int, turn: int) -> tuple[list[int], int]:
    """The known issues whose turn it is, about one in `parts`, and the next turn. Turns that nobody has are passed over."""
    turns = {issue: (issue * _SPREAD & _WORD) * parts >> 32 for issue in known}
    places = sorted(set(turns.values()))
    if not places:
        return [], 0
    place = next((one for one in places if one >= turn % parts), places[0])
    return sorted(issue for issue, one in turns.items() if one == place), (place + 1) % parts


def some(ids: Sequence[int], *, after: int, room: int) -> tuple[list[int], int]:
    """At most `room` of these sorted ids, going on behind `after` and round again; the last of them, or 0 where it is all."""
    if len(ids) <= room:
        return list(ids), 0
    first = bisect_right(ids, after)
    taken = [*ids[first:], *ids[:first]][:room]
    return taken, taken[-1] if taken else after


def judge(fates: Mapping[str, Fate], *, before: Collection[str], suspects: int, known: int, limit: int) -> Verdict:
    """What is made of `fates`, by id: of `suspects` in all, among `known` issues. `before`: those not found the last time."""
    most = most_missing(known, limit)
    kinds = {kind: [issue for issue, fate in fates.items() if fate is kind] for kind in Fate}
    for kind in (Fate.MISSING, Fate.UNLISTED):
        estimate = -(-len(kinds[kind]) * max(suspects, len(fates)) // max(1, len(fates)))
        if estimate > most:
            return Verdict(too_many=(kind, estimate))
    return Verdict(
        gone=tuple(issue for issue in kinds[Fate.MISSING] if issue in before),
        once=tuple(issue for issue in kinds[Fate.MISSING] if issue not in before),
        unlisted=tuple(kinds[Fate.UNLISTED]),
    )
