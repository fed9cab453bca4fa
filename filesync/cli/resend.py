"""`filesync resend`: what was lost on the way goes into the outbox again."""

from __future__ import annotations

from itertools import chain

import click

from filesync.agent.outgoing.again import resend as resend_again
from filesync.agent.outgoing.again import resend_chunks
from filesync.cli.app import App, json_option
from filesync.cli.exchanges import event_documents, named
from filesync.ledger import streams
from filesync.model.ids import MAX_SEQ


class Numbers(click.ParamType[range]):
    """One number, or a run of them as the partner's messages write it: 4-7."""

    name = "number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """Read it; both ends are meant."""
        first, dash, last = value.partition("-")
        plain = first.isdecimal() and (last.isdecimal() or not dash)
        if not plain or not 1 <= int(first) <= int(last or first) <= MAX_SEQ:
            self.fail(f"{value!r} is no number from 1 on, and no run like 4-7", param, ctx)
        return range(int(first), int(last or first) + 1)


@click.command()
@click.argument("partner", metavar="PARTNER")
@click.argument("seqs", metavar="[NUMBER]…", nargs=-1, type=Numbers())
@click.option(
    "--chunk", "chunks", metavar="ID", multiple=True, help="A chunk of an attachment or text, by the beginning of its id."
)
@click.option("--whole", is_flag=True, help="With --chunk: all chunks of the same attachment or text.")
@json_option
@click.pass_obj
def resend(app: App, partner: str, seqs: tuple[range, ...], chunks: tuple[str, ...], whole: bool) -> None:
    """Put bundles from the archive into the outbox again, byte for byte.

    PARTNER is the partner's name or that of the exchange, NUMBER a number or a run of them like 4-7. The partner's
    status and log say which numbers and chunks it misses.
    """
    if not seqs and not chunks:
        raise click.UsageError("say which: NUMBER…, or --chunk ID")
    if whole and not chunks:
        raise click.UsageError("--whole goes with --chunk ID")
    with app.site() as site:
        with site.ledger.begin() as conn:
            name = named(streams.exchanges(conn), partner).name
        events = resend_again(site, name, chain(*seqs))
        events += resend_chunks(site, name, list(chunks), whole=whole) if chunks else []
    if app.as_json:
        app.tell_json(event_documents(tuple(events)))
