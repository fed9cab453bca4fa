"""What an export tells, and tells once: parents first, deletions before the first reading, rules mended later."""

import pytest

from filesync.agent.outgoing.departures import RulesChanged
from filesync.errors import ConfigError
from tests.merge.scene import MIRROR, contract, keys, shared, value
from tests.support.two_sites import World, two_sites

NAME = 'name: "acme"'


def _exported(world: World) -> int:
    return world.acme.export().changes


def test_a_parent_told_first_is_told_once() -> None:
    with two_sites() as world:
        epic = world.acme.desk.create("Epic", "epic")
        world.acme.desk.create("Story", "below it", {"parent": epic})
        world.acme.desk.edit(epic, {"description": "the parent now stands behind its child in the feed"})
        assert _exported(world) == 2
        world.carry(to=world.globex)
        assert world.globex.import_().counts.applied == 2
        world.settle()
        world.assert_in_step()


def test_a_deletion_before_the_first_export_is_told() -> None:
    with two_sites(contract=MIRROR) as world:
        key = world.acme.desk.create("Bug", "short-lived")
        world.send(world.acme)
        world.globex.desk.delete(key)  # globex has never exported: its feed was not read yet
        world.send(world.globex)
        assert keys(world.acme) == []
        world.settle()
        world.assert_in_step()


def test_a_site_that_partners_know_keeps_its_name() -> None:
    with two_sites() as world:
        shared(world)
        path = world.acme.folder / "filesync.yaml"
        text = path.read_text()
        assert text.count(NAME) == 1
        path.write_text(text.replace(NAME, NAME.replace("acme", "zeta")))
        with pytest.raises(ConfigError, match="partners know this site as acme"):
            world.acme.reopen()
        path.write_text(text)
        world.acme.reopen()


def test_a_status_without_a_word_in_the_contract_is_left_alone_at_the_birth() -> None:
    with two_sites(contract=contract(("Blocked, ", ""))) as world:
        key = world.acme.desk.create("Bug", "waits for a part")
        world.acme.desk.transition(key, "In Progress")
        world.acme.desk.transition(key, "Blocked")
        world.send(world.acme)
        assert world.globex.stuck() == []
        assert value(world.globex, key, "status") == "To Do"
        world.round()
        assert value(world.acme, key, "status") == "Blocked"  # nothing came back


def test_comments_that_do_not_travel_are_not_told() -> None:
    with two_sites(contract=contract(("comments: true", "comments: false"))) as world:
        key = world.acme.desk.create("Bug", "with a word for ourselves")
        world.acme.desk.comment(key, "not for the partner")
        assert _exported(world) == 1
        world.carry(to=world.globex)
        world.globex.import_()
        assert world.globex.desk.show(key).comments == ()
        assert world.globex.queued() == []


def test_a_mended_mapping_tells_what_it_kept_back() -> None:
    first = "# nothing yet: m.silva has no word in the contract\n"
    listed = contract(("users: any", "users: [maria]"))
    with two_sites(contract=listed, mappings=(first, "users: {m.silva: maria}\n")) as world:
        key = world.acme.desk.create("Bug", "whose?", {"assignee": "m.silva"})
        world.send(world.acme)
        assert value(world.globex, key, "assignee") is None
        (world.acme.folder / "mapping.yaml").write_text("users: {m.silva: maria}\n")
        world.acme.reopen()
        done = world.acme.export()
        [changed] = [event for event in done.events if isinstance(event, RulesChanged)]
        assert "held at globex until it has the same one" in changed.sentence()
        world.carry(to=world.globex)
        world.globex.import_()
        assert value(world.globex, key, "assignee") == "m.silva"
        assert _exported(world) == 0


def test_an_issue_whose_parent_stays_out_is_not_read_again_at_every_export() -> None:
    with two_sites(scopes=("{labels: [shared]}", "")) as world:
        epic = world.acme.desk.create("Epic", "not shared")
        world.acme.desk.create("Story", "shared", {"parent": epic, "labels:shared": True})
        world.send(world.acme)
        world.acme.faults.calls.clear()
        assert _exported(world) == 0
        assert world.acme.faults.calls == []
        world.acme.desk.edit(epic, {"labels:shared": True})
        world.send(world.acme)
        world.send(world.acme)
        assert value(world.globex, "ABC-1", "parent") == "ABC-2"
        world.settle()
        world.assert_in_step()
