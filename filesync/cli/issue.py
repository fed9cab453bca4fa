"""`filesync issue`: what people do with the embedded tracker, as one of its users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from filesync.agent.events import count_text
from filesync.cli.app import App, Say, Verbs, json_option
from filesync.cli.assignments import assigned
from filesync.cli.desk import sitting, user_option
from filesync.cli.issue_files import attach, attachment
from filesync.cli.issue_view import document, page_document, print_list, print_page
from filesync.cli.issue_work import link, worklog
from filesync.trackers.embedded import Desk
from filesync.trackers.embedded.fill import fill

_Verb = TypeVar("_Verb", bound=Callable[..., Any])

_FIELD_HELP = (
    "NAME=VALUE; nothing after = empties. Of a field with many values: NAME=A,B, NAME+=A, NAME-=A "
    "(a comma inside is \\,). An option under another: PARENT/CHILD. May be given again."
)


def _field_option(verb: _Verb) -> _Verb:
    return click.option("--field", "fields", metavar="NAME=VALUE", multiple=True, help=_FIELD_HELP)(verb)


@click.group(cls=Verbs)
def issue() -> None:
    """Work on the issues of the embedded tracker."""


for one in (attach, attachment, link, worklog):
    issue.add_command(one)


@issue.command("list")
@click.option("--field", "fields", metavar="NAME=VALUE", multiple=True, help="Only issues with this value. May be given again.")
@json_option
@click.pass_obj
def list_(app: App, fields: tuple[str, ...]) -> None:
    """List issues, oldest first."""
    if wrong := [field for field in fields if "=" not in field]:
        raise click.UsageError(f"not NAME=VALUE: {wrong[0][:80]!r}")
    wanted = dict(field.partition("=")[::2] for field in fields)
    with sitting(app, None) as desk:
        found = desk.list(wanted)
        if app.as_json:
            app.tell_json([document(desk.definition, one) for one in found])
        else:
            print_list(desk.definition, found)


@issue.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def load(app: App, file: Path) -> None:
    """Make the issues of a YAML file, with all that belongs to them.

    All of them, or none. Each edit is made by the author and at the time that the file says. samples/acme-issues.yaml
    shows the form.
    """
    with sitting(app, None) as desk:
        made = fill(desk, file)
    counts = {"issue": made.issues, "comment": made.comments, "attachment": made.attachments}
    counts |= {"worklog": made.worklogs, "link": made.links}
    said = [count_text(count, word) for word, count in counts.items() if count]
    app.tell(f"{' and '.join([', '.join(said[:-1]), *said[-1:]] if said[1:] else said) or 'nothing'} made")
    if app.as_json:
        app.tell_json(made)


@issue.command()
@click.argument("key")
@json_option
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show an issue with its links, attachments, comments, worklogs and history."""
    with sitting(app, None) as desk:
        _show(app, desk, key)


@issue.command()
@click.option("--type", "issue_type", metavar="TYPE", required=True, help="Story, Bug, …: one of the project's types.")
@click.option("--summary", metavar="TEXT", required=True, help="One line.")
@click.option("--description", metavar="TEXT", help="Any text.")
@click.option("--parent", metavar="KEY", help="The issue it belongs under.")
@_field_option
@user_option
@json_option
@click.pass_obj
def create(
    app: App,
    issue_type: str,
    summary: str,
    description: str | None,
    parent: str | None,
    fields: tuple[str, ...],
    user: str | None,
) -> None:
    """Make an issue and print its key."""
    with sitting(app, user) as desk:
        asked = {name: value for name, value in assigned(desk.definition, {}, fields).items() if value is not None}
        given = {"description": description, "parent": parent}
        key = desk.create(issue_type, summary, {**asked, **{name: text for name, text in given.items() if text}})
        _answer(app, desk, key, key)


@issue.command()
@click.argument("key")
@_field_option
@user_option
@json_option
@click.pass_obj
def edit(app: App, key: str, fields: tuple[str, ...], user: str | None) -> None:
    """Change fields of an issue.

    All that are named, or none. The status has a verb of its own: transition.
    """
    if not fields:
        raise click.UsageError("nothing to change: say --field NAME=VALUE")
    if any(field.partition("=")[0].rstrip("+-") == "status" for field in fields):
        raise click.UsageError("the status goes step by step: use: filesync issue transition KEY STATUS")
    with sitting(app, user) as desk:
        desk.edit(key, assigned(desk.definition, desk.show(key).issue.fields, fields))
        _answer(app, desk, key, None)


@issue.command()
@click.argument("key")
@click.argument("status")
@user_option
@json_option
@click.pass_obj
def transition(app: App, key: str, status: str, user: str | None) -> None:
    """Take an issue one step on in its workflow.

    STATUS is the status that the step leads to, or the name of the step.
    """
    with sitting(app, user) as desk:
        desk.transition(key, status)
        _answer(app, desk, key, None)


@issue.command()
@click.argument("key")
@click.argument("text", required=False)
@click.option("--edit", "edited", metavar="ID", help="Give this comment the new TEXT.")
@click.option("--delete", "deleted", metavar="ID", help="Delete this comment.")
@click.option(
    "--visible-to",
    metavar="WORD",
    help='Show it to these alone, one of the visibilities of the project; with --edit, "" is everybody.',
)
@user_option
@json_option
@click.pass_obj
def comment(
    app: App, key: str, text: str | None, edited: str | None, deleted: str | None, visible_to: str | None, user: str | None
) -> None:
    """Write, change or delete a comment.

    A new one's ID is printed; `filesync -q` prints it alone.
    """
    if (text is None) != (deleted is not None) or (deleted and (edited or visible_to is not None)):
        raise click.UsageError("say KEY TEXT, KEY TEXT --edit ID, or KEY --delete ID")
    with sitting(app, user) as desk:
        if deleted is not None:
            desk.delete_comment(key, deleted)
        elif edited is not None:
            desk.edit_comment(key, edited, text or "", visible_to=visible_to)
        else:
            edited = desk.comment(key, text or "", visible_to=visible_to or "")
            if not app.as_json:
                click.echo(edited if app.say is Say.LESS else f"comment {edited} on {key}")
        if app.as_json:
            app.tell_json({"key": key, "comment": edited or deleted, "deleted": deleted is not None})


@issue.command()
@click.argument("key")
@user_option
@json_option
@click.pass_obj
def delete(app: App, key: str, user: str | None) -> None:
    """Delete an issue with its links and all that belongs to it.

    One that is the parent of others is refused.
    """
    with sitting(app, user) as desk:
        desk.delete(key)
        if app.as_json:
            app.tell_json({"key": key, "deleted": True})


def _show(app: App, desk: Desk, key: str) -> None:
    page = desk.show(key)
    if app.as_json:
        app.tell_json(page_document(desk.definition, page))
    else:
        print_page(desk.definition, page)


def _answer(app: App, desk: Desk, key: str, line: str | None) -> None:
    """The issue as it is now, for those who asked for JSON; else the line a script needs."""
    if app.as_json:
        app.tell_json(document(desk.definition, desk.show(key).issue))
    elif line is not None:
        click.echo(line)
