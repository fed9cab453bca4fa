"""How each field of one thing stands between the two sides. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filesync.agent.asked.reasons import Facts
from filesync.agent.paired import Paired
from filesync.bundle.changes import read_change
from filesync.ledger.journal import Queued, Wait
from filesync.model.change import Create, Set
from filesync.model.ids import NEVER, Kind, parse_mark
from filesync.model.shadow import Shadow
from filesync.model.values import EMPTY, digest, split_name
from filesync.rules.contract import BELOW, Flow

_CONSTANT: Final = "our mapping has a constant for it: that is told with each issue made here, and nothing is taken"


class Standing(StrEnum):
    """What something comes to between the two sides."""

    AGREED = "agreed"  # what stands here was told, or taken
    TO_SEND = "to be sent"
    STAYS = "stays here"
    WAITS = "waits"  # an edit of the partner's is here and not decided
    STUCK = "stuck"  # the same, refused
    OPEN = "open"  # edited on both sides, and each keeps its own until a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the contract. `sent`, `taken`: the last bundle of ours, and of the partner's, that told it; 0: none."""

    field: str
    ours: str  # our name for it; "": the mapping has none
    standing: Standing
    why: str
    sent: int
    taken: int


def standings(paired: Paired, facts: Facts, queued: Iterable[Queued], *, offered: Collection[str]) -> tuple[Field, ...]:
    """Those that hold something, held something, or are about to: the elements of a set as one. `offered`: our tracker's."""
    nowhere = paired.rules.unplaced(offered) if facts.kind is Kind.ISSUE else frozenset()
    coming = _coming(queued)
    found = []
    for name in _names(paired, facts, coming):
        flat = [one for one in (facts.row.fields if facts.row else ()) if split_name(one)[0] == name]
        shadows = [facts.row.shadow(one) for one in flat] if facts.row else []
        standing, why = next(_findings(name, paired, facts, coming, nowhere=nowhere))
        local = paired.rules.local_names(name)
        found.append(
            Field(
                field=name,
                ours=(local[0] if local else "") if facts.kind is Kind.ISSUE else name,
                standing=standing,
                why=why,
                sent=_last(one.told for one in shadows),
                taken=_last(one.took for one in shadows),
            )
        )
    return tuple(found)


def _names(paired: Paired, facts: Facts, coming: dict[str, Queued]) -> list[str]:
    """In the contract's order, what it does not know (links) last."""
    outward, row = facts.outward, facts.row
    there = {
        split_name(name)[0] for name in (*(outward.fields if outward else ()), *(outward.untold if outward else ()), *coming)
    }
    there |= {one.field for one in outward.dropped} if outward else set()
    there |= {split_name(name)[0] for name, shadow in (row.fields.items() if row else ()) if shadow != Shadow()}
    if facts.kind is Kind.ISSUE and facts.item is not None:
        there |= paired.rules.constants & {split_name(one)[0] for one in facts.item.fields}
    order = list(paired.rules.contract.fields) if facts.kind is Kind.ISSUE else list(BELOW[facts.kind])
    return [*(name for name in order if name in there), *sorted(there - set(order))]


def _findings(
    name: str, paired: Paired, facts: Facts, coming: dict[str, Queued], *, nowhere: Collection[str]
) -> Iterator[tuple[Standing, str]]:
    """What a field comes to, and why; the first is it."""
    outward, them = facts.outward, paired.them.name
    if name in coming:
        one = coming[name]
        yield (Standing.STUCK, one.reason) if one.state is Wait.STUCK else (Standing.WAITS, one.reason or one.waits_for)
    yield from _open(name, facts, them)
    yield from ((Standing.STAYS, one.why) for one in (outward.dropped if outward else ()) if one.field == name)
    if outward is not None and name in outward.failed:
        yield Standing.STAYS, outward.failed[name]
    if outward is not None and name in outward.silent:
        yield Standing.STAYS, f"our mapping tells {them} nothing of it, ever or for an issue like this"
    if name in nowhere:
        yield Standing.STAYS, "nothing in our tracker stands for it"
    if outward is not None and name in outward.untold:
        yield Standing.STAYS, f"the issue that it names is not with {them}"
    rest = _CONSTANT * (facts.kind is Kind.ISSUE and name in paired.rules.constants)
    if facts.tell is not None and any(split_name(one)[0] == name for one in facts.tell.fields):
        yield Standing.TO_SEND, rest
    if paired.flow(facts.kind, name) is Flow.WE_TAKE_DRIFT and _differs(name, facts):
        yield Standing.STAYS, f"{them} alone tells it: an edit here stays until the next one there"
    if outward is not None and name in outward.silent and _differs(name, facts):
        yield Standing.STAYS, outward.failed.get(name) or "our mapping keeps it here for this issue (when)"
    if not paired.tells(facts.kind, name, new=facts.row is None) and _differs(name, facts):
        yield Standing.STAYS, "our mapping has it told with the creation only"
    # where it is neither, the reason of the whole is the field's
    untold = bool(rest) and outward is not None and name not in outward.fields
    yield Standing.STAYS if facts.row is None or untold or _differs(name, facts) else Standing.AGREED, rest


def _open(name: str, facts: Facts, them: str) -> Iterator[tuple[Standing, str]]:
    if facts.row is not None and name in facts.row.shadows.met:
        yield Standing.OPEN, f"edited at {them} too, and neither wins until a person decides: filesync settle"


def _differs(name: str, facts: Facts) -> bool:
    """Whether what stands here was neither told nor taken."""
    if facts.outward is None or facts.row is None:
        return False
    here = {one: digest(value) for one, value in facts.outward.fields.items() if split_name(one)[0] == name}
    known = {
        one: shadow.here for one, shadow in facts.row.fields.items() if split_name(one)[0] == name and shadow.here != EMPTY
    }
    return here != known


def _coming(queued: Iterable[Queued]) -> dict[str, Queued]:
    """The fields of the first undecided change that names each."""
    found: dict[str, Queued] = {}
    for one in queued:
        change = read_change(one.change)
        if isinstance(change, Create | Set):
            for name in change.names:
                found.setdefault(split_name(name)[0], one)
    return found


def _last(marks: Iterable[str]) -> int:
    return parse_mark(max(marks, default=NEVER))[1]
