"""`filesync why`: where an issue stands with every partner, and why."""

from __future__ import annotations

from collections.abc import Iterator

import click

from filesync.agent.asked.look import looking
from filesync.agent.asked.why import Answer, Left, Place, Why
from filesync.agent.asked.why import why as why_of
from filesync.agent.events import ended
from filesync.agent.met import how_met
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option, now, time_text
from filesync.ledger.journal import Wait
from filesync.model.by_hand import Hand
from filesync.model.issue import Scope

_WHY = 300  # characters of a reason


@click.command()
@click.argument("what", metavar="KEY")
@json_option
@click.pass_obj
def why(app: App, what: str) -> None:
    """Show where an issue stands with every partner, and why.

    KEY is one of ours (ABC-17), a partner's (LINE-4, or LINE-4@globex where we have such keys, too), a comment's (ABC-17#4),
    an attachment's (ABC-17/4), a worklog's (ABC-17+4), or a gid. What a next export would send is worked out as an export
    does; nothing is changed.
    """
    with looking(app.config(), clock=now) as site:
        answer = why_of(site, what)
    for line in lines(answer):
        app.tell(line)
    if app.as_json:
        app.tell_json(answer)


def lines(answer: Answer) -> Iterator[str]:
    """The answer for people."""
    home = shown(answer.home) or "a site that is not known here"
    where = "" if answer.here else "; not in our tracker"
    yield f"{shown(answer.key, limit=200)}: {answer.kind}, made at {home}{where}"
    if not answer.exchanges:
        yield "paired with nobody yet"
    for one in answer.exchanges:
        yield from _exchange(one)


def _exchange(one: Why) -> Iterator[str]:
    them = shown(one.partner) or "a partner that is not known yet"
    theirs = f", there {shown(one.theirs)}" if one.theirs else ""
    yield f"{one.exchange}: with {them}{theirs}"
    if one.reason:
        yield f"  {'not sent' if not one.known else 'stands still'}: {ended(shown(one.reason, limit=_WHY))}"
    if one.hint and one.reason:
        yield f"  hint: {one.hint}"
    yield from _outside(one, them)
    if one.first is not None:
        yield f"  exchanged since {_place(one.first)}, or longer"
    if one.sent is not None:
        heard = "applied there" if one.acknowledged else f"{them} has not said yet that it applied it"
        yield f"  last sent   {_place(one.sent)}, {heard}"
    if one.taken is not None:
        yield f"  last taken  {_place(one.taken)}"
    yield from (f"  {line}" for left in one.left for line in _left(left))
    for met in one.conflicts:
        yield f"  {time_text(met.at)}  {shown(met.field)} was {how_met(met.rule, shown(met.winner))}"
    for kind, counts in one.below.items():
        yield f"  {kind}s: {', '.join(f'{number} {standing}' for standing, number in sorted(counts.items()))}"
    for field in one.fields:
        name = shown(field.field) + ("" if field.ours in {"", field.field} else f" (our {shown(field.ours)})")
        rest = f": {shown(field.why, limit=_WHY)}" if field.why else ""
        yield f"  {name}: {field.standing}{rest}{_bundles(field.sent, field.taken)}"
    if one.unnamed:
        yield f"  not in the contract: {', '.join(map(shown, one.unnamed))}"


def _outside(one: Why, them: str) -> Iterator[str]:
    if one.outside:
        why = "it was moved to another project there" if one.outside == Scope.MOVED else "it is not in their scope any more"
        yield f"  {them} does not send its own any more: {why}; edits made here still go there"
    if one.by_hand is Hand.STARTED and one.by_hand_since is not None:
        yield f"  started by hand since {time_text(one.by_hand_since)}: it is sent whatever tracker.settings.scope says"


def _place(place: Place) -> str:
    return f"bundle {place.bundle}" + (f", {time_text(place.at)}" if place.at is not None else "")


def _bundles(sent: int, taken: int) -> str:
    said = [f"sent in {sent}"] if sent else []
    said += [f"taken from {taken}"] if taken else []
    return f" ({', '.join(said)})" if said else ""


def _left(left: Left) -> Iterator[str]:
    fields = f" of {', '.join(map(shown, left.fields))}" if left.fields else ""
    yield f"{left.mark}  {left.what}{fields}, {left.state} since {time_text(left.since)}: {shown(left.why, limit=_WHY)}"
    if left.state is Wait.STUCK:
        yield f"  mend the cause, then: filesync stuck retry {left.mark}; or: filesync stuck skip {left.mark} --reason …"
