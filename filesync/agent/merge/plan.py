"""How edits from both sides meet: pure verdicts, one small table for each kind of change. docs/merge.md has the reasons.

Marks decide, never clocks: a field of an arriving `set` *crosses* an edit of ours when we told one after the base it was
written on. Exactly one side wins a field, and both sides ask the same questions in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from filesync.model.ids import NEVER, Mark
from filesync.model.shadow import OVER, UNAGREED, Entity, Life, Shadow
from filesync.model.values import Value, digest
from filesync.rules.contract import Flow


class Verdict(StrEnum):
    """What becomes of one arriving field."""

    KEEP_TOLD = "keep-told"  # ours crossed and wins; the partner will take what we told: the shadow stays
    KEEP_UNSENT = "keep-unsent"  # ours is not told yet and wins: the shadow becomes theirs, so that the diff sends ours
    SKIP = "skip"  # our tracker shows it already
    APPLY = "apply"
    OPEN = "open"  # each side keeps its own until a person decides


class Meeting(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """One arriving field and what it meets here."""

    name: str
    now: Value | None  # arrives
    have: Value | None  # our tracker shows, in wire words
    base: Mark
    shadow: Shadow
    wins: bool  # whether our side wins this field
    flow: Flow
    judge: bool | None = None  # where the winner follows a value: whether a crossing is ours to settle
    pen: bool = False  # whether our side alone may edit it, so that whatever arrives is answered
    asks: bool = False  # whether neither side wins until a person decides
    hidden: bool = False  # whether what our tracker shows cannot be compared; the shadow of a field that asks is as it stands
    anew: bool = False  # whether the partner tells all of its issue again: it may have forgotten what we told


class Decision(msgspec.Struct, gc=False, frozen=True):
    """The verdict, and whether two edits met (for people: `rule` says in which way)."""

    verdict: Verdict
    rule: str = ""  # "": nothing met


def crosses(shadow: Shadow, base: Mark) -> bool:
    """Whether we told an edit of this field that the partner had not decided when it wrote its own."""
    return shadow.told > base


def unsent(shadow: Shadow, have: Value | None) -> bool:
    """Whether our tracker shows an edit that was not told yet."""
    return digest(have) != shadow.here


def plan(*, equal: bool, crossing: bool, unsent: bool, wins: bool) -> Verdict:
    """The core of the merge: four facts, one verdict. The order of the questions matters (docs/merge.md)."""
    if crossing and wins:
        return Verdict.KEEP_TOLD
    if equal:
        return Verdict.SKIP
    if unsent and wins:
        return Verdict.KEEP_UNSENT
    return Verdict.APPLY


def judged(*, equal: bool, crossing: bool, unsent: bool, wins: bool, judge: bool) -> Verdict:
    """As `plan`, of a field whose winner follows a value: meanwhile the two sides may hold different ones.

    So one side alone settles a crossing, by the value it holds. The other one keeps what it told until the judge's answer
    comes, an edit like any other; where there is no answer, the judge took what was told.
    """
    if judge:
        return plan(equal=equal, crossing=False, unsent=unsent or crossing, wins=wins)
    return plan(equal=equal, crossing=crossing, unsent=unsent, wins=wins or crossing)


def asked(*, told: bool, equal: bool, crossing: bool, unsent: bool) -> Verdict:
    """As `plan`, of a field where neither side wins. `told`: what arrives is what the partner last knew of ours.

    A crossing of two that are not the same is one on both sides, so both leave it open. What was not told yet is told all
    the same, as an edit that had not seen theirs. Nobody's edit has, but one that a person makes on being asked.
    """
    if told or (equal and not crossing):
        return Verdict.SKIP
    return Verdict.OPEN if crossing or unsent else Verdict.APPLY


def decide(meeting: Meeting) -> Decision:
    """What becomes of one arriving field, whatever its flow."""
    if meeting.asks:
        return _asked(meeting)
    equal = meeting.have == meeting.now
    crossing = crosses(meeting.shadow, meeting.base)
    mine = unsent(meeting.shadow, meeting.have)
    match meeting.flow:
        case Flow.BOTH if meeting.judge is not None:
            verdict = judged(equal=equal, crossing=crossing, unsent=mine or meeting.pen, wins=meeting.wins, judge=meeting.judge)
        case Flow.BOTH:
            verdict = plan(equal=equal, crossing=crossing, unsent=mine, wins=meeting.wins)
        case Flow.WE_TAKE_DRIFT | Flow.WE_TAKE_GUARD:  # the partner is the source: whatever we show gives way
            return Decision(plan(equal=equal, crossing=False, unsent=False, wins=False))
        case Flow.WE_SEND_DRIFT | Flow.WE_SEND_GUARD:  # we are: our value is sent back
            verdict = plan(equal=equal, crossing=crossing, unsent=True, wins=True)
            return Decision(verdict, "one-way" if not equal else "")
    if equal or not (crossing or mine or meeting.pen):
        return Decision(verdict)
    return Decision(verdict, "crossing" if crossing else "unsent" if mine else "one-way")


def _asked(meeting: Meeting) -> Decision:
    shadow, theirs = meeting.shadow, digest(meeting.now)
    crossing = crosses(shadow, meeting.base)
    verdict = asked(
        told=theirs == shadow.here,
        equal=meeting.have == meeting.now,
        crossing=crossing,
        unsent=not meeting.hidden and unsent(shadow, meeting.have),
    )
    # what says nothing new needs no second word, nor where ours is on its way to be the same
    if verdict is not Verdict.OPEN or meeting.have == meeting.now or (shadow.open and shadow.theirs == theirs):
        return Decision(verdict)
    return Decision(verdict, "crossing" if crossing else "unsent")


def recovered(shadow: Shadow, *, doubt: str, have: Value | None) -> Shadow:
    """The shadow of a field that a call of ours was about to write when we were cut off.

    If our tracker shows just that value, of which `doubt` is the digest, the call went through: it is nobody's edit, and
    nothing to tell. A step on the way of a status is such a value too, so the change itself may still have to be carried out.
    """
    return replace(shadow, here=doubt) if doubt == digest(have) else shadow


def decided(shadow: Shadow, mark: Mark) -> bool:
    """Whether this field of the change at this mark is decided: a run that was cut off later on had recorded it."""
    return shadow.took >= mark


def being_made(row: Entity, mark: Mark) -> bool:
    """Whether the change at this mark is what made an entity here: something was born as told, and nothing came before."""
    return row.shadows.took_at(mark) and not row.shadows.took_before(mark)


def settle(meeting: Meeting, verdict: Verdict, *, mark: Mark, landed: Value | None = None) -> Shadow:
    """The field's shadow once its change is decided, or is left open: then it is not, and ours was told or will be."""
    if verdict is Verdict.OPEN:
        told = crosses(meeting.shadow, meeting.base) and not meeting.anew
        here = meeting.shadow.here if told else UNAGREED
        return replace(meeting.shadow, here=here, met=mark, theirs=digest(meeting.now))
    match verdict:
        case Verdict.KEEP_TOLD:
            here = meeting.shadow.here
        case Verdict.SKIP | Verdict.KEEP_UNSENT:
            here = digest(meeting.now)
        case Verdict.APPLY:
            here = digest(landed)
    return taken(meeting.shadow, here, mark=mark)


def taken(shadow: Shadow, here: str, *, mark: Mark) -> Shadow:
    """The shadow once the change at this mark is decided, with the digest of what our tracker may show now."""
    return Shadow(here=UNAGREED if chosen(shadow, mark) else here, told=shadow.told, took=mark)


def chosen(shadow: Shadow, mark: Mark) -> bool:
    """Whether the change at this mark is the one that was left open: a person here chose it, which is told."""
    return shadow.open and shadow.met == mark


def skipped(shadow: Shadow, refused: str, *, mark: Mark, base: Mark, wins: bool, flow: Flow) -> Shadow:
    """The shadow after a person skipped a refused field, of whose value this is the digest: as KEEP, so that ours is sent back.

    When ours crossed and wins, the partner takes what we told anyway (`wins`: whatever a value says). Where the partner is
    the only source of the field, it would never take our value: the field stays apart until the source's next edit.
    """
    keep = flow in {Flow.WE_TAKE_DRIFT, Flow.WE_TAKE_GUARD} or (crosses(shadow, base) and wins)
    return Shadow(here=shadow.here if keep else refused, told=shadow.told, took=mark)


class OnCreate(StrEnum):
    """What becomes of an arriving `create`."""

    DROP = "drop"  # the entity is dead or apart here
    BURY = "bury"  # its issue is dead or apart: so is it
    CANCEL = "cancel"  # a delete of it has come already: a tombstone, and the tracker is never asked
    WAIT = "wait"  # for its issue
    MERGE = "merge"  # we have it: each field as in a `set`
    LEAVE = "leave"  # we have its row, our tracker has it no more: our delete goes out
    MAKE = "make"


def on_create(*, state: Life | None, there: bool, parent: Life | None, top: bool, deleted: bool, doubted: bool) -> OnCreate:
    """`state`, `parent`: life of its row and of its issue's row, None without one; `there`: our tracker shows it.

    `top`: it belongs to no issue; `deleted`: a delete of it is queued; `doubted`: an earlier call may have made it.
    """
    if state in OVER:
        return OnCreate.DROP
    if not top and parent in OVER:
        return OnCreate.BURY
    if state is Life.LIVE:
        return OnCreate.MERGE if there else OnCreate.LEAVE
    if not top and parent is None:
        return OnCreate.CANCEL if deleted and not doubted else OnCreate.WAIT
    return OnCreate.CANCEL if deleted and not doubted else OnCreate.MAKE


class OnSet(StrEnum):
    """What becomes of an arriving `set` as a whole."""

    DROP = "drop"
    ABSORB = "absorb"  # a delete of it has come already
    WAIT = "wait"  # its create has not come
    LEAVE = "leave"  # our tracker has the entity no more: our delete goes out
    FIELDS = "fields"  # each field by `decide`


def on_set(*, state: Life | None, there: bool, deleted: bool) -> OnSet:
    """As on_create. A deletion that has come already absorbs an edit that could not be taken before it."""
    if state in OVER:
        return OnSet.DROP
    if state is Life.LIVE and deleted:
        return OnSet.ABSORB
    if state is None:
        return OnSet.WAIT
    return OnSet.FIELDS if there else OnSet.LEAVE


class OnEnd(StrEnum):
    """What becomes of a field that names another issue: a parent, or a link."""

    MEET = "meet"  # that issue is here: the field by `decide`
    WAIT = "wait"  # for its create
    DROP = "drop"  # it is dead or apart: nothing to name
    SKIP = "skip"  # nor anything to take away


def on_end(end: Life | None, *, adds: bool) -> OnEnd:
    """`end`: life of the row of the issue that is named, None without one; `adds`: it is named, not let go of."""
    if end is Life.LIVE:
        return OnEnd.MEET
    if not adds:
        return OnEnd.SKIP
    return OnEnd.WAIT if end is None else OnEnd.DROP


class OnDelete(StrEnum):
    """What becomes of an arriving `delete`."""

    DROP = "drop"
    BURY = "bury"  # a tombstone, nothing to call
    REMOVE = "remove"  # policy mirror
    MARK = "mark"  # policy mark: shown to people, then apart
    CLOSE = "close"  # policy close: as mark, and in a status that our mapping names
    PART = "part"  # policy ignore: apart


def on_delete(*, state: Life | None, there: bool, policy: str) -> OnDelete:
    """`policy`: mirror, mark, close or ignore. An edit of ours does not save an entity: deletion absorbs."""
    if state in OVER:
        return OnDelete.DROP
    if state is None or not there:
        return OnDelete.BURY
    verdicts = {"mirror": OnDelete.REMOVE, "mark": OnDelete.MARK, "close": OnDelete.CLOSE, "ignore": OnDelete.PART}
    return verdicts[policy]


def born(told: Mapping[str, Value], shown: Mapping[str, Value], *, mark: Mark) -> dict[str, Shadow]:
    """The shadows of an entity that an import made: what it was *born* with; what landed as told is decided.

    A told field that was born otherwise (the status, a default, a refused value) has not been taken yet.
    """
    return {
        name: Shadow(here=digest(shown.get(name)), took=mark if told.get(name) == shown.get(name) else NEVER)
        for name in {**told, **shown}
    }
