"""Issues that a person started or stopped: what an export makes of them (model/by_hand.py)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from filesync.agent.site import Site
from filesync.ledger import by_hand
from filesync.ledger.streams import Exchange
from filesync.model.by_hand import ByHand, Hand, scope_by_hand
from filesync.model.ids import Gid
from filesync.model.issue import Issue


class Hands:
    """What was said of the issues of one reading."""

    def __init__(self, site: Site, x: Exchange) -> None:
        self._site, self._x = site, x
        self._said: Mapping[Gid, ByHand] = {}
        self._of: dict[str, list[ByHand]] = {}

    def first(self, *, anew: bool) -> list[str]:
        """Local ids of what is to be looked at whatever the feed says. `anew`: it names only what the scope holds."""
        with self._site.ledger.begin() as conn:
            return by_hand.to_look_at(conn, self._x.id, started=anew)

    def renew(self) -> None:
        """A person may say something at any moment: asked for before each piece of what is read."""
        with self._site.ledger.begin() as conn:
            self._said = by_hand.said(conn, self._x.id)
        self._of = {}
        for one in self._said.values():
            self._of.setdefault(one.local, []).append(one)

    def of(self, local: str) -> list[ByHand]:
        """What was said of an issue, by its local id."""
        return self._of.get(local, [])

    def stops(self, gid: Gid) -> bool:
        """Whether nothing of it is told, not even that it was deleted."""
        said = self._said.get(gid)
        return said is not None and said.hand is Hand.STOPPED

    def placed(self, issue: Issue, gid: Gid) -> Issue:
        """The issue, in scope or not by what was said of it."""
        said = self._said.get(gid)
        return issue if said is None else replace(issue, scope=scope_by_hand(issue.scope, said))
