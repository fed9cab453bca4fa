"""When an export is due: every so often, or at the times of a cron line. Pure: the time is an argument."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, TypeAlias

from cronsim import CronSim, CronSimError

from filesync.agent.events import span_text
from filesync.errors import ConfigError, Problem
from filesync.settings import quoted

_FIELDS: Final = 5  # minute, hour, day of the month, month, day of the week


@dataclass(frozen=True, slots=True)
class Every:
    """So long after the last one began; the first one at once."""

    span: dt.timedelta

    def __str__(self) -> str:
        return f"every {span_text(int(self.span.total_seconds()))}"


@dataclass(frozen=True, slots=True)
class Cron:
    """At the times of a cron line (five fields, as Debian's cron reads them), in this time zone. Made by `cron`."""

    line: str
    zone: dt.tzinfo

    def __str__(self) -> str:
        return f"at {self.line} ({self.zone})"


Schedule: TypeAlias = Every | Cron


def cron(line: str, zone: dt.tzinfo) -> Cron:
    """A cron line that means something. Raises ConfigError."""
    try:
        next(CronSim(line, dt.datetime(2000, 1, 1, tzinfo=zone)))
        why = "" if len(line.split()) == _FIELDS else f"it has {len(line.split())} fields, not {_FIELDS}"
    except (CronSimError, StopIteration) as error:
        why = str(error) or "it never comes"
    if why:
        raise ConfigError(
            [Problem("--cron", f"{quoted(line)} is no time: {why}")],
            hint="Write minute, hour, day, month and weekday, as in '*/15 6-20 * * MON-FRI'.",
        )
    return Cron(line, zone)


def next_due(now: dt.datetime, last: dt.datetime | None, schedule: Schedule) -> dt.datetime:
    """When the next export is due, in UTC: not after `now` if it is due already.

    `last` is when the last one began, or with a cron line when the run began. Points of time that were missed, however
    many, are made up for by one. A `last` after `now` is a clock that was set back: it counts as now, so that nothing
    waits for the old time.
    """
    if isinstance(schedule, Every):
        return now if last is None else min(last, now) + schedule.span
    since = now if last is None else min(last, now)
    # With a spring's gap or an autumn's double hour between, cronsim does as Debian's cron: neither left out nor done twice.
    return next(CronSim(schedule.line, since.astimezone(schedule.zone))).astimezone(dt.UTC)
