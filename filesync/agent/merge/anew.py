"""Texts that are here already, written once more. What fails with one is said, and tried again behind those that did not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from filesync.agent.events import Event, Severity, ended
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.view import Shown, View
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.errors import Unavailable, Unreadable, Unwritten
from filesync.ledger import by_hand, shadows, streams
from filesync.model.ids import Gid, Mark
from filesync.model.shadow import Entity
from filesync.model.values import Flat, Value
from filesync.trackers.base import Write

_FAILING: Final = 10  # so many are not about single texts: the next import goes on


class NotAnew(Event, frozen=True, kw_only=True):
    """A text is to be written once more, for what it names is here by now, and our tracker fails at it."""

    severity = Severity.WARNING
    standing = True
    key: str  # of its issue
    why: str

    def sentence(self) -> str:
        """See Event."""
        return (
            f"{self.key}: what a text of it names or shows has come, and the text cannot be written once more just now: "
            f"{ended(self.why)} Until then it reads as it did. Nothing else is affected; the next import tries it again."
        )


class Anew:
    """What one import writes once more."""

    def __init__(self, site: Site, paired: Paired, record: Record, reach: Reach) -> None:
        """`reach`: of the import."""
        self._site, self._x, self._record, self._reach = site, paired.exchange.id, record, reach
        self._fact = f"anew {self._x}"  # of the site: where the last import met one that failed
        self._failing = 0

    def ordered(self, gids: Iterable[Gid]) -> Iterator[Gid]:
        """Each once, those behind the last one that failed first; until the site stops, or too many failed.

        Without those whose issue a person stopped, or which is closed to partners: they are written once that goes on, or is
        open. Raises Unavailable.
        """
        found = set(gids)
        with self._site.ledger.begin() as conn:
            last = streams.site_fact(conn, self._fact) or ""
            rows = shadows.entities(conn, self._x, found)
            issues = shadows.entities(conn, self._x, {row.parent or gid for gid, row in rows.items()})
            held = set(by_hand.stopped(conn, self._x))
        open_ = {gid: one.local for gid, one in issues.items() if gid not in held and one.local is not None}
        self._reach.ask(open_.values())
        held |= {gid for gid, local in open_.items() if self._reach.shuts(local)}
        found -= {gid for gid, row in rows.items() if (row.parent or gid) in held}
        for gid in sorted(found, key=lambda one: (one <= last, one)):
            if self._failing >= _FAILING or self._site.stopping():
                return
            yield gid

    def failed(self, gid: Gid, error: Unreadable | Unwritten) -> None:
        """One cannot be read or written just now."""
        self._failing += 1
        with self._site.ledger.begin() as conn:
            row = shadows.entities(conn, self._x, [gid]).get(gid)
            above = shadows.entities(conn, self._x, [row.parent]).get(row.parent) if row is not None and row.parent else row
        self._record.add(NotAnew(key=self._key(above, gid), why=str(error)))
        with self._site.ledger.begin() as conn:
            streams.set_site_fact(conn, self._fact, gid)
            self._record.write(conn)
        self._record.done()

    def _key(self, issue: Entity | None, gid: Gid) -> str:
        try:
            found = self._site.tracker.get(issue.local) if issue is not None and issue.local is not None else None
        except Unavailable:
            found = None
        return found.key if found is not None else gid


def write_anew(site: Site, view: View, row: Entity, shown: Shown, fields: Mapping[str, Value | None], mark: Mark) -> Flat:
    """Write these texts of an item; as they landed. Raises as `Tracker.apply`; Unwritten only where it was not done.

    Nothing of it is in doubt afterwards: what the tracker did for all that must not be told as somebody's edit.
    """
    try:
        return site.tracker.apply(shown.item.ref, Write(dict(fields)), mark)
    except Unwritten:
        now = view.shown(row, fresh=True)
        landed = {} if now is None else {name: now.item.fields.get(name) for name in fields}
        if landed != fields:
            raise
        return landed
