"""`filesync export`: what changed here goes into the outbox."""

from __future__ import annotations

import click

from filesync.agent.outgoing.exporter import export_once
from filesync.cli.app import App, Say, json_option, say_options
from filesync.cli.exchanges import each_exchange, event_documents
from filesync.errors import ExitCode
from filesync.ledger.streams import Direction


@click.command()
@say_options
@json_option
@click.pass_obj
def export(app: App) -> ExitCode:
    """Write what changed in the tracker into bundles in the outbox.

    Every exchange that sends has its turn. What an earlier run was interrupted in is finished first. Ends with 3
    where there was nothing to send; then no file is made and no number used. A partner that was told nothing for a day,
    or not yet what was applied here, gets a position report.
    """
    results = each_exchange(app, export_once, without=Direction.RECEIVE)
    bundles = sum(one.bundles for one in results.done.values())
    reported = any(one.reported for one in results.done.values())
    if not bundles and not reported and not results.failed:
        app.tell("nothing to send", level=Say.MORE)
    if app.as_json:
        app.tell_json(
            {
                name: {
                    "bundles": one.bundles,
                    "changes": one.changes,
                    "reported": one.reported,
                    "events": event_documents(one.events),
                }
                for name, one in results.done.items()
            }
        )
    return results.status(ExitCode.DONE if bundles or reported else ExitCode.NOTHING)
