"""When an export is due."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from filesync.agent.running.schedule import Cron, Every, cron, next_due
from filesync.errors import ConfigError

BERLIN = ZoneInfo("Europe/Berlin")
NINE = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_an_interval_begins_at_once_and_counts_from_the_last_one() -> None:
    every = Every(dt.timedelta(minutes=5))
    assert next_due(NINE, None, every) == NINE
    assert next_due(NINE, NINE - dt.timedelta(minutes=1), every) == NINE + dt.timedelta(minutes=4)
    assert next_due(NINE, NINE - dt.timedelta(days=9), every) < NINE


@pytest.mark.parametrize("schedule", [Every(dt.timedelta(minutes=5)), Cron("*/5 * * * *", dt.UTC)], ids=str)
def test_f59_a_clock_that_was_set_back_does_not_hold_up_the_next_export(schedule: Every | Cron) -> None:
    assert next_due(NINE, NINE + dt.timedelta(days=1095), schedule) == NINE + dt.timedelta(minutes=5)


def test_a_cron_line_is_read_in_its_time_zone() -> None:
    assert next_due(NINE, NINE, cron("30 6 * * MON-FRI", BERLIN)) == utc("2026-11-24 05:30")
    assert next_due(NINE, NINE, cron("30 6 * * *", dt.UTC)) == utc("2026-11-24 06:30")


def test_f59_what_falls_into_springs_gap_is_done_after_it() -> None:
    night = cron("30 2 * * *", BERLIN)
    assert next_due(NINE, utc("2026-03-28 12:00"), night) == utc("2026-03-29 01:00"), "03:00 in summer time"
    assert next_due(NINE, utc("2026-03-29 01:00"), night) == utc("2026-03-30 00:30")


def test_f59_autumns_double_hour_is_one_time() -> None:
    night = cron("30 2 * * *", BERLIN)
    first = next_due(NINE, utc("2026-10-24 12:00"), night)
    assert first == utc("2026-10-25 00:30")
    assert next_due(NINE, first, night) == utc("2026-10-26 01:30")


def test_every_quarter_of_an_hour_goes_on_through_both_hours() -> None:
    quarters = cron("*/15 * * * *", BERLIN)
    at, times = utc("2026-10-24 23:45"), []
    for _ in range(8):
        at = next_due(NINE, at, quarters)
        times.append(at)
    assert times == [utc("2026-10-25 00:00") + n * dt.timedelta(minutes=15) for n in range(8)]


def test_many_missed_points_of_time_are_made_up_for_by_one() -> None:
    hourly = cron("0 * * * *", dt.UTC)
    assert next_due(NINE, NINE - dt.timedelta(days=3), hourly) < NINE
    assert next_due(NINE, NINE, hourly) == NINE + dt.timedelta(hours=1)


@pytest.mark.parametrize("line", ["", "every day", "61 * * * *", "0 0 31 2 *", "* * * * * *", "0 6 * * \x1b"])
def test_a_line_that_is_no_time_is_told(line: str) -> None:
    with pytest.raises(ConfigError, match=r"--cron: .* is no time: ") as caught:
        cron(line, dt.UTC)
    assert "\x1b" not in str(caught.value)
    assert "weekday" in caught.value.hint
