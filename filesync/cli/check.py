"""`filesync check`: whether this site can work."""

from __future__ import annotations

import click

from filesync.agent.asked.beside import with_rules
from filesync.agent.asked.check import check_site
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option, now
from filesync.cli.progress import waiting
from filesync.errors import ConfigError, ExitCode

_PROBLEM = 1_000  # characters


@click.command()
@click.option("--mail", "letter", is_flag=True, help="Send a letter to try the mail, too.")
@json_option
@click.pass_obj
def check(app: App, letter: bool) -> ExitCode:
    """Check the configuration, folders, rights, space, keys, tracker and mail server.

    All problems are told at once; nothing is changed. Ends with the status of the first problem.
    """
    try:
        config = app.config()
    except ConfigError as error:
        (path,) = app.configs
        raise with_rules(error, path) from error
    with waiting(app.progress()):
        found = check_site(config, clock=now, letter=letter)
    for one in found:
        app.tell(
            f"{'BAD ' if one.problems else 'ok  '} {one.what}{f': {shown(one.found, limit=_PROBLEM)}' if one.found else ''}"
        )
        for note in one.notes:
            app.tell(f"       note: {shown(str(note), limit=_PROBLEM)}")
        for problem in one.problems:
            app.tell(f"       {shown(str(problem), limit=_PROBLEM)}")
        if one.hint:
            app.tell(f"       hint: {one.hint}")
    if app.as_json:
        app.tell_json(found)
    return next((one.exit_code for one in found if one.problems), ExitCode.DONE)
