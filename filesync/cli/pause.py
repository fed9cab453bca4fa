"""`filesync pause` and `filesync resume`: an exchange stands still, and goes on."""

from __future__ import annotations

from collections.abc import Callable

import click
import sqlalchemy as sa

from filesync.agent.asked.reading import reading
from filesync.agent.partners import pausing
from filesync.agent.record import Record
from filesync.cli.app import App, json_option, now
from filesync.cli.exchanges import exchange_option, named
from filesync.errors import ExitCode, PairingError
from filesync.ledger import streams
from filesync.ledger.streams import Exchange, State
from filesync.model.moments import micros


@click.command()
@exchange_option
@click.option("--reason", default="", metavar="TEXT", help="Why; `status` and the log show it.")
@json_option
@click.pass_obj
def pause(app: App, exchange: str | None, reason: str) -> ExitCode:
    """Let nothing go out or come in, until resume.

    Without --exchange all exchanges are paused. Files stay where they are: what arrives waits in the inbox, what was exported
    and not fetched yet can still be fetched from the outbox. A `filesync run` that is at work notices by itself. Ends with 3
    where nothing was to be paused.
    """
    at = micros(now())
    return _each(app, exchange, lambda conn, x, record: pausing.pause(conn, x, record, reason=reason, now=at), "paused already")


@click.command()
@exchange_option
@json_option
@click.pass_obj
def resume(app: App, exchange: str | None) -> ExitCode:
    """Let paused exchanges go on.

    Without --exchange all of them. Ends with 3 where none was paused.
    """
    return _each(app, exchange, pausing.resume, "not paused")


def _each(app: App, name: str | None, work: Callable[[sa.Connection, Exchange, Record], bool], otherwise: str) -> ExitCode:
    """Do it to the one that was named, else to all that could be meant; `otherwise`: what is said where it changed none."""
    config = app.config()
    records = []
    with reading(config) as conn:
        there = streams.exchanges(conn)
        meant = [one for one in there if one.state in {State.PAIRED, State.PAUSED}] if name is None else [named(there, name)]
        if not meant:
            raise PairingError("there is no exchange that could be paused or resumed", hint="see: filesync status")
        for one in meant:
            record = Record(one.name, clock=now, sinks=[app.hear])
            if work(conn, one, record):
                records.append(record)
    for record in records:
        record.done()
    if not records:
        app.tell(f"{', '.join(one.name for one in meant)}: {otherwise}")
    if app.as_json:
        app.tell_json({"changed": [record.exchange for record in records]})
    return ExitCode.DONE if records else ExitCode.NOTHING
