"""`filesync import`: what arrived is verified and applied."""

from __future__ import annotations

from collections.abc import Iterable

import click
import msgspec

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Arriving, Damaged, NewerFormat, NotTaken, Outside
from filesync.agent.incoming.importer import Imports, import_once
from filesync.cli.app import App, Say, json_option, say_options
from filesync.cli.exchanges import each_exchange, event_documents
from filesync.errors import ExitCode
from filesync.ledger.streams import Direction


@click.command("import")
@say_options
@json_option
@click.pass_obj
def import_(app: App) -> ExitCode:
    """Read the bundles in the inbox and apply them to the tracker.

    Every exchange that receives has its turn. Ends with 3 where nothing had arrived, with 4 where something waits, is
    held or is stuck, with 8 where a file cannot be taken, with 9 where a stream is stopped.
    """
    results = each_exchange(app, import_once, without=Direction.SEND)
    code = status_of(results.done.values())
    if code is ExitCode.NOTHING and not results.failed:
        app.tell("nothing arrived", level=Say.MORE)
    if app.as_json:
        app.tell_json({name: _document(one) for name, one in results.done.items()})
    return results.status(code)


_WORST = (ExitCode.NOTHING, ExitCode.DONE, ExitCode.WORK_LEFT, ExitCode.PARTNER, ExitCode.STOPPED)


def status_of(imports: Iterable[Imports]) -> ExitCode:
    """The exit status that these imports come to: that of the worst."""
    return max(map(_code, imports), key=_WORST.index, default=ExitCode.NOTHING)


def _code(one: Imports) -> ExitCode:
    if any(isinstance(event, Stopped) for event in one.events):
        return ExitCode.STOPPED
    if any(isinstance(event, Damaged) for event in one.events):
        return ExitCode.PARTNER
    if one.held or one.queued or any(isinstance(event, Arriving | NewerFormat | NotTaken | Outside) for event in one.events):
        return ExitCode.WORK_LEFT
    return ExitCode.DONE if one.events else ExitCode.NOTHING


def _document(one: Imports) -> dict[str, object]:
    return {
        "bundles": one.bundles,
        "read": one.counts.read,
        **msgspec.to_builtins(one.counts),
        "held": one.held,
        "queued": one.queued,
        "events": event_documents(one.events),
    }
