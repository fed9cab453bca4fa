"""Which of the changes that wait can go on. Of their lines only some are in memory at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from filesync.agent.blobs import waiting
from filesync.agent.merge.order import arrived, ends, pointless
from filesync.bundle.changes import read_change
from filesync.ledger import by_hand, journal, shadows
from filesync.ledger.journal import Queued, Wait
from filesync.ledger.streams import Exchange
from filesync.model.change import Change, Create, Delete
from filesync.model.ids import Gid, Mark
from filesync.model.shadow import Entity, Life


@dataclass(frozen=True, slots=True)
class Standing:
    """An undecided change at its place. `ready`: nothing but those before it, of the same entity, holds it up.

    `shut`: our tracker's id of the issue that it is about, which was closed to partners.
    """

    mark: Mark
    gid: Gid
    ready: bool
    shut: str | None = None


def standing(conn: sa.Connection, x: Exchange, retry: Collection[Mark], *, now: int) -> list[Standing]:
    """Everything undecided, in order. `retry`: what is stuck and to be tried all the same; `now`: microseconds since 1970."""
    lacking = {one.row.mark for one in waiting(conn, x)}
    doubted = shadows.doubts(conn, x.id)
    stopped = by_hand.stopped(conn, x.id)
    doomed: set[Gid] = set()
    found: list[Standing] = []
    for page in journal.queued(conn, x.id):
        doomed.update(row.gid for row in page if isinstance(read_change(row.change), Delete))
    for page in journal.queued(conn, x.id):
        changes = [read_change(row.change) for row in page]
        there = _there(conn, x, page, changes)
        above = _above(conn, x, page, there)
        shut = {row.mark: above[row.mark].local for row in page if row.waits_for == journal.SHUT and row.mark in above}
        held = {mark for mark, issue in above.items() if issue.gid in stopped}
        over = {gid for gid, one in there.items() if one.state is not Life.LIVE}
        for row, change in zip(page, changes, strict=True):
            paused = now < row.not_before <= now + journal.PAUSE  # else a clock was set
            waits = row.waits_for == journal.STOPPED and row.mark in held
            ready = row.mark in retry or (
                not (paused or waits)
                and (
                    row.state is Wait.BEHIND
                    or row.waits_for in {*journal.AGAIN, journal.STOPPED}
                    or (row.state is Wait.WAITS and arrived(row.waits_for, change, there))
                    or (row.waits_for == journal.BLOB and row.mark not in lacking)
                    or row.gid in doubted  # a retry was cut off
                    or pointless(change, over, doomed)
                )
            )
            found.append(Standing(row.mark, row.gid, ready, shut.get(row.mark)))
    return found


def count_stopped(conn: sa.Connection, x: Exchange) -> Counter[Gid]:
    """By issue: how many changes wait until it goes on, which a person stopped; with those behind them."""
    found: Counter[Gid] = Counter()
    issues: dict[Gid, Gid] = {}  # of what the changes are about
    for page in journal.queued(conn, x.id):
        rows = [row for row in page if row.waits_for == journal.STOPPED]
        above = _above(conn, x, rows, _there(conn, x, rows, [read_change(row.change) for row in rows])) if rows else {}
        issues.update((row.gid, above[row.mark].gid) for row in rows if row.mark in above)
        found.update(issues[row.gid] for row in page if row.gid in issues)
    return found


def _there(conn: sa.Connection, x: Exchange, page: list[Queued], changes: list[Change]) -> dict[Gid, Entity]:
    """What is here of all that these changes are about, wait for, belong to and link."""
    named = {Gid(row.waits_for) for row in page if row.waits_for} | {row.gid for row in page}
    for change in changes:
        named |= ends(change)
        if isinstance(change, Create) and change.parent is not None:
            named.add(change.parent)
    return shadows.entities(conn, x.id, sorted(named))


def _above(conn: sa.Connection, x: Exchange, page: list[Queued], there: Mapping[Gid, Entity]) -> dict[Mark, Entity]:
    """The live issues that changes are about which wait for these to be opened, or to go on."""
    closed = (journal.SHUT, journal.STOPPED)
    changes = {row.mark: read_change(row.change) for row in page if row.waits_for in closed}
    rows = {**there, **shadows.entities(conn, x.id, {row.parent for row in there.values() if row.parent} - there.keys())}
    found: dict[Mark, Entity] = {}
    for mark, change in changes.items():
        row = rows.get(change.gid)
        above = change.parent if isinstance(change, Create) else row.parent if row is not None else None
        issue = rows.get(above) if above is not None else row
        if issue is not None and issue.local is not None and issue.state is Life.LIVE:
            found[mark] = issue
    return found
