"""Each rule of docs/merge.md, taken out, makes a scenario fail: the rules are needed, and the scenarios see them.

A rule is taken out by putting another function in the place of the one that holds it. A scenario must then fail in
an assertion: a function that breaks in another way would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from filesync.agent import plan
from filesync.agent.carry import Carry
from filesync.agent.gather import Found, Gather
from filesync.agent.importer import Importer
from filesync.agent.merge import Merge, Step, Write
from filesync.agent.outcome import Outcome, Work
from filesync.agent.plan import Decision, Meeting, OnCreate, OnDelete, OnSet, Verdict
from filesync.agent.site import Paired
from filesync.ledger import shadows
from filesync.model import diff as telling
from filesync.model.diff import Seen, Tell
from filesync.model.ids import Gid, Mark
from filesync.model.issue import Issue, Item
from filesync.model.shadow import Life, Shadow
from filesync.model.values import Flat, Value, digest
from filesync.rules.contract import Flow
from filesync.trackers.base import Born
from tests.merge import test_comments as comments
from tests.merge import test_contract as contract
from tests.merge import test_crash as crash
from tests.merge import test_fields as fields
from tests.merge import test_issues as issues
from tests.merge import test_status as status
from tests.merge import test_stuck as stuck

Patch = pytest.MonkeyPatch
Scenario = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A rule, what the project would be without it, and scenarios of which each must fail then."""

    rule: str
    without: str
    take: Callable[[Patch], None]
    fails: tuple[Scenario, ...]


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


def _settle(patch: Patch, changed: Callable[[Meeting, Verdict], str | None]) -> None:
    settle = plan.settle

    def other(meeting: Meeting, verdict: Verdict, *, mark: Mark, landed: Value | None = None) -> Shadow:
        right = settle(meeting, verdict, mark=mark, landed=landed)
        here = changed(meeting, verdict)
        return right if here is None else Shadow(here=here, told=right.told, took=right.took)

    patch.setattr(plan, "settle", other)


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
    patch.setattr(Paired, "tells", lambda self, kind, name: self.rules.carries(kind, name))


def r6_guard_takes(patch: Patch) -> None:
    flow = Paired.flow
    patch.setattr(Paired, "flow", lambda self, name: Flow.BOTH if "GUARD" in flow(self, name).name else flow(self, name))


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
    _diff(patch, lambda asked: {**asked, "in_scope": True})


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


def _diff(patch: Patch, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    diff = telling.diff

    def other(seen: list[Seen], rows: Any, **asked: Any) -> list[Tell]:
        return diff(seen, rows, **changed(asked))

    patch.setattr("filesync.agent.gather.diff", other)


def r11(patch: Patch) -> None:
    seen = Gather._seen

    def came_from_nowhere(self: Gather, item: Item, parent: Gid | None, found: Found, depth: int) -> Seen:
        return replace(seen(self, item, parent, found, depth), came=False)

    patch.setattr(Gather, "_seen", came_from_nowhere)


def r12_as_it_shows_now(patch: Patch) -> None:
    create = Carry._create

    def shows(self: Carry, step: Any, local: Any) -> Born:
        born = create(self, step, local)
        now = self._view.issue(born.item.ref.issue, fresh=True)
        return replace(born, item=now.item) if born.again and now is not None and step.issue is None else born

    patch.setattr(Carry, "_create", shows)


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


def r15(patch: Patch) -> None:
    seen = Gather._seen

    def tells_all(self: Gather, item: Item, parent: Gid | None, found: Found, depth: int) -> Seen:
        one = seen(self, item, parent, found, depth)
        above = item.fields.get("parent")
        issue = self._site.tracker.get(above) if isinstance(above, str) else None
        if issue is None or "parent" in one.fields:
            return one
        return replace(one, fields={**one.fields, "parent": self._gid(issue.item)}, unknown=one.unknown - {"parent"})

    patch.setattr(Gather, "_seen", tells_all)


def r17(patch: Patch) -> None:
    landed = Carry._landed

    def as_asked(self: Carry, step: Write, wrote: Flat, there: Flat) -> None:
        landed(self, step, wrote, self._paired.rules.inward(step.row.kind, wrote, self._view.local_of).fields)

    patch.setattr(Carry, "_landed", as_asked)


def r18(patch: Patch) -> None:
    born = plan.born

    def as_told(told: Any, shown: Any, *, mark: Mark) -> dict[str, Shadow]:
        return born({**shown, **told}, {**shown, **told}, mark=mark)

    patch.setattr(plan, "born", as_told)


def r19(patch: Patch) -> None:
    patch.setattr(Carry, "_passed", lambda self, step, landed: None)


def r20(patch: Patch) -> None:
    patch.setattr(plan, "recovered", lambda shadow, **_: shadow)


def r21(patch: Patch) -> None:
    _diff(patch, lambda asked: {**asked, "doubted": ()})


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


RULES = (
    Out(
        rule="R1",
        without="nothing ever crosses",
        take=r1_everything_taken,
        fails=(fields.test_crossing_edits_one_winner, stuck.test_export_while_stuck_is_not_seen_as_agreed),
    ),
    Out(
        rule="R1",
        without="whatever we ever told crosses",
        take=r1_everything_crosses,
        fails=(fields.test_an_edit_written_on_the_partners_value_does_not_cross,),
    ),
    Out(rule="R2", without="taken when it arrives", take=r2, fails=(stuck.test_export_while_stuck_is_not_seen_as_agreed,)),
    Out(rule="R3", without="both win", take=r3, fails=(fields.test_crossing_edits_one_winner, comments.test_edit_vs_edit)),
    Out(rule="R4", without="the shadow never moves", take=r4_never_moving, fails=(fields.test_keep_then_user_undoes_edit,)),
    Out(
        rule="R4",
        without="the shadow always moves",
        take=r4_always_moving,
        fails=(fields.test_told_then_user_sets_partners_value,),
    ),
    Out(
        rule="R5",
        without="equal is asked first",
        take=r5,
        fails=(fields.test_told_then_user_sets_partners_value,),
    ),
    Out(rule="R6", without="a drifting edit is told", take=r6_drift_tells, fails=(fields.test_one_way_drift_is_silent,)),
    Out(rule="R6", without="the source takes", take=r6_guard_takes, fails=(fields.test_one_way_guard_answers_once,)),
    Out(
        rule="R7",
        without="an edit waits for what was deleted",
        take=r7_no_tombstone,
        fails=(comments.test_edit_vs_delete_deletes_both_ways, issues.test_delete_vs_told_edit),
    ),
    Out(
        rule="R7",
        without="a comment waits for its deleted issue",
        take=r7_children_come,
        fails=(comments.test_comment_on_issue_being_deleted,),
    ),
    Out(
        rule="R8",
        without="every deletion is mirrored",
        take=r8,
        fails=(issues.test_delete_vs_unsent_edit_mark, issues.test_delete_vs_unsent_edit_ignore),
    ),
    Out(rule="R9", without="out of scope is deleted", take=r9, fails=(issues.test_leaves_scope_is_not_deleted,)),
    Out(
        rule="R10",
        without="out of scope is told",
        take=r10_scope_mutes_nothing,
        fails=(issues.test_leaves_scope_is_not_deleted, issues.test_returns_with_piled_up_edits),
    ),
    Out(
        rule="R10",
        without="what piles up out of scope is forgotten",
        take=r10_what_piles_up_is_forgotten,
        fails=(issues.test_returns_with_piled_up_edits,),
    ),
    Out(
        rule="R11",
        without="what an import made is told as new",
        take=r11,
        fails=(issues.test_found_again_after_the_ledger_was_put_back,),
    ),
    Out(
        rule="R12",
        without="found again, its shadow is what it shows now",
        take=r12_as_it_shows_now,
        fails=(crash.test_created_not_recorded_then_user_edits,),
    ),
    Out(
        rule="R14",
        without="what has no issue yet is dropped",
        take=r14,
        fails=(comments.test_a_comment_waits_for_its_issue_that_is_stuck_and_then_comes,),
    ),
    Out(
        rule="R14",
        without="a parent that is not there yet is dropped",
        take=r14_references,
        fails=(issues.test_a_new_parent_that_is_stuck_holds_up_no_other_field,),
    ),
    Out(
        rule="R15",
        without="a parent that the partner does not know is told",
        take=r15,
        fails=(issues.test_a_parent_out_of_scope_is_told_when_it_comes_into_it,),
    ),
    Out(
        rule="R17",
        without="the shadow is what was asked for",
        take=r17,
        fails=(fields.test_normalised_value_does_not_echo,),
    ),
    Out(
        rule="R18",
        without="a birth is taken for all that was told",
        take=r18,
        fails=(status.test_born_with_a_status_further_on,),
    ),
    Out(
        rule="R19",
        without="a step on the way is not recorded",
        take=r19,
        fails=(status.test_path_recorded_step_by_step, status.test_refused_half_way_sends_nothing),
    ),
    Out(rule="R20", without="what we wrote before a crash is an edit", take=r20, fails=(status.test_crash_between_two_steps,)),
    Out(rule="R21", without="what is in doubt is told", take=r21, fails=(crash.test_doubt_blocks_only_its_entity,)),
    Out(
        rule="R21",
        without="a doubt is never removed",
        take=r21_never_removed,
        fails=(crash.test_doubt_removed_by_every_verdict, crash.test_doubt_of_a_skipped_change_is_removed),
    ),
    Out(
        rule="R22",
        without="one refused field refuses all",
        take=r22_all_or_nothing,
        fails=(stuck.test_what_lands_is_struck_from_what_is_stuck,),
    ),
    Out(
        rule="R22",
        without="what landed before a crash is decided again",
        take=r22_not_struck,
        fails=(crash.test_created_and_walked_not_recorded_then_user_edits,),
    ),
    Out(
        rule="R23",
        without="the contract's words are not compared",
        take=r23,
        fails=(fields.test_lossy_option_keeps_local_choice,),
    ),
    Out(rule="R24", without="a later change overtakes", take=r24, fails=(stuck.test_same_entity_waits,)),
    Out(rule="R25", without="a skip leaves the shadow", take=r25, fails=(status.test_skip_sends_ours_back,)),
    Out(
        rule="R25",
        without="a skip always sends ours",
        take=r25_always_sent,
        fails=(
            status.test_skip_of_crossing_we_win_sends_nothing_twice,
            stuck.test_a_skipped_guarded_field_stays_apart_until_the_source_edits_it_again,
        ),
    ),
    Out(rule="R26", without="a retry writes as first planned", take=r26, fails=(stuck.test_retry_becomes_keep,)),
    Out(
        rule="R27",
        without="every bundle is read by our contract",
        take=r27,
        fails=(contract.test_a_bundle_of_another_contract_is_held_until_both_agree,),
    ),
)


def _cases() -> list[Any]:
    return [
        pytest.param(out.take, scenario, id=f"{out.rule}: {out.without} - {scenario.__name__}")
        for out in RULES
        for scenario in out.fails
    ]


@pytest.mark.parametrize(("take", "scenario"), _cases())
def test_a_rule_taken_out_is_missed(take: Callable[[Patch], None], scenario: Scenario, monkeypatch: Patch) -> None:
    take(monkeypatch)
    with pytest.raises(AssertionError):
        scenario()


def test_every_rule_that_the_page_names_is_taken_out_once() -> None:
    taken = {out.rule for out in RULES}
    assert taken == {f"R{number}" for number in (*range(1, 13), 14, 15, *range(17, 28))}
