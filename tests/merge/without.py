"""How rules of docs/merge.md are taken out, up to R16: another function in the place of the one that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from filesync.agent.merge import plan
from filesync.agent.merge.births import Births
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.plan import Meeting, OnCreate, OnDelete, OnEnd, OnSet, Verdict
from filesync.agent.merge.steps import Step, Write
from filesync.agent.merge.view import Shown
from filesync.agent.merge.winning import Winning
from filesync.agent.outgoing.found import Found
from filesync.agent.outgoing.gather import Gather
from filesync.agent.outgoing.severed import Severed
from filesync.agent.paired import Paired
from filesync.ledger import shadows
from filesync.model import diff as telling
from filesync.model.change import Set
from filesync.model.diff import Seen, Tell
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import Issue, Item
from filesync.model.links import link_end
from filesync.model.shadow import Life, Shadow
from filesync.model.values import EMPTY, Value, digest
from filesync.rules.contract import Flow
from filesync.trackers.base import Born

Patch = pytest.MonkeyPatch


def r1_everything_taken(patch: Patch) -> None:
    patch.setattr(plan, "crosses", lambda shadow, base: False)


def r1_everything_crosses(patch: Patch) -> None:
    patch.setattr(plan, "crosses", lambda shadow, base: shadow.told > "0001")


def r2(patch: Patch) -> None:
    written = Merge.written

    def took_on_arrival(self: Merge, step: Write) -> Outcome:
        mark = step.outcome.work.mark
        for name in step.refused:
            before = step.row.shadow(name)
            step.shadows[name] = Shadow(here=before.here, told=before.told, took=mark)
        return written(self, step)

    patch.setattr(Merge, "written", took_on_arrival)


def r3(patch: Patch) -> None:
    patch.setattr(Paired, "wins", lambda self, name: True)


def r3_each_by_its_own_value(patch: Patch) -> None:
    def alone(*, judge: bool, **facts: bool) -> Verdict:
        return plan.plan(**facts)

    patch.setattr(plan, "judged", alone)


def r3_every_answer_is_answered(patch: Patch) -> None:
    begin = Winning.__init__

    def deaf(self: Winning, paired: Paired, shown: Shown, change: Any, *, new: bool) -> None:
        begin(self, paired, shown, structs.replace(change, held=[]) if isinstance(change, Set) else change, new=new)

    patch.setattr(Winning, "__init__", deaf)


def _settle(patch: Patch, changed: Callable[[Meeting, Verdict], str | None]) -> None:
    settle = plan.settle

    def other(meeting: Meeting, verdict: Verdict, *, mark: Mark, landed: Value | None = None) -> Shadow:
        right = settle(meeting, verdict, mark=mark, landed=landed)
        here = changed(meeting, verdict)
        return right if here is None else Shadow(here=here, told=right.told, took=right.took)

    patch.setattr(plan, "settle", other)


def r3c_open_is_taken(patch: Patch) -> None:
    settle = plan.settle

    def taken(meeting: Meeting, verdict: Verdict, *, mark: Mark, landed: Value | None = None) -> Shadow:
        shadow = settle(meeting, verdict, mark=mark, landed=landed)
        return structs.replace(shadow, took=mark) if verdict is Verdict.OPEN else shadow

    patch.setattr(plan, "settle", taken)


def r4_never_moving(patch: Patch) -> None:
    _settle(patch, lambda meeting, verdict: meeting.shadow.here if verdict is Verdict.KEEP_UNSENT else None)


def r4_always_moving(patch: Patch) -> None:
    _settle(patch, lambda meeting, verdict: digest(meeting.now) if verdict is Verdict.KEEP_TOLD else None)


def r5(patch: Patch) -> None:
    ordered = plan.plan

    def equal_first(*, equal: bool, crossing: bool, unsent: bool, wins: bool) -> Verdict:
        return Verdict.SKIP if equal else ordered(equal=equal, crossing=crossing, unsent=unsent, wins=wins)

    patch.setattr(plan, "plan", equal_first)


def r6_drift_tells(patch: Patch) -> None:
    patch.setattr(Paired, "tells", lambda self, kind, name, *, new: self.rules.carries(kind, name))


def r6_guard_takes(patch: Patch) -> None:
    flow = Paired.flow

    def taking(self: Paired, kind: Kind, name: str) -> Flow:
        return Flow.BOTH if "GUARD" in flow(self, kind, name).name else flow(self, kind, name)

    patch.setattr(Paired, "flow", taking)


def r7_no_tombstone(patch: Patch) -> None:
    on_set = plan.on_set

    def waits(**asked: Any) -> OnSet:
        return OnSet.WAIT if asked["state"] is Life.DEAD else on_set(**asked)

    patch.setattr(plan, "on_set", waits)


def r7_children_come(patch: Patch) -> None:
    on_create = plan.on_create

    def waits(**asked: Any) -> OnCreate:
        found = on_create(**asked)
        return OnCreate.WAIT if found is OnCreate.BURY else found

    patch.setattr(plan, "on_create", waits)


def r8(patch: Patch) -> None:
    on_delete = plan.on_delete

    def sender_decides(*, state: Life | None, there: bool, policy: str) -> OnDelete:
        return on_delete(state=state, there=there, policy="mirror")

    patch.setattr(plan, "on_delete", sender_decides)


def r9(patch: Patch) -> None:
    one = Gather._one

    def left_is_deleted(self: Gather, local: str, issue: Issue, found: Found, *, depth: int) -> None:
        if issue.in_scope:
            one(self, local, issue, found, depth=depth)
        else:
            self._gone(local, found)

    patch.setattr(Gather, "_one", left_is_deleted)


def r10_scope_mutes_nothing(patch: Patch) -> None:
    diffing(patch, lambda asked: {**asked, "in_scope": True})


def r10_what_piles_up_is_forgotten(patch: Patch) -> None:
    one = Gather._one

    def agreed(self: Gather, local: str, issue: Issue, found: Found, *, depth: int) -> None:
        one(self, local, issue, found, depth=depth)
        if issue.in_scope:
            return
        with self._site.ledger.begin() as conn:
            for item in (issue.item, *issue.children):
                row = self._rows.get(self._gid(item))
                if row is not None:
                    shown = self._paired.rules.outward(item, lambda _: None).fields
                    same = {name: Shadow(here=digest(value)) for name, value in shown.items()}
                    shadows.save(conn, self._x.id, [row.with_shadows(same)])

    patch.setattr(Gather, "_one", agreed)


def diffing(patch: Patch, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    diff = telling.diff

    def other(seen: list[Seen], rows: Any, **asked: Any) -> list[Tell]:
        return diff(seen, rows, **changed(asked))

    patch.setattr("filesync.agent.outgoing.gather.diff", other)


def r11(patch: Patch) -> None:
    seen = Gather._seen

    def came_from_nowhere(self: Gather, item: Item, parent: Gid | None, found: Found, depth: int, *, told: bool) -> Seen:
        return structs.replace(seen(self, item, parent, found, depth, told=told), came=False)

    patch.setattr(Gather, "_seen", came_from_nowhere)


def r12_as_it_shows_now(patch: Patch) -> None:
    create = Births._create

    def shows(self: Births, step: Any, local: Any, *, tried: str) -> Born:
        born = create(self, step, local, tried=tried)
        now = self._view.issue(born.item.ref.issue, fresh=True)
        return replace(born, item=now.item) if born.again and now is not None and step.issue is None else born

    patch.setattr(Births, "_create", shows)


def r13(patch: Patch) -> None:
    fields_of = Merge.fields

    def once(self: Merge, outcome: Outcome, row: Any, shown: Any, told: Any) -> Write | Outcome:
        gone = {name for name, shadow in row.fields.items() if link_end(name) is not None and shadow.here == EMPTY}
        return fields_of(self, outcome, row, shown, {name: one for name, one in told.items() if name not in gone})

    patch.setattr(Merge, "fields", once)


def r14(patch: Patch) -> None:
    on_create = plan.on_create

    def drops(**asked: Any) -> OnCreate:
        found = on_create(**asked)
        return OnCreate.DROP if found is OnCreate.WAIT else found

    patch.setattr(plan, "on_create", drops)


def r14_references(patch: Patch) -> None:
    fields_of = Merge.fields

    def drops(self: Merge, outcome: Outcome, row: Any, shown: Any, told: Any) -> Write | Outcome:
        known = {name: one for name, one in told.items() if name != "parent" or self._view.named(one.now) is not None}
        return fields_of(self, outcome, row, shown, known)

    patch.setattr(Merge, "fields", drops)


def r14_links(patch: Patch) -> None:
    on_end = plan.on_end

    def drops(end: Life | None, *, adds: bool) -> OnEnd:
        found = on_end(end, adds=adds)
        return OnEnd.DROP if found is OnEnd.WAIT else found

    patch.setattr(plan, "on_end", drops)


def r15_links(patch: Patch) -> None:
    def whoever_it_is(self: Gather, local: str) -> Gid | None:
        issue = self._site.tracker.get(local)
        return self._gid(issue.item) if issue is not None else None

    patch.setattr(Gather, "_end_of", whoever_it_is)


def r15_gone_with_its_end(patch: Patch) -> None:
    patch.setattr(Severed, "of", lambda _self, _row, _shown, _known: frozenset())


def r15(patch: Patch) -> None:
    seen = Gather._seen

    def tells_all(self: Gather, item: Item, parent: Gid | None, found: Found, depth: int, *, told: bool) -> Seen:
        one = seen(self, item, parent, found, depth, told=told)
        above = item.fields.get("parent")
        issue = self._site.tracker.get(above) if isinstance(above, str) else None
        if issue is None or "parent" in one.fields:
            return one
        return structs.replace(one, fields={**one.fields, "parent": self._gid(issue.item)}, unknown=one.unknown - {"parent"})

    patch.setattr(Gather, "_seen", tells_all)


def r16_no_cancel(patch: Patch) -> None:
    on_create = plan.on_create
    patch.setattr(plan, "on_create", lambda **asked: on_create(**{**asked, "deleted": False}))


def r16_waits_for_nothing(patch: Patch) -> None:
    make = Merge._make

    def drops(self: Merge, outcome: Outcome, change: Any, *, doubted: bool) -> Step:
        if change.gid in self._view.lacks:
            return self.ends.drop(outcome, "its bytes are not here")
        return make(self, outcome, change, doubted=doubted)

    patch.setattr(Merge, "_make", drops)
