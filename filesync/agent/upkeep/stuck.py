"""What a person does about refused changes: look, try again, or skip for good, with a reason."""

from __future__ import annotations

from itertools import chain

import sqlalchemy as sa

from filesync.agent.asked.look import told_keys
from filesync.agent.contract.switch import at_work
from filesync.agent.events import Skipped
from filesync.agent.incoming.chunks import spend
from filesync.agent.incoming.importer import Importer
from filesync.agent.merge import plan
from filesync.agent.merge.abreast import Team
from filesync.agent.merge.outcome import Counts
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.bundle.changes import read_change
from filesync.errors import FilesyncError, NotHere
from filesync.ledger import journal, shadows
from filesync.ledger.journal import Queued, Wait
from filesync.ledger.shortfalls import note_taken
from filesync.model.change import Change, Create, Delete, Set, blobs_of
from filesync.model.ids import Mark, kind_of
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life
from filesync.model.shortfall import bare
from filesync.model.values import NEVER_EQUAL, digest, split_name
from filesync.rules.contract import Flow


def stuck(site: Site, name: str) -> list[Queued]:
    """Everything undecided of an exchange, in order: what is stuck, and what waits behind it."""
    paired = site.paired(name)
    with site.ledger.begin() as conn:
        return list(chain.from_iterable(journal.queued(conn, paired.exchange.id)))


def retry(site: Site, name: str, marks: frozenset[Mark] | None) -> Counts:
    """Try stuck changes again, planned from scratch; None: all of them. Raises NotHere for a mark that is not stuck."""
    paired = at_work(site, name)
    with site.ledger.begin() as conn:
        there = {row.mark for page in journal.queued(conn, paired.exchange.id) for row in page if row.state is Wait.STUCK}
    for mark in marks or ():
        if mark not in there:
            raise _not_stuck(mark)
    record = site.record(name)
    with Team(site.config.limits.workers) as team:
        importer = Importer(site, paired, record, team)
        importer.queue(frozenset(there if marks is None else marks))
    return importer.counts


def skip(site: Site, name: str, mark: Mark, *, reason: str) -> None:
    """Decide a stuck change for good: what stands here stays.

    A skipped field is sent back with our value (unless ours crossed and wins anyway); a skipped create or delete sets
    the entity apart: each side keeps its own, for ever. So does a skipped edit that says who alone may see it: sent back,
    our value would show it to all there. Raises NotHere when it is not stuck.
    """
    paired = at_work(site, name)
    record = site.record(name)
    with site.ledger.begin() as conn:
        found = journal.queued_at(conn, paired.exchange.id, mark)
        if found is None or found.state is Wait.BEHIND:
            raise _not_stuck(mark)
        change = read_change(found.change)
        told = told_keys(conn, name, [found]).get(mark)
        row = shadows.entities(conn, paired.exchange.id, [change.gid]).get(change.gid)
        shadows.save(conn, paired.exchange.id, _decided(conn, paired, change, row, mark))
        shadows.drop_doubts(conn, paired.exchange.id, [change.gid])
        journal.drop_queued(conn, paired.exchange.id, [mark])
        spend(conn, paired.exchange.id, blobs_of(change), at=micros(site.clock()))
        if isinstance(change, Set):  # ours goes back: both sides show the same then
            decided = {change.gid: {bare(kind_of(change.gid), one) for one in change.names}}
            note_taken(conn, paired.exchange.id, decided, (), now=micros(site.clock()))
        _look_again(conn, paired, row)
        record.add(Skipped(mark=mark, key=told or change.about.key or change.gid, reason=reason))
        record.write(conn)
    record.done()
    with Team(site.config.limits.workers) as team:
        Importer(site, paired, site.record(name), team).queue()  # what waited behind it


def _decided(conn: sa.Connection, paired: Paired, change: Change, row: Entity | None, mark: Mark) -> list[Entity]:
    match change:
        case Create():
            return [Entity(gid=change.gid, kind=change.kind, parent=change.parent, state=Life.APART)]
        case Delete() | Set() if row is not None and (isinstance(change, Delete) or _restricts(paired, change, row)):
            below = shadows.children_of(conn, paired.exchange.id, [row.gid]).get(row.gid, [])
            return [one.ended(Life.APART) for one in (row, *below) if one.state is Life.LIVE]
        case Set() if row is not None:
            # of a long text the bytes need not be here: whatever it is, what we have is told again
            refused = {name: (digest(told.now), told.base) for name, told in change.fields.items()}
            refused |= {name: (NEVER_EQUAL, told.base) for name, told in change.texts.items()}
            skipped = {
                name: plan.skipped(
                    row.shadow(name),
                    theirs,
                    mark=mark,
                    base=base,
                    wins=paired.keeps_told(name),
                    # whoever alone may edit it would answer ours with what was refused
                    flow=Flow.WE_TAKE_GUARD if split_name(name)[0] in paired.rules.penned else paired.flow(row.kind, name),
                )
                for name, (theirs, base) in refused.items()
            }
            return [row.with_shadows(skipped)]
        case _:
            return []


def _restricts(paired: Paired, change: Set, row: Entity) -> bool:
    """Whether it is an edit that says who alone may see the item."""
    name = paired.rules.restriction(row.kind) or ""
    told = change.fields.get(name)
    return name in change.texts or (told is not None and told.now is not None)


def _look_again(conn: sa.Connection, paired: Paired, row: Entity | None) -> None:
    """Our value goes out with the next export, whatever the tracker's feed says."""
    if row is None:
        return
    above = shadows.entities(conn, paired.exchange.id, [row.parent]).get(row.parent) if row.parent is not None else row
    if above is not None and above.local is not None:
        shadows.add_revisits(conn, paired.exchange.id, [(above.local, "")])


def _not_stuck(mark: Mark) -> FilesyncError:
    return NotHere(f"change {mark} is not stuck", hint="see which are: filesync stuck list")
