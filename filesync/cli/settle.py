"""`filesync settle`: a person decides between two edits that met, of which neither wins by itself."""

from __future__ import annotations

from typing import Final

import click

from filesync.agent.upkeep import settling
from filesync.agent.upkeep.settling import Choice
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Say, json_option
from filesync.errors import ExitCode

_VALUE: Final = 500  # characters


@click.command()
@click.argument("key", metavar="KEY")
@click.argument("field", metavar="FIELD")
@click.option("--ours", is_flag=True, help="The value that stands here, as it is now.")
@click.option("--theirs", is_flag=True, help="The partner's: it is written here.")
@click.option("--exchange", metavar="NAME", help="Needed only where the field is open in several exchanges.")
@json_option
@click.pass_obj
def settle(app: App, key: str, field: str, *, ours: bool, theirs: bool, exchange: str | None) -> ExitCode:
    """Decide a field of which each side keeps its own.

    KEY names an issue as for `why`, FIELD a field as `conflicts` shows it. The next export tells the partner, and both sides
    show the same. If somebody decides otherwise there at the same time, the field is open again. Ends with 4 where our
    tracker does not take the partner's value: then it is stuck, and the field stays open.
    """
    if ours == theirs:
        raise click.UsageError("say whose value stands: --ours or --theirs" + (", not both" if ours else ""))
    with app.site() as site:
        done = settling.settle(site, key, field, Choice.OURS if ours else Choice.THEIRS, exchange=exchange)
    if done.refused:
        what = f"{shown(done.key)}: their {shown(done.field)} could not be written here yet, so it stays open"
        app.tell(f"{what}; see: filesync stuck list", level=Say.LESS)
    else:
        value = shown(done.value, limit=_VALUE) or "(empty)"
        app.tell(f"{shown(done.key)}: {shown(done.field)} is now: {value}")
        app.tell(f"tell the partner: filesync export --exchange {shown(done.exchange)}")
    if app.as_json:
        app.tell_json(done)
    return ExitCode.WORK_LEFT if done.refused else ExitCode.DONE
