"""Edits that met under the contract before, and of which this side has not decided yet: it does so as the other one did."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from filesync.agent.merge import plan
from filesync.agent.paired import Paired
from filesync.model.change import Set
from filesync.model.ids import Kind, Mark
from filesync.model.shadow import Entity, Shadow
from filesync.rules.contract import Contract, winner_of


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
        bases = {name: one.base for told in (change.fields, change.texts) for name, one in told.items()}
        for name, base in bases.items():
            for now in self._names(name) if row.kind is Kind.ISSUE else (name,):
                shadow = row.shadow(now)
                if not plan.crosses(shadow, base) or not self._other_winner(name, now):
                    continue
                if self._old.keeps_told(name):
                    taken[now] = replace(shadow, took=max(shadow.took, mark))
                else:
                    known[name] = shadow.told
        fields = {name: replace(one, base=known.get(name, one.base)) for name, one in change.fields.items()}
        texts = {name: replace(one, base=known.get(name, one.base)) for name, one in change.texts.items()}
        return row.with_shadows(taken), replace(change, fields=fields, texts=texts)

    def _other_winner(self, name: str, now: str) -> bool:
        return winner_of(self._old.rules.contract, name) != winner_of(self._new, now)
