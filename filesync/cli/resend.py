"""`filesync resend`: what was lost on the way goes into the outbox again."""

from __future__ import annotations

import click

from filesync.agent.exporter import resend as resend_again
from filesync.cli.app import App
from filesync.ledger import streams


@click.command()
@click.argument("partner", metavar="PARTNER")
@click.argument("seqs", metavar="NUMBER…", nargs=-1, required=True, type=click.IntRange(min=1))
@click.pass_obj
def resend(app: App, partner: str, seqs: tuple[int, ...]) -> None:
    """Put bundles from the archive into the outbox again, byte for byte.

    PARTNER is the partner's name or that of the exchange. The partner's status and log say which numbers it misses.
    """
    with app.site() as site:
        with site.ledger.begin() as conn:
            named = {one.partner_name: one.name for one in streams.exchanges(conn)}
        resend_again(site, named.get(partner, partner), seqs)
