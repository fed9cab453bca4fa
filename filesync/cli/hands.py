"""Issues that are stopped or started by hand, as `status` and `coverage` name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from filesync.agent.asked.hands import Said
from filesync.agent.events import count_text
from filesync.bundle.verdict import shown
from filesync.cli.app import time_text
from filesync.model.by_hand import Hand

_NAMED: Final = 10


def hand_lines(said: Sequence[Said], exchange: str) -> Iterator[str]:
    """A line for those that are stopped, and one for those that are started."""
    for hand in (Hand.STOPPED, Hand.STARTED):
        found = [one for one in said if one.hand is hand]
        if found:
            named = ", ".join(f"{shown(one.key)} since {time_text(one.since)}" for one in found[:_NAMED])
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            what = f"{count_text(len(found), 'issue')} {hand} by hand"
            then = f"filesync start-issues --as-scope KEY --exchange {exchange} --apply"
            if hand is Hand.STOPPED:
                yield f"  {what}: {named}{more}; to go on: {then} (one that the scope does not hold: without --as-scope)"
            else:
                yield f"  {what}: {named}{more}; back to the scope: {then}"
