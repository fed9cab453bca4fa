"""What becomes here of something that the partner deleted: the contract's word, or our mapping's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from filesync.model.ids import Kind
from filesync.model.values import FieldKind, Flat
from filesync.rules.contract import Contract, DeletePolicy

_CLOSE: Final = "close"
RESOLUTION: Final = "resolution"  # what trackers call the field, and a mapping too


@dataclass(frozen=True, slots=True)
class Ending:
    """A policy; of one that closes, the status of our tracker that the issue is brought to."""

    policy: DeletePolicy
    status: str = ""
    resolution: str = ""  # that goes with it, where our tracker has such a field; "": whatever its workflow sets

    @property
    def last_step(self) -> Flat:
        """What is written of an issue as it comes to that status; nothing where there is none."""
        if not self.status:
            return {}
        return {FieldKind.STATUS: self.status, **({RESOLUTION: self.resolution} if self.resolution else {})}

    def of(self, *, came: bool) -> DeletePolicy:
        """The policy for one item, never `origin`. `came`: it was made at the partner's, not here or elsewhere."""
        if self.policy is not DeletePolicy.ORIGIN:
            return self.policy
        return DeletePolicy.MIRROR if came else DeletePolicy.IGNORE


def read_ending(said: str | Mapping[str, str]) -> Ending:
    """A policy as a contract or a mapping, which fits the schema, says it: a word, or what closes."""
    if isinstance(said, str):
        return Ending(DeletePolicy(said))
    return Ending(DeletePolicy.CLOSE, said[_CLOSE], said.get(RESOLUTION, ""))


def endings(contract: Contract, data: Mapping[str, Any]) -> dict[Kind, Ending]:
    """What this site does, of each kind of item, by a mapping of these data."""
    agreed = {kind: Ending(policy) for kind, policy in contract.deletes.items()}
    return agreed | {Kind(kind): read_ending(said) for kind, said in data.get("deletes", {}).items()}
