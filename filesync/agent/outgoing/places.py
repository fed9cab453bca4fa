"""Fields of the contract that nothing in our tracker stands for (any more): what is not shown there was emptied by nobody."""

from __future__ import annotations

from filesync.agent.outgoing.departures import NoPlace
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.model.values import split_name


class Places:
    """Which fields have a place in our tracker during one export, and which of the others the partner would have lost."""

    def __init__(self, site: Site, paired: Paired) -> None:
        self._nowhere = paired.rules.unplaced(site.tracker.offered())
        self._partner = paired.exchange.partner_name
        self._left: set[str] = set()

    def has(self, field: str) -> bool:
        """Whether our tracker has a place for a wire field, flat or bare, that an issue had and does not show."""
        name = split_name(field)[0]
        if name not in self._nowhere:
            return True
        self._left.add(name)
        return False

    def told(self) -> list[NoPlace]:
        """What a person is to hear of it."""
        return [NoPlace(fields=tuple(sorted(self._left)), partner=self._partner)] if self._left else []
