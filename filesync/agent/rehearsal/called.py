"""What people call the issues that an export names by their gids: it would be sent so, and nobody knows an issue by that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from filesync.agent.paired import Paired
from filesync.agent.rehearsal.written import Edit
from filesync.agent.site import Site
from filesync.errors import Unreadable
from filesync.ledger import called, shadows
from filesync.model.diff import Tell
from filesync.model.ids import Gid, Kind, is_gid, kind_of
from filesync.model.links import link_end
from filesync.model.values import Value


class Keys:
    """The keys of issues by their gids, each asked for once."""

    def __init__(self, site: Site, paired: Paired) -> None:
        self._site, self._x, self._them = site, paired.exchange.id, paired.them.name
        self._known: dict[Gid, str] = {}

    def learn(self, tells: Iterable[Tell]) -> None:
        """What is told is called so; the ledger does not have what is new."""
        told = ((one.row.gid, one.about.key) for one in tells if one.row.kind is Kind.ISSUE and one.about.key)
        self._known.update(told)

    def of(self, tell: Tell) -> str:
        """What people call the issue that something is told of. One that was deleted has a key where that was told."""
        if tell.about.key:
            return tell.about.key
        return self._key(tell.row.parent or tell.row.gid)

    def edits(self, fields: Mapping[str, Value | None]) -> list[Edit]:
        """The fields, with the keys of the issues that they name."""
        return [Edit(name, value, keys=self._named(name, value)) for name, value in fields.items()]

    def _named(self, name: str, value: Value | None) -> dict[str, str]:
        there = link_end(name)
        if there is None and isinstance(value, str) and is_gid(value) and kind_of(Gid(value)) is Kind.ISSUE:
            there = Gid(value)
        return {} if there is None else {there: self._key(there)}

    def _key(self, gid: Gid) -> str:
        if gid not in self._known:
            with self._site.ledger.begin() as conn:
                row = shadows.entities(conn, self._x, [gid]).get(gid)
                told = called.called(conn, self._x, [gid]).get(gid)
            issue = None
            if row is not None and row.local is not None:
                with suppress(Unreadable):
                    issue = self._site.tracker.get(row.local)
            if issue is not None:
                self._known[gid] = issue.key
            elif told is not None and (told.told or told.theirs):
                self._known[gid] = told.told or f"{told.theirs} at {self._them}"
            else:
                self._known[gid] = gid
        return self._known[gid]
