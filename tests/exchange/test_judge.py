"""The judge's table, row by row: expected are generation 2, seq 418, previous id of 417."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from filesync.bundle.verdict import Code
from filesync.exchange.judge import Arrival, Judgement, Place, StreamState, Verdict, gaps, judge
from filesync.model.ids import NO_BUNDLE, BundleId, Generation, SiteId, StreamId

ACME = SiteId("11111111-1111-4111-8111-111111111111")
GLOBEX = SiteId("22222222-2222-4222-8222-222222222222")
THIRD = SiteId("33333333-3333-4333-8333-333333333333")
STREAM = StreamId("5a" * 16)
OLD, NOW, CLONE, NEXT = (Generation(n, id_ * 32) for n, id_ in ((1, "a"), (2, "b"), (2, "f"), (3, "c")))


def id_of(seq: int, letter: str = "e") -> BundleId:
    return BundleId(f"{seq:060}{letter * 4}")


STATE = StreamState(
    partner=ACME,
    stream=STREAM,
    generation=NOW,
    applied_seq=417,
    applied_id=id_of(417),
    held={},
    held_prev={},
    signed=True,
    contract="c0" * 32,
    window=100,
    partner_generation_seen=2,
)
FRESH = replace(STATE, generation=OLD, applied_seq=0, applied_id=NO_BUNDLE, partner_generation_seen=1)
ARRIVAL = Arrival(
    from_site=ACME,
    to_site=GLOBEX,
    stream=STREAM,
    generation=NOW,
    seq=418,
    prev=id_of(417),
    bundle_id=id_of(418),
    kind="changes",
    follows=None,
    contract="c0" * 32,
    signed=True,
    format_known=True,
)


def at(seq: int, **fields: object) -> Arrival:
    """Number `seq` of an unbroken chain."""
    return replace(ARRIVAL, seq=seq, prev=id_of(seq - 1) if seq > 1 else NO_BUNDLE, bundle_id=id_of(seq), **fields)


def told(
    arrival: Arrival, state: StreamState | None = STATE, known: BundleId | None = None, follows: BundleId | None = None
) -> Judgement:
    return judge(arrival, state, us=GLOBEX, known_id=known, known_follows=follows)


# ── in sequence ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_one_is_applied() -> None:
    assert told(ARRIVAL) == Judgement(Verdict.APPLY, "418 is next")


def test_the_very_first_one_is_applied() -> None:
    assert told(at(1, generation=OLD), FRESH).verdict is Verdict.APPLY


def test_a_held_one_whose_turn_has_come_is_applied() -> None:
    assert told(ARRIVAL, replace(STATE, held={418: id_of(418)}), id_of(418)).verdict is Verdict.APPLY


def test_f1_what_was_applied_is_a_duplicate() -> None:
    for seq in (1, 416, 417):
        assert told(at(seq), known=id_of(seq)) == Judgement(Verdict.DUPLICATE, f"{seq} was applied already")
    assert told(at(417)).verdict is Verdict.DUPLICATE  # the stream itself knows its last id


def test_an_old_one_whose_id_a_rebuilt_ledger_no_longer_knows_is_never_applied_again() -> None:
    judgement = told(at(300))
    assert judgement.verdict is Verdict.DUPLICATE
    assert "could not be compared" in judgement.reason


def test_f3_f28_another_bundle_with_an_applied_number_is_a_fork_that_names_both_ids() -> None:
    for seq in (1, 416, 417):
        other = replace(at(seq), bundle_id=id_of(seq, "f"))
        judgement = told(other, known=id_of(seq))
        assert judgement.verdict is Verdict.FORK
        assert id_of(seq)[:8] in judgement.reason
    assert told(replace(at(417), bundle_id=id_of(417, "f"))).verdict is Verdict.FORK


def test_f100_a_next_one_with_another_past_is_a_fork() -> None:
    judgement = told(replace(ARRIVAL, prev=id_of(417, "f")))
    assert judgement.verdict is Verdict.FORK
    assert "418 follows a 417" in judgement.reason
    assert told(replace(at(1, generation=OLD), prev=id_of(0, "f")), FRESH).verdict is Verdict.FORK


@pytest.mark.parametrize("recorded", [True, False])
def test_f28_two_candidates_for_one_held_number_are_a_fork(recorded: bool) -> None:
    state = replace(STATE, held={420: id_of(420)}, held_prev={420: id_of(419)})
    known = id_of(420) if recorded else None
    assert told(replace(at(420), bundle_id=id_of(420, "f")), state, known).verdict is Verdict.FORK
    assert told(at(420), state, known).verdict is Verdict.HOLD_GAP


def test_a_held_one_that_does_not_follow_the_held_one_before_it_is_a_fork() -> None:
    state = replace(STATE, held={420: id_of(420, "f")})
    assert told(at(421), state).verdict is Verdict.FORK
    assert told(at(421), replace(STATE, held={420: id_of(420)})).verdict is Verdict.HOLD_GAP


def test_a_clone_that_chose_the_same_generation_number_is_a_fork() -> None:
    judgement = told(replace(ARRIVAL, generation=CLONE))
    assert judgement.verdict is Verdict.FORK
    assert "cloned?" in judgement.reason


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f4_one_that_came_early_is_held_and_the_gap_named() -> None:
    assert told(at(419)) == Judgement(Verdict.HOLD_GAP, "holding 419, waiting for 418 (have 417)", (418, 418))


def test_f33_the_first_gap_is_named_when_there_are_several() -> None:
    judgement = told(at(430), replace(STATE, held={421: id_of(421), 422: id_of(422)}))
    assert judgement.missing == (418, 420)
    assert "418-420" in judgement.reason


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ([], ()),
        ([418], ()),
        ([419], ((418, 418),)),
        ([425, 421, 422], ((418, 420), (423, 424))),
        ([3, 417, 419], ((418, 418),)),
    ],
)
def test_gaps_are_the_runs_of_missing_numbers(present: list[int], missing: tuple[tuple[int, int], ...]) -> None:
    assert gaps(417, present) == missing


@given(st.integers(0, 50), st.sets(st.integers(1, 99)))
def test_gaps_are_exactly_what_is_missing(applied: int, present: set[int]) -> None:
    runs = gaps(applied, present)
    missing = [number for first, last in runs for number in range(first, last + 1)]
    assert missing == [number for number in range(applied + 1, max(present, default=0)) if number not in present]


def test_f6_a_stream_that_starts_late_is_held_and_says_what_to_ask_for() -> None:
    judgement = told(at(5, generation=OLD), FRESH)
    assert judgement == Judgement(Verdict.HOLD_FIRST, "the stream starts with 5: 1-4 or a snapshot is missing", (1, 4))


def test_f18_f19_a_number_beyond_the_window_is_implausible() -> None:
    assert told(at(517)).verdict is Verdict.HOLD_GAP
    for seq in (518, 2**62, 0, -1):
        assert told(replace(ARRIVAL, seq=seq)).verdict is Verdict.SEQ_IMPLAUSIBLE
    assert told(at(100, generation=NEXT)).verdict is Verdict.HOLD_NEWER_GENERATION
    assert told(at(101, generation=NEXT)).verdict is Verdict.SEQ_IMPLAUSIBLE


# ── generations ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_f20_an_older_generation_is_refused() -> None:
    assert told(at(900, generation=OLD)).verdict is Verdict.STALE_GENERATION
    assert told(at(3, generation=OLD), known=id_of(3, "f")).verdict is Verdict.STALE_GENERATION


def test_f1_one_of_an_older_generation_that_was_applied_is_a_duplicate_all_the_same() -> None:
    assert told(at(3, generation=OLD), known=id_of(3)).verdict is Verdict.DUPLICATE


def test_f101_a_restored_ledger_does_not_take_up_a_generation_that_the_guard_knows_is_over() -> None:
    restored = replace(STATE, partner_generation_seen=3)
    assert told(ARRIVAL, restored).verdict is Verdict.STALE_GENERATION
    assert told(at(7, generation=NEXT), restored).verdict is Verdict.HOLD_NEWER_GENERATION


@pytest.mark.parametrize("kind", ["changes", "contract", "keys", "digest"])
def test_a_newer_generation_is_held_until_its_reset_comes(kind: str) -> None:
    ours = Place(NOW, 417, id_of(417))  # also when they say that they follow what we have
    for arrival in (at(1, generation=NEXT, kind=kind, follows=ours), at(2, generation=NEXT, kind="reset", follows=ours)):
        judgement = told(arrival, follows=id_of(417))
        assert judgement.verdict is Verdict.HOLD_NEWER_GENERATION
        assert "waiting for its reset" in judgement.reason


@pytest.mark.parametrize("kind", ["reset", "snapshot"])
def test_a_reset_or_snapshot_that_follows_what_we_have_is_a_switch(kind: str) -> None:
    arrival = at(1, generation=NEXT, kind=kind, follows=Place(NOW, 417, id_of(417)))
    assert told(arrival, follows=id_of(417)).verdict is Verdict.SWITCH


@pytest.mark.parametrize(
    ("follows", "known", "said"),
    [
        (None, None, "does not say what it follows"),
        (Place(NOW, 425, id_of(425)), None, "425 of generation 2, which is not here"),
        (Place(NOW, 417, id_of(417, "f")), id_of(417), "another 417 of generation 2 than the one here"),
    ],
)
def test_a_reset_that_follows_something_else_is_held_with_the_reason(
    follows: Place | None, known: BundleId | None, said: str
) -> None:
    judgement = told(at(1, generation=NEXT, kind="reset", follows=follows), follows=known)
    assert judgement.verdict is Verdict.HOLD_NEWER_GENERATION
    assert said in judgement.reason


def test_where_nothing_was_applied_any_reset_may_start() -> None:
    arrival = at(1, generation=NOW, kind="snapshot", follows=Place(OLD, 900, id_of(900)))
    assert told(arrival, FRESH).verdict is Verdict.SWITCH


# ── who, and what it is made with ───────────────────────────────────────────────────────────────────────────────


def test_f88_our_own_bundle_is_known_before_anything_else_is_asked() -> None:
    ours = replace(ARRIVAL, from_site=GLOBEX, to_site=ACME, stream=StreamId("00" * 16), signed=False, format_known=False)
    for state in (STATE, None):
        judgement = told(ours, state)
        assert judgement.verdict is Verdict.OWN_BUNDLE
        assert "outbox wired to the inbox?" in judgement.reason


def test_f73_f87_one_for_another_site_is_not_ours() -> None:
    for state in (STATE, None):
        assert told(replace(ARRIVAL, to_site=THIRD), state).verdict is Verdict.WRONG_RECIPIENT


def test_one_from_a_stranger_or_on_an_unknown_stream_is_nobodys() -> None:
    assert told(ARRIVAL, None).verdict is Verdict.UNKNOWN_PARTNER
    assert told(replace(ARRIVAL, from_site=THIRD)).verdict is Verdict.UNKNOWN_PARTNER
    assert told(replace(ARRIVAL, stream=StreamId("00" * 16))).verdict is Verdict.UNKNOWN_PARTNER


def test_f93_an_unsigned_one_after_signed_ones_is_a_downgrade_whatever_else_it_says() -> None:
    for arrival in (ARRIVAL, at(417), at(900), replace(ARRIVAL, format_known=False)):
        assert told(replace(arrival, signed=False)).verdict is Verdict.DOWNGRADE
    assert told(replace(ARRIVAL, signed=False), replace(STATE, signed=False)).verdict is Verdict.APPLY


def test_f95_a_newer_format_is_held_never_refused() -> None:
    for arrival in (ARRIVAL, at(430), at(1, generation=NEXT)):
        assert told(replace(arrival, format_known=False)).verdict is Verdict.HOLD_NEWER_FORMAT


@pytest.mark.parametrize("kind", ["changes", "snapshot", "digest"])
def test_another_contract_holds_what_is_read_by_it(kind: str) -> None:
    other = replace(ARRIVAL, contract="d1" * 32, kind=kind)
    assert told(other).verdict is Verdict.HOLD_CONTRACT
    assert told(replace(other, seq=419)).verdict is Verdict.HOLD_GAP  # the one that brings the contract may come before


@pytest.mark.parametrize("kind", ["contract", "keys", "reset"])
def test_another_contract_does_not_hold_what_leads_to_agreement(kind: str) -> None:
    assert told(replace(ARRIVAL, contract="d1" * 32, kind=kind)).verdict is Verdict.APPLY


# ── the whole table ─────────────────────────────────────────────────────────────────────────────────────────────

IDS = st.sampled_from([NO_BUNDLE, *(id_of(seq, letter) for seq in (416, 417, 418, 419) for letter in "ef")])
GENERATIONS = st.sampled_from([OLD, NOW, CLONE, NEXT])
ARRIVALS = st.builds(
    Arrival,
    from_site=st.sampled_from([ACME, ACME, ACME, GLOBEX, THIRD]),
    to_site=st.sampled_from([GLOBEX, GLOBEX, GLOBEX, ACME]),
    stream=st.sampled_from([STREAM, STREAM, StreamId("00" * 16)]),
    generation=GENERATIONS,
    seq=st.sampled_from([-1, 0, 1, 2, 416, 417, 418, 419, 420, 517, 518, 2**62]),
    prev=IDS,
    bundle_id=IDS,
    kind=st.sampled_from(["changes", "snapshot", "reset", "contract", "keys", "digest", "unheard of"]),
    follows=st.none() | st.builds(Place, GENERATIONS, st.integers(0, 430), IDS),
    contract=st.sampled_from(["c0" * 32, "d1" * 32]),
    signed=st.booleans(),
    format_known=st.booleans(),
)
STATES = st.builds(
    replace,
    st.just(STATE),
    generation=GENERATIONS,
    applied_seq=st.sampled_from([0, 1, 417, 418]),
    applied_id=IDS,
    held=st.dictionaries(st.sampled_from([419, 420, 421]), IDS),
    held_prev=st.dictionaries(st.sampled_from([419, 420, 421]), IDS),
    signed=st.booleans(),
    partner_generation_seen=st.integers(0, 3),
)


@given(ARRIVALS, st.none() | STATES, st.none() | IDS, st.none() | IDS)
def test_every_arrival_has_a_verdict_and_only_the_proven_next_one_is_applied(
    arrival: Arrival, state: StreamState | None, known: BundleId | None, follows: BundleId | None
) -> None:
    judgement = told(arrival, state, known, follows)
    assert judgement.reason
    assert "\n" not in judgement.reason
    holds = judgement.verdict in {Verdict.HOLD_GAP, Verdict.HOLD_FIRST}
    assert (judgement.missing is not None) == holds
    if judgement.verdict in {Verdict.APPLY, Verdict.SWITCH, Verdict.DUPLICATE, Verdict.FORK} or holds:
        assert state is not None
        assert (arrival.from_site, arrival.to_site, arrival.stream) == (state.partner, GLOBEX, state.stream)
        assert arrival.format_known
        assert arrival.signed or not state.signed
    if judgement.verdict is Verdict.APPLY:
        assert state is not None
        assert (arrival.generation, arrival.seq, arrival.prev) == (state.generation, state.applied_seq + 1, state.applied_id)
        assert known in {None, arrival.bundle_id}
        assert arrival.generation.n >= state.partner_generation_seen
    if judgement.missing is not None:
        assert state is not None
        first, last = judgement.missing
        assert state.applied_seq < first <= last < arrival.seq
        assert not set(range(first, last + 1)) & state.held.keys()


def test_what_is_quarantined_has_a_code_of_the_same_name() -> None:
    own = {Verdict.APPLY, Verdict.DUPLICATE, Verdict.SWITCH, Verdict.REPORT, Verdict.CHUNK}
    assert {Code(verdict.value) for verdict in Verdict if verdict not in own and not verdict.startswith("HOLD_")} == {
        Code.FORK,
        Code.SEQ_IMPLAUSIBLE,
        Code.STALE_GENERATION,
        Code.WRONG_RECIPIENT,
        Code.OWN_BUNDLE,
        Code.UNKNOWN_PARTNER,
        Code.DOWNGRADE,
    }


def test_a_held_bundle_that_follows_another_one_shows_the_fork_before_anything_is_applied() -> None:
    state = replace(STATE, held={419: id_of(419)}, held_prev={419: id_of(418, "f")})
    judgement = told(at(418), state)
    assert judgement.verdict is Verdict.FORK
    assert "419 is here and follows a 418 that is" in judgement.reason
