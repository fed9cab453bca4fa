"""What the two sides call issues that came from the partner: ours is told to it, where the contract says so."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from filesync.agent.outgoing.found import Found
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger import called, naming
from filesync.ledger.called import Called
from filesync.model.diff import Seen, Tell
from filesync.model.ids import Gid, home
from filesync.model.shadow import Entity, Life
from filesync.rules.partner import is_usual


class Calling:
    """Of one reading of our tracker for one exchange."""

    def __init__(self, site: Site, paired: Paired) -> None:
        self._site, self._paired = site, paired
        self._x = paired.exchange
        self._known: dict[Gid, Called] = {}

    def begin(self) -> None:
        """What was found is frozen: the ledger knows it."""
        self._known = {}

    def load(self, conn: sa.Connection, gids: Iterable[Gid]) -> None:
        """Read what is known of these issues."""
        if self._paired.names:
            self._known |= called.called(conn, self._x.id, gids)

    def name(self, one: Seen, row: Entity | None, found: Found, *, tells: bool, told: bool) -> None:
        """What the partner calls this issue, where nobody wanted to know before; and what we call it, if anything is told.

        An edit of it (`told`) says that besides; where there is none, one that names no field does. `tells`: it may be told.
        """
        key = one.about.key
        if not self._paired.names or row is None or row.state is not Life.LIVE or not key:
            return
        known = self._known.get(one.gid)
        if known is not None and known.is_put_off:
            found.named.append((one.gid, known.theirs))  # somebody touched it: it may be open now
        theirs, came = "", home(one.gid) == self._x.partner_site
        if home(one.gid) != self._site.config.site and (not came or known is None or not known.theirs):
            with self._site.ledger.begin() as conn:
                theirs = naming.theirs_of(conn, self._x.id, key) or ""
            came = (
                came or bool(theirs) or (known is not None and known.told != "")
            )  # born at a third site, it came by way of this
        if not came:
            if known is None and self._paired.keeps_pace:
                found.named.append((one.gid, ""))  # it is ours, and shows how far it is before the partner called it anything
            return
        if (known is None or not known.theirs) and is_usual(theirs):
            found.named.append((one.gid, theirs))
        if not (tells and self._paired.rules.contract.keys) or (known is not None and known.told == key):
            return
        if not told and one.gid not in found.keys:
            found.tells.append(Tell(row=row, fields={}, digests={}, new=False, about=one.about))
        found.keys[one.gid] = key
