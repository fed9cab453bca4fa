"""`filesync export`: what changed here goes into the outbox."""

from __future__ import annotations

import click

from filesync.agent.events import count_text
from filesync.agent.outgoing.exporter import Exports, export_once
from filesync.agent.running.lanes import Job
from filesync.cli.app import App, Say, json_option, say_options
from filesync.cli.exchanges import each_mailed, event_documents, exchange_option
from filesync.errors import ExitCode
from filesync.ledger.streams import Direction


@click.command()
@exchange_option
@say_options
@json_option
@click.pass_obj
def export(app: App, exchange: str | None) -> ExitCode:
    """Write what changed in the tracker into bundles in the outbox.

    Every exchange that sends has its turn, and what fails on one holds up no other; it ends with the status of the worst.
    On a paused one nothing is done. What an earlier run was interrupted in is finished first. Ends with 3
    where there was nothing to send; then no file is made and no number used. A partner that was told nothing for a day,
    or not yet what was applied here, gets a position report.
    """
    results = each_mailed(app, export_once, Job.EXPORT, only=exchange, without=Direction.RECEIVE)
    codes = [ExitCode.DONE if one.bundles or one.reported else ExitCode.NOTHING for one in results.done.values()]
    if results.status(codes) is ExitCode.NOTHING:
        app.tell("nothing to send", level=Say.MORE)
    results.summary(app, _words)
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
    return results.status(codes)


def _words(one: Exports) -> str:
    sent = f"{count_text(one.bundles, 'bundle')} with {count_text(one.changes, 'change')} exported" if one.bundles else ""
    return sent or ("a report exported" if one.reported else "")
