"""What was told is told once more: `resync`."""

from __future__ import annotations

import pytest

from filesync.agent.upkeep.by_hand import say
from filesync.agent.upkeep.resync import resync
from filesync.errors import NotHere, Rejected
from filesync.ledger import shadows
from filesync.model.by_hand import Hand
from tests.merge.scene import crash, refuse, refuse_nothing, shared, value
from tests.support.two_sites import EXCHANGE, Side, World, two_sites


def tell_again(side: Side, *, query: str = "", fields: tuple[str, ...] = (), status: bool = False) -> int:
    return resync(side.site, EXCHANGE, query=query, fields=fields, status=status)


def left(side: Side) -> int:
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        return shadows.left_for_last(conn, x)


def several(world: World) -> list[str]:
    found = [shared(world, f"Pump {number}") for number in range(3)]
    world.acme.desk.edit(found[0], {"priority": "High"})
    world.settle()
    return found


def test_values_that_had_no_place_at_the_partner_arrive_and_nothing_else_is_written() -> None:
    with two_sites(mappings=("# ours\n", "fields: {Prio: priority}\n")) as world:
        key = shared(world, "Pump")
        world.acme.desk.edit(key, {"priority": "High"})
        world.send(world.acme)
        (world.globex.folder / "mapping.yaml").write_text("# mended\n")
        world.globex.reopen()
        for one in world.globex.queued():
            world.globex.skip(one.mark)
        assert value(world.globex, key, "priority") is None
        assert tell_again(world.acme, fields=("priority",)) == 1
        world.send(world.acme)
        assert value(world.globex, key, "priority") == "High"
        world.settle()
        world.assert_in_step()


def test_where_both_are_equal_the_partner_writes_nothing() -> None:
    with two_sites() as world:
        several(world)
        assert tell_again(world.acme, status=True) == 3
        assert world.acme.export().changes == 3
        world.carry(to=world.globex)
        world.globex.faults.forbid_writes = True
        done = world.globex.import_()
        world.globex.faults.forbid_writes = False
        assert (done.counts.skipped, world.globex.conflicts()) == (3, [])
        world.assert_in_step()


def test_a_status_that_differs_is_told_again_where_that_is_asked_for_and_the_partner_goes_there() -> None:
    with two_sites() as world:
        key = shared(world)
        before = value(world.globex, key, "status")
        refuse(world.globex, "status")
        world.acme.desk.transition(key, "In Progress")
        world.send(world.acme)
        for one in world.globex.queued():
            world.globex.skip(one.mark)
        refuse_nothing(world.globex)
        tell_again(world.acme)
        world.send(world.acme)
        assert value(world.globex, key, "status") == before != "In Progress"
        tell_again(world.acme, status=True)
        world.send(world.acme)
        assert value(world.globex, key, "status") == "In Progress"
        world.settle()
        world.assert_in_step()


def test_edits_go_first_and_what_is_cut_off_goes_on() -> None:
    with two_sites() as world:
        first, second, third = several(world)
        tell_again(world.acme, query="priority=High")
        tell_again(world.acme)
        tell_again(world.acme)  # once is as good as twice
        world.acme.desk.edit(third, {"summary": "Edited"})
        assert left(world.acme) == 3
        with crash(world.acme, "after X3"):
            world.acme.export()
        assert left(world.acme) == 2, "the edit went out by itself, and what else there is of that issue"
        assert world.acme.export().changes == 1 + 2, "the bundle that was numbered, and the others"
        assert left(world.acme) == 0
        world.carry(to=world.globex)
        world.globex.import_()
        assert value(world.globex, third, "summary") == "Edited"
        assert (value(world.globex, first, "summary"), value(world.globex, second, "summary")) == ("Pump 0", "Pump 1")
        world.settle()
        world.assert_in_step()


def test_a_query_and_fields_that_are_not_there_are_named() -> None:
    with two_sites() as world:
        several(world)
        assert tell_again(world.acme, query="priority=High", fields=("priority",)) == 1
        with pytest.raises(NotHere, match='no field "priorty"; did you mean "priority"'):
            tell_again(world.acme, fields=("priorty",))
        with pytest.raises(Rejected, match='cannot look for "urgent"'):
            tell_again(world.acme, query="urgent=yes")


def test_what_is_stopped_by_hand_is_not_told_again_and_what_waits_for_it_stands() -> None:
    with two_sites() as world:
        acme, key = world.acme, shared(world, "first")
        say(acme.site, acme.exchange(), [key], Hand.STOPPED, apply=True)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.round()
        assert tell_again(acme) == 0
        world.round()
        say(acme.site, acme.exchange(), [key], Hand.STARTED, apply=True)
        world.settle()
        assert value(acme, key, "summary") == "of globex"
        assert acme.conflicts() == []
        world.assert_in_step()
