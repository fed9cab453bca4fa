"""What an export has found at our tracker and not numbered yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from filesync.ledger.journal import Conflict
from filesync.ledger.shortfalls import Shortfall
from filesync.model.by_hand import ByHand
from filesync.model.diff import Tell
from filesync.model.ids import Gid
from filesync.model.issue import Item
from filesync.model.outside import Outside
from filesync.model.shadow import Life


@dataclass(slots=True)
class Found:
    """What some issues have to tell, and what may be forgotten once it is told."""

    tells: list[Tell] = field(default_factory=list)
    size: int = 0  # characters in these, roughly
    cursor: str | None = None  # None: the feed cannot be resumed here
    looked_at: list[str] = field(default_factory=list)  # local ids
    # of these: to be looked at again, each once this other local issue is paired ("": at the next export)
    again: set[tuple[str, str]] = field(default_factory=set)
    named: list[tuple[Gid, str]] = field(default_factory=list)  # what the partner calls issues that came, found out only now
    # attachments without their mark, and for whom they were made
    unmarked: list[tuple[Item, Gid]] = field(default_factory=list)
    keys: dict[Gid, str] = field(default_factory=dict)  # our keys that are told with what is told of these issues
    outside: dict[Gid, Outside] = field(default_factory=dict)  # of these, what is known of the scope from now on
    met: list[Conflict] = field(default_factory=list)  # edits that the partner would put back, had it heard of them
    by_hand: list[ByHand] = field(default_factory=list)  # what a person said of these, which this goes by
    over: list[Gid] = field(default_factory=list)  # of these nothing is said any more: they are gone
    short: dict[str, list[Shortfall]] = field(default_factory=dict)  # of these: what of them stays here, by local id

    def ordered(self) -> Found:
        """Deletions last: a tracker does not delete a parent before what is below it was given another."""
        self.tells.sort(key=lambda tell: tell.row.state is Life.DEAD)
        return self
