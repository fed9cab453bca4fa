"""`filesync conflicts`: edits of both sides that met."""

from __future__ import annotations

import click

from filesync.agent.asked.look import conflicts as met
from filesync.agent.asked.look import undecided
from filesync.agent.asked.reading import reading
from filesync.agent.met import UNSAID, how_met
from filesync.bundle.verdict import shown
from filesync.cli.app import MOST, App, Say, json_option, time_text
from filesync.model.moments import moment

_VALUE = 500  # characters


@click.command()
@click.option(
    "-n", "lines", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many of the newest in each exchange."
)
@json_option
@click.pass_obj
def conflicts(app: App, lines: int) -> None:
    """Show edits of both sides that met, and which of them won.

    Both values are kept here, so that the one that did not win can be put back by hand. Last come those of which neither
    wins until a person decides, all of them: `filesync settle` does that, here or at the partner's.
    """
    with reading(app.config()) as conn:
        found, left = met(conn, limit=lines), undecided(conn)
    waits = {(exchange, one.gid, one.field, one.mark) for exchange, one in left}
    for exchange, one in found:
        decided = (exchange, one.gid, one.field) not in {place[:3] for place in waits}
        what = f"{shown(one.key)}  {shown(one.field)}: {how_met(one.rule, shown(one.winner), decided=decided)}"
        app.tell(f"{time_text(moment(one.at))}  {exchange}  {what}")
        app.tell(f"    ours:   {shown(one.ours, limit=_VALUE)}")
        if one.rule != UNSAID:  # what the partner has is not known
            app.tell(f"    theirs: {shown(one.theirs, limit=_VALUE)}")
    for exchange, row in left:
        key, field, since = shown(row.key), shown(row.field), time_text(moment(row.since))
        app.tell(f"OPEN since {since}  {exchange}  {key}  {field}: each side keeps its own", level=Say.LESS)
        app.tell(f"    ours:   {shown(row.ours, limit=_VALUE)}")
        app.tell(f"    theirs: {shown(row.theirs, limit=_VALUE)}")
        app.tell(f"    decide: filesync settle {key} {field} --ours (or --theirs)")
    if not found and not left:
        app.tell("no edits met")
    if app.as_json:
        names = ("mark", "gid", "key", "field", "ours", "theirs", "winner", "rule")
        app.tell_json(
            [
                {"at": moment(one.at), "exchange": exchange}
                | {name: getattr(one, name) for name in names}
                | {"open": (exchange, one.gid, one.field, one.mark) in waits}
                for exchange, one in found
            ]
        )
