"""What a person here said of single issues, whatever the tracker's scope says of them. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from filesync.model.ids import Gid
from filesync.model.issue import Scope


class Hand(StrEnum):
    """What was said of an issue, for one exchange."""

    STOPPED = "stopped"  # nothing of it goes out, and nothing of the partner's is written to it
    STARTED = "started"  # it is in scope
    AS_SCOPE = "as scope"  # the scope has its say again; known until an export has looked at the issue


class ByHand(msgspec.Struct, frozen=True, kw_only=True):
    """One issue of which something was said."""

    gid: Gid  # as the exchange knows it
    local: str  # our tracker's id
    hand: Hand
    called: str  # our key, as it was then: for people
    since: int  # microseconds since 1970


def scope_by_hand(scope: Scope, said: ByHand | None) -> Scope:
    """Where an issue belongs by what was said of it. One of another project no hand brings back."""
    if said is None or scope is Scope.MOVED:
        return scope
    match said.hand:
        case Hand.STOPPED:
            return Scope.LEFT
        case Hand.STARTED:
            return Scope.IN
        case Hand.AS_SCOPE:
            return scope
