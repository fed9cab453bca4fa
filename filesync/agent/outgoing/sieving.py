"""Attachments that the mapping keeps here: neither told nor read, and spoken of once an export for each rule."""

from __future__ import annotations

from filesync.agent.outgoing.departures import KeptHere
from filesync.agent.paired import Paired
from filesync.model.ids import Kind
from filesync.model.issue import Item


class Sieving:
    """What of one reading of our tracker stays here."""

    def __init__(self, paired: Paired) -> None:
        self._sieve = paired.rules.sieves.out
        self._kept: dict[str, set[tuple[str, str]]] = {}  # by rule: issue and id of the attachments
        self._keys: dict[str, str] = {}  # by rule: the key of an issue that has one

    def keeps(self, item: Item) -> bool:
        """Whether it is an attachment that is not told."""
        if item.ref.kind is not Kind.ATTACHMENT:
            return False
        rule = self._sieve.stops(str(item.fields["name"]), int(str(item.fields["size"])))
        if rule:
            self._kept.setdefault(rule, set()).add((item.ref.issue, item.ref.local))
            self._keys.setdefault(rule, item.about.key)
        return bool(rule)

    def told(self) -> list[KeptHere]:
        """What a person is to hear of it."""
        return [KeptHere(rule=rule, key=self._keys[rule], files=len(kept)) for rule, kept in self._kept.items()]
