"""Issues that left our scope, and those that are back: what an export makes of them (model/outside.py)."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from msgspec.structs import replace

from filesync.agent.outgoing.departures import ScopeTold
from filesync.agent.outgoing.found import Found
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.ledger.outside import outside_of
from filesync.model.diff import Seen, Tell
from filesync.model.ids import NEVER, Gid
from filesync.model.issue import Issue, Scope
from filesync.model.outside import Look, Outside, look
from filesync.model.shadow import Entity, Life


class Leaving:
    """The scope of the issues of one reading."""

    def __init__(self, paired: Paired, record: Record) -> None:
        self._paired = paired
        self._record = record
        self._known: dict[Gid, Outside] = {}
        self._noticed: set[Gid] = set()  # seen outside by this export: that it looks at one again counts for nothing

    def load(self, conn: sa.Connection, issues: Collection[Gid]) -> None:
        """What is known of these, besides those before."""
        self._known |= outside_of(conn, self._paired.exchange.id, issues)

    def begin(self) -> None:
        """What was found is frozen: from here on the ledger knows it."""
        self._known.clear()

    def tell(self, issue: Issue, seen: Seen, row: Entity | None, found: Found, *, by_hand: bool) -> None:
        """Add to what is found that an issue left or is back, where the partner has it; before anything else of the issue.

        `by_hand`: a person took it out, which needs no second reading.
        """
        if row is None or row.state is not Life.LIVE or seen.withheld:
            return
        before, sure = self._known.get(row.gid, Outside()), by_hand and issue.scope is Scope.LEFT
        after = replace(before, seen=issue.scope) if sure else before
        done = look(after, issue.scope, tells=self._paired.rules.leaving.tells and (sure or _was_in(row, issue.scope)))
        if row.gid in self._noticed and not sure and done.tells not in {None, Scope.IN}:
            done = Look(after=before, again=True)
        if done.again:
            found.again.add((seen.local, ""))
            self._noticed.add(row.gid)
        if done.after != before:
            found.outside[row.gid] = done.after
        if done.tells is not None:
            found.tells.append(Tell(row=row, fields={}, digests={}, new=False, about=seen.about, scope=done.tells))
            self._record.add(ScopeTold(key=issue.key, now=done.tells, partner=self._paired.them.name))


def _was_in(row: Entity, now: Scope) -> bool:
    """Whether it can have left. One that came, and of which we never told anything, may never have been in the scope."""
    return now is Scope.MOVED or any(one.told != NEVER for one in row.fields.values())
