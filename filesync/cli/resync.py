"""`filesync resync`: what was told is told once more."""

from __future__ import annotations

import click

from filesync.agent.upkeep.resync import resync as tell_again
from filesync.cli.app import App, json_option
from filesync.cli.exchanges import each_exchange, exchange_option
from filesync.errors import ExitCode
from filesync.ledger.streams import Direction


@click.command()
@click.option("--jql", "query", metavar="QUERY", default="", help="These issues alone; on the embedded tracker FIELD=VALUE.")
@click.option("--fields", metavar="NAME,…", default="", help="These fields of the contract alone; else all but the status.")
@click.option("--status", is_flag=True, help="The status, too: at the partner it takes transitions.")
@exchange_option
@json_option
@click.pass_obj
def resync(app: App, *, query: str, fields: str, status: bool, exchange: str | None) -> ExitCode:
    """Tell issues once more, to bring old ones in line.

    After a change of the partner's mapping, say, which brought values that had no place there before. What is told is what
    stands here; the partner writes what differs, and where it has edits of its own, the contract decides. The next exports do
    it, after all edits; one that is cut off goes on where it was. Ends with 3 where no issue of these is exchanged.
    """
    names = frozenset(one.strip() for one in fields.split(",") if one.strip())
    if fields and not names:
        raise click.UsageError("--fields names no field")
    results = each_exchange(
        app,
        lambda site, name: tell_again(site, name, query=query, fields=names, status=status),
        only=exchange,
        without=Direction.RECEIVE,
    )
    results.summary(app, lambda issues: f"{issues} issues")
    if app.as_json:
        app.tell_json(results.done)
    return results.status(ExitCode.DONE if issues else ExitCode.NOTHING for issues in results.done.values())
