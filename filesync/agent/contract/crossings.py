"""Edits that met under the contract before, and of which this side has not decided yet: it does so as the other one did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from filesync.agent.merge import plan
from filesync.agent.merge.people import People
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.view import Shown, View
from filesync.agent.merge.winning import Winning
from filesync.agent.naming import value_text
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Rejected, Unreadable
from filesync.ledger.journal import Conflict
from filesync.model.change import Set
from filesync.model.ids import Kind, Mark
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Shadow
from filesync.rules.contract import Contract, asks, winner_of


class Crossings:
    """From the contract in force, `old`, to another. `names`: what a field of an issue, by its wire name, is called there."""

    def __init__(self, old: Paired, new: Contract, names: Callable[[str], tuple[str, ...]]) -> None:
        self._old, self._new, self._names = old, new, names

    def settle(self, row: Entity, change: Set, *, mark: Mark) -> tuple[Entity, Set]:
        """The row, which is under the new contract, and a change of it that waits at this place, which is not yet.

        The partner has decided already what we told and the change crosses. Where somebody else wins now, that stays: what
        stood is decided; what was given up is no crossing any more, as if the change's author had seen it.
        """
        taken: dict[str, Shadow] = {}
        known: dict[str, Mark] = {}
        for name, now in self._met(row, change):
            shadow = row.shadow(now)
            if self._old.keeps_told(name):
                taken[now] = replace(shadow, took=max(shadow.took, mark))
            else:
                known[name] = shadow.told
        fields = {name: replace(one, base=known.get(name, one.base)) for name, one in change.fields.items()}
        texts = {name: replace(one, base=known.get(name, one.base)) for name, one in change.texts.items()}
        return row.with_shadows(taken), replace(change, fields=fields, texts=texts)

    def conflicts(self, site: Site, row: Entity, change: Set, *, mark: Mark) -> list[Conflict]:
        """What `settle` decides, for people. Our tracker is asked only where there is something. Raises Unavailable."""
        fields = dict.fromkeys(name for name, _ in self._met(row, change))
        if not fields:
            return []
        view = View(site, self._old, Reach(site.tracker))
        view.load([change])
        try:
            shown = view.shown(row)
        except Unreadable:
            shown = None
        at, people, told = micros(site.clock()), People(site, self._old, view), _told(view, change)
        return [
            Conflict(
                at=at,
                mark=mark,
                gid=change.gid,
                key=change.about.key if shown is None else shown.key,
                field=people.field(name),
                ours="" if shown is None else value_text(shown.fields.get(name)),
                theirs=value_text(one.now),
                winner=self._winner(name, row, told, shown),
                rule="crossing",
            )
            for name in fields
            if (one := told.fields.get(name)) is not None and (shown is None or shown.fields.get(name) != one.now)
        ]

    def _met(self, row: Entity, change: Set) -> Iterator[tuple[str, str]]:
        """The fields that cross ours, and that somebody else wins now: by their names before and now."""
        bases = {name: one.base for told in (change.fields, change.texts) for name, one in told.items()}
        for name, base in bases.items():
            for now in self._names(name) if row.kind is Kind.ISSUE else (name,):
                if plan.crosses(row.shadow(now), base) and self._other_winner(name, now):
                    yield name, now

    def _other_winner(self, name: str, now: str) -> bool:
        if asks(self._old.rules.contract, name):
            return False  # nor has the partner decided it
        return winner_of(self._old.rules.contract, name) != winner_of(self._new, now)

    def _winner(self, name: str, row: Entity, told: Set, shown: Shown | None) -> str:
        """Whose value stands in the end: what we keep may only wait for the partner's answer (docs/merge.md, R3a)."""
        ours = self._old.keeps_told(name)
        if ours and shown is not None:
            ours = Winning(self._old, shown, told, new=False).meeting(name, told.fields[name], row.shadow(name)).wins
        return (self._old.us if ours else self._old.them).name


def _told(view: View, change: Set) -> Set:
    """The change with its long texts, where they are here."""
    if change.gid in view.lacks:
        return change
    try:
        return view.whole(change)
    except Rejected:  # they are not what it names: that is told when the change is tried
        return change
