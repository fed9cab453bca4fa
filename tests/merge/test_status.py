"""A status is reached step by step; what happens when a step fails, is cut off, or is skipped by a person."""

import pytest

from filesync.model.values import digest
from tests.merge.scene import crash, crashes_anywhere, only, refuse, refuse_nothing, row, shared, value
from tests.support.two_sites import Side, World, two_sites


def _walk(side: Side, key: str, *steps: str) -> None:
    for step in steps:
        side.desk.transition(key, step)


def _told_done(world: World) -> str:
    """An issue that acme walked to Done in three steps, carried to globex and not imported there."""
    key = shared(world)
    _walk(world.acme, key, "In Progress", "In Review", "Done")
    world.acme.export()
    world.carry(to=world.globex)
    return key


def test_path_recorded_step_by_step() -> None:
    with two_sites() as world:
        key = _told_done(world)
        known: list[str] = []

        def strike(place: str) -> None:
            if place == "before apply":
                known.append(row(world.globex, key).shadow("status").here)

        world.globex.faults.strike = strike
        world.globex.import_()
        assert known == [digest("To Do"), digest("In Progress"), digest("In Review")]
        assert value(world.globex, key, "status") == "Done"
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_born_with_a_status_further_on() -> None:
    with two_sites() as world:
        key = world.acme.desk.create("Bug", "x")
        _walk(world.acme, key, "In Progress", "In Review")
        world.send(world.acme)
        assert value(world.globex, key, "status") == "In Review"
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_a_way_of_which_a_part_is_known_is_asked_for_again_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        key = _told_done(world)
        tracker = world.globex.site.tracker
        whole = tracker.route
        monkeypatch.setattr(tracker, "route", lambda ref, status: whole(ref, status)[:1])
        world.globex.import_()
        assert value(world.globex, key, "status") == "Done"
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_a_way_that_leads_back_out_of_a_dead_end_is_no_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        key = _told_done(world)
        there = {
            "To Do": ("In Progress",),
            "In Progress": ("Blocked",),
            "Blocked": ("In Progress", "In Review", "Done"),
        }
        monkeypatch.setattr(
            world.globex.site.tracker, "route", lambda ref, status: there[str(value(world.globex, key, "status"))]
        )
        world.globex.import_()
        assert value(world.globex, key, "status") == "Done"
        world.assert_in_step()


def test_a_way_that_goes_in_circles_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        key = _told_done(world)
        there = {"To Do": ("In Progress",), "In Progress": ("To Do",)}
        monkeypatch.setattr(
            world.globex.site.tracker, "route", lambda ref, status: there[str(value(world.globex, key, "status"))]
        )
        world.globex.import_()
        assert "goes in circles" in only(world.globex.stuck()).reason
        assert world.globex.export().changes == 0


def test_refused_half_way_then_retried() -> None:
    with two_sites() as world:
        key = _told_done(world)
        refuse(world.globex, "status", "Done")
        world.globex.import_()
        assert value(world.globex, key, "status") == "In Review"
        row = only(world.globex.stuck())
        assert "status" in row.reason
        refuse_nothing(world.globex)
        world.globex.retry()
        assert value(world.globex, key, "status") == "Done"
        world.assert_in_step()


def test_refused_half_way_sends_nothing() -> None:
    with two_sites() as world:
        key = _told_done(world)
        refuse(world.globex, "status", "Done")
        world.globex.import_()
        assert world.globex.export().changes == 0
        assert value(world.acme, key, "status") == "Done"
        world.settle()
        assert value(world.globex, key, "status") == "Done"
        world.assert_in_step()


def test_refused_half_way_of_a_birth_sends_nothing() -> None:
    with two_sites() as world:
        key = world.acme.desk.create("Bug", "x")
        _walk(world.acme, key, "In Progress", "In Review")
        refuse(world.globex, "status", "In Review")
        world.send(world.acme)
        assert value(world.globex, key, "status") == "In Progress"
        assert world.globex.export().changes == 0
        world.settle()
        assert value(world.acme, key, "status") == value(world.globex, key, "status") == "In Review"
        world.assert_in_step()


def test_crash_between_two_steps() -> None:
    with two_sites() as world:
        key = shared(world)
        _walk(world.globex, key, "In Progress", "In Review", "Done")
        world.globex.export()
        world.carry(to=world.acme)  # whose edits win: an own step taken for an edit would be sent back
        with crash(world.acme, "after apply"):
            world.acme.import_()
        assert value(world.acme, key, "status") == "In Progress"
        assert world.acme.export().changes == 0
        world.acme.import_()
        assert value(world.acme, key, "status") == "Done"
        assert world.acme.conflicts() == []
        world.globex.faults.forbid_writes = True
        world.settle()
        world.assert_in_step()


def test_cut_off_after_a_step_and_refused_at_the_next_sends_nothing() -> None:
    with two_sites() as world:
        key = _told_done(world)
        with crash(world.globex, "after apply"):
            world.globex.import_()
        refuse(world.globex, "status", "In Review")
        world.globex.import_()
        assert len(world.globex.stuck()) == 1
        assert value(world.globex, key, "status") == "In Progress"
        assert world.globex.export().changes == 0
        world.settle()
        assert value(world.acme, key, "status") == "Done"
        world.assert_in_step()


def _crash_on_the_way_of_a_status(*, every: int) -> int:
    nth, died = 1, True
    while died:
        with two_sites() as world:
            key = shared(world)
            _walk(world.globex, key, "In Progress", "In Review", "Done")
            world.globex.export()
            world.carry(to=world.acme)
            died = crashes_anywhere(world.acme, nth, world.acme.import_)
            assert world.acme.export().changes == 0, nth
            world.acme.import_()
            assert value(world.acme, key, "status") == "Done", nth
            assert world.acme.conflicts() == [], nth
            world.globex.faults.forbid_writes = True
            world.settle()
            world.assert_in_step()
        nth += every
    return nth


def test_crash_at_places_all_over_the_way_of_a_status() -> None:
    assert _crash_on_the_way_of_a_status(every=7) > 50  # the places were there


@pytest.mark.prove
def test_crash_anywhere_on_the_way_of_a_status() -> None:
    assert _crash_on_the_way_of_a_status(every=1) > 50


def test_skip_sends_ours_back() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.acme.desk.edit(key, {"summary": "y"})
        refuse(world.globex, "summary", "y")
        world.send(world.acme)
        row = only(world.globex.stuck())
        world.globex.skip(row.mark)
        assert world.globex.queued() == []
        world.send(world.globex)
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "x"
        world.assert_in_step()


def test_skip_of_a_status_half_way_sends_where_it_stands() -> None:
    with two_sites() as world:
        key = _told_done(world)
        _walk(world.acme, key, "Reopen")  # told later: acme can be taken from To Do to In Review
        refuse(world.globex, "status", "Done")
        world.globex.import_()
        row = only(world.globex.stuck())
        world.globex.skip(row.mark)
        world.settle()
        assert value(world.acme, key, "status") == value(world.globex, key, "status")
        world.assert_in_step()


def test_skip_of_crossing_we_win_sends_nothing_twice() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        world.globex.desk.edit(key, {"summary": "z"})
        refuse(world.acme, "summary", "z")
        world.send(world.globex)
        row = only(world.acme.stuck())
        world.acme.desk.edit(key, {"summary": "y"})
        assert world.acme.export().changes == 1
        world.acme.skip(row.mark)
        assert world.acme.export().changes == 0
        world.carry(to=world.globex)
        world.globex.import_()
        assert value(world.globex, key, "summary") == "y"
        world.assert_in_step()
