"""What waits for a person to say which of two values stands."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from filesync.agent.upkeep.settling import Choice, settle
from filesync.errors import NotHere
from filesync.ledger import open_conflicts
from filesync.ledger.open_conflicts import OpenConflict
from tests.converge import ending
from tests.converge.kept import Held
from tests.converge.looking import look
from tests.converge.people import Person, Story
from tests.converge.variants import Variant
from tests.support.two_sites import EXCHANGE, Side, World

_DECISIONS: Final = 60


def open_at(side: Side) -> list[OpenConflict]:
    """All of it, at one site."""
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        return open_conflicts.open_conflicts(conn, x)


def decide(side: Side, one: OpenConflict, *, theirs: bool) -> None:
    """A person says whose value stands; where a change of the issue waits, that comes first."""
    with suppress(NotHere):
        settle(side.site, one.gid, one.field, Choice.THEIRS if theirs else Choice.OURS)


def decide_all(world: World, people: dict[str, Person], story: Story, variant: Variant) -> None:
    """Both know what is open, and differ in nothing else; then people decide it, now here, now there."""
    turn = 0
    while True:
        here, there = (look(people[side.name]) for side in world.sides)
        found = []
        for side, shown in zip(world.sides, (here, there), strict=True):
            left = [one for one in open_at(side) if variant.rules.compares(one.field, shown.fields[one.gid])]
            for one in left:
                assert not here.is_apart(one.gid), f"{side.name} asks for what is apart"
                assert not there.is_apart(one.gid), f"{side.name} asks for what is apart"
            found.append({(one.gid, one.field) for one in left})
        assert found[0] == found[1], f"only one side knows that it is open: {found[0] ^ found[1]}"
        known = [side.site.paired(EXCHANGE).rules for side in world.sides]
        held = Held(here, there, variant.said, story), Held(there, here, variant.said, story)
        ending.equal(held, story, variant.rules, known, may=found[0])
        if not any(open_at(side) for side in world.sides):
            return
        assert turn < _DECISIONS, f"still open after {turn} decisions: {found}"
        for side in world.sides:
            for one in open_at(side):
                turn += 1
                if turn % 3:
                    decide(side, one, theirs=turn % 2 == 0)
        ending.settle(world, people, story)
