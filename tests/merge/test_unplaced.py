"""A field that nothing in a tracker stands for any more was not emptied by anybody."""

from __future__ import annotations

from filesync.agent.outgoing.departures import NoPlace
from tests.merge.scene import only, shared
from tests.support.two_sites import Side, World, two_sites


def mapped(side: Side, text: str) -> None:
    (side.folder / "mapping.yaml").write_text(text)
    side.reopen()


def priority(side: Side, key: str) -> object:
    return side.desk.show(key).issue.fields.get("priority")


def shared_with_priority(world: World) -> str:
    key = shared(world, "Pump runs hot")
    world.acme.desk.edit(key, {"priority": "High"})
    world.settle()
    assert priority(world.globex, key) == "High"
    return key


def test_a_mapping_with_a_wrong_name_empties_nothing_at_the_partners_and_is_told() -> None:
    with two_sites(mappings=("# ours\n", "")) as world:
        key = shared_with_priority(world)
        mapped(world.acme, "fields: {Prio: priority}\n")
        done = world.acme.export()
        assert done.changes == 0
        told = only([one for one in done.events if isinstance(one, NoPlace)])
        assert told.fields == ("priority",)
        assert "globex keeps what it has" in told.sentence()
        world.acme.desk.edit(key, {"summary": "Pump runs very hot"})
        world.send(world.acme)
        assert world.globex.desk.show(key).issue.fields["summary"] == "Pump runs very hot"
        assert priority(world.globex, key) == "High"
        mapped(world.acme, "# mended\n")
        assert world.acme.export().changes == 0
        world.assert_in_step()


def test_what_comes_in_for_it_waits_for_a_person_and_lands_once_the_mapping_is_mended() -> None:
    with two_sites(mappings=("# ours\n", "")) as world:
        key = shared_with_priority(world)
        mapped(world.acme, "fields: {Prio: priority}\n")
        world.acme.export()
        world.globex.desk.edit(key, {"priority": "Low"})
        world.send(world.globex)
        assert [one.state for one in world.acme.queued()] != []
        assert world.acme.conflicts() == []
        mapped(world.acme, "# mended\n")
        world.acme.retry()
        world.acme.import_()
        assert priority(world.acme, key) == "Low"
        world.assert_in_step()
