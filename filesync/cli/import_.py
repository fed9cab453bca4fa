"""`filesync import`: what arrived is verified and applied."""

from __future__ import annotations

from functools import partial
from typing import Final

import click
import msgspec

from filesync.agent.events import Stopped, count_text
from filesync.agent.incoming.arrivals import Arriving, Damaged, KeyNotKnown, NewerFormat, NotTaken, Outside
from filesync.agent.incoming.importer import Imports, import_once
from filesync.agent.partners.agreements import ContractProposed
from filesync.agent.running.lanes import Job
from filesync.cli.app import App, Say, json_option, say_options
from filesync.cli.exchanges import each_mailed, event_documents, exchange_option
from filesync.errors import ExitCode
from filesync.ledger.streams import Direction

_LEFT: Final = (Arriving, ContractProposed, KeyNotKnown, NewerFormat, NotTaken, Outside)


@click.command("import")
@exchange_option
@click.option("--first", is_flag=True, help="Also a first import that makes more issues than limits.first_import.")
@say_options
@json_option
@click.pass_obj
def import_(app: App, exchange: str | None, first: bool) -> ExitCode:
    """Read the bundles in the inbox and apply them to the tracker.

    Every exchange that receives has its turn, and what fails on one holds up no other; it ends with the status of the
    worst. On a paused one nothing is done. Ends with 3 where nothing had arrived, with 4 where something waits, is
    held or is stuck, with 8 where a file cannot be taken, with 9 where a stream is stopped.
    """
    results = each_mailed(app, partial(import_once, first=first), Job.IMPORT, only=exchange, without=Direction.SEND)
    code = results.status(map(code_of, results.done.values()))
    if code is ExitCode.NOTHING:
        app.tell("nothing arrived", level=Say.MORE)
    results.summary(app, _words)
    if app.as_json:
        app.tell_json({name: _document(one) for name, one in results.done.items()})
    return code


def code_of(one: Imports) -> ExitCode:
    """The exit status that an import comes to."""
    if any(isinstance(event, Stopped) for event in one.events):
        return ExitCode.STOPPED
    if any(isinstance(event, Damaged) for event in one.events):
        return ExitCode.PARTNER
    if one.held or one.queued or one.open or any(isinstance(event, _LEFT) for event in one.events):
        return ExitCode.WORK_LEFT
    return ExitCode.DONE if one.events else ExitCode.NOTHING


def _words(one: Imports) -> str:
    parts = [f"{count_text(one.bundles, 'bundle')} applied"] if one.bundles else []
    parts += [f"{count_text(one.held, 'bundle')} held"] if one.held else []
    parts += [f"{count_text(one.queued, 'change')} undecided"] if one.queued else []
    parts += [f"{count_text(one.open, 'field')} open"] if one.open else []
    return ", ".join(parts) or ("looked at; see above" if one.events else "")


def _document(one: Imports) -> dict[str, object]:
    return {
        "bundles": one.bundles,
        "read": one.counts.read,
        **msgspec.to_builtins(one.counts),
        "held": one.held,
        "queued": one.queued,
        "open": one.open,
        "events": event_documents(one.events),
    }
