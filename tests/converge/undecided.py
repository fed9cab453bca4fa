"""What waits for a person to say which of two values stands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from filesync.agent.upkeep.settling import Choice, settle
from filesync.errors import NotHere
from filesync.ledger import open_conflicts
from filesync.ledger.open_conflicts import OpenConflict
from tests.converge import agreeing, ending
from tests.converge.deeds import split
from tests.converge.kept import Held
from tests.converge.looking import look
from tests.converge.people import Person, Story
from tests.converge.variants import Variant
from tests.support.two_sites import EXCHANGE, Side, World

ASKING: Final = {"meet": 14, "decide": 10}  # besides what is done in any run, and how often
_DECISIONS: Final = 60
_ASKED: Final = ("summary", "customer_reference", "severity", "due_date")  # and the status


def open_at(side: Side) -> list[OpenConflict]:
    """All of it, at one site."""
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        return open_conflicts.open_conflicts(conn, x)


def decide(side: Side, one: OpenConflict, *, theirs: bool) -> None:
    """A person says whose value stands; where a change of the issue waits, that comes first."""
    with suppress(NotHere):
        settle(side.site, one.gid, one.field, Choice.THEIRS if theirs else Choice.OURS)


def decide_one(side: Side, number: int) -> None:
    """One of what is open there, if anything is."""
    if found := open_at(side):
        decide(side, found[number % len(found)], theirs=bool(number // 64 % 2))


def take_theirs(side: Side) -> None:
    """Of the first that is open there."""
    decide_one(side, 64)


def meet(people: Mapping[str, Person], number: int, *, one_sided: bool) -> None:
    """Both sides edit a field of one issue and tell it before either has heard: one of which a person may have the say."""
    which, ours, theirs, name = split(number, 12, 3, 3, len(_ASKED) + 1)
    gid = people["acme"].gid_shared(which, people["globex"])
    for person, value in zip(people.values(), (ours, theirs), strict=True):
        if one_sided and person is not people["acme"]:
            continue
        if name < len(_ASKED):
            person.edit_gid(gid, _ASKED[name], value)
        else:
            person.transition_gid(gid, value)
        person.side.export()


def decide_all(world: World, people: dict[str, Person], story: Story, variant: Variant) -> None:
    """Nothing moves any more: both know what is open, and differ in nothing else; then people decide it, now here, now there."""
    turn = 0
    while True:
        ending.settle(world, people, story)
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
        said = agreeing.said_now(world.acme, variant.said)
        held = Held(here, there, said, story), Held(there, here, said, story)
        ending.equal(held, story, variant.rules, known, may=found[0])
        if not any(open_at(side) for side in world.sides):
            return
        assert turn < _DECISIONS, f"still open after {turn} decisions: {found}"
        for side in world.sides:
            for one in open_at(side):
                turn += 1
                if turn % 3:
                    decide(side, one, theirs=turn % 2 == 0)
