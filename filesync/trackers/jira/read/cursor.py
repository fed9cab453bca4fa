"""How far the feed of a Jira has come, as the text that the caller keeps. Pure.

Moments are ms since 1970, by Jira's clock.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from filesync.model.prepare import prepare

MINUTE: Final = 60_000
OVERLAP: Final = 2 * MINUTE  # the index may keep whole minutes, and the clocks of a cluster's nodes differ a little
KEPT: Final = 200  # of a list in the cursor, at most
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")  # no more than fits a 64-bit number

_Id = Annotated[str, msgspec.Meta(pattern=f"^{_ID.pattern}$")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


def is_id(text: str) -> bool:
    """Whether Jira may have an issue of this id: anything else is not even asked for."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Hit:
    """What a search says of one issue."""

    id: str
    created: int | None = None
    updated: int | None = None


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where the next run goes on. Nothing that was updated before `at` is to be asked for again."""

    at: _Count
    # named already, with `updated` as it was then: a poll from `at` shows them again
    seen: Annotated[dict[_Id, _Count], msgspec.Meta(max_length=KEPT)] = {}
    walked: _Count = 0  # the last id of a first reading that goes by ids and is not at its end
    turn: _Count = 0  # which share of the known issues is swept next
    runs: _Count = 0  # since all ids were compared
    compared: _Count = 0  # when they were
    after: _Count = 0  # the last of the suspects that was asked for, where there were more than one run asks for
    round: _Count = 0  # the last of the issues in scope that the caller does not know, where there were more than a run names
    # not found once: told to be deleted when they are not found again
    missing: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=KEPT)] = ()

    def text(self) -> str:
        """What the caller keeps."""
        return msgspec.json.encode(self).decode()


prepare(Cursor)


def read_cursor(text: str | None) -> Cursor | None:
    """The cursor again; None for none, and for one that no run of this feed gave: then everything is looked at."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        return None


def in_turn(hits: Sequence[Hit], before: Cursor | None, *, start: int, lag: int) -> Iterator[tuple[str, Cursor | None]]:
    """Which of the issues that a poll brought are to be named, oldest change first, each with the cursor after it.

    `start`: when the run began. `lag`: ms that the index may lie behind. What was named with the same `updated` before is
    passed over, unless the index may have lain behind what was read then.
    """
    ended = start - OVERLAP - lag
    ordered = sorted(hits, key=lambda hit: (-1 if hit.updated is None else hit.updated, int(hit.id)))
    named: list[tuple[int, str]] = []
    for hit in ordered:
        new = before is None or hit.updated is None or before.seen.get(hit.id) != hit.updated
        if hit.updated is None:  # nothing is known of when: those come first, and nothing can be resumed after them
            yield hit.id, before
            continue
        if hit.updated <= start - lag:
            named.append((hit.updated, hit.id))
        if new:
            at = max(0, min(hit.updated - OVERLAP, ended))
            yield hit.id, _after(before, at, named)


def after_poll(hits: Sequence[Hit], before: Cursor | None, *, start: int, lag: int) -> Cursor:
    """The cursor after everything that a poll brought."""
    named = sorted((hit.updated, hit.id) for hit in hits if hit.updated is not None and hit.updated <= start - lag)
    return _after(before, max(0, start - OVERLAP - lag), named)


def _after(before: Cursor | None, at: int, named: Sequence[tuple[int, str]]) -> Cursor:
    first = max(bisect_left(named, (at, "")), len(named) - KEPT)
    seen: Mapping[str, int] = {local: updated for updated, local in named[first:]}
    return msgspec.structs.replace(before or Cursor(at=0), at=at, seen=dict(seen))
