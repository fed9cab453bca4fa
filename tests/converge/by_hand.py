"""People at a site stop and start single issues, chosen by numbers."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from filesync.agent.upkeep.by_hand import say
from filesync.errors import NotHere, PairingError
from filesync.ledger import by_hand
from filesync.model.by_hand import Hand
from tests.converge.people import Person
from tests.support.two_sites import Side

_HANDS: Final = (Hand.STOPPED, Hand.STOPPED, Hand.STOPPED, Hand.STARTED, Hand.AS_SCOPE)


def saying(person: Person, number: int) -> None:
    """Something of one issue; of one that is deleted or apart there is nothing to be said."""
    there = person.issues()
    which, what = divmod(number, len(_HANDS))
    if there:
        with suppress(NotHere, PairingError):
            _say(person.side, [person.gid(there[which % len(there)])], _HANDS[what])


def unsaid(side: Side) -> bool:
    """Whether anything had been said that is not so any more."""
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        said = [gid for gid, one in by_hand.said(conn, x).items() if one.hand is not Hand.AS_SCOPE]
    for gid in said:
        with suppress(NotHere):
            _say(side, [gid], Hand.AS_SCOPE)
    return bool(said)


def _say(side: Side, gids: list[str], hand: Hand) -> None:
    say(side.site, side.exchange(), gids, hand, apply=True)
