"""What of the partner's changes is not here as it was sent, as it is counted with the group that decided them."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from filesync.agent.merge.outcome import Outcome
from filesync.agent.paired import Paired
from filesync.ledger.shortfalls import Shortfall, any_taken, note_taken
from filesync.model.change import Delete, Scoped, Set
from filesync.model.ids import Gid, kind_of
from filesync.model.shadow import Life
from filesync.model.shortfall import Cause, bare
from filesync.model.values import Value, split_name
from filesync.rules.contract import TAKEN
from filesync.rules.mapping import Rules
from filesync.rules.standing import NOBODY


def landing(rules: Rules, name: str, told: Value | None, landed: Value | None) -> Cause:
    """Why a field, by its wire name, stands here in another form than it was told."""
    rule = rules.rule(name)
    if rule is not None and rule.stand_in == NOBODY and landed is None:
        return Cause.NO_WORD
    if rule is not None and rule.stand_in is not None and landed is not None and landed == rule.words.out(rule.stand_in):
        return Cause.STAND_IN
    cut = isinstance(told, str) and (landed is None or (isinstance(landed, str) and told.startswith(landed)))
    return Cause.CUT if cut else Cause.CHANGED


def note(conn: sa.Connection, paired: Paired, outcomes: Collection[Outcome], *, now: int) -> None:
    """Count what these outcomes came to, and forget what they put right."""
    if not any_taken(conn, paired.exchange.id) and not any(one.short for one in outcomes):
        return
    decided: dict[Gid, set[str]] = {}
    found: list[Shortfall] = []
    gone: set[Gid] = set()
    for one in outcomes:
        change = one.work.change
        if isinstance(change, Set) and not change.names:
            continue  # it says what its sender calls the issue, and decides nothing
        kind = kind_of(change.gid)
        gone.update(row.gid for row in one.rows if row.state is not Life.LIVE)
        called = one.called or (f"{change.about.key}@{paired.them.name}" if change.about.key else change.gid)
        found += [
            Shortfall(item=change.gid, field=bare(kind, name), cause=cause, called=called)
            for name, cause in one.short.items()
            if _agreed(paired.rules, name)
        ]
        if isinstance(change, Delete | Scoped) or (one.left is not None and not one.short):
            continue  # of what waits nothing is decided
        decided.setdefault(change.gid, set()).update(bare(kind, name) for name in ("", *change.names))
    note_taken(conn, paired.exchange.id, decided, found, gone=gone, now=now)


def _agreed(rules: Rules, wire: str) -> bool:
    """Whether it is the whole, or a field of the contract's. What is none may be any text: no report has a place for it."""
    name = split_name(wire)[0]
    return not name or name in TAKEN or name in rules.contract.fields
