"""What became of a group's changes, written into the ledger: all of it in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from filesync.agent.incoming.chunks import spend
from filesync.agent.incoming.left_out import left_out
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.shortage import note
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.ledger import called, journal, naming, open_conflicts, shadows, streams
from filesync.ledger.outside import put_theirs
from filesync.model.change import Change, Create, Delete
from filesync.model.ids import Gid, Kind, kind_of
from filesync.model.shadow import Life
from filesync.model.versions import LISTS
from filesync.rules.partner import is_usual


def book(conn: sa.Connection, paired: Paired, outcomes: Sequence[Outcome], record: Record, *, at: int) -> None:
    """Rows, queue, doubts, conflicts and names. What is told of it is added by the caller."""
    x = paired.exchange.id
    shadows.save(conn, x, [row for one in outcomes for row in one.rows])
    shadows.drop_doubts(conn, x, [one.work.change.gid for one in outcomes if not one.doubted])
    journal.put_queued(conn, x, [one.left for one in outcomes if one.left is not None])
    journal.drop_queued(conn, x, [one.work.mark for one in outcomes if one.left is None and one.work.since is not None])
    spend(conn, x, (blob for one in outcomes for blob in one.done_with), at=at)
    open_conflicts.put(conn, x, [opened for one in outcomes for opened in one.opened])
    journal.add_conflicts(conn, x, [conflict for one in outcomes for conflict in one.conflicts])
    for done in outcomes:
        for mark, field, winner in done.decided if done.left is None else ():
            journal.decide_conflict(conn, x, (mark, done.work.change.gid, field), winner)
    naming.add_keys(conn, x, [one.named for one in outcomes if one.named is not None])
    naming.add_unnamed(conn, x, [(one.work.change.gid, key) for one in outcomes for key in one.unnamed])
    if paired.names:
        called.learn(conn, x, _names(outcomes))
    naming.put_unfiled(conn, x, [text for one in outcomes for text in one.unfiled])
    naming.files_came(
        conn, x, {row.parent for one in outcomes for row in one.rows if row.parent and row.kind is Kind.ATTACHMENT}
    )
    if paired.keeps_pace:
        waiting = _waiting(conn, x, [one.work.change for one in outcomes if one.left is not None])
        apart = {row.gid for one in outcomes for row in one.rows if row.kind is Kind.ISSUE and row.state is Life.APART}
        called.hold(conn, x, waiting | apart)
    note(conn, paired, outcomes, now=at)
    put_theirs(conn, x, {one.work.change.gid: one.outside for one in outcomes if one.outside is not None})
    again = {issue for one in outcomes for issue in one.revisit} - {LISTS}  # each export looks at these
    shadows.add_revisits(conn, x, {(issue, "") for issue in again})
    met = sum(bool(one.conflicts) for one in outcomes)
    if met:
        there = streams.exchange_of(conn, x)
        streams.update_exchange(conn, x, items_conflict=there.items_conflict + met)
    left_out(conn, paired, [named for one in outcomes for named in one.untaken.items()], record)


def _waiting(conn: sa.Connection, x: int, changes: Sequence[Change]) -> set[Gid]:
    """The issues of changes that are not decided."""
    rows = shadows.entities(conn, x, [one.gid for one in changes])
    above = {row.gid: row.parent for row in rows.values() if row.parent is not None}
    above |= {one.gid: one.parent for one in changes if isinstance(one, Create) and one.parent is not None}
    return {above.get(one.gid, one.gid) for one in changes if kind_of(one.gid) is not Kind.VERSION}


def _names(outcomes: Sequence[Outcome]) -> Iterator[tuple[Gid, str]]:
    """What the partner says that it calls issues; one that had waited may say what it called them once."""
    for one in (one for one in outcomes if one.work.since is None):
        change = one.work.change
        if not isinstance(change, Delete) and kind_of(change.gid) is Kind.ISSUE and is_usual(change.about.key):
            yield change.gid, change.about.key
