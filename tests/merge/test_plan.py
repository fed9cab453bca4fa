"""The tables of docs/merge.md, row by row, and that each of them has an answer for every case there is."""

from itertools import product
from typing import Any, Final

import pytest

from filesync.agent.merge import plan
from filesync.agent.merge.plan import Meeting, OnCreate, OnDelete, OnSet, Verdict
from filesync.model.ids import NEVER, Mark, make_mark
from filesync.model.shadow import Life, Shadow
from filesync.model.values import EMPTY, Value, digest
from filesync.rules.contract import DeletePolicy, Flow

ANY: Final = object()
BOTH = (False, True)
LIVES = (None, *Life)
OURS, THEIRS, LATER = make_mark(1, 1, 1), make_mark(1, 7, 1), make_mark(1, 8, 1)


def _answer(rows: list[tuple[tuple[Any, ...], Any]], case: tuple[Any, ...]) -> Any:
    """The first row that fits, as a person reads a table."""
    for pattern, answer in rows:
        if all(
            want is ANY or want == got or (isinstance(want, set) and got in want)
            for want, got in zip(pattern, case, strict=True)
        ):
            return answer
    raise AssertionError(f"no row for {case}")


FIELD = [  # crossing, equal, unsent, we win
    ((True, ANY, ANY, True), Verdict.KEEP_TOLD),
    ((ANY, True, ANY, ANY), Verdict.SKIP),
    ((False, False, True, True), Verdict.KEEP_UNSENT),
    ((True, False, ANY, False), Verdict.APPLY),
    ((False, False, True, False), Verdict.APPLY),
    ((False, False, False, ANY), Verdict.APPLY),
]


@pytest.mark.parametrize("case", list(product(BOTH, repeat=4)))
def test_every_field_has_one_verdict(case: tuple[bool, bool, bool, bool]) -> None:
    crossing, equal, unsent, wins = case
    assert plan.plan(equal=equal, crossing=crossing, unsent=unsent, wins=wins) is _answer(FIELD, case)


ASKED = [  # what arrives is what we told, equal, crossing, unsent
    ((True, ANY, ANY, ANY), Verdict.SKIP),
    ((False, True, False, ANY), Verdict.SKIP),
    ((False, ANY, True, ANY), Verdict.OPEN),
    ((False, False, False, True), Verdict.OPEN),
    ((False, False, False, False), Verdict.APPLY),
]


@pytest.mark.parametrize("case", list(product(BOTH, repeat=4)))
def test_every_field_of_which_a_person_decides_has_one_verdict(case: tuple[bool, bool, bool, bool]) -> None:
    told, equal, crossing, unsent = case
    assert plan.asked(told=told, equal=equal, crossing=crossing, unsent=unsent) is _answer(ASKED, case)


def _meeting(*, flow: Flow, crossing: bool, equal: bool, unsent: bool, wins: bool) -> Meeting:
    have = "theirs" if equal else "ours"
    shadow = Shadow(here=digest("before" if unsent else have), told=LATER if crossing else NEVER)
    return Meeting(name="summary", now="theirs", have=have, base=OURS, shadow=shadow, wins=wins, flow=flow)


@pytest.mark.parametrize("case", list(product(BOTH, repeat=4)))
def test_where_both_may_edit_people_are_told_what_met(case: tuple[bool, bool, bool, bool]) -> None:
    crossing, equal, unsent, wins = case
    decision = plan.decide(_meeting(flow=Flow.BOTH, crossing=crossing, equal=equal, unsent=unsent, wins=wins))
    assert decision.verdict is _answer(FIELD, case)
    assert decision.rule == ("" if equal or not (crossing or unsent) else "crossing" if crossing else "unsent")


@pytest.mark.parametrize("case", list(product(BOTH, repeat=4)))
@pytest.mark.parametrize("flow", [Flow.WE_TAKE_DRIFT, Flow.WE_TAKE_GUARD])
def test_one_way_and_we_receive_theirs_stands_without_a_word(flow: Flow, case: tuple[bool, bool, bool, bool]) -> None:
    crossing, equal, unsent, wins = case
    decision = plan.decide(_meeting(flow=flow, crossing=crossing, equal=equal, unsent=unsent, wins=wins))
    assert decision == plan.Decision(Verdict.SKIP if equal else Verdict.APPLY)


@pytest.mark.parametrize("case", list(product(BOTH, repeat=4)))
@pytest.mark.parametrize("flow", [Flow.WE_SEND_DRIFT, Flow.WE_SEND_GUARD])
def test_one_way_and_we_are_the_source_ours_stands(flow: Flow, case: tuple[bool, bool, bool, bool]) -> None:
    crossing, equal, unsent, wins = case
    decision = plan.decide(_meeting(flow=flow, crossing=crossing, equal=equal, unsent=unsent, wins=wins))
    expected = Verdict.KEEP_TOLD if crossing else Verdict.SKIP if equal else Verdict.KEEP_UNSENT
    assert decision == plan.Decision(expected, "" if equal else "one-way")


@pytest.mark.parametrize(
    ("verdict", "here"),
    [
        (Verdict.KEEP_TOLD, digest("before")),
        (Verdict.KEEP_UNSENT, digest("theirs")),
        (Verdict.SKIP, digest("theirs")),
        (Verdict.APPLY, digest("as it landed")),
    ],
)
def test_the_shadow_after_each_verdict(verdict: Verdict, here: str) -> None:
    meeting = Meeting(
        name="summary",
        now="theirs",
        have="ours",
        base=NEVER,
        shadow=Shadow(here=digest("before"), told=OURS, took=NEVER),
        wins=True,
        flow=Flow.BOTH,
    )
    assert plan.settle(meeting, verdict, mark=THEIRS, landed="as it landed") == Shadow(here=here, told=OURS, took=THEIRS)


def test_only_an_edit_told_after_the_base_crosses() -> None:
    assert not plan.crosses(Shadow(told=NEVER), NEVER)
    assert not plan.crosses(Shadow(told=OURS), OURS)
    assert not plan.crosses(Shadow(told=OURS), LATER)
    assert plan.crosses(Shadow(told=LATER), OURS)


@pytest.mark.parametrize(("have", "here", "unsent"), [(None, EMPTY, False), ("", digest(""), False), (None, digest("x"), True)])
def test_an_edit_is_unsent_when_the_shadow_does_not_know_it(have: Value | None, here: str, unsent: bool) -> None:
    assert plan.unsent(Shadow(here=here), have) is unsent


def test_what_was_cut_off_is_ours_only_where_it_shows() -> None:
    before = Shadow(here=digest("before"), told=OURS, took=OURS)
    assert plan.recovered(before, doubt=digest("written"), have="written") == Shadow(
        here=digest("written"), told=OURS, took=OURS
    )
    assert plan.recovered(before, doubt=digest("written"), have="of a user") == before
    assert plan.recovered(before, doubt=EMPTY, have=None) == Shadow(here=EMPTY, told=OURS, took=OURS)


def test_a_field_is_decided_once() -> None:
    assert not plan.decided(Shadow(took=OURS), THEIRS)
    assert plan.decided(Shadow(took=THEIRS), THEIRS)
    assert plan.decided(Shadow(took=LATER), THEIRS)


@pytest.mark.parametrize("crossing", BOTH)
@pytest.mark.parametrize("wins", BOTH)
@pytest.mark.parametrize("flow", list(Flow))
def test_a_skip_sends_ours_unless_that_is_useless(flow: Flow, wins: bool, crossing: bool) -> None:
    before = Shadow(here=digest("before"), told=LATER if crossing else NEVER)
    after = plan.skipped(before, digest("refused"), mark=THEIRS, base=OURS, wins=wins, flow=flow)
    useless = flow in {Flow.WE_TAKE_DRIFT, Flow.WE_TAKE_GUARD} or (crossing and wins)
    assert after == Shadow(here=digest("before" if useless else "refused"), told=before.told, took=THEIRS)


def test_a_birth_has_taken_only_what_was_born_as_told() -> None:
    told: dict[str, Value] = {"summary": "s", "status": "Done", "note": "n "}
    shown: dict[str, Value] = {"summary": "s", "status": "To Do", "note": "n", "default": "d"}
    assert plan.born(told, shown, mark=THEIRS) == {
        "summary": Shadow(here=digest("s"), took=THEIRS),
        "status": Shadow(here=digest("To Do")),
        "note": Shadow(here=digest("n")),
        "default": Shadow(here=digest("d")),
    }


OVER = {Life.DEAD, Life.APART}
CREATE = [  # state, there, parent, top, deleted, doubted
    ((OVER, ANY, ANY, ANY, ANY, ANY), OnCreate.DROP),
    ((ANY, ANY, OVER, False, ANY, ANY), OnCreate.BURY),
    ((Life.LIVE, True, ANY, ANY, ANY, ANY), OnCreate.MERGE),
    ((Life.LIVE, False, ANY, ANY, ANY, ANY), OnCreate.LEAVE),
    ((None, ANY, ANY, ANY, True, False), OnCreate.CANCEL),
    ((None, ANY, None, False, ANY, ANY), OnCreate.WAIT),
    ((None, ANY, ANY, ANY, ANY, ANY), OnCreate.MAKE),
]


def test_every_create_has_one_verdict() -> None:
    for case in product(LIVES, BOTH, LIVES, BOTH, BOTH, BOTH):
        state, there, parent, top, deleted, doubted = case
        found = plan.on_create(state=state, there=there, parent=parent, top=top, deleted=deleted, doubted=doubted)
        assert found is _answer(CREATE, case), case


SET = [  # state, there, deleted
    ((OVER, ANY, ANY), OnSet.DROP),
    ((Life.LIVE, ANY, True), OnSet.ABSORB),
    ((None, ANY, ANY), OnSet.WAIT),
    ((Life.LIVE, False, False), OnSet.LEAVE),
    ((Life.LIVE, True, False), OnSet.FIELDS),
]


def test_every_set_has_one_verdict() -> None:
    for state, there, deleted in product(LIVES, BOTH, BOTH):
        assert plan.on_set(state=state, there=there, deleted=deleted) is _answer(SET, (state, there, deleted))


DELETE = [  # state, there, policy
    ((OVER, ANY, ANY), OnDelete.DROP),
    ((None, ANY, ANY), OnDelete.BURY),
    ((Life.LIVE, False, ANY), OnDelete.BURY),
    ((Life.LIVE, True, DeletePolicy.MIRROR), OnDelete.REMOVE),
    ((Life.LIVE, True, DeletePolicy.MARK), OnDelete.MARK),
    ((Life.LIVE, True, DeletePolicy.CLOSE), OnDelete.CLOSE),
    ((Life.LIVE, True, DeletePolicy.IGNORE), OnDelete.PART),
]


def test_every_delete_has_one_verdict() -> None:
    for state, there, policy in product(LIVES, BOTH, set(DeletePolicy) - {DeletePolicy.ORIGIN}):
        assert plan.on_delete(state=state, there=there, policy=policy) is _answer(DELETE, (state, there, policy))


def test_both_sides_never_keep_nor_give_way_at_once() -> None:
    """Of two edits that cross, told to each other, one side keeps and the other applies."""
    ours, theirs = Mark(LATER), Mark(THEIRS)
    for wins in BOTH:
        verdicts = set()
        for side_wins, told in ((wins, ours), (not wins, theirs)):
            shadow = Shadow(here=digest("mine"), told=told)
            meeting = Meeting(
                name="summary", now="yours", have="mine", base=NEVER, shadow=shadow, wins=side_wins, flow=Flow.BOTH
            )
            verdicts.add(plan.decide(meeting).verdict)
        assert verdicts == {Verdict.KEEP_TOLD, Verdict.APPLY}
