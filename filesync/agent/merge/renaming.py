"""Texts that name an issue which came after them, written anew with its key here. Nothing is told: they read the same."""

from __future__ import annotations

import msgspec

from filesync.agent.events import NotRenamed
from filesync.agent.merge.anew import Anew, write_anew
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.view import Shown, View
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.errors import Gone, Rejected, Unreadable, Unwritten
from filesync.ledger import naming, shadows
from filesync.model.change import Set
from filesync.model.ids import Gid
from filesync.model.shadow import Entity, Life, Shadow
from filesync.model.values import Value, digest


def rename(site: Site, paired: Paired, record: Record, reach: Reach) -> None:
    """Write them, each entity once. Raises Unavailable: what is left is done by the next import."""
    x = paired.exchange.id
    with site.ledger.begin() as conn:
        come, doubted = naming.come(conn, x), shadows.doubts(conn, x)
    anew = Anew(site, paired, record, reach)
    for gid in anew.ordered(come.keys() - doubted.keys()):  # of these nobody knows what they say: the next import comes to them
        try:
            row = _rename(site, paired, record, gid)
        except (Unreadable, Unwritten) as error:
            anew.failed(gid, error)
            continue
        with site.ledger.begin() as conn:
            if row is not None:
                shadows.save(conn, x, [row])
            naming.drop_unnamed(conn, x, gid, come[gid])
            record.write(conn)
        record.done()


def _rename(site: Site, paired: Paired, record: Record, gid: Gid) -> Entity | None:
    """The entity's row after that; None where nothing was written."""
    view = View(site, paired, Reach(site.tracker))
    view.load([Set(n=0, gid=gid, fields={})])
    row = view.row(gid)
    issue = view.issue_of(row) if row is not None else None
    if row is None or issue is None or row.state is not Life.LIVE:
        return None
    with site.busy.hold({issue}):
        shown = view.shown(row, fresh=True)
        if shown is None:
            return None
        wanted = _wanted(paired, view, shown)
        if not wanted:
            return None
        took = max(row.shadow(name).took for name in wanted)
        try:
            landed = write_anew(site, view, row, shown, dict(wanted.values()), took)
        except Gone:
            return None
        except Rejected:
            record.add(NotRenamed(key=shown.key, fields=list(wanted)))
            return None
    wire = view.wire(row.kind, {local: value for local, value in landed.items() if value is not None})
    return row.with_shadows({name: _after(row.shadow(name), shown.fields.get(name), wire.get(name)) for name in wanted})


def _wanted(paired: Paired, view: View, shown: Shown) -> dict[str, tuple[str, str]]:
    """The texts that read otherwise now, by wire name: our name for the field, and the text."""
    kind, found = shown.item.ref.kind, dict[str, tuple[str, str]]()
    for name, local in paired.rules.texts(kind).items():
        if name in shown.fields:
            text = view.inward(kind, {name: shown.fields[name]}, set()).fields.get(local)
            if isinstance(text, str) and text != shown.item.fields.get(local):
                found[name] = (local, text)
    return found


def _after(shadow: Shadow, before: Value | None, now: Value | None) -> Shadow:
    """What our tracker did to the text when it was written is nobody's edit; what somebody wrote before is."""
    return msgspec.structs.replace(shadow, here=digest(now)) if shadow.here == digest(before) else shadow
