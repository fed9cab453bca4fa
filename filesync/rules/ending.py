"""What becomes here of something that the partner deleted: the contract's word, or our mapping's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from filesync.model.ids import Kind
from filesync.rules.contract import Contract, DeletePolicy

_CLOSE: Final = "close"


@dataclass(frozen=True, slots=True)
class Ending:
    """A policy; of one that closes, the status of our tracker that the issue is brought to."""

    policy: DeletePolicy
    status: str = ""

    def of(self, *, came: bool) -> DeletePolicy:
        """The policy for one item, never `origin`. `came`: it was made at the partner's, not here or elsewhere."""
        if self.policy is not DeletePolicy.ORIGIN:
            return self.policy
        return DeletePolicy.MIRROR if came else DeletePolicy.IGNORE


def read_ending(said: str | Mapping[str, str]) -> Ending:
    """A policy as a contract or a mapping, which fits the schema, says it: a word, or the status that closes."""
    if isinstance(said, str):
        return Ending(DeletePolicy(said))
    return Ending(DeletePolicy.CLOSE, said[_CLOSE])


def endings(contract: Contract, data: Mapping[str, Any]) -> dict[Kind, Ending]:
    """What this site does, of each kind of item, by a mapping of these data."""
    agreed = {kind: Ending(policy) for kind, policy in contract.deletes.items()}
    return agreed | {Kind(kind): read_ending(said) for kind, said in data.get("deletes", {}).items()}
