"""Links that were agreed on and are gone, though nobody took them away: their other end is deleted or apart."""

from __future__ import annotations

from collections.abc import Mapping

from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Unreadable
from filesync.ledger import shadows
from filesync.model.ids import Gid
from filesync.model.links import link_end
from filesync.model.shadow import Entity, Life
from filesync.model.values import EMPTY, Value


class Severed:
    """Such links of one exchange: that they are not shown is no edit."""

    def __init__(self, site: Site, paired: Paired) -> None:
        self._site = site
        self._x = paired.exchange

    def of(self, row: Entity | None, shown: Mapping[str, Value], known: Mapping[Gid, Entity]) -> frozenset[str]:
        """Those of the issue with this row, which shows these fields. `known`: rows as they will be once this is told."""
        if row is None or row.shadows.here.keys() <= shown.keys():
            return frozenset()
        agreed = [name for name, before in row.shadows.here.items() if name not in shown and before != EMPTY]
        ends = {name: end for name in agreed if (end := link_end(name)) is not None}
        if not ends:
            return frozenset()
        with self._site.ledger.begin() as conn:
            rows = {**shadows.entities(conn, self._x.id, ends.values()), **known}
        return frozenset(name for name, end in ends.items() if not self._there(rows.get(end)))

    def _there(self, row: Entity | None) -> bool:
        """Whether an issue is alive, in our tracker too: one that was deleted takes its links with it before we tell it."""
        if row is None or row.state is not Life.LIVE or row.local is None:
            return False
        try:
            return self._site.tracker.get(row.local) is not None
        except Unreadable:
            return True
