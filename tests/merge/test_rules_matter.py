"""Each rule of docs/merge.md, taken out, makes a scenario fail: the rules are needed, and the scenarios see them.

A rule is taken out by putting another function in the place of the one that holds it. A scenario must then fail in
an assertion: a function that breaks in another way would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.merge import test_agreement as agreement
from tests.merge import test_asking as asking
from tests.merge import test_attachments as attachments
from tests.merge import test_comments as comments
from tests.merge import test_contract as contract
from tests.merge import test_crash as crash
from tests.merge import test_fields as fields
from tests.merge import test_issues as issues
from tests.merge import test_links as links
from tests.merge import test_parents as parents
from tests.merge import test_responsible as responsible
from tests.merge import test_status as status
from tests.merge import test_stuck as stuck
from tests.merge import without, without_later

Patch = pytest.MonkeyPatch
Scenario = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A rule, what the project would be without it, and scenarios of which each must fail then."""

    rule: str
    instead: str
    take: Callable[[Patch], None]
    fails: tuple[Scenario, ...]


def remap_with_unsent_edit() -> None:
    agreement.test_remap_with_unsent_edit("globex", "Low")


RULES = (
    Out(
        rule="R1",
        instead="nothing ever crosses",
        take=without.r1_everything_taken,
        fails=(fields.test_crossing_edits_one_winner, stuck.test_export_while_stuck_is_not_seen_as_agreed),
    ),
    Out(
        rule="R1",
        instead="whatever we ever told crosses",
        take=without.r1_everything_crosses,
        fails=(fields.test_an_edit_written_on_the_partners_value_does_not_cross,),
    ),
    Out(
        rule="R2",
        instead="taken when it arrives",
        take=without.r2,
        fails=(stuck.test_export_while_stuck_is_not_seen_as_agreed,),
    ),
    Out(
        rule="R3",
        instead="both win",
        take=without.r3,
        fails=(fields.test_crossing_edits_one_winner, comments.test_edit_vs_edit),
    ),
    Out(
        rule="R3",
        instead="each side goes by the value that it holds",
        take=without.r3_each_by_its_own_value,
        fails=(responsible.test_sides_that_hold_different_values_end_with_what_one_of_them_says,),
    ),
    Out(
        rule="R3",
        instead="whoever holds the pen answers the last word, too",
        take=without.r3_every_answer_is_answered,
        fails=(responsible.test_two_sides_that_both_hold_the_pen_do_not_answer_each_other_for_ever,),
    ),
    Out(
        rule="R3",
        instead="what is open counts as taken",
        take=without.r3c_open_is_taken,
        fails=(
            asking.test_an_edit_that_was_not_told_when_theirs_came_is_told_and_open_on_both_sides,
            asking.test_an_edit_in_the_tracker_has_not_seen_theirs_and_stays_open,
        ),
    ),
    Out(
        rule="R4",
        instead="the shadow never moves",
        take=without.r4_never_moving,
        fails=(fields.test_keep_then_user_undoes_edit,),
    ),
    Out(
        rule="R4",
        instead="the shadow always moves",
        take=without.r4_always_moving,
        fails=(fields.test_told_then_user_sets_partners_value,),
    ),
    Out(
        rule="R5",
        instead="equal is asked first",
        take=without.r5,
        fails=(fields.test_told_then_user_sets_partners_value,),
    ),
    Out(
        rule="R6", instead="a drifting edit is told", take=without.r6_drift_tells, fails=(fields.test_one_way_drift_is_silent,)
    ),
    Out(rule="R6", instead="the source takes", take=without.r6_guard_takes, fails=(fields.test_one_way_guard_answers_once,)),
    Out(
        rule="R7",
        instead="an edit waits for what was deleted",
        take=without.r7_no_tombstone,
        fails=(comments.test_edit_vs_delete_deletes_both_ways, issues.test_delete_vs_told_edit),
    ),
    Out(
        rule="R7",
        instead="a comment waits for its deleted issue",
        take=without.r7_children_come,
        fails=(comments.test_comment_on_issue_being_deleted,),
    ),
    Out(
        rule="R8",
        instead="every deletion is mirrored",
        take=without.r8,
        fails=(issues.test_delete_vs_unsent_edit_mark, issues.test_delete_vs_unsent_edit_ignore),
    ),
    Out(rule="R9", instead="out of scope is deleted", take=without.r9, fails=(issues.test_leaves_scope_is_not_deleted,)),
    Out(
        rule="R10",
        instead="out of scope is told",
        take=without.r10_scope_mutes_nothing,
        fails=(issues.test_leaves_scope_is_not_deleted, issues.test_returns_with_piled_up_edits),
    ),
    Out(
        rule="R10",
        instead="what piles up out of scope is forgotten",
        take=without.r10_what_piles_up_is_forgotten,
        fails=(issues.test_returns_with_piled_up_edits,),
    ),
    Out(
        rule="R11",
        instead="what an import made is told as new",
        take=without.r11,
        fails=(issues.test_found_again_after_the_ledger_was_put_back,),
    ),
    Out(
        rule="R12",
        instead="found again, its shadow is what it shows now",
        take=without.r12_as_it_shows_now,
        fails=(crash.test_created_not_recorded_then_user_edits,),
    ),
    Out(
        rule="R13",
        instead="a link that was taken away is dead for ever",
        take=without.r13,
        fails=(links.test_unlink_and_link_again,),
    ),
    Out(
        rule="R14",
        instead="what has no issue yet is dropped",
        take=without.r14,
        fails=(comments.test_a_comment_waits_for_its_issue_that_is_stuck_and_then_comes,),
    ),
    Out(
        rule="R14",
        instead="a parent that is not there yet is dropped",
        take=without.r14_references,
        fails=(parents.test_a_new_parent_that_is_stuck_holds_up_no_other_field,),
    ),
    Out(
        rule="R14",
        instead="a link whose other end is not there yet is dropped",
        take=without.r14_links,
        fails=(links.test_waits_for_other_end, links.test_of_several_links_each_waits_for_its_own_end),
    ),
    Out(
        rule="R15",
        instead="a link that the partner has no other end for is told",
        take=without.r15_links,
        fails=(
            links.test_a_link_to_what_is_apart_here_is_not_told,
            links.test_a_link_out_of_the_exchange_is_read_once_and_told_when_its_end_comes_in,
        ),
    ),
    Out(
        rule="R15",
        instead="a link that went with its other end is told",
        take=without.r15_gone_with_its_end,
        fails=(links.test_target_deleted,),
    ),
    Out(
        rule="R15",
        instead="a parent that the partner does not know is told",
        take=without.r15,
        fails=(parents.test_a_parent_out_of_scope_is_told_when_it_comes_into_it,),
    ),
    Out(
        rule="R16",
        instead="an attachment whose bytes are not here is dropped",
        take=without.r16_waits_for_nothing,
        fails=(attachments.test_blob_after_change,),
    ),
    Out(
        rule="R16",
        instead="a deletion waits for the bytes, too",
        take=without.r16_no_cancel,
        fails=(attachments.test_deleted_before_blob,),
    ),
    Out(
        rule="R17",
        instead="the shadow is what was asked for",
        take=without_later.r17,
        fails=(fields.test_normalised_value_does_not_echo,),
    ),
    Out(
        rule="R18",
        instead="a birth is taken for all that was told",
        take=without_later.r18,
        fails=(status.test_born_with_a_status_further_on,),
    ),
    Out(
        rule="R19",
        instead="a step on the way is not recorded",
        take=without_later.r19,
        fails=(status.test_path_recorded_step_by_step, status.test_refused_half_way_sends_nothing),
    ),
    Out(
        rule="R20",
        instead="what we wrote before a crash is an edit",
        take=without_later.r20,
        fails=(status.test_crash_between_two_steps,),
    ),
    Out(
        rule="R21", instead="what is in doubt is told", take=without_later.r21, fails=(crash.test_doubt_blocks_only_its_entity,)
    ),
    Out(
        rule="R21",
        instead="a doubt is never removed",
        take=without_later.r21_never_removed,
        fails=(crash.test_doubt_removed_by_every_verdict, crash.test_doubt_of_a_skipped_change_is_removed),
    ),
    Out(
        rule="R22",
        instead="one refused field refuses all",
        take=without_later.r22_all_or_nothing,
        fails=(stuck.test_what_lands_is_struck_from_what_is_stuck,),
    ),
    Out(
        rule="R22",
        instead="what landed before a crash is decided again",
        take=without_later.r22_not_struck,
        fails=(crash.test_created_and_walked_not_recorded_then_user_edits,),
    ),
    Out(
        rule="R23",
        instead="the contract's words are not compared",
        take=without_later.r23,
        fails=(fields.test_lossy_option_keeps_local_choice,),
    ),
    Out(rule="R24", instead="a later change overtakes", take=without_later.r24, fails=(stuck.test_same_entity_waits,)),
    Out(rule="R25", instead="a skip leaves the shadow", take=without_later.r25, fails=(status.test_skip_sends_ours_back,)),
    Out(
        rule="R25",
        instead="a skip always sends ours",
        take=without_later.r25_always_sent,
        fails=(
            status.test_skip_of_crossing_we_win_sends_nothing_twice,
            stuck.test_a_skipped_guarded_field_stays_apart_until_the_source_edits_it_again,
        ),
    ),
    Out(rule="R26", instead="a retry writes as first planned", take=without_later.r26, fails=(stuck.test_retry_becomes_keep,)),
    Out(
        rule="R27",
        instead="every bundle is read by our contract",
        take=without_later.r27,
        fails=(contract.test_a_bundle_of_another_contract_is_held_until_both_agree,),
    ),
    Out(
        rule="R28",
        instead="at a change of words what stands here counts as told",
        take=without_later.r28,
        fails=(remap_with_unsent_edit,),
    ),
    Out(
        rule="R29",
        instead="the proposer tells nothing again",
        take=without_later.r29,
        fails=(agreement.test_what_one_word_stood_for_is_told_again_by_the_proposer,),
    ),
)


def _cases() -> list[Any]:
    return [
        pytest.param(out.take, scenario, id=f"{out.rule}: {out.instead} - {scenario.__name__}")
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
    assert taken == {f"R{number}" for number in range(1, 30)}
