"""What is to be done next for one exchange: decided from what was seen and when, without a look at anything. Pure.

Times of looks, waits and retries are seconds of a clock that is never set (`mono`); a schedule goes by the wall clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from filesync.agent.running.schedule import Schedule, next_due

POLL: Final = 10.0  # s between looks into the inboxes: what a watch on the folder does not tell is found so
STILL: Final = 1.0  # s in which a listing must not have changed: a file that is being copied is not taken in again and again
AGAIN: Final = 60.0  # s after which an import is made though nothing came: what waits for time to pass has its turn
RETRY: Final = 10.0  # s before the first retry of what failed; doubled with each
RETRY_MOST: Final = 300.0  # s

_NEVER: Final = float("inf")


class Seen(NamedTuple):
    """A file as a look at its folder shows it."""

    name: str
    size: int
    ctime_ns: int  # changes with the content, and cannot be set
    inode: int


Listing: TypeAlias = frozenset[Seen]


class Job(StrEnum):
    """What is done for an exchange."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """That a job fails: how often in a row, in which words, since when, and when it is tried again."""

    attempts: int
    what: str
    since: dt.datetime
    retry_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where the run stands with one exchange."""

    exchange: str
    receives: bool
    sends: bool
    left_alone: bool = False  # its stream is stopped: a person decides first
    paused: bool = False  # a person wants nothing done on it for now
    taken: Listing = frozenset()  # what was in the inbox when it was imported
    seen: Listing = frozenset()  # what the last look saw
    new_since: float | None = None  # since when there is something that the last import did not see
    same_since: float = 0.0  # since when looks see what the last one saw
    imported: float | None = None  # when the last import ended
    exported: dt.datetime | None = None  # when the last export began
    failing: dict[Job, Trouble]


def looked(lane: Lane, listing: Listing, mono: float) -> Lane:
    """After a look into the inbox."""
    new_since = (mono if lane.new_since is None else lane.new_since) if listing - lane.taken else None
    return replace(lane, seen=listing, same_since=lane.same_since if listing == lane.seen else mono, new_since=new_since)


def import_at(lane: Lane) -> float:
    """When an import is due, as the last look left it."""
    if lane.left_alone or lane.paused or not lane.receives:
        return _NEVER
    if Job.IMPORT in lane.failing:
        return lane.failing[Job.IMPORT].retry_at
    if lane.imported is None:
        return 0.0
    if lane.new_since is None:
        return lane.imported + AGAIN
    # a folder that is never still, because something large arrives, must not hold up what is complete in it
    return min(lane.same_since + STILL, lane.new_since + POLL)


def export_in(lane: Lane, *, mono: float, wall: dt.datetime, schedule: Schedule) -> float:
    """In how many seconds an export is due; not above 0 if it is."""
    if lane.left_alone or lane.paused or not lane.sends:
        return _NEVER
    if Job.EXPORT in lane.failing:
        return lane.failing[Job.EXPORT].retry_at - mono
    return (next_due(wall, lane.exported, schedule) - wall).total_seconds()


def due(lane: Lane, *, mono: float, wall: dt.datetime, schedule: Schedule) -> list[Job]:
    """What is to be done now, in this order."""
    jobs = [Job.IMPORT] if import_at(lane) <= mono else []
    return jobs + ([Job.EXPORT] if export_in(lane, mono=mono, wall=wall, schedule=schedule) <= 0 else [])


def pause(lane: Lane, *, mono: float, wall: dt.datetime, schedule: Schedule) -> float:
    """For how many seconds there is nothing to do: at most until the next look."""
    spans = [POLL, import_at(lane) - mono, export_in(lane, mono=mono, wall=wall, schedule=schedule)]
    return max(0.0, min(spans))


def failed(lane: Lane, job: Job, *, what: str, mono: float, wall: dt.datetime, wait: float) -> Lane:
    """After a job failed; it is tried again after `wait` seconds."""
    before = lane.failing.get(job)
    trouble = Trouble(
        attempts=before.attempts + 1 if before else 1,
        what=what,
        since=before.since if before else wall,
        retry_at=mono + wait,
    )
    return replace(lane, failing={**lane.failing, job: trouble})


def worked(lane: Lane, job: Job) -> Lane:
    """After a job went through."""
    return replace(lane, failing={one: trouble for one, trouble in lane.failing.items() if one is not job})


def backoff(attempts: int, chance: float, *, least: float = 0.0) -> float:
    """Seconds until the next attempt after so many failed ones; not under `least`, which the tracker asked for.

    Half of it is left to `chance` (from 0 to 1): several sites that failed together do not come back together.
    """
    longest = min(RETRY * 2.0 ** min(attempts - 1, 16), RETRY_MOST)
    return max(longest * (0.5 + chance / 2), least)
