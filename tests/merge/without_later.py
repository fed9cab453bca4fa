"""How rules of docs/merge.md are taken out, from R17 on: of what is written, of what is stuck, of contracts."""

from __future__ import annotations

from typing import Any

import pytest

from filesync.agent.contract.turn import Turn
from filesync.agent.incoming.importer import Importer
from filesync.agent.merge import plan
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.outcome import Outcome, Work
from filesync.agent.merge.plan import Decision, Verdict
from filesync.agent.merge.steps import Step, Write
from filesync.agent.merge.writing import Writing
from filesync.ledger import shadows
from filesync.model.ids import Mark
from filesync.model.shadow import Shadow
from filesync.model.values import Flat, Value, digest
from tests.merge.without import diffing

Patch = pytest.MonkeyPatch


def r17(patch: Patch) -> None:
    landed = Writing._landed

    def as_asked(self: Writing, step: Write, wrote: Flat, there: Flat) -> None:
        landed(self, step, wrote, self._paired.rules.inward(step.row.kind, wrote, self._view.local_of).fields)

    patch.setattr(Writing, "_landed", as_asked)


def r18(patch: Patch) -> None:
    born = plan.born

    def as_told(told: Any, shown: Any, *, mark: Mark) -> dict[str, Shadow]:
        return born({**shown, **told}, {**shown, **told}, mark=mark)

    patch.setattr(plan, "born", as_told)


def r19(patch: Patch) -> None:
    patch.setattr(Writing, "_passed", lambda self, step, landed: None)


def r20(patch: Patch) -> None:
    patch.setattr(plan, "recovered", lambda shadow, **_: shadow)


def r21(patch: Patch) -> None:
    diffing(patch, lambda asked: {**asked, "doubted": ()})


def r21_never_removed(patch: Patch) -> None:
    patch.setattr(shadows, "drop_doubts", lambda conn, exchange_id, gids: None)


def r22_all_or_nothing(patch: Patch) -> None:
    written = Merge.written

    def whole(self: Merge, step: Write) -> Outcome:
        if step.refused:
            step.refused.update(dict.fromkeys(step.writes, "with the rest"))
            for name in step.writes:
                step.shadows.pop(name, None)
        return written(self, step)

    patch.setattr(Merge, "written", whole)


def r22_not_struck(patch: Patch) -> None:
    patch.setattr(plan, "decided", lambda shadow, mark: False)


def r23(patch: Patch) -> None:
    ordered = plan.plan
    patch.setattr(
        plan, "plan", lambda *, equal, crossing, unsent, wins: ordered(equal=False, crossing=crossing, unsent=unsent, wins=wins)
    )


def r24(patch: Patch) -> None:
    step = Merge.step

    def overtakes(self: Merge, work: Work, *, blocked: bool) -> Step:
        return step(self, work, blocked=False)

    patch.setattr(Merge, "step", overtakes)


def r25(patch: Patch) -> None:
    def stays(shadow: Shadow, refused: Value | None, *, mark: Mark, **_: object) -> Shadow:
        return Shadow(here=shadow.here, told=shadow.told, took=mark)

    patch.setattr(plan, "skipped", stays)


def r25_always_sent(patch: Patch) -> None:
    def moves(shadow: Shadow, refused: Value | None, *, mark: Mark, **_: object) -> Shadow:
        return Shadow(here=digest(refused), told=shadow.told, took=mark)

    patch.setattr(plan, "skipped", moves)


def r26(patch: Patch) -> None:
    step, decide = Merge.step, plan.decide

    def as_planned_before(self: Merge, work: Work, *, blocked: bool) -> Step:
        with pytest.MonkeyPatch.context() as inner:
            if work.since is not None:
                inner.setattr(plan, "decide", lambda meeting: Decision(Verdict.APPLY))
            return step(self, work, blocked=blocked)

    assert decide is plan.decide
    patch.setattr(Merge, "step", as_planned_before)


def r27(patch: Patch) -> None:
    patch.setattr(Importer, "_readable", lambda self, taken: True)


def r28(patch: Patch) -> None:
    known = Turn._here

    def forgets(value: Value | None, *, agreed: bool, again: bool) -> str:
        return known(value, agreed=True, again=again)

    patch.setattr(Turn, "_here", staticmethod(forgets))


def r29(patch: Patch) -> None:
    known = Turn._here

    def is_silent(value: Value | None, *, agreed: bool, again: bool) -> str:
        return known(value, agreed=agreed, again=False)

    patch.setattr(Turn, "_here", staticmethod(is_silent))
