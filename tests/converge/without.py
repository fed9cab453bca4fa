"""How what a contract or a mapping says is taken out of filesync: another function in the place of the one that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from filesync.agent import showing
from filesync.agent.merge import plan
from filesync.agent.merge.plan import OnDelete
from filesync.agent.outgoing.calling import Calling
from filesync.agent.paired import Paired
from filesync.ledger import called
from filesync.model.ids import Kind
from filesync.model.shadow import Life
from filesync.rules.contract import DeletePolicy, Flow
from filesync.rules.ending import Ending

Patch = pytest.MonkeyPatch


def all_is_told(patch: Patch) -> None:
    """What only the other site may tell is told, too, and not taken."""
    patch.setattr(Paired, "sends", lambda self, kind: self.rules.travels(kind))


def all_is_taken(patch: Patch) -> None:
    """Told, and taken."""
    all_is_told(patch)
    patch.setattr(Paired, "receives", lambda self, kind: self.rules.travels(kind))


def what_only_comes_is_kept(patch: Patch) -> None:
    """An edit of what only comes is as good as one that is told."""
    flow = Paired.flow

    def both(self: Paired, kind: Kind, name: str) -> Flow:
        return Flow.BOTH if not self.sends(kind) else flow(self, kind, name)

    patch.setattr(Paired, "flow", both)
    patch.setattr(Paired, "wins", lambda self, name: True)


def _policy(patch: Patch, changed: Callable[[str], str]) -> None:
    on_delete = plan.on_delete

    def other(*, state: Life | None, there: bool, policy: str) -> OnDelete:
        return on_delete(state=state, there=there, policy=changed(policy))

    patch.setattr(plan, "on_delete", other)


def all_is_mirrored(patch: Patch) -> None:
    """Whatever the partner deleted is deleted."""
    _policy(patch, lambda _policy: "mirror")


def nothing_is_marked(patch: Patch) -> None:
    """What is to be marked is left as it is."""
    _policy(patch, lambda policy: "ignore" if policy == "mark" else policy)


def all_is_marked(patch: Patch) -> None:
    """What is to be left as it is says that the partner deleted its own."""
    _policy(patch, lambda policy: "mark" if policy == "ignore" else policy)


def nothing_is_closed(patch: Patch) -> None:
    """It is marked, and its status stays."""
    patch.setattr(Ending, "last_step", property(lambda self: {}))


def _origin(patch: Patch, policy: DeletePolicy) -> None:
    of = Ending.of

    def other(self: Ending, *, came: bool) -> DeletePolicy:
        return policy if self.policy is DeletePolicy.ORIGIN else of(self, came=came)

    patch.setattr(Ending, "of", other)


def origin_mirrors_all(patch: Patch) -> None:
    """What was made here, too."""
    _origin(patch, DeletePolicy.MIRROR)


def origin_leaves_all(patch: Patch) -> None:
    """What was made at the partner's, too."""
    _origin(patch, DeletePolicy.IGNORE)


def no_key_is_told(patch: Patch) -> None:
    """Whatever the contract says."""
    patch.setattr(Calling, "name", lambda self, *args, **kwargs: None)


def no_key_is_learned(patch: Patch) -> None:
    """Though it is told."""
    patch.setattr(called, "learn", lambda conn, exchange_id, keys: None)


def nothing_is_shown(patch: Patch) -> None:
    """Though it is known."""
    patch.setattr(showing, "_actions", lambda *args, **kwargs: [])


def what_is_apart_says_nothing(patch: Patch) -> None:
    """It stays as it was."""
    pace = showing._Showing._pace

    def other(self: Any, one: Any, row: Any) -> Any:
        return pace(self, one, row.ended(Life.LIVE))

    patch.setattr(showing._Showing, "_pace", other)


def nothing_is_acknowledged(patch: Patch) -> None:
    """What was sent stays so."""
    patch.setattr(called, "due", _deaf)


_DUE: Final = called.due


def _deaf(conn: Any, exchange_id: int, *, acknowledged: int, after: str, limit: int) -> Any:
    del acknowledged
    return _DUE(conn, exchange_id, acknowledged=-1, after=after, limit=limit)
