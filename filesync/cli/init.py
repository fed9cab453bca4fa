"""`filesync init`: a new site."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from filesync.agent.founding import create_site
from filesync.cli.app import App


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", required=True, metavar="NAME", help="What both sides call this site: a-z, 0-9 and -.")
@click.option("--tracker", default="embedded", show_default=True, metavar="KIND", help="The kind of tracker.")
@click.option("--project", default="ABC", show_default=True, metavar="KEY", help="The key of the tracker's project.")
@click.pass_obj
def init(app: App, directory: Path, name: str, tracker: str, project: str) -> None:
    """Make a new site in a folder.

    Writes DIR/filesync.yaml with comments, new keys under DIR/keys (our own is the first line of
    DIR/keys/allowed_signers), and the folders outbox, inbox, archive, store, quarantine, state and guard. Nothing that
    is there is overwritten.
    """
    config = create_site(directory, name=name, tracker=tracker, project=project)
    app.tell(f"Made the site {name}: {config}")
    if tracker != "embedded":
        call = f"filesync -c {shlex.quote(str(config))} check"
        app.tell(f"First: write into {config} where the tracker is and who we are, and run: {call}")
    app.tell(f"Next: filesync -c {shlex.quote(str(config))} pair export > {name}.json, and give that file to your partner.")
