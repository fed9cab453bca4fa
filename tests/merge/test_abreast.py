"""Several issues are worked on at the same time: nothing is lost, doubled or done in another order than it must be."""

from __future__ import annotations

from threading import Barrier, Event, Lock, Thread, get_ident

import pytest

from filesync.agent.busy import Busy
from filesync.agent.merge import abreast
from filesync.agent.merge.abreast import Team
from filesync.agent.site import Halted
from filesync.errors import Unavailable
from tests.merge.scene import MIRROR, comments, crash, refuse
from tests.support.two_sites import Side, World, two_sites

WORKERS = 4
LONG = 60.0  # s; nobody waits so long unless the test fails
SHORT = 0.2  # s; how long something that must not come is waited for


def texts(side: Side) -> list[str]:
    """What people call the issues; the keys of those that are born side by side are in any order."""
    return sorted(str(one.fields["summary"]) for one in side.desk.list())


def many(world: World, number: int) -> list[str]:
    """Issues that both sides have, by acme's keys."""
    keys = [world.acme.desk.create("Bug", f"issue {n:02}") for n in range(number)]
    world.send(world.acme)
    return keys


def test_four_calls_of_four_issues_are_in_flight_at_the_same_time() -> None:
    with two_sites(workers=WORKERS) as world:
        for n in range(2 * WORKERS):
            world.acme.desk.create("Bug", f"issue {n}")
        together = Barrier(WORKERS)  # nobody gets through it alone

        def strike(place: str) -> None:
            if place == "before create":
                together.wait(LONG)

        world.globex.faults.strike = strike
        assert world.send(world.acme).counts.applied == 2 * WORKERS
        world.globex.faults.strike = lambda _place: None
        world.assert_in_step()


def test_no_more_than_workers_calls_are_in_flight() -> None:
    with two_sites(workers=2) as world:
        for n in range(10):
            world.acme.desk.create("Bug", f"issue {n}")
        lock, now, most = Lock(), 0, 0

        def strike(place: str) -> None:
            nonlocal now, most
            with lock:
                now += {"before create": 1, "after create": -1}.get(place, 0)
                most = max(most, now)

        world.globex.faults.strike = strike
        world.send(world.acme)
        assert 1 <= most <= 2


def test_what_belongs_to_one_issue_stays_in_order() -> None:
    with two_sites(workers=WORKERS) as world:
        keys = many(world, 6)
        said = [f"{n}" for n in range(12)]
        for text in said:
            for key in keys:
                world.acme.desk.comment(key, text)
        world.send(world.acme)
        for one in world.globex.desk.list():
            assert comments(world.globex, one.key) == said
        world.assert_in_step()


def test_parallel_issues_any_order_same_end_with_real_threads() -> None:
    ends = []
    for workers in (1, WORKERS):
        with two_sites(workers=workers) as world:
            keys = many(world, 12)
            for key in keys[::2]:
                world.acme.desk.edit(key, {"description": f"of {key}", "priority": "High"})
                world.acme.desk.comment(key, "seen")
            for one in sorted(world.globex.desk.list(), key=lambda one: str(one.fields["summary"]))[::3]:
                world.globex.desk.edit(one.key, {"description": "of globex", "priority": "Low"})
            for key in keys[3:6]:
                world.acme.desk.transition(key, "In Progress")
            world.acme.export()
            world.globex.export()
            for side in world.sides:
                world.carry(to=side)
                side.import_()
            world.settle()
            world.assert_in_step()
            ends.append({(one.key, str(one.fields)): comments(world.acme, one.key) for one in world.acme.desk.list()})
    assert ends[0] == ends[1]


def test_a_refusal_of_one_issue_holds_up_no_other() -> None:
    with two_sites(workers=WORKERS) as world:
        keys = many(world, 10)
        refuse(world.globex, "description", "no")
        for n, key in enumerate(keys):
            world.acme.desk.edit(key, {"description": "no" if n % 3 == 0 else "yes"})
        done = world.send(world.acme)
        assert (done.counts.applied, done.counts.refused) == (6, 4)
        world.settle()
        world.assert_in_step()


def test_what_others_did_is_recorded_when_the_tracker_goes_away_under_one() -> None:
    with two_sites(workers=WORKERS) as world:
        for n in range(8):
            world.acme.desk.create("Bug", f"issue {n}")
        together, lock, calls = Barrier(WORKERS), Lock(), 0

        def strike(place: str) -> None:
            nonlocal calls
            with lock:
                calls += place == "before create"
                nth = calls
            if place == "before create" and nth <= WORKERS:
                together.wait(LONG)
                if nth == 1:
                    raise Unavailable("the tracker is down")

        world.globex.faults.strike = strike
        with pytest.raises(Unavailable, match="is down"):
            world.send(world.acme)
        made = len(world.globex.desk.list())
        assert WORKERS - 1 <= made < 8, "what was in hand was finished, and not all was begun"
        assert len(world.globex.doubts()) == 1, "of the one that failed it is not known whether it was done"
        world.globex.faults.strike = lambda _place: None
        assert world.globex.import_().counts.applied == 8 - made
        assert len(world.globex.desk.list()) == 8
        world.assert_in_step()


def test_a_stop_finishes_the_change_in_hand_of_each_lane_and_begins_nothing() -> None:
    with two_sites(workers=WORKERS) as world:
        for n in range(20):
            world.acme.desk.create("Bug", f"issue {n}")
        asked = Event()
        together = Barrier(WORKERS, action=asked.set)

        def strike(place: str) -> None:
            if place == "before create" and not asked.is_set():
                together.wait(LONG)

        world.globex.faults.strike = strike
        world.globex.site.stopping = asked.is_set
        with pytest.raises(Halted):
            world.send(world.acme)
        assert len(world.globex.desk.list()) == WORKERS
        assert world.globex.doubts() == {}
        world.globex.reopen()
        assert world.globex.import_().counts.applied == 20 - WORKERS
        world.assert_in_step()


def test_a_parent_is_not_deleted_before_what_is_below_it() -> None:
    with two_sites(contract=MIRROR, workers=WORKERS) as world:
        epic = world.acme.desk.create("Epic", "above")
        child = world.acme.desk.create("Bug", "below", {"parent": epic})
        other = world.acme.desk.create("Bug", "beside")
        world.send(world.acme)
        world.send(world.globex)
        world.acme.desk.delete(child)
        world.acme.desk.delete(epic)
        world.acme.desk.delete(other)
        second = Event()
        calls = 0

        def strike(place: str) -> None:
            """The first deletion gives every other one the time to overtake it."""
            nonlocal calls
            if place == "before apply":
                calls += 1
                if calls == 1:
                    second.wait(SHORT)

        world.globex.faults.strike = strike
        done = world.send(world.acme)
        assert (done.counts.applied, done.counts.refused) == (3, 0)
        world.globex.faults.strike = lambda _place: None
        world.assert_in_step()


@pytest.mark.parametrize("place", ["before create", "after create", "before apply", "after apply"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_f45_a_process_that_dies_with_several_issues_in_hand_makes_nothing_twice(place: str, nth: int) -> None:
    with two_sites(workers=WORKERS) as world:
        many(world, 4)
        for one in world.acme.desk.list():
            world.acme.desk.edit(one.key, {"description": "later"})
            world.acme.desk.comment(one.key, "said")
        for n in range(4, 8):
            world.acme.desk.create("Bug", f"issue {n:02}")
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, place, nth):
            world.globex.import_()
        assert world.globex.export().bundles == 0, "what is half applied was told as our own"
        world.globex.import_()
        assert texts(world.globex) == [f"issue {n:02}" for n in range(8)]
        world.assert_in_step()


# ── the lanes by themselves ─────────────────────────────────────────────────────────────────────────────────────


def test_an_error_of_ours_goes_on_after_what_is_in_hand() -> None:
    together, done = Barrier(2), set[int]()

    def call(place: int) -> int:
        if place < 2:
            together.wait(LONG)
        if place == 0:
            raise ZeroDivisionError
        done.add(place)
        return place

    with pytest.raises(ZeroDivisionError), Team(2) as team:
        team.abreast([[0], [1]], call, stopping=lambda: False)
    assert done == {1}


@pytest.mark.parametrize(("workers", "lanes"), [(1, [[0, 2], [1]]), (4, [[0, 1, 2]])])
def test_one_worker_and_one_lane_keep_the_order_of_the_group(workers: int, lanes: list[list[int]]) -> None:
    order: list[int] = []
    with Team(workers) as team:
        came = team.abreast(lanes, order.append, stopping=lambda: False)
    assert order == [0, 1, 2]
    assert came.trouble is None


def test_what_never_waits_is_done_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abreast, "_PATIENCE", LONG)
    by: list[int] = []
    with Team(WORKERS) as team:
        team.abreast([[n] for n in range(50)], lambda _place: by.append(get_ident()), stopping=lambda: False)
    assert by == [get_ident()] * 50


def test_the_first_trouble_of_the_group_is_told() -> None:
    together = Barrier(2)

    def down(place: int) -> None:
        together.wait(LONG)
        raise Unavailable(f"down at {place}")

    with Team(2) as team:
        came = team.abreast([[1], [0]], down, stopping=lambda: False)
    assert str(came.trouble) == "down at 0"
    assert came.results == {}


def test_an_issue_that_another_exchange_has_in_hand_is_waited_for_before_it_is_looked_at() -> None:
    with two_sites(workers=WORKERS) as world:
        (key,) = many(world, 1)
        world.acme.desk.edit(key, {"summary": "theirs"})
        world.acme.export()
        world.carry(to=world.globex)
        (one,) = world.globex.desk.list()
        imported = Thread(target=world.globex.import_)
        with world.globex.site.busy.hold({one.key.split("-")[1]}):
            imported.start()
            imported.join(SHORT)
            assert imported.is_alive()
            world.globex.desk.edit(one.key, {"summary": "written meanwhile"})
        imported.join(LONG)
        assert [(one.ours, one.theirs) for one in world.globex.conflicts()] == [("written meanwhile", "theirs")]


def test_issues_are_had_all_at_once_so_that_nobody_waits_in_a_ring() -> None:
    busy, had = Busy(), list[str]()

    def have(first: str, second: str) -> None:
        for _ in range(200):
            with busy.hold([first, second]):
                had.append(first)

    threads = [Thread(target=have, args=names) for names in (("1", "2"), ("2", "3"), ("3", "1"))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(LONG)
    assert len(had) == 3 * 200
