"""What a decided change becomes, ready to be carried out on our tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.view import Shown
from filesync.errors import Unwritten
from filesync.model.change import Create, Told
from filesync.model.ids import Gid
from filesync.model.outside import Outside
from filesync.model.shadow import Entity, Life, Shadow
from filesync.model.values import Flat, Value
from filesync.trackers.base import Action, MarkScope


class Make(msgspec.Struct, frozen=True):
    """Create the entity, then bring what was not born so."""

    outcome: Outcome
    change: Create
    issue: str | None  # our tracker's id of the issue it belongs to
    doubted: bool


class Write(msgspec.Struct, frozen=True):
    """Write fields. `shadows` are those of the fields that are decided already; `rest` waits or is refused, each with why.

    `failed`: fields of which nobody knows whether they were written, for the call went wrong.
    """

    outcome: Outcome
    row: Entity
    shown: Shown
    writes: Mapping[str, Value | None]
    bases: Mapping[str, Told]
    shadows: dict[str, Shadow] = {}
    refused: dict[str, str] = {}
    waits: dict[str, Gid] = {}
    failed: dict[str, Unwritten] = {}

    @property
    def undecided(self) -> dict[str, Told]:
        """What of it is refused, waits, or failed."""
        names = self.refused.keys() | self.waits.keys() | self.failed.keys()
        return {name: one for name, one in self.bases.items() if name in names}


class Erase(msgspec.Struct, frozen=True):
    """Delete it, or show that the partner did; and bring it to a status, where our mapping names one."""

    outcome: Outcome
    row: Entity
    shown: Shown
    action: Action
    life: Life
    close: Flat = {}  # the last step there: the status, in our tracker's words, and what goes with it


class ShowScope(msgspec.Struct, frozen=True):
    """Show on an issue that the partner's left its scope, or show it no more."""

    outcome: Outcome
    shown: Shown
    action: MarkScope
    before: Outside


Step: TypeAlias = Outcome | Make | Write | Erase | ShowScope
