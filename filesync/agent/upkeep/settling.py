"""Two edits that met and of which neither wins: a person decides which value stands on both sides."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.agent.asked.meant import meant
from filesync.agent.contract.switch import at_work
from filesync.agent.events import Decided
from filesync.agent.incoming.importer import Importer
from filesync.agent.merge.abreast import Team
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.shortage import landing
from filesync.agent.merge.view import Shown, View
from filesync.agent.naming import value_text
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.bundle.changes import encode_change
from filesync.bundle.verdict import shown
from filesync.errors import FilesyncError, NotHere
from filesync.ledger import by_hand, journal, open_conflicts, shadows, streams, ties
from filesync.ledger.journal import Queued, Wait
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.change import Set, Told
from filesync.model.ids import Gid, Kind, parse_mark
from filesync.model.moments import micros
from filesync.model.shadow import UNAGREED, Entity
from filesync.model.shortfall import Cause
from filesync.model.values import Value, digest
from filesync.settings import did_you_mean

_MET: Final = 1000  # edits of one issue that met: among these it is known again what was open


class Choice(StrEnum):
    """Whose value stands."""

    OURS = "ours"
    THEIRS = "theirs"


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A field that was decided; or waits, for our tracker did not take the partner's value."""

    exchange: str
    key: str
    field: str
    choice: Choice
    value: str  # that stands now, for people; "": none. The partner's, where it is refused
    refused: bool = False


def settle(site: Site, text: str, field: str, choice: Choice, *, exchange: str | None = None) -> Settled:
    """Decide an open field of the issue that a person calls so. Both sides show the same once the partner has heard.

    `field`: by the contract's name. It is an edit of ours that has seen both values. The partner's value is written here
    first, as a change that arrives; where our tracker does not take it, it is stuck and the field stays open.
    Raises NotHere: there is none, it is open in several exchanges, it is stopped, a change of it waits, or the choice could
    not be told, or written here; as `Site.paired`; Unavailable.
    """
    name, one = _found(site, text, meant(site, text).gid, field, exchange)
    paired = at_work(site, name)
    there = _there(site, paired, one, choice)
    if choice is Choice.OURS:
        _ours(site, paired, one)
        return Settled(exchange=name, key=one.key, field=field, choice=choice, value=value_text(there.fields.get(one.field)))
    _theirs(site, paired, one, there)
    with Team(site.config.limits.workers) as team:
        Importer(site, paired, site.record(name), team).queue()
    with site.ledger.begin() as conn:
        left = journal.queued_at(conn, paired.exchange.id, one.mark)
        if left is None and one.field in open_conflicts.of(conn, paired.exchange.id, one.gid):
            raise _changed(one)  # edited here at this moment
    if left is None:
        _tell(site, paired, one)
    return Settled(exchange=name, key=one.key, field=field, choice=choice, value=one.theirs, refused=left is not None)


def _found(site: Site, text: str, gid: Gid, field: str, exchange: str | None) -> tuple[str, OpenConflict]:
    with site.ledger.begin() as conn:
        exchanges = streams.exchanges(conn)
        names = {one.id: ties.tied(conn, one.id, [gid]).get(gid, gid) for one in exchanges}  # tied, it goes by the partner's
        there = {one.name: open_conflicts.of(conn, one.id, names[one.id]) for one in exchanges}
        chosen = [one for one in exchanges if exchange in {None, one.name}]
        met = [one for x in chosen for one in journal.conflicts_of(conn, x.id, names[x.id], limit=_MET)]
    there = {name: rows for name, rows in there.items() if exchange in {None, name} and rows}
    found = [(name, rows[field]) for name, rows in there.items() if field in rows]
    if len(found) > 1:
        several = ", ".join(name for name, _ in found)
        raise NotHere(f"{field} of {shown(text)} is open in several exchanges ({several})", hint="Name one with --exchange.")
    if not found:
        fields = sorted({one for rows in there.values() for one in rows})
        what = f"Of {shown(text)} these are open: {', '.join(fields)}." if fields else "see which are: filesync conflicts"
        said = f"{shown(field)} of {shown(text)} does not wait for a person"
        if any(one.field == field for one in met):
            raise NotHere(f"{said} any more", hint="Edit the issue itself to change it.")
        raise NotHere(said + did_you_mean(field, fields), hint=what)
    return found[0]


def _there(site: Site, paired: Paired, one: OpenConflict, choice: Choice) -> Shown:
    """The issue as it stands here. Raises NotHere where ours could not be told, or theirs is not written here."""
    view = View(site, paired, Reach(site.tracker))
    view.load([Set(n=0, gid=one.gid, fields={})])
    row = view.row(one.gid)
    there = view.shown(row, fresh=True) if row is not None else None
    if there is None:
        raise NotHere(f"{one.key} is not in our tracker any more", hint="its deletion goes out with the next export")
    if choice is Choice.OURS:
        if there.hides(one.field):
            raise NotHere(
                f"{one.key} holds something in {one.field} that the contract has no word for, so it cannot be told",
                hint="Set it here to something that the contract has; or choose the partner's value: --theirs.",
            )
        return there
    course = paired.course(Kind.ISSUE, one.field)
    asleep = view.asleep(Kind.ISSUE, {one.field: there.fields.get(one.field)}, item=there.item, key=there.key)
    if one.field in asleep or not (course.carries and course.takes):
        raise NotHere(
            f"our mapping takes nothing for {one.field} of {one.key}, as it stands",
            hint=f"Mend the mapping first; or let ours stand: --ours; or decide it at {paired.them.name}.",
        )
    if _has_no_word(paired, view, one):
        raise NotHere(
            f"what {paired.them.name} has in {one.field} of {one.key} has no word here; what stands for it here would be told, "
            "and theirs be lost",
            hint=f"Let it stand at {paired.them.name}: filesync settle there, with --ours; or mend the mapping first.",
        )
    view.reach.ask([there.item.ref.issue])
    if view.reach.shuts(there.item.ref.issue):
        raise NotHere(
            f"{one.key} takes nothing from partners as it is now, says tracker.settings.incoming",
            hint="Change that of the issue first; or let ours stand: --ours.",
        )
    return there


def _has_no_word(paired: Paired, view: View, one: OpenConflict) -> bool:
    """Whether the partner's value would be written here as what our mapping has for values that it does not know."""
    told = _told(one)
    local = view.inward(Kind.ISSUE, {one.field: told}, set()).fields
    lands = view.wire(Kind.ISSUE, {name: value for name, value in local.items() if value is not None}).get(one.field)
    return lands != told and landing(paired.rules, one.field, told, lands) in {Cause.STAND_IN, Cause.NO_WORD}


def _told(one: OpenConflict) -> Value | None:
    told: Value | None = msgspec.json.decode(one.told, type=Value | None)
    return told


def _ours(site: Site, paired: Paired, one: OpenConflict) -> None:
    record = site.record(paired.exchange.name)
    with site.ledger.begin() as conn:
        row = _row(conn, paired, one)
        # where a `--theirs` was cut off, what it wrote may be what is chosen now: it is told all the same
        shadows.drop_doubt(conn, paired.exchange.id, one.gid, one.field)
        shadow = msgspec.structs.replace(row.shadow(one.field).seen(), here=UNAGREED)
        shadows.save(conn, paired.exchange.id, [row.with_shadows({one.field: shadow})])
        _look_again(conn, paired, row)
        journal.decide_conflict(conn, paired.exchange.id, (one.mark, one.gid, one.field), paired.us.name)
        record.add(Decided(key=one.key, field=one.field, by=paired.us.name))
        record.write(conn)
    record.done()


def _theirs(site: Site, paired: Paired, one: OpenConflict, there: Shown) -> None:
    """The partner's edit comes once more, as one whose author had seen ours."""
    with site.ledger.begin() as conn:
        row = _row(conn, paired, one)
        if one.gid in by_hand.stopped(conn, paired.exchange.id):
            raise NotHere(
                f"{one.key} is stopped here by hand, so that nothing of the partner's is written to it",
                hint=f"Let it go on first: filesync start-issues {shown(one.key)} --exchange {paired.exchange.name} --apply",
            )
        if journal.queued_gids(conn, paired.exchange.id, [one.gid]):
            raise NotHere(
                f"a change of {one.key} waits here, or is refused, and would come after this",
                hint="see: filesync stuck list. Decide that first; or set the field in our tracker to the partner's value.",
            )
        shadow = row.shadow(one.field)
        known = msgspec.structs.replace(shadow, here=digest(there.fields.get(one.field)))  # what stands here gives way
        told = Told(_told(one), shadow.told)
        change = Set(n=parse_mark(one.mark)[2], gid=one.gid, fields={one.field: told})
        queued = Queued(mark=one.mark, gid=one.gid, change=encode_change(change), state=Wait.BEHIND, since=micros(site.clock()))
        shadows.save(conn, paired.exchange.id, [row.with_shadows({one.field: known})])
        journal.put_queued(conn, paired.exchange.id, [queued])
        _look_again(conn, paired, row)


def _row(conn: sa.Connection, paired: Paired, one: OpenConflict) -> Entity:
    """The issue's row, if the field is as open as it was a moment ago."""
    row = shadows.entities(conn, paired.exchange.id, [one.gid]).get(one.gid)
    if row is None or row.shadow(one.field).met != one.mark:
        raise _changed(one)
    return row


def _changed(one: OpenConflict) -> FilesyncError:
    return NotHere(f"{one.field} of {one.key} is not open any more as it was", hint="look again: filesync conflicts")


def _tell(site: Site, paired: Paired, one: OpenConflict) -> None:
    record = site.record(paired.exchange.name)
    with site.ledger.begin() as conn:
        journal.decide_conflict(conn, paired.exchange.id, (one.mark, one.gid, one.field), paired.them.name)
        record.add(Decided(key=one.key, field=one.field, by=paired.us.name))
        record.write(conn)
    record.done()


def _look_again(conn: sa.Connection, paired: Paired, row: Entity) -> None:
    """It is told with the next export, whatever the tracker's feed says."""
    if row.local is not None:
        shadows.add_revisits(conn, paired.exchange.id, [(row.local, "")])
