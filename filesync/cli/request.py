"""`filesync request`: the partner is asked for everything that is missing."""

from __future__ import annotations

import click

from filesync.agent.outgoing.reports import request as request_now
from filesync.cli.app import App
from filesync.cli.exchanges import named
from filesync.ledger import streams


@click.command()
@click.argument("partner", metavar="PARTNER")
@click.pass_obj
def request(app: App, partner: str) -> None:
    """Ask a partner for what is missing.

    It is asked for at once, in a position report. PARTNER is the partner's name or that of the exchange. Without this,
    every export asks by itself for what is missing for longer than `grace`. The partner's next export brings it.
    """
    with app.site() as site:
        with site.ledger.begin() as conn:
            name = named(streams.exchanges(conn), partner).name
        missing = request_now(site, name)
    app.tell(missing)
