"""`filesync issue attach` and `issue attachment`: files of issues in the embedded tracker."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from filesync.bundle.verdict import shown
from filesync.cli.app import App, Say, Verbs, json_option
from filesync.cli.desk import sitting, user_option
from filesync.errors import disk_problem
from filesync.exchange.files import read

_NAME = 200  # characters of a name that are shown


@click.command()
@click.argument("key")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What a single FILE is called there. Otherwise its own name.")
@user_option
@json_option
@click.pass_obj
def attach(app: App, key: str, files: tuple[Path, ...], name: str | None, user: str | None) -> None:
    """Attach files to an issue.

    Each new attachment's ID is printed; `filesync -q` prints it alone.
    """
    if name is not None and len(files) > 1:
        raise click.UsageError("--name goes with one FILE")
    with sitting(app, user) as desk:
        made = []
        for file in files:
            called = _text(name if name is not None else file.name)
            made.append((desk.attach(key, called, read(file)), called))
            if not app.as_json:
                ident = made[-1][0]
                click.echo(ident if app.say is Say.LESS else f"attachment {ident} of {key}: {shown(called, limit=_NAME)}")
        if app.as_json:
            app.tell_json([{"key": key, "attachment": ident, "name": called} for ident, called in made])


@click.group(cls=Verbs)
def attachment() -> None:
    """Fetch or delete an attachment."""


@attachment.command()
@click.argument("key")
@click.argument("ident", metavar="ID")
@click.option("--to", "target", metavar="FILE", type=click.Path(path_type=Path), help="A new file. Otherwise standard output.")
@click.pass_obj
def get(app: App, key: str, ident: str, target: Path | None) -> None:
    """Write the bytes of an attachment.

    Its name may come from a partner, so it never says where to write: `--to` does. Nothing is overwritten.
    """
    if target is None and sys.stdout.isatty():
        raise click.UsageError("bytes are no text for a terminal: say --to FILE, or redirect the output")
    with sitting(app, None) as desk:
        name, content = desk.attachment(key, ident)
        if target is None:
            for chunk in content:
                sys.stdout.buffer.write(chunk)
            return
        _write(target, content)
        app.tell(f"{shown(name, limit=_NAME)} is in {target}")


@attachment.command()
@click.argument("key")
@click.argument("ident", metavar="ID")
@user_option
@json_option
@click.pass_obj
def delete(app: App, key: str, ident: str, user: str | None) -> None:
    """Delete an attachment."""
    with sitting(app, user) as desk:
        desk.delete_attachment(key, ident)
        if app.as_json:
            app.tell_json({"key": key, "attachment": ident, "deleted": True})


def _text(name: str) -> str:
    """A file's name as text: bytes that are none are shown by their numbers."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _write(target: Path, content: Iterator[bytes]) -> None:
    try:
        with target.open("xb") as file:
            for chunk in content:
                file.write(chunk)
    except OSError as error:
        raise disk_problem(error, target) from error
