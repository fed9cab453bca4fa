"""The process dies between a call to the tracker and the record of it, and people go on working meanwhile."""

from collections.abc import Callable

import pytest

from filesync.agent.events import Met
from filesync.errors import Unavailable
from tests.merge.scene import comments, crash, crashes_anywhere, events, keys, only, refuse, refuse_nothing, shared, value
from tests.support.two_sites import Side, World, two_sites


def test_created_not_recorded_then_user_edits() -> None:
    with two_sites() as world:
        key = world.acme.desk.create("Bug", "x")
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after create"):
            world.globex.import_()
        world.globex.desk.edit(key, {"summary": "y"})  # whoever wrote it had seen x
        assert world.globex.export().changes == 0
        world.globex.import_()
        assert keys(world.globex) == [key]
        world.send(world.globex)
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "y"
        assert world.acme.conflicts() == world.globex.conflicts() == []
        world.assert_in_step()


def test_created_and_walked_not_recorded_then_user_edits() -> None:
    with two_sites() as world:
        key = world.acme.desk.create("Bug", "x")
        world.acme.desk.transition(key, "In Progress")
        world.acme.desk.transition(key, "In Review")
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after apply", 2):  # the first step stands in the ledger, the second does not
            world.globex.import_()
        world.globex.desk.edit(key, {"summary": "y"})
        assert world.globex.export().changes == 0
        world.globex.import_()
        world.send(world.globex)
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "y"
        assert value(world.acme, key, "status") == value(world.globex, key, "status") == "In Review"
        assert world.acme.conflicts() == world.globex.conflicts() == []
        world.assert_in_step()


def _written_not_recorded(world: World, source: Side) -> str:
    """An edit of `source` that landed on the other side, whose process died then; its user makes it another."""
    target = world.other(source)
    key = shared(world, "x")
    source.desk.edit(key, {"summary": "y"})
    source.export()
    world.carry(to=target)
    with crash(target, "after apply"):
        target.import_()
    assert value(target, key, "summary") == "y"
    target.desk.edit(key, {"summary": "z"})
    assert target.export().changes == 0
    return key


def test_written_not_recorded_then_user_edits() -> None:
    with two_sites() as world:
        key = _written_not_recorded(world, world.globex)
        world.acme.import_()
        world.settle()
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "z"
        world.assert_in_step()
    with two_sites() as world:
        key = _written_not_recorded(world, world.acme)
        done = world.globex.import_()
        assert [event.winner for event in events(done, Met)] == ["acme"]  # nobody can know that y was seen
        world.settle()
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "y"
        world.assert_in_step()


def test_doubt_blocks_only_its_entity() -> None:
    with two_sites() as world:
        doubted, other = shared(world, "doubted"), shared(world, "other")
        world.acme.desk.edit(doubted, {"summary": "from acme"})
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after apply"):
            world.globex.import_()
        world.globex.desk.edit(other, {"summary": "other, edited"})
        world.globex.desk.comment(doubted, "a comment is another entity")
        world.globex.desk.edit(doubted, {"description": "told later"})
        assert world.globex.export().changes == 2
        world.carry(to=world.acme)
        world.acme.import_()
        assert value(world.acme, other, "summary") == "other, edited"
        assert comments(world.acme, doubted) == ["a comment is another entity"]
        world.globex.import_()
        world.send(world.globex)
        assert value(world.acme, doubted, "description") == "told later"
        assert value(world.acme, doubted, "summary") == "from acme"
        assert world.acme.conflicts() == []
        world.assert_in_step()


def _same(side: Side, key: str) -> None:
    side.desk.edit(key, {"summary": "y"})


def _other(side: Side, key: str) -> None:
    side.desk.edit(key, {"summary": "of the user"})


def _refuse(side: Side, key: str) -> None:
    refuse(side, "summary")


def _nothing(side: Side, key: str) -> None:
    pass


def _delete(side: Side, key: str) -> None:
    side.desk.delete(key)


def test_doubt_removed_by_every_verdict() -> None:
    after: list[tuple[str, Callable[[Side, str], None]]] = [
        ("APPLY", _nothing),
        ("SKIP", _same),
        ("KEEP_UNSENT", _other),
        ("STUCK", _refuse),
        ("LEAVE", _delete),
    ]
    for what, meanwhile in after:
        with two_sites() as world:
            key = shared(world, "x")
            world.globex.desk.edit(key, {"summary": "y"})
            world.globex.export()
            world.carry(to=world.acme)
            with crash(world.acme, "before apply"):
                world.acme.import_()
            assert len(world.acme.doubts()) == 1
            meanwhile(world.acme, key)
            world.acme.import_()
            assert world.acme.doubts() == {}, what
            refuse_nothing(world.acme)
            if what != "LEAVE":
                world.acme.desk.edit(key, {"description": "heard"})
                world.send(world.acme)
                assert value(world.globex, key, "description") == "heard", what
            world.settle()
            world.assert_in_step()


def test_doubt_of_a_skipped_change_is_removed() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        refuse_nothing(world.globex)
        with crash(world.globex, "before apply"):
            world.globex.retry()
        world.globex.skip(stuck.mark)
        assert world.globex.doubts() == {}
        world.send(world.globex)
        assert value(world.acme, key, "summary") == "x"
        world.assert_in_step()


def _busy(world: World) -> None:
    """A bundle with some of everything, carried to globex."""
    old, gone = shared(world, "old"), shared(world, "gone")
    desk = world.acme.desk
    desk.edit(old, {"summary": "old, edited", "labels:a": True})
    desk.comment(old, "a comment")
    desk.delete(gone)
    above = desk.create("Story", "above")
    desk.transition(above, "In Progress")
    desk.create("Sub-task", "below", {"parent": above, "severity": "Major"})
    world.acme.export()
    world.carry(to=world.globex)


def _crash_in_an_import(*, every: int) -> int:
    nth, died = 1, True
    while died:
        with two_sites() as world:
            _busy(world)
            died = crashes_anywhere(world.globex, nth, world.globex.import_)
            assert world.globex.export().changes == 0, nth
            world.globex.import_()
            world.acme.faults.forbid_writes = True
            world.settle()
            world.assert_in_step()
        nth += every
    return nth


def test_crash_at_places_all_over_an_import_neither_doubles_nor_echoes() -> None:
    assert _crash_in_an_import(every=13) > 60  # the places were there


@pytest.mark.prove
def test_crash_anywhere_in_an_import_neither_doubles_nor_echoes() -> None:
    assert _crash_in_an_import(every=1) > 60


def test_a_tracker_that_is_down_half_way_loses_and_doubles_nothing() -> None:
    for place in ("before create", "after create", "before apply", "after apply", "before get"):
        for nth in (1, 2):
            with two_sites() as world:
                _busy(world)
                left = nth

                def down(now: str, place: str = place) -> None:
                    nonlocal left
                    left -= now == place
                    if not left and now == place:
                        raise Unavailable("down for maintenance")

                world.globex.faults.strike = down
                with pytest.raises(Unavailable):
                    world.globex.import_()
                world.globex.faults.strike = lambda _place: None
                assert world.globex.export().changes == 0, place
                world.globex.import_()
                assert world.globex.doubts() == {}, place
                world.acme.faults.forbid_writes = True
                world.settle()
                world.assert_in_step()
