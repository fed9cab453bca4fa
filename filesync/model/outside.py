"""Issues that left a scope: what is told of it, and when. Pure.

A tracker's word that an issue is outside counts only once two readings came to it one after the other, as with deletions. That
one is inside again is told at once.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from filesync.model.issue import Scope


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one issue and one partner. Where all of it is IN, nothing has to be kept."""

    seen: Scope = Scope.IN  # what our own was the last time, where that is not told
    told: Scope = Scope.IN  # what the partner knows of our own
    theirs: Scope = Scope.IN  # of the partner's own, as it told
    marked: bool = False  # our issue says that to people


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a reading leads to."""

    after: Outside
    tells: Scope | None = None
    again: bool = False  # whether the next export looks once more


def look(before: Outside, now: Scope, *, tells: bool) -> Look:
    """`tells`: whether leaving is told at all. That an issue is back is, where the partner was told that it left."""
    pending = before.seen not in {Scope.IN, before.told}
    if now is Scope.DOUBT:
        return Look(after=before, again=pending)
    settled = replace(before, seen=Scope.IN)
    if now is before.told or (now is not Scope.IN and not tells):
        return Look(after=settled)
    if now is Scope.IN or now is before.seen:
        return Look(after=replace(settled, told=now), tells=now)
    return Look(after=replace(before, seen=now), again=True)
