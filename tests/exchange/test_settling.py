"""Arriving or damaged: only what stayed the same for a while is judged for good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.exchange.inbox import Look, Settling, settling

FIRST = Look(size=10, mtime_ns=5, sha256="a" * 64, at=1_000.0)
SETTLE = 600.0


def test_f22_the_first_look_is_never_the_last() -> None:
    assert settling(None, FIRST, settle_s=SETTLE) == Settling(settled=False, since=FIRST)
    assert settling(None, FIRST, settle_s=0) == Settling(settled=False, since=FIRST)


def test_f26_polled_often_it_settles_when_the_time_since_the_first_look_is_over() -> None:
    since, answers = None, []
    for second in range(0, 700, 10):
        answer = settling(since, replace(FIRST, at=1_000.0 + second), settle_s=SETTLE)
        since = answer.since
        answers.append(answer.settled)
    assert answers.index(True) == 60
    assert all(answers[60:])


@pytest.mark.parametrize("change", [{"size": 11}, {"mtime_ns": 6}, {"sha256": "b" * 64}])
def test_f26_f67_whatever_changes_starts_the_wait_anew(change: dict[str, object]) -> None:
    now = replace(FIRST, at=5_000.0, **change)  # type: ignore[arg-type]  # fields of several types
    assert settling(FIRST, now, settle_s=SETTLE) == Settling(settled=False, since=now)
    assert settling(now, replace(now, at=5_600.0), settle_s=SETTLE).settled


def test_f27_an_old_time_stamp_settles_nothing() -> None:
    old = replace(FIRST, mtime_ns=0)
    assert not settling(None, old, settle_s=SETTLE).settled
    assert not settling(old, replace(old, at=1_599.0), settle_s=SETTLE).settled


def test_f59_a_clock_set_back_waits_once_more_in_full() -> None:
    now = replace(FIRST, at=10.0)
    assert settling(FIRST, now, settle_s=SETTLE) == Settling(settled=False, since=now)
    assert settling(now, replace(now, at=610.0), settle_s=SETTLE).settled


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 400)), min_size=1))
def test_settled_means_two_equal_looks_that_far_apart(steps: list[tuple[int, float]]) -> None:
    since, at, seen = None, 0.0, []
    for content, wait in steps:
        at += wait
        look = Look(size=1, mtime_ns=1, sha256=str(content), at=at)
        seen.append(look)
        answer = settling(since, look, settle_s=SETTLE)
        since = answer.since
        run = seen[len(seen) - next((n for n, one in enumerate(reversed(seen)) if one.sha256 != look.sha256), len(seen)) :]
        assert answer.settled == (look.at - run[0].at >= SETTLE and len(run) > 1)
