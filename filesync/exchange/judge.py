"""What an arriving bundle is, told from where its stream stands. Pure: the importer carries the verdict out.

Every byte, hash and signature was verified before this is asked. The table is in docs/format.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from filesync.model.ids import NO_BUNDLE, BundleId, Generation, SiteId, StreamId


class Verdict(StrEnum):
    """What to do with a bundle. A name that is also a code of bundle/verdict.py is that code."""

    APPLY = "APPLY"
    REPORT = "REPORT"  # for us, and without a place in the stream: its own number says whether it is news
    CHUNK = "CHUNK"  # for us, and without a place in the stream: a piece of an attachment, wanted or not
    DUPLICATE = "DUPLICATE"  # success: report again
    HOLD_GAP = "HOLD_GAP"  # one before it is missing
    HOLD_FIRST = "HOLD_FIRST"  # nothing of the stream was ever applied, and it starts later
    HOLD_NEWER_GENERATION = "HOLD_NEWER_GENERATION"  # until the reset comes that leads to it
    HOLD_CONTRACT = "HOLD_CONTRACT"  # until both sites agree on the contract
    HOLD_NEWER_FORMAT = "HOLD_NEWER_FORMAT"  # until this filesync is upgraded
    SWITCH = "SWITCH"  # a reset or snapshot that leads to a new generation: needs the operator's yes
    FORK = "FORK"  # two histories under one number: stop the stream, keep both files
    SEQ_IMPLAUSIBLE = "SEQ_IMPLAUSIBLE"
    STALE_GENERATION = "STALE_GENERATION"
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    OWN_BUNDLE = "OWN_BUNDLE"
    UNKNOWN_PARTNER = "UNKNOWN_PARTNER"
    DOWNGRADE = "DOWNGRADE"


class Place(msgspec.Struct, frozen=True):
    """A bundle's place in its stream, with its id."""

    generation: Generation
    seq: int
    bundle_id: BundleId


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """Where an incoming stream stands.

    `applied_id` is NO_BUNDLE before the first of the generation; `held` maps seq to id, `held_prev` to the id that one
    follows. `window`: bundles ahead that are plausible. `partner_generation_seen`: the highest generation we ever
    switched to, as the guard file remembers it: it outlives a ledger restored from a backup.
    """

    partner: SiteId
    stream: StreamId
    generation: Generation
    applied_seq: int
    applied_id: BundleId
    held: Mapping[int, BundleId]
    held_prev: Mapping[int, BundleId]
    signed: bool
    contract: str
    window: int
    partner_generation_seen: int


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the verified head of an arriving bundle says."""

    from_site: SiteId
    to_site: SiteId
    stream: StreamId
    generation: Generation
    seq: int
    prev: BundleId
    bundle_id: BundleId
    kind: str
    follows: Place | None
    contract: str
    signed: bool
    format_known: bool


class Judgement(msgspec.Struct, frozen=True):
    """The verdict, the reason in one line, and for a gap the first run of missing numbers, both ends included."""

    verdict: Verdict
    reason: str
    missing: tuple[int, int] | None = None


LEADS_TO_A_GENERATION = frozenset({"reset", "snapshot"})
WITHOUT_A_PLACE = {"report": Verdict.REPORT, "chunk": Verdict.CHUNK}
NEEDS_THE_CONTRACT = frozenset({"changes", "snapshot", "digest"})  # the kinds whose content is read by it
NO_CONTRACT = "-"  # of a bundle that is read without one; no header can say that


def judge(
    arrival: Arrival,
    state: StreamState | None,
    *,
    us: SiteId,
    known_id: BundleId | None,
    known_follows: BundleId | None = None,
) -> Judgement:
    """What the bundle is.

    `state` is that of the arrival's stream, None where no partner sends us such a stream. `known_id` is the id that
    is recorded, applied or held, for the arrival's own generation and seq; `known_follows` the same for the place
    that its `follows` names.
    """
    if arrival.from_site == us:
        return Judgement(Verdict.OWN_BUNDLE, "our own bundle came back: is the outbox wired to the inbox?")
    if arrival.to_site != us:
        return Judgement(Verdict.WRONG_RECIPIENT, f"for site {arrival.to_site}, not for us")
    if state is None or arrival.from_site != state.partner or arrival.stream != state.stream:
        return Judgement(Verdict.UNKNOWN_PARTNER, f"no exchange is paired with site {arrival.from_site} on this stream")
    if state.signed and not arrival.signed:
        return Judgement(Verdict.DOWNGRADE, "unsigned, but this partner signs")
    if not arrival.format_known:
        return Judgement(Verdict.HOLD_NEWER_FORMAT, "made by a newer filesync: this one must be upgraded to read it")
    return _in_generation(arrival, state, known_id, known_follows)


def gaps(applied_seq: int, present: Collection[int]) -> tuple[tuple[int, int], ...]:
    """The runs of missing numbers, both ends included, between what is applied and the last that is present."""
    found, expected = [], applied_seq + 1
    for seq in sorted(present):
        if seq > expected:
            found.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    return tuple(found)


def _in_generation(
    arrival: Arrival, state: StreamState, known_id: BundleId | None, known_follows: BundleId | None
) -> Judgement:
    if arrival.kind in WITHOUT_A_PLACE:
        return Judgement(WITHOUT_A_PLACE[arrival.kind], f"a {arrival.kind}: it has no place in the stream")
    ours, theirs = state.generation, arrival.generation
    current = max(ours.n, state.partner_generation_seen)
    if theirs.n < current:
        if known_id == arrival.bundle_id:
            return Judgement(Verdict.DUPLICATE, f"{arrival.seq} of generation {theirs.n} was taken before the reset")
        return Judgement(
            Verdict.STALE_GENERATION, f"{arrival.seq} of generation {theirs.n}: made before a reset, {current} is current"
        )
    if theirs.n > ours.n:
        return _newer_generation(arrival, state, known_follows)
    if theirs.id != ours.id:
        return Judgement(
            Verdict.FORK,
            f"two senders use generation {ours.n}: {ours.id[:8]} is known, {theirs.id[:8]} came: was the sender cloned?",
        )
    return _in_sequence(arrival, state, known_id)


def _newer_generation(arrival: Arrival, state: StreamState, known_follows: BundleId | None) -> Judgement:
    n = arrival.generation.n
    if not 1 <= arrival.seq <= state.window:
        return _implausible(arrival, state, since=0)
    if arrival.kind not in LEADS_TO_A_GENERATION or arrival.seq != 1:
        return Judgement(Verdict.HOLD_NEWER_GENERATION, f"{arrival.seq} of generation {n}: waiting for its reset")
    # Where nothing was ever applied there is no history that the new one could contradict.
    doubt = "" if state.applied_id == NO_BUNDLE else _doubt(arrival.follows, known_follows)
    verdict = Verdict.HOLD_NEWER_GENERATION if doubt else Verdict.SWITCH
    return Judgement(verdict, f"a {arrival.kind} starts generation {n}{doubt}")


def _doubt(follows: Place | None, known: BundleId | None) -> str:
    """Why we cannot tell that the new generation goes on from what is here; empty when it does."""
    if follows is None:
        return " and does not say what it follows"
    where = f"{follows.seq} of generation {follows.generation.n}"
    if known is None:
        return f" after {where}, which is not here"
    if known != follows.bundle_id:
        return f" after another {where} than the one here: {follows.bundle_id[:8]} there, {known[:8]} here"
    return ""


def _in_sequence(arrival: Arrival, state: StreamState, known_id: BundleId | None) -> Judgement:
    seq, applied = arrival.seq, state.applied_seq
    if not 1 <= seq <= applied + state.window:
        return _implausible(arrival, state, since=applied)
    recorded = known_id or (state.applied_id if seq == applied else state.held.get(seq))
    if fork := _fork(arrival, state, recorded):
        return Judgement(Verdict.FORK, fork)
    if seq <= applied:
        # Only after the ledger was rebuilt is an old id not recorded: then the chain of what comes next shows a fork.
        compared = "" if recorded else " (its id is not recorded here, so it could not be compared)"
        return Judgement(Verdict.DUPLICATE, f"{seq} was applied already{compared}")
    if missing := gaps(applied, {seq, *(held for held in state.held if held < seq)}):
        return _early(arrival, state, missing[0])
    if arrival.kind in NEEDS_THE_CONTRACT and arrival.contract != state.contract:
        differ = f"contract {arrival.contract[:8]}, here it is {state.contract[:8]}"
        return Judgement(Verdict.HOLD_CONTRACT, f"{seq} was made under {differ}")
    return Judgement(Verdict.APPLY, f"{seq} is next")


def _fork(arrival: Arrival, state: StreamState, recorded: BundleId | None) -> str:
    """What shows that there are two histories, by number or by chain; empty when nothing does."""
    seq = arrival.seq
    if recorded is not None and recorded != arrival.bundle_id:
        return f"two bundles {seq}: {recorded[:8]} is here, {arrival.bundle_id[:8]} came"
    before = state.applied_id if seq == state.applied_seq + 1 else state.held.get(seq - 1)
    if before is not None and before != arrival.prev:
        return f"{seq} follows a {seq - 1} that is {arrival.prev[:8]}; here it is {before[:8]}"
    after = state.held_prev.get(seq + 1)
    if after is not None and after != arrival.bundle_id:
        return f"{seq + 1} is here and follows a {seq} that is {after[:8]}; {arrival.bundle_id[:8]} came"
    return ""


def _early(arrival: Arrival, state: StreamState, missing: tuple[int, int]) -> Judgement:
    first, last = missing
    numbers = str(first) if first == last else f"{first}-{last}"
    if state.applied_seq == 0:
        return Judgement(
            Verdict.HOLD_FIRST, f"the stream starts with {arrival.seq}: {numbers} or a snapshot is missing", missing
        )
    return Judgement(Verdict.HOLD_GAP, f"holding {arrival.seq}, waiting for {numbers} (have {state.applied_seq})", missing)


def _implausible(arrival: Arrival, state: StreamState, *, since: int) -> Judgement:
    return Judgement(
        Verdict.SEQ_IMPLAUSIBLE, f"number {arrival.seq} is not within {state.window} after {since}, the last one taken"
    )
