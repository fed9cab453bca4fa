"""What texts of an exchange refer to, with the keys that the ledger knows; and values in words for people."""

from __future__ import annotations

import msgspec

from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger import naming
from filesync.model.issue import Item
from filesync.model.values import Value
from filesync.rules.mapping import Rules
from filesync.rules.prose import Prose, readable
from filesync.trackers.registry import manner


class Keys:
    """The keys of issues that came from the partner, asked for once; several threads may ask."""

    def __init__(self, site: Site, paired: Paired) -> None:
        self._ledger, self._x = site.ledger, paired.exchange.id
        self._theirs: dict[str, str | None] = {}
        self._ours: dict[str, str | None] = {}

    def theirs(self, key: str) -> str | None:
        """The partner's key of an issue, by ours; None where it is no issue of the partner's."""
        if key not in self._theirs:
            with self._ledger.begin() as conn:
                self._theirs[key] = naming.theirs_of(conn, self._x, key)
        return self._theirs[key]

    def ours(self, key: str) -> str | None:
        """Our key of an issue, by the partner's; None where it is not here (yet)."""
        if key not in self._ours:
            with self._ledger.begin() as conn:
                self._ours[key] = naming.ours_of(conn, self._x, key)
        return self._ours[key]

    def learn(self, ours: str, theirs: str) -> None:
        """An issue was made here a moment ago."""
        self._theirs[ours], self._ours[theirs] = theirs, ours


def prose(site: Site, paired: Paired, keys: Keys | None = None) -> Prose:
    """How texts of ours travel, and the partner's are written here."""
    tracker = site.config.tracker
    return Prose(
        manner(tracker.kind, project=tracker.project),
        keys or Keys(site, paired),
        users=paired.rules.users,
        us=paired.us.id,
        them=paired.them,
    )


def wordless(rules: Rules, item: Item, name: str) -> str:
    """A value of ours as our tracker has it, where the contract has no word for it. `name`: its wire name."""
    return " · ".join(value_text(item.fields.get(local)) for local in rules.local_names(name))


def value_text(value: Value | None) -> str:
    """A value for people, in `filesync conflicts`."""
    return readable(value) if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
