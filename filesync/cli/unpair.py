"""`filesync unpair`: an exchange ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from filesync.agent.events import count_text
from filesync.agent.partners.unpairing import Ending, ending
from filesync.agent.partners.unpairing import unpair as end
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option
from filesync.cli.exchanges import named
from filesync.ledger import streams
from filesync.ledger.streams import Exchange


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def unpair(app: App, name: str, yes: bool) -> None:
    """End an exchange. NAME is its name or its partner's.

    Says what goes and what stays, and asks. Both trackers keep everything they have. What was not fetched from the outbox
    is taken back, and nothing that the partner still sends is taken. It can be paired again later: nothing doubles then.
    """
    with app.site() as site:
        with site.ledger.begin() as conn:
            x = named(streams.exchanges(conn), name)
        for line in lines(x, ending(site, x)):
            app.tell(line)
        if not yes:
            app.confirm(f"End exchange {x.name}?", otherwise="nothing was ended; the exchange goes on as it was")
        done = end(site, x)
    if app.as_json:
        app.tell_json({"exchange": x.name, "partner": x.partner_name, **asdict(done)})


def lines(x: Exchange, found: Ending) -> Iterator[str]:
    """What the end takes away and leaves, for people."""
    yield f"{x.name}: {shown(x.partner_name) or 'offered, and paired with nobody'}"
    if found.unacknowledged:
        them = count_text(found.unacknowledged, "bundle")
        yield f"  not acknowledged by {shown(x.partner_name)}: {them}; what it has not got by now it does not get"
    if found.outbox:
        yield f"  taken back from the outbox: {count_text(len(found.outbox), 'file')}"
    if found.held or found.undecided:
        held, left = count_text(found.held, "bundle"), count_text(found.undecided, "change")
        yield f"  came from {shown(x.partner_name)} and is not applied: {held} held, {left} undecided; they will not be"
    if found.live or found.over:
        gone = f", and that {found.over} are gone" if found.over else ""
        yield f"  forgotten: which of {found.live} issues and comments here and there are the same{gone}"
    if found.key_out:
        yield f"  the key of {shown(x.partner_name)} is not believed any more"
    yield "  kept: everything in both trackers, the log, and bundles in the archive and store until `prune` finds them old"
