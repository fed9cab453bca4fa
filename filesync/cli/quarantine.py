"""`filesync quarantine`: files that could not be taken, and what a person does about them."""

from __future__ import annotations

import click

from filesync.agent.asked.inspect import inspected
from filesync.agent.upkeep import quarantine as kept
from filesync.agent.upkeep.quarantine import Entry
from filesync.bundle.verdict import Code, shown
from filesync.cli.app import App, Verbs, json_option, time_text
from filesync.errors import ExitCode, size_text

_PROBLEM = 300  # characters


@click.group(cls=Verbs)
def quarantine() -> None:
    """List, show, retry or drop files that could not be taken.

    Nothing of them was applied. ID is the one that `list` shows, or enough of its beginning.
    """


@quarantine.command("list")
@json_option
@click.pass_obj
def list_(app: App) -> None:
    """List them, oldest first, each with its reason."""
    found = kept.entries(app.config())
    for one in found:
        _tell(app, one)
    if not found:
        app.tell("nothing is in quarantine")
    if app.as_json:
        app.tell_json([_document(one) for one in found])


@quarantine.command()
@click.argument("ident", metavar="ID")
@click.pass_obj
def show(app: App, ident: str) -> None:
    """Show all that is wrong with one, checked anew, and how it begins if it is no bundle at all."""
    config = app.config()
    one = kept.entry(config, ident)
    _tell(app, one)
    with inspected(one.path, config) as found:
        app.tell(f"    now: {'good, every byte and its signature' if found.good else found.code}")
        for problem in found.problems:
            app.tell(f"      {shown(str(problem), limit=_PROBLEM)}")
        if found.hint:
            app.tell(f"      hint: {found.hint}")
        if found.code == Code.NOT_A_BUNDLE:
            app.tell(f"    it begins: {kept.first_line(one)}")


@quarantine.command()
@click.argument("ident", metavar="ID")
@click.option("--exchange", metavar="NAME", help="Needed only where exchanges have inboxes of their own.")
@click.pass_obj
def retry(app: App, ident: str, exchange: str | None) -> ExitCode:
    """Put one into the inbox again, and import. Mend the cause first.

    What is still wrong with it brings it back when it has settled. Ends with 4 where it brought no bundle.
    """
    with app.site() as site:
        done = kept.retry(site, kept.entry(site.config, ident), exchange)
    app.tell(f"{done.bundles} applied, {done.held} held")
    return ExitCode.DONE if done.bundles or done.held else ExitCode.WORK_LEFT


@quarantine.command()
@click.argument("ident", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def drop(app: App, ident: str, yes: bool) -> None:
    """Remove one for good. The log keeps that it was there, and why it was refused."""
    with app.site() as site:
        one = kept.entry(site.config, ident)
        if not yes:
            question = f"Remove {one.name} ({one.code}, {size_text(one.size)}) for good?"
            app.confirm(question, otherwise="nothing was removed; it is in quarantine as before")
        kept.drop(site, one)


def _tell(app: App, one: Entry) -> None:
    since = time_text(one.since) if one.since is not None else "a time that is not known"
    app.tell(f"{one.id}  {one.name}, {size_text(one.size)}, since {since}")
    for problem in one.problems:
        app.tell(f"    {shown(problem, limit=_PROBLEM)}")


def _document(one: Entry) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "since": one.since,
        "code": one.code,
        "problems": one.problems,
        "size": one.size,
        "file": str(one.path),
    }
