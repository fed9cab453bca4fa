"""`filesync log`: what happened."""

from __future__ import annotations

import click

from filesync.agent.asked.look import Told, history
from filesync.agent.asked.reading import reading
from filesync.bundle.verdict import shown
from filesync.cli.app import MOST, App, json_option, time_text

_SENTENCE = 1_000  # characters


@click.command()
@click.option(
    "-n", "lines", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many of the newest events."
)
@json_option
@click.pass_obj
def log(app: App, lines: int) -> None:
    """Show what happened.

    The newest events stand at the end. Times are UTC. Nothing tells a field's value.
    """
    with reading(app.config()) as conn:
        found = history(conn, limit=lines)
    for told in found:
        loud = {"warning": "warning: ", "stop": "stopped: "}.get(told.severity, "")
        app.tell(f"{time_text(told.at)}  {told.exchange}  {loud}{shown(told.sentence, limit=_SENTENCE)}")
    if app.as_json:
        app.tell_json([_document(told) for told in found])


def _document(told: Told) -> dict[str, object]:
    return {
        "at": told.at,
        "exchange": told.exchange,
        "severity": told.severity,
        "sentence": told.sentence,
        **told.fields,
    }
