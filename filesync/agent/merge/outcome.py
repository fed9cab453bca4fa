"""What became of one arriving change, gathered until its group is committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import msgspec

from filesync.agent.events import Event
from filesync.bundle.changes import encode_change
from filesync.errors import Unwritten
from filesync.ledger.journal import PAUSE, UNREAD, UNWRITTEN, Conflict, Queued, Wait
from filesync.ledger.naming import Unfiled
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.change import Blob, Change, blobs_of
from filesync.model.ids import Mark
from filesync.model.outside import Outside
from filesync.model.shadow import Entity
from filesync.model.shortfall import Cause

_SOON: Final = 50_000_000  # microseconds until a write that went wrong is tried again; then twice as long, and so on


class End(Enum):
    """How a change is counted: read = applied + skipped + refused + waiting."""

    APPLIED = auto()
    SKIPPED = auto()
    REFUSED = auto()
    WAITING = auto()


@dataclass(slots=True)
class Counts:
    """read = applied + skipped + refused + waiting."""

    applied: int = 0
    skipped: int = 0
    refused: int = 0
    waiting: int = 0

    @property
    def read(self) -> int:
        """All of them."""
        return self.applied + self.skipped + self.refused + self.waiting

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            self.applied + other.applied,
            self.skipped + other.skipped,
            self.refused + other.refused,
            self.waiting + other.waiting,
        )

    def add(self, end: End) -> None:
        """Count one."""
        match end:
            case End.APPLIED:
                self.applied += 1
            case End.SKIPPED:
                self.skipped += 1
            case End.REFUSED:
                self.refused += 1
            case End.WAITING:
                self.waiting += 1


class Work(msgspec.Struct, gc=False, frozen=True):
    """An arriving change at its place; `since` when it stood in the queue already, and since when."""

    mark: Mark
    change: Change
    since: int | None = None


class Outcome(msgspec.Struct):
    """The result of one change: what the next commit records."""

    work: Work
    end: End = End.SKIPPED
    rows: list[Entity] = []
    left: Queued | None = None  # what is not decided of it
    events: list[Event] = []
    conflicts: list[Conflict] = []
    opened: list[OpenConflict] = []
    decided: list[tuple[Mark, str, str]] = []  # what was open and the partner decided: place, field, whose value stands
    short: dict[str, Cause] = {}  # fields, flat, that are not here as they were sent; "": all of it
    called: str = ""  # what people here call its issue, where that is known
    refused: list[str] = []  # names of fields, for people
    revisit: set[str] = set()  # issues the next export looks at
    named: tuple[str, str] | None = None  # of an issue that was made: our key, and the partner's
    untaken: dict[str, str] = {}  # wire fields, bare, of which our mapping takes nothing here: "", or why that is unsure
    unfiled: list[Unfiled] = []  # its texts that show files
    unnamed: set[str] = set()  # issues that its texts name and that are not here yet, by the partner's keys
    outside: Outside | None = None  # what the partner told of its scope, where that is news
    marked: str = ""  # our key of an issue that was marked as deleted, or closed for it
    doubted: bool = False  # an earlier call may have made the entity, and this did not find out

    @property
    def done_with(self) -> list[Blob]:
        """Bytes beside its line that nothing of it needs any more."""
        still = self.left.blobs if self.left is not None else ()
        return [one for one in blobs_of(self.work.change) if one.sha256 not in still]

    @property
    def unread(self) -> bool:
        """Whether it was put off because its issue cannot be read."""
        return self.left is not None and self.left.waits_for == UNREAD

    def later(self, error: Unwritten, *more: Unwritten, rest: Change, now: int, reasons: Iterable[str] = ()) -> None:
        """A call for it went wrong, or is not made yet: it is tried again by itself, after longer and longer.

        `reasons`: why other parts of it are refused.
        """
        since = self.work.since if self.work.since is not None else now
        pause = min(max(now - since, _SOON), PAUSE) if error.retry_after is None else int(error.retry_after * 1_000_000)
        state = Wait.STUCK if error.retry_after is None else Wait.WAITS
        reason = "; ".join(dict.fromkeys([*reasons, *map(str, (error, *more))]))
        self.doubted = True
        self.leave(state, rest=rest, now=now, waits_for=UNWRITTEN, reason=reason, not_before=now + pause)

    def leave(self, state: Wait, *, rest: Change, now: int, waits_for: str = "", reason: str = "", not_before: int = 0) -> None:
        """Put what is not decided into the queue."""
        self.left = Queued(
            mark=self.work.mark,
            gid=self.work.change.gid,
            change=encode_change(rest),
            state=state,
            waits_for=waits_for,
            reason=reason,
            since=self.work.since if self.work.since is not None else now,
            not_before=not_before,
            blobs=tuple(one.sha256 for one in blobs_of(rest)),
        )
        self.end = End.REFUSED if state is Wait.STUCK else End.WAITING
