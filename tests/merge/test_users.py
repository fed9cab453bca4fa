"""Users of two trackers found by their addresses, put in by a default, or left out: nobody who is not known holds anything up."""

from __future__ import annotations

from filesync.agent.asked.coverage import coverage
from filesync.agent.events import LandedDifferently
from tests.merge.scene import events, shared, value
from tests.support.two_sites import two_sites

EMAIL = "users_by: email\n"


def test_users_are_found_by_their_addresses_in_fields_and_texts() -> None:
    with two_sites(mappings=(EMAIL, EMAIL)) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"assignee": "j.becker", "reviewers:t.weber": True, "description": "ask [~j.becker]"})
        world.acme.export()
        world.carry(to=world.globex)
        world.globex.import_()
        assert world.acme.shown()[next(iter(world.acme.shown()))]["fields"]["assignee"] == "joerg.becker@example.com"
        assert (value(world.globex, key, "assignee"), value(world.globex, key, "description")) == (
            "j.becker",
            "ask [~j.becker]",
        )
        world.globex.desk.edit(key, {"reviewers:t.weber": None, "assignee": "w.chen"})  # who has no address
        world.send(world.globex)
        assert (value(world.acme, key, "assignee"), value(world.acme, key, "reviewers:t.weber")) == ("w.chen", None)
        world.assert_in_step()


def test_trap29_an_unknown_user_leaves_the_field_empty_and_is_never_sent_back() -> None:
    with two_sites(mappings=("users: {j.becker: gone}\n", "users_by: name\nusers_default: none\n")) as world:
        key = world.acme.desk.create("Bug", "x", {"assignee": "j.becker", "reviewers:j.becker": True, "reviewers:w.chen": True})
        world.acme.export()
        world.carry(to=world.globex)
        assert (
            events(world.globex.import_(), LandedDifferently) == []
        )  # the mapping wants it so: it is counted, not told each time
        assert (value(world.globex, key, "assignee"), value(world.globex, key, "reviewers:w.chen")) == (None, True)
        assert (world.globex.queued(), world.round()) == ([], 0)
        x = world.globex.exchange()
        with world.globex.site.ledger.begin() as conn:
            short = coverage(conn, x, examples=1, limit=10).taking
        assert {(one.field, one.cause) for one in short} == {("assignee", "no-word"), ("reviewers", "no-word")}
        world.globex.desk.edit(key, {"assignee": "t.weber"})
        world.send(world.globex)
        assert value(world.acme, key, "assignee") == "t.weber"
        world.acme.desk.edit(key, {"assignee": "j.becker"})
        world.send(world.acme)
        assert (value(world.globex, key, "assignee"), world.round()) == (None, 0)
        assert value(world.acme, key, "assignee") == "j.becker"
