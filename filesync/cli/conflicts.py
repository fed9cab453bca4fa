"""`filesync conflicts`: edits of both sides that met."""

from __future__ import annotations

import click

from filesync.agent.asked.look import conflicts as met
from filesync.agent.asked.reading import reading
from filesync.agent.met import UNSAID, how_met
from filesync.bundle.verdict import shown
from filesync.cli.app import MOST, App, json_option, time_text
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

    Both values are kept here, so that the one that did not win can be put back by hand.
    """
    with reading(app.config()) as conn:
        found = met(conn, limit=lines)
    for exchange, one in found:
        what = f"{shown(one.key)}  {shown(one.field)}: {how_met(one.rule, shown(one.winner))}"
        app.tell(f"{time_text(moment(one.at))}  {exchange}  {what}")
        app.tell(f"    ours:   {shown(one.ours, limit=_VALUE)}")
        if one.rule != UNSAID:  # what the partner has is not known
            app.tell(f"    theirs: {shown(one.theirs, limit=_VALUE)}")
    if not found:
        app.tell("no edits met")
    if app.as_json:
        names = ("mark", "gid", "key", "field", "ours", "theirs", "winner", "rule")
        app.tell_json(
            [
                {"at": moment(one.at), "exchange": exchange} | {name: getattr(one, name) for name in names}
                for exchange, one in found
            ]
        )
