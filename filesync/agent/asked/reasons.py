"""The first reason why something of our tracker is not with a partner, or why edits of it do not go on. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from filesync.agent.paired import Paired
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.by_hand import ByHand, Hand, scope_by_hand
from filesync.model.diff import TYPE, Tell
from filesync.model.ids import Kind, home
from filesync.model.issue import Issue, Item, Scope
from filesync.model.moments import moment
from filesync.model.outside import Outside
from filesync.model.shadow import Entity, Life
from filesync.rules.mapping import Outward


class Because(NamedTuple):
    """A reason in words, and what a person may do about it."""

    why: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one thing and one exchange."""

    exchange: Exchange
    paired: Paired | None  # None: the rules cannot be used
    trouble: ConfigError | None  # why they cannot
    kind: Kind
    issue: Issue | None  # None: not in our tracker
    item: Item | None
    row: Entity | None
    above: Entity | None  # the row of the issue that it belongs to
    outward: Outward | None  # of the item; None with the rules or the item
    restricted: Outward | None  # of its issue
    tell: Tell | None  # what the next export tells of it
    queued: bool  # an undecided change of the partner's is about it
    doubted: bool
    outside: Outside  # what is known of scopes, of its issue
    proposed: bool  # a contract of ours waits for the partner's answer
    by_hand: ByHand | None  # what a person here said of its issue


def first_reason(facts: Facts) -> Because | None:
    """The first that is found, in the order in which an export would come upon them; None: nothing is in the way."""
    return next((found for found in _reasons(facts)), None)


def _reasons(facts: Facts) -> Iterator[Because]:
    yield from _of_exchange(facts)
    yield from _of_hand(facts)
    yield from _of_life(facts)
    if facts.item is not None and facts.issue is not None and facts.outward is not None:
        yield from _of_rules(facts, facts.issue, facts.outward)
        yield from _of_birth(facts, facts.item)
        yield from _of_time(facts)


def _of_exchange(facts: Facts) -> Iterator[Because]:
    x = facts.exchange
    if x.state is State.OFFERED:
        yield Because("the exchange is not paired yet", "When you have the partner's file: filesync pair accept THEIRS.json")
    if facts.trouble is not None:
        yield Because(f"its rules cannot be used: {facts.trouble}", facts.trouble.hint)
    if x.state is State.STOPPED:
        since = f"{moment(x.stopped_since):%Y-%m-%d %H:%M} UTC"
        yield Because(f"the exchange is stopped since {since}", "See: filesync status")
    if x.state is State.PAUSED:
        since = f"{moment(x.stopped_since):%Y-%m-%d %H:%M} UTC"
        yield Because(f"the exchange is paused since {since}", f"Go on with: filesync resume --exchange {x.name}")
    if facts.proposed:
        yield Because(
            f"a contract of ours is proposed, and nothing new goes out until {x.partner_name} has answered",
            "See: filesync contract show",
        )
    if x.direction is Direction.RECEIVE:
        yield Because(f"the exchange only receives: nothing is sent to {x.partner_name}", "")


def _of_hand(facts: Facts) -> Iterator[Because]:
    said, above = facts.by_hand, facts.above
    if said is None or said.hand is not Hand.STOPPED or (above is not None and above.state is not Life.LIVE):
        return
    them = facts.exchange.partner_name
    rest = f"; {them} was told so" if facts.outside.told is not Scope.IN else ""
    how = "--as-scope " if facts.issue is not None and facts.issue.in_scope else ""  # else the scope would not let it go on
    yield Because(
        f"the issue is stopped here by hand since {moment(said.since):%Y-%m-%d %H:%M} UTC: nothing of it is sent, and what "
        f"{them} tells of it waits here{rest}",
        f"Go on with: filesync start-issues {how}{shown(said.called)} --exchange {facts.exchange.name} --apply",
    )


def _of_life(facts: Facts) -> Iterator[Because]:
    them, row = facts.exchange.partner_name, facts.row
    if row is not None and row.state is Life.DEAD:
        yield Because("it was deleted, here or there, and the deletion is known", "")
    if row is not None and row.state is Life.APART:
        yield Because(
            "each side keeps its own: one of them deleted it, and the contract or mapping says to leave the other; "
            "or a change of it was skipped",
            "Edits of it do not travel any more.",
        )
    if facts.item is None:
        if facts.queued:
            yield Because(f"it came from {them} and is not made here yet: see what waits below", "See: filesync stuck list")
        elif row is not None:
            yield Because("it is not in our tracker any more; the next export tells the deletion", "filesync export")


def _of_rules(facts: Facts, issue: Issue, outward: Outward) -> Iterator[Because]:
    paired, them = facts.paired, facts.exchange.partner_name
    if paired is not None and not paired.rules.travels(facts.kind):
        yield Because(
            f"{facts.kind}s do not travel under the contract", f"`{facts.kind}s: true` in contract.yaml, on both sides."
        )
    elif paired is not None and not paired.sends(facts.kind):
        yield Because(
            f"{them} alone tells {facts.kind}s, says the contract: ours stay here, and so do edits and deletions of theirs",
            f"`{facts.kind}s: true` in contract.yaml, on both sides.",
        )
    if (scope := scope_by_hand(issue.scope, facts.by_hand)) is not Scope.IN:
        yield _outside(facts, scope, them)
    if rule := _kept(facts):
        yield Because(f"the mapping keeps it here: {rule}", "Change `attachments` in mapping.yaml.")
    for one, what in ((facts.restricted, "the issue"), (outward, f"this {facts.kind}")):
        if one is not None and one.withheld:
            yield Because(
                f"not everybody may see {what} here, and the contract has no word for that: nothing of it is sent",
                "It is sent once everybody may see it, or the contract says who may.",
            )
    for dropped in outward.dropped:
        if dropped.field == TYPE and facts.row is None:
            yield Because(
                f"issues of its type are not exchanged: {dropped.why}",
                "Name the type in contract.yaml (both sides), or in mapping.yaml.",
            )


def _outside(facts: Facts, scope: Scope, them: str) -> Because:
    rest = "" if facts.row is None else f" Edits made here stay here; those of {them} still come."
    if facts.outside.told is not Scope.IN:
        rest += f" {them} was told."
    elif facts.outside.seen is not Scope.IN:
        rest += f" {them} is told once another export finds it so."
    match scope:
        case Scope.MOVED:
            return Because(
                f"the issue was moved to another project.{rest}", "Move it back, and the next export sends it again."
            )
        case Scope.DOUBT:
            what = "the tracker cannot tell just now whether the issue, as it is, is in the scope that this site sends"
            return Because(f"{what}.{rest}", "An export asks again, once the tracker's search knows the issue as it is.")
        case _:
            what = "the issue is not in the scope that this site sends (tracker.settings.scope)"
            return Because(f"{what}.{rest}", "Let the scope hold it, or change the issue so that it does.")


def _kept(facts: Facts) -> str:
    """The rule of our mapping by which an attachment stays here; "" for all else."""
    if facts.paired is None or facts.item is None or facts.kind is not Kind.ATTACHMENT:
        return ""
    return facts.paired.rules.sieves.out.stops(str(facts.item.fields["name"]), int(str(facts.item.fields["size"])))


def _of_birth(facts: Facts, item: Item) -> Iterator[Because]:
    x = facts.exchange
    if facts.kind is not Kind.ISSUE and (facts.above is None or facts.above.state is not Life.LIVE) and facts.tell is None:
        yield Because(f"its issue is not with {x.partner_name}", "Ask why of the issue.")
    if facts.doubted:
        yield Because("a write of an import was cut off, and what stands here may be half of it", "The next import finds out.")
    if facts.row is None and facts.tell is None and item.origin is not None:
        came = (
            f"it came from {x.partner_name} before" if home(item.origin) == x.partner_site else "it came from another partner"
        )
        yield Because(
            f"{came}, and the ledger does not know it in this exchange: it is not sent as new, so that nothing doubles",
            f"Once {x.partner_name} sends it again, the two are paired." if home(item.origin) == x.partner_site else "",
        )


def _of_time(facts: Facts) -> Iterator[Because]:
    x = facts.exchange
    if facts.row is None and facts.tell is not None:
        never = "nothing was ever exported on this exchange" if not x.basis else "it is new since the last export"
        yield Because(f"it was not sent yet: {never}", f"filesync export --exchange {shown(x.name)}")
