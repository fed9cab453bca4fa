"""`filesync coverage`: what does not reach the other side, or not as it stands here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import click

from filesync.agent.asked.coverage import Count, Coverage
from filesync.agent.asked.coverage import coverage as coverage_of
from filesync.agent.asked.reading import reading
from filesync.agent.usable import unusable
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Say, json_option, time_text
from filesync.cli.exchanges import exchange_option, named
from filesync.cli.hands import hand_lines
from filesync.errors import ExitCode
from filesync.ledger import streams
from filesync.model.shortfall import Cause

_LISTED: Final = 1_000  # fields and causes of a direction
_SENDING: Final = {
    Cause.NO_WORD: "the contract has no word for the value",
    Cause.MERGED: "several of our words stand for one of the contract's",
    Cause.WITHHELD: "not everybody may see it",
    Cause.KEPT: "our mapping keeps it here",
    Cause.STAND_IN: "our default is told for a value without a word",
    Cause.FAILED: "our mapping could not say what it is told as",
}
_TAKING: Final = {
    Cause.NO_WORD: "nothing here stands for the value",
    Cause.NO_PLACE: "nothing here stands for the field",
    Cause.KEPT: "the mapping or settings here leave it out",
    Cause.REFUSED: "the tracker refused it",
    Cause.CUT: "the tracker kept only the beginning",
    Cause.ATTACHED: "the tracker shows the beginning of the text, and has all of it in a file",
    Cause.CHANGED: "the tracker keeps another form of it",
    Cause.STAND_IN: "a stand-in or default of ours is in its place",
}


@click.command()
@exchange_option
@click.option(
    "-n", "examples", type=click.IntRange(min=0), default=3, show_default=True, help="How many issues to name for each."
)
@json_option
@click.pass_obj
def coverage(app: App, exchange: str | None, examples: int) -> ExitCode:
    """Show what does not reach the other side, or not as it stands here.

    By field and cause, for how many issues (comments, attachments, worklogs), since when, and which. It is how things stand
    now: what was put right is not counted any more. What a partner does not have as we sent it, it counts itself and says
    in its reports. No value is shown. Ends with 6 where a contract or mapping cannot be used.
    """
    config = app.config()
    with reading(config) as conn:
        there = streams.exchanges(conn)
        asked = there if exchange is None else [named(there, exchange)]
        found = [coverage_of(conn, one, examples=examples, limit=_LISTED) for one in asked]
        wrong = {one.name: error for one in asked if (error := unusable(conn, config, one)) is not None}
    for one in found:
        for line in lines(one):
            app.tell(line)
        if one.exchange in wrong:
            what = f"nothing is sent or applied as things are: {shown(str(wrong[one.exchange]), limit=1_000)}"
            app.tell(f"  {what}; see: filesync check", level=Say.LESS)
    if not found:
        app.tell("paired with nobody yet")
    if app.as_json:
        app.tell_json(found)
    return ExitCode.CONFIG if wrong else ExitCode.DONE


def lines(one: Coverage) -> Iterator[str]:
    """The answer for people."""
    them = shown(one.partner) or "a partner that is not known yet"
    yield f"{one.exchange}: with {them}"
    yield from _direction(f"ours that {them} does not get", one.sending, _SENDING)
    yield from _direction(f"{them}'s that is not here as it was sent", one.taking, _TAKING)
    if one.there:
        yield f"  ours that {them} does not have as we sent it (its report {one.report})"
        for short in one.there:
            yield f"    {shown(short.field)}: {short.items}, {_words(short.cause, _TAKING)}"
    yield from hand_lines(one.stopped, one.exchange)
    if not (one.sending or one.taking or one.there or one.stopped):
        yield "  nothing falls short"


def _direction(title: str, counts: Iterable[Count], words: Mapping[Cause, str]) -> Iterator[str]:
    for place, one in enumerate(counts):
        if not place:
            yield f"  {title}"
        since = f"since {time_text(one.first)}" + ("" if one.first == one.last else f", last {time_text(one.last)}")
        issues = f": {', '.join(map(shown, one.issues))}" if one.issues else ""
        yield f"    {shown(one.field)}: {one.items}, {_words(one.cause, words)}, {since}{issues}"


def _words(cause: str, words: Mapping[Cause, str]) -> str:
    """What a cause is for people; a newer partner may know others."""
    return words[Cause(cause)] if cause in list(words) else shown(cause)
