"""`filesync issue link` and `issue worklog`: how issues of the embedded tracker hang together, and what they cost."""

from __future__ import annotations

import re
from typing import Final

import click

from filesync.cli.app import App, Say, json_option
from filesync.cli.desk import sitting, user_option
from filesync.model.values import Value

_TIME: Final = re.compile(r"(?:(\d{1,6})h)? ?(?:(\d{1,6})m)? ?(?:(\d{1,9})s)?", re.ASCII)


@click.command()
@click.argument("key")
@click.argument("link_type", metavar="TYPE")
@click.argument("other")
@click.option("--delete", "deleted", is_flag=True, help="Take the link away.")
@user_option
@json_option
@click.pass_obj
def link(app: App, key: str, link_type: str, other: str, user: str | None, *, deleted: bool) -> None:
    """Link an issue with another one: KEY blocks OTHER.

    TYPE is one of the project's. The link belongs to KEY; OTHER shows it the other way round.
    """
    with sitting(app, user) as desk:
        (desk.unlink if deleted else desk.link)(key, link_type, other)
        if app.as_json:
            app.tell_json({"key": key, "type": link_type, "other": other, "deleted": deleted})


@click.command()
@click.argument("key")
@click.option("--time", "spent", metavar="TIME", help="How long it took: 1h30m, 45m, 90s.")
@click.option("--started", metavar="WHEN", help="When it began: 2026-11-23T10:00:00+01:00. Otherwise now.")
@click.option("--text", metavar="TEXT", help="What was done.")
@click.option("--edit", "edited", metavar="ID", help="Change what is named of this worklog.")
@click.option("--delete", "deleted", metavar="ID", help="Delete this worklog.")
@user_option
@json_option
@click.pass_obj
def worklog(
    app: App,
    key: str,
    spent: str | None,
    started: str | None,
    text: str | None,
    edited: str | None,
    deleted: str | None,
    user: str | None,
) -> None:
    """Log work on an issue, change or delete what was logged.

    A new worklog's ID is printed; `filesync -q` prints it alone.
    """
    given: dict[str, Value | None] = {"started": started, "body": text, "seconds": None if spent is None else _seconds(spent)}
    changes = {name: value or None for name, value in given.items() if value is not None}
    if (edited and deleted) or (deleted and changes) or (edited and not changes) or not (edited or deleted or spent):
        raise click.UsageError("say KEY --time TIME, KEY --edit ID with what changes, or KEY --delete ID")
    with sitting(app, user) as desk:
        if deleted is not None:
            desk.delete_worklog(key, deleted)
        elif edited is not None:
            desk.edit_worklog(key, edited, changes)
        else:
            edited = desk.log_work(key, int(_seconds(spent or "")), started=started, text=text or "")
            if not app.as_json:
                click.echo(edited if app.say is Say.LESS else f"worklog {edited} on {key}")
        if app.as_json:
            app.tell_json({"key": key, "worklog": edited or deleted, "deleted": deleted is not None})


def _seconds(spent: str) -> str:
    found = _TIME.fullmatch(spent.strip())
    if found is None or not any(found.groups()):
        raise click.UsageError(f"not a time as 1h30m: {spent[:80]!r}")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return str(hours * 3600 + minutes * 60 + seconds)
