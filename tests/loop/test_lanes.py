"""What is to be done next."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from filesync.agent.running.lanes import (
    AGAIN,
    POLL,
    RETRY,
    RETRY_MOST,
    STILL,
    Job,
    Lane,
    Seen,
    backoff,
    due,
    export_in,
    failed,
    import_at,
    looked,
    pause,
    worked,
)
from filesync.agent.running.schedule import Every

WALL = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
EVERY = Every(dt.timedelta(minutes=5))
FILE = Seen("fs1_a.tar", 10, 1, 1)
IDLE = Lane(exchange="main", receives=True, sends=True, imported=100.0, exported=WALL, failing={})


def test_a_run_begins_with_an_import_and_an_export() -> None:
    fresh = replace(IDLE, imported=None, exported=None)
    assert due(fresh, mono=0.0, wall=WALL, schedule=EVERY) == [Job.IMPORT, Job.EXPORT]


def test_which_way_an_exchange_goes_is_respected() -> None:
    fresh = replace(IDLE, imported=None, exported=None)
    assert due(replace(fresh, receives=False), mono=0.0, wall=WALL, schedule=EVERY) == [Job.EXPORT]
    assert due(replace(fresh, sends=False), mono=0.0, wall=WALL, schedule=EVERY) == [Job.IMPORT]


def test_a_stopped_stream_is_left_alone() -> None:
    fresh = replace(IDLE, imported=None, exported=None, left_alone=True)
    assert due(fresh, mono=1e9, wall=WALL, schedule=EVERY) == []
    assert pause(fresh, mono=1e9, wall=WALL, schedule=EVERY) == POLL


def test_what_came_is_imported_when_it_is_still() -> None:
    lane = looked(IDLE, frozenset({FILE}), 110.0)
    assert due(lane, mono=110.0, wall=WALL, schedule=EVERY) == []
    assert pause(lane, mono=110.0, wall=WALL, schedule=EVERY) == STILL
    early = looked(lane, frozenset({FILE}), 110.5)
    assert due(early, mono=110.5, wall=WALL, schedule=EVERY) == [], "a second look at once proves nothing"
    lane = looked(lane, frozenset({FILE}), 110.0 + STILL)
    assert due(lane, mono=110.0 + STILL, wall=WALL, schedule=EVERY) == [Job.IMPORT]


def test_a_folder_that_is_never_still_does_not_hold_up_what_is_complete_in_it() -> None:
    lane, mono = IDLE, 110.0
    while import_at(lane) > mono:
        mono += 0.5
        lane = looked(lane, frozenset({FILE, Seen("large", int(mono * 10), 1, 2)}), mono)
    assert mono == 110.5 + POLL


def test_what_was_there_at_the_last_import_or_went_since_is_no_news() -> None:
    lane = replace(IDLE, taken=frozenset({FILE, Seen("b", 1, 1, 2)}))
    assert looked(lane, frozenset({FILE}), 110.0).new_since is None
    changed = frozenset({FILE._replace(ctime_ns=2)})
    assert looked(lane, changed, 110.0).new_since == 110.0


def test_a_file_that_went_again_ends_the_wait_for_it() -> None:
    lane = looked(IDLE, frozenset({FILE}), 110.0)
    assert looked(lane, frozenset(), 111.0).new_since is None


def test_without_news_an_import_is_made_once_in_a_while() -> None:
    assert import_at(IDLE) == 100.0 + AGAIN


def test_the_pause_ends_with_whatever_comes_first() -> None:
    assert pause(IDLE, mono=101.0, wall=WALL, schedule=EVERY) == POLL
    assert pause(IDLE, mono=158.0, wall=WALL, schedule=EVERY) == 2.0
    assert pause(IDLE, mono=101.0, wall=WALL + dt.timedelta(seconds=297), schedule=EVERY) == 3.0
    assert pause(IDLE, mono=500.0, wall=WALL, schedule=EVERY) == 0.0


def test_what_fails_is_tried_again_later_and_the_other_way_is_not_touched() -> None:
    lane = failed(IDLE, Job.IMPORT, what="down", mono=200.0, wall=WALL, wait=10.0)
    lane = looked(lane, frozenset({FILE}), 205.0)
    assert import_at(lane) == 210.0
    assert export_in(lane, mono=205.0, wall=WALL, schedule=EVERY) == 300.0
    lane = failed(lane, Job.IMPORT, what="still", mono=210.0, wall=WALL + dt.timedelta(seconds=10), wait=20.0)
    assert (lane.failing[Job.IMPORT].attempts, lane.failing[Job.IMPORT].since) == (2, WALL)
    assert worked(lane, Job.EXPORT).failing == lane.failing
    assert worked(lane, Job.IMPORT).failing == {}


@pytest.mark.parametrize("attempts", [1, 2, 5, 10_000])
def test_f118_waits_grow_to_a_bound_and_half_of_each_is_chance(attempts: int) -> None:
    longest = min(RETRY * 2 ** min(attempts - 1, 20), RETRY_MOST)
    assert backoff(attempts, 0.0) == longest / 2
    assert backoff(attempts, 1.0) == longest
    assert backoff(attempts, 0.5, least=900.0) == 900.0, "the tracker asked for it"
