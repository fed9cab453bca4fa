"""Links: fields that stand at one end and need both."""

from __future__ import annotations

from itertools import pairwise

from filesync.agent.events import Dropped, Waiting
from tests.merge.scene import (
    DEFAULT,
    IGNORE,
    MIRROR,
    contract,
    crash,
    cross,
    events,
    keys,
    only,
    refuse,
    refuse_create,
    refuse_nothing,
    shared,
    value,
)
from tests.support.two_sites import Side, World, two_sites


def links(side: Side, key: str) -> list[tuple[str, str]]:
    """What goes out from an issue."""
    return [(link.words, link.key) for link in side.desk.show(key).links if link.outward]


def _pair(world: World) -> tuple[str, str]:
    """Two issues that both sides have, under the same keys."""
    return shared(world, "first"), shared(world, "second")


def _named(side: Side, summary: str) -> str:
    return only([issue.key for issue in side.desk.list() if issue.fields["summary"] == summary])


def test_a_link_comes_and_goes() -> None:
    with two_sites() as world:
        one, other = _pair(world)
        world.acme.desk.link(one, "blocks", other)
        world.acme.desk.link(one, "relates", other)
        world.send(world.acme)
        assert links(world.globex, one) == [("blocks", other), ("relates", other)]
        assert [(link.words, link.key) for link in world.globex.desk.show(other).links] == [
            ("is blocked by", one),
            ("relates", one),
        ]
        world.globex.desk.unlink(one, "blocks", other)
        world.send(world.globex)
        assert links(world.acme, one) == [("relates", other)]
        world.assert_in_step()


def test_waits_for_other_end() -> None:
    with two_sites() as world:
        key = shared(world)
        refuse_create(world.globex, "late")
        late = world.acme.desk.create("Bug", "late")
        world.acme.desk.link(key, "blocks", late)
        world.acme.desk.edit(key, {"description": "with a link"})
        done = world.send(world.acme)
        assert value(world.globex, key, "description") == "with a link", "the other fields do not wait"
        assert links(world.globex, key) == []
        waits = only([queued for queued in world.globex.queued() if queued.state == "waits"])
        assert b"description" not in waits.change
        assert waits.waits_for in {event.waits_for for event in events(done, Waiting)}
        assert world.globex.export().changes == 0
        refuse_nothing(world.globex)
        world.globex.retry()
        assert links(world.globex, key) == [("blocks", _named(world.globex, "late"))]
        world.assert_in_step()


def test_waits_for_other_end_of_a_new_issue_too() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "late")
        late = world.acme.desk.create("Bug", "late")
        early = world.acme.desk.create("Bug", "early")
        world.acme.desk.link(early, "blocks", late)
        world.send(world.acme)
        assert [issue.fields["summary"] for issue in world.globex.desk.list()] == ["early"]
        refuse_nothing(world.globex)
        world.globex.retry()
        assert links(world.globex, _named(world.globex, "early")) == [("blocks", _named(world.globex, "late"))]
        world.assert_in_step()


def test_of_several_links_each_waits_for_its_own_end() -> None:
    with two_sites() as world:
        key = shared(world)
        world.globex.faults.refuse = lambda call, _what: "not today" if call == "create" else None
        for summary in ("never", "late"):
            world.acme.desk.link(key, "blocks", world.acme.desk.create("Bug", summary))
        world.send(world.acme)
        refuse_create(world.globex, "never")
        world.globex.retry()
        assert links(world.globex, key) == [("blocks", _named(world.globex, "late"))]
        assert len(only([one for one in world.globex.queued() if one.state == "waits"]).change.split(b"link:")) == 2
        refuse_nothing(world.globex)
        world.globex.retry()
        assert len(links(world.globex, key)) == 2
        world.assert_in_step()


def test_both_add_same() -> None:
    with two_sites() as world:
        one, other = _pair(world)
        cross(
            world,
            acme=lambda: world.acme.desk.link(one, "blocks", other),
            globex=lambda: world.globex.desk.link(one, "blocks", other),
        )
        for side in world.sides:
            assert links(side, one) == [("blocks", other)]
            assert side.conflicts() == []
        world.assert_in_step()


def test_remove_vs_add() -> None:
    """One takes the link away and makes it again while the other takes it away: both end with what the winner did."""
    for winner, stands in (("acme", True), ("globex", False)):
        with two_sites(contract=contract(("winner: first ", f"winner: {winner} "))) as world:
            one, other = _pair(world)
            world.acme.desk.link(one, "blocks", other)
            world.send(world.acme)
            world.acme.desk.unlink(one, "blocks", other)
            world.acme.export()
            cross(
                world,
                acme=lambda: world.acme.desk.link(one, "blocks", other),  # noqa: B023 - called at once
                globex=lambda: world.globex.desk.unlink(one, "blocks", other),  # noqa: B023
            )
            world.settle()
            for side in world.sides:
                assert links(side, one) == ([("blocks", other)] if stands else [])
                assert {met.field for met in side.conflicts()} <= {f"link blocks {other}"}
            assert sum(len(side.conflicts()) for side in world.sides) > 0
            world.assert_in_step()


def test_unlink_and_link_again() -> None:
    with two_sites() as world:
        one, other = _pair(world)
        for _ in range(2):
            world.acme.desk.link(one, "blocks", other)
            world.send(world.acme)
            assert links(world.globex, one) == [("blocks", other)]
            world.globex.desk.unlink(one, "blocks", other)
            world.send(world.globex)
            assert links(world.acme, one) == []
        world.globex.desk.link(one, "blocks", other)
        world.send(world.globex)
        assert links(world.acme, one) == [("blocks", other)]
        world.assert_in_step()


def test_target_deleted() -> None:
    """The trackers take the link away by themselves: that is neither told nor compared."""
    for policy in (MIRROR, IGNORE, DEFAULT):
        with two_sites(contract=policy) as world:
            one, other = _pair(world)
            world.acme.desk.link(one, "blocks", other)
            world.send(world.acme)
            world.acme.desk.delete(other)
            assert links(world.acme, one) == []
            assert world.acme.export().changes == 1, "the deletion alone"
            world.carry(to=world.globex)
            world.globex.import_()
            assert links(world.globex, one) == ([] if policy == MIRROR else [("blocks", other)])
            assert world.globex.export().changes == world.acme.export().changes == 0
            world.assert_in_step()


def test_target_deleted_here_while_the_link_comes() -> None:
    with two_sites(contract=MIRROR) as world:
        one, other = _pair(world)
        world.globex.desk.delete(other)  # and not told yet
        world.acme.desk.link(one, "blocks", other)
        world.acme.desk.edit(one, {"description": "with a link"})
        done = world.send(world.acme)
        assert "was deleted or is kept apart here" in only(events(done, Dropped)).sentence()
        assert value(world.globex, one, "description") == "with a link"
        assert world.globex.queued() == []
        world.send(world.globex)
        assert keys(world.acme) == [one]
        assert links(world.acme, one) == []
        world.assert_in_step()


def test_target_deleted_before_its_refused_link_was_mended() -> None:
    with two_sites(contract=MIRROR) as world:
        one, other = _pair(world)
        local = other.partition("-")[2]
        refuse(world.globex, f"link:blocks:{local}")
        world.acme.desk.link(one, "blocks", other)
        world.send(world.acme)
        assert f"link blocks {other}: not today" in only(world.globex.stuck()).reason
        world.acme.desk.delete(other)
        world.send(world.acme)
        assert world.globex.queued() == [], "nobody is asked about what is gone"
        refuse_nothing(world.globex)
        world.assert_in_step()


def test_a_removal_needs_nothing_where_the_target_is_gone() -> None:
    with two_sites() as world:
        one, other = _pair(world)
        world.acme.desk.link(one, "blocks", other)
        world.send(world.acme)
        cross(
            world,
            acme=lambda: world.acme.desk.unlink(one, "blocks", other),
            globex=lambda: world.globex.desk.delete(other),
        )
        for side in world.sides:
            assert links(side, one) == []
            assert side.queued() == []
        world.assert_in_step()


def test_target_apart() -> None:
    with two_sites() as world:
        one = shared(world)
        refuse_create(world.globex, "never")
        never = world.acme.desk.create("Bug", "never")
        world.send(world.acme)
        world.globex.skip(only(world.globex.stuck()).mark)
        refuse_nothing(world.globex)
        world.acme.desk.link(one, "blocks", never)
        done = world.send(world.acme)
        dropped = only(events(done, Dropped))
        assert dropped.key == one
        assert "kept apart here; left out" in dropped.sentence()
        assert world.globex.queued() == []
        assert links(world.globex, one) == []
        assert world.globex.export().changes == 0
        world.acme.desk.unlink(one, "blocks", never)
        world.send(world.acme)
        assert world.globex.queued() == []
        assert world.globex.export().changes == world.acme.export().changes == 0


def test_a_link_to_what_is_apart_here_is_not_told() -> None:
    with two_sites() as world:
        one, other = _pair(world)
        world.acme.desk.delete(other)
        world.send(world.acme)  # policy mark: globex keeps its own
        world.globex.desk.link(one, "blocks", other)
        assert world.globex.export().changes == 0
        world.globex.desk.unlink(one, "blocks", other)
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_two_issues_link_each_other() -> None:
    with two_sites() as world:
        one, other = world.acme.desk.create("Bug", "one"), world.acme.desk.create("Bug", "other")
        world.acme.desk.link(one, "blocks", other)
        world.acme.desk.link(other, "relates", one)
        world.send(world.acme)
        assert links(world.globex, one) == [("blocks", other)]
        assert links(world.globex, other) == [("relates", one)]
        assert world.globex.queued() == []
        world.assert_in_step()


def test_one_export_tells_links_to_issues_that_it_tells_later() -> None:
    with two_sites() as world:
        made = [world.acme.desk.create("Bug", f"issue {number}") for number in range(4)]
        for here, there in pairwise(made):
            world.acme.desk.link(here, "blocks", there)
        world.send(world.acme)
        theirs = [_named(world.globex, f"issue {number}") for number in range(4)]
        assert [links(world.globex, key) for key in theirs] == [[("blocks", key)] for key in theirs[1:]] + [[]]
        assert world.acme.export().changes == 0
        world.assert_in_step()


def test_a_link_out_of_the_exchange_is_read_once_and_told_when_its_end_comes_in() -> None:
    with two_sites(scopes=("{labels: [shared]}", "")) as world:
        inside = world.acme.desk.create("Bug", "inside", {"labels:shared": True})
        outside = [world.acme.desk.create("Bug", summary) for summary in ("one outside", "other outside")]
        for end in outside:
            world.acme.desk.link(inside, "blocks", end)
        world.send(world.acme)
        assert links(world.globex, _named(world.globex, "inside")) == []
        assert world.globex.queued() == [], "nothing waits for what may never come"
        world.acme.faults.calls.clear()
        assert world.acme.export().changes == 0
        assert world.acme.faults.calls == [], "the tracker is not asked again for what cannot be told"
        world.acme.desk.edit(outside[1], {"labels:shared": True})
        world.send(world.acme)
        assert links(world.globex, _named(world.globex, "inside")) == [("blocks", _named(world.globex, "other outside"))]
        world.acme.desk.edit(outside[0], {"labels:shared": True})
        world.settle()
        assert len(links(world.globex, _named(world.globex, "inside"))) == 2
        world.assert_in_step()


def test_a_link_to_an_issue_that_is_too_long_to_be_told_waits_here() -> None:
    with two_sites() as world:
        # each element of a set is short enough for a tracker; together they are longer than a line may be
        long = world.acme.desk.create("Bug", "long", {f"serial_numbers:{number:0250}": True for number in range(17_000)})
        short = world.acme.desk.create("Bug", "short")
        world.acme.desk.link(short, "blocks", long)
        world.send(world.acme)
        assert [issue.fields["summary"] for issue in world.globex.desk.list()] == ["short"]
        assert world.globex.queued() == []
        fields = {name: None for name in world.acme.desk.show(long).issue.fields if name.startswith("serial_numbers:")}
        world.acme.desk.edit(long, fields)
        world.send(world.acme)
        assert links(world.globex, _named(world.globex, "short")) == [("blocks", _named(world.globex, "long"))]
        world.assert_in_step()


def test_link_types_have_words_of_their_own_and_others_stay_at_home() -> None:
    words = contract(("links: [blocks, duplicates, relates] ", "links: [stops] "))
    with two_sites(contract=words, mappings=("links: {blocks: stops}\n", "links: {relates: stops, blocks: stops}\n")) as world:
        one, other = _pair(world)
        world.acme.desk.link(one, "blocks", other)
        world.acme.desk.link(one, "duplicates", other)
        world.send(world.acme)
        assert links(world.globex, one) == [("relates", other)], "the first of our words"
        world.globex.desk.link(one, "blocks", other)
        assert world.globex.export().changes == 0, "one or two, they are the same to the contract"
        world.acme.desk.unlink(one, "blocks", other)
        world.send(world.acme)
        assert links(world.globex, one) == []
        assert links(world.acme, one) == [("duplicates", other)]
        world.assert_in_step()


def test_an_edit_of_a_link_is_lost_with_its_issue_and_told() -> None:
    with two_sites(contract=MIRROR) as world:
        one, other = _pair(world)
        world.acme.desk.link(one, "blocks", other)
        world.send(world.acme)
        world.acme.desk.delete(other)
        world.acme.desk.delete(one)
        world.globex.desk.link(one, "relates", other)
        done = world.send(world.acme)
        assert [lost for lost in (event.sentence() for event in done.events) if "went with it" in lost] == [
            f"{one} was deleted by the partner; what was written here and not sent yet went with it: link relates {other}"
        ]
        world.assert_in_step()


def test_link_written_not_recorded_is_not_sent_back() -> None:
    for adds in (True, False):
        with two_sites() as world:
            one, other = _pair(world)
            if not adds:
                world.acme.desk.link(one, "blocks", other)
                world.send(world.acme)
            (world.acme.desk.link if adds else world.acme.desk.unlink)(one, "blocks", other)
            world.acme.export()
            world.carry(to=world.globex)
            with crash(world.globex, "after apply"):
                world.globex.import_()
            assert world.globex.export().changes == 0
            world.globex.import_()
            assert links(world.globex, one) == ([("blocks", other)] if adds else [])
            world.assert_in_step()


def test_created_and_linked_not_recorded_is_not_sent_back() -> None:
    with two_sites() as world:
        old = shared(world)
        new = world.acme.desk.create("Bug", "new")
        world.acme.desk.link(new, "blocks", old)
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after apply"):
            world.globex.import_()
        world.globex.import_()
        assert links(world.globex, _named(world.globex, "new")) == [("blocks", old)]
        assert world.globex.export().changes == 0
        world.assert_in_step()
