"""How fast Jira is asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from filesync.trackers.jira.rest.pace import CLOUD_WRITES, Limiter, Turns, Waiting
from tests.trackers.jira.stub import Clock


def waiting(clock: Clock) -> Waiting:
    return Waiting(now=clock.now, sleep=clock.sleep, chance=lambda: 0.0)


def test_so_many_a_second_and_a_seconds_worth_at_once() -> None:
    clock = Clock()
    limiter = Limiter(per_second=10, waiting=waiting(clock))
    start = clock.at
    taken = []
    for _ in range(40):
        assert limiter.take(within=60) == 0.0
        taken.append(clock.at - start)
    assert taken[10] == pytest.approx(0)
    assert taken[-1] == pytest.approx(2.9)


def test_a_rate_below_one_a_second_is_kept() -> None:
    clock = Clock()
    limiter = Limiter(per_second=0.5, waiting=waiting(clock))
    start = clock.at
    for _ in range(4):
        limiter.take(within=60)
    assert clock.at - start == pytest.approx(5.0)


def test_threads_share_the_rate() -> None:
    clock = Clock()
    limiter = Limiter(per_second=100, waiting=waiting(clock))
    start = clock.at
    with ThreadPoolExecutor(8) as crew:
        assert set(crew.map(lambda _: limiter.take(within=600), range(400))) == {0.0}
    assert clock.at - start >= (400 - 101) / 100 - 1e-6


def test_what_one_was_told_holds_for_all_and_then_it_goes_more_slowly() -> None:
    clock = Clock()
    limiter = Limiter(per_second=10, waiting=waiting(clock))
    limiter.take(within=60)
    limiter.hold(30)
    told = clock.at
    taken = []
    for _ in range(60):
        limiter.take(within=60)
        taken.append(clock.at - told)
    gaps = [later - earlier for earlier, later in pairwise(taken)]
    assert taken[0] == pytest.approx(30)
    assert gaps[0] == pytest.approx(0.2)
    assert gaps[-1] == pytest.approx(0.1), "and recovers"


def test_who_has_no_patience_is_told_how_long_it_would_take() -> None:
    clock = Clock()
    limiter = Limiter(per_second=10, waiting=waiting(clock))
    limiter.hold(30)
    assert limiter.take(within=5) == pytest.approx(30)
    assert clock.slept == []


def test_our_own_rate_asks_for_no_patience() -> None:
    clock = Clock()
    limiter = Limiter(per_second=0.1, waiting=waiting(clock))
    assert [limiter.take(within=0) for _ in range(3)] == [0.0] * 3
    assert sum(clock.slept) == pytest.approx(19)


def test_it_never_becomes_slower_than_it_may() -> None:
    clock = Clock()
    limiter = Limiter(per_second=10, waiting=waiting(clock))
    for _ in range(20):
        limiter.hold(1)
    limiter.take(within=60)
    before = clock.at
    limiter.take(within=60)
    assert clock.at - before <= 1.0


def test_trap19_an_issue_takes_so_many_writes_in_cloud() -> None:
    clock = Clock()
    turns = Turns(pause=0, limits=CLOUD_WRITES, waiting=waiting(clock))
    written: list[float] = []
    for _ in range(250):
        with turns.turn("10001"):
            written.append(clock.at)
    for count, span in CLOUD_WRITES:
        assert all(later - earlier >= span - 1e-6 for earlier, later in zip(written, written[count:], strict=False))
    before = clock.at
    with turns.turn("10002"), turns.turn(""):
        assert clock.at == before, "another issue, or none, does not wait"


def test_a_pause_between_two_writes() -> None:
    clock = Clock()
    turns = Turns(pause=0.5, limits=(), waiting=waiting(clock))
    for _ in range(3):
        with turns.turn("10001"):
            pass
    assert clock.slept == [0.5, 0.5]


def test_writes_to_one_issue_come_one_after_the_other() -> None:
    turns = Turns(pause=0, limits=(), waiting=Waiting())
    inside: list[str] = []
    together = threading.Barrier(2, timeout=30)

    def write(issue: str) -> None:
        with turns.turn(issue):
            inside.append(issue)
            assert inside.count(issue) == 1
            if issue != "one":
                together.wait()  # writes to different issues do not wait for each other
            inside.remove(issue)

    with ThreadPoolExecutor(8) as crew:
        list(crew.map(write, ["one"] * 100))
        list(crew.map(write, ["two", "three"]))


def test_a_write_that_failed_lets_the_next_one_in() -> None:
    turns = Turns(pause=0, limits=(), waiting=Waiting())
    with pytest.raises(KeyError), turns.turn("one"):
        raise KeyError
    with turns.turn("one"):
        pass


def test_old_issues_are_forgotten() -> None:
    clock = Clock()
    turns = Turns(pause=0, limits=CLOUD_WRITES, waiting=waiting(clock))
    for number in range(3_000):
        with turns.turn(str(number)):
            clock.at += 1
    assert len(turns._issues) < 1_100
