"""Texts of new issues and comments that show files, written once more when these are here. Nothing is told: they read the same.

An issue is there before what is attached to it, and a comment before a file that comes in pieces. Some trackers look for the
files of a text when it is shown, and nothing has to be done; others once, when it is written.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from filesync.agent.events import FilesNotShown
from filesync.agent.merge.anew import Anew, write_anew
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.errors import Gone, Rejected, Unreadable, Unwritten
from filesync.ledger import naming, shadows
from filesync.ledger.naming import Unfiled
from filesync.model.change import Create, Set
from filesync.model.ids import Gid, Kind, Mark, kind_of
from filesync.model.manner import files_shown
from filesync.model.shadow import Entity, Life
from filesync.model.values import digest
from filesync.trackers.registry import manner


def texts_with_files(site: Site, paired: Paired, change: Create, mark: Mark, *, view: View) -> list[Unfiled]:
    """The texts of a new issue or comment that show files which are not here yet, where our tracker wants these first."""
    tracker = site.config.tracker
    if change.kind not in {Kind.ISSUE, Kind.COMMENT} or not paired.receives(Kind.ATTACHMENT):
        return []
    if not manner(tracker.kind, project=tracker.project).files_first:
        return []
    told = ((name, change.fields.get(name)) for name in paired.rules.texts(change.kind))
    shown = [(name, text, files) for name, text in told if isinstance(text, str) and (files := files_shown(text))]
    there: set[str] = set()
    if shown and change.parent is not None:
        with site.ledger.begin() as conn:
            below = shadows.children_of(conn, paired.exchange.id, [change.parent]).get(change.parent, [])
        there = _come({one for _, _, files in shown for one in files}, (*below, *view.made_at(change.parent)))
    left = ((name, text, tuple(one for one in files if one not in there)) for name, text, files in shown)
    return [Unfiled(change.gid, name, mark, text, files) for name, text, files in left if files]


def show_files(site: Site, paired: Paired, record: Record, reach: Reach) -> None:
    """Write those of which files have come meanwhile. Raises Unavailable: what is left is done by the next import."""
    x = paired.exchange.id
    with site.ledger.begin() as conn:
        due = naming.files_due(conn, x)
        doubted = shadows.doubts(conn, x) if due else {}
    anew = Anew(site, paired, record, reach)
    for gid in anew.ordered(gid for gid, _ in due if gid not in doubted):
        try:
            for field in (field for one, field in due if one == gid):
                _show_files(site, paired, record, gid, field)
        except (Unreadable, Unwritten) as error:
            anew.failed(gid, error)


def _show_files(site: Site, paired: Paired, record: Record, gid: Gid, field: str) -> None:
    x = paired.exchange.id
    with site.ledger.begin() as conn:
        text = naming.unfiled_text(conn, x, gid, field)
        row = shadows.entities(conn, x, [gid]).get(gid)
        issue = gid if row is None or row.parent is None else row.parent
        come = _come(text.files, shadows.children_of(conn, x, [issue]).get(issue, ()))
    row = _written(site, paired, record, text) if come else None
    left = tuple(one for one in text.files if one not in come) if row is not None or not come else ()
    with site.ledger.begin() as conn:
        if row is not None:
            shadows.save(conn, x, [row])
        naming.put_unfiled(conn, x, [msgspec.structs.replace(text, files=left)])
        record.write(conn)
    record.done()


def _come(files: Collection[str], below: Collection[Entity]) -> set[str]:
    """Those of the files that are attached."""
    there = {row.shadow("name").here for row in below if row.kind is Kind.ATTACHMENT and row.state is Life.LIVE}
    return {one for one in files if digest(one) in there}


def _written(site: Site, paired: Paired, record: Record, text: Unfiled) -> Entity | None:
    """The row after that; None where the text is another one by now, and nothing was written."""
    view = View(site, paired, Reach(site.tracker))
    view.load([Set(n=0, gid=text.gid, fields={})])
    row = view.row(text.gid)
    local = paired.rules.texts(kind := kind_of(text.gid)).get(text.field)
    issue = view.issue_of(row) if row is not None else None
    if row is None or issue is None or row.state is not Life.LIVE or local is None:
        return None
    shadow = row.shadow(text.field)
    with site.busy.hold({issue}):
        shown = view.shown(row, fresh=True)
        if shown is None or shadow.open or shadow.took != text.mark or shadow.here != digest(shown.fields.get(text.field)):
            return None
        said = view.inward(kind, {text.field: text.text}, set()).fields.get(local)
        try:
            landed = write_anew(site, view, row, shown, {local: said}, text.mark)
        except Gone:
            return None
        except Rejected as error:
            record.add(FilesNotShown(key=shown.key, field=text.field, why=str(error)))
            return None
    now = view.wire(kind, {name: value for name, value in landed.items() if value is not None}).get(text.field)
    return row.with_shadows({text.field: msgspec.structs.replace(shadow, here=digest(now))})
