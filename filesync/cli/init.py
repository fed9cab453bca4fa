"""`filesync init`: a new site."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click
from click.core import ParameterSource

from filesync.agent.founding import CONFIG, NewSite, create_site
from filesync.cli.app import App, json_option, now
from filesync.cli.draft import tell_drafted
from filesync.cli.progress import waiting
from filesync.trackers.registry import OWN


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", required=True, metavar="NAME", help="What both sides call this site: a-z, 0-9 and -.")
@click.option("--tracker", default=OWN, show_default=True, metavar="KIND", help="The kind of tracker.")
@click.option("--project", default="ABC", show_default=True, metavar="KEY", help="The key of the tracker's project.")
@click.option(
    "--url", metavar="URL", help="Where Jira is: it is asked what the project has, for drafts of contract and mapping."
)
@click.option("--user", metavar="NAME", help="Who we are there, where that takes a name: on Cloud the account's e-mail.")
@click.option(
    "--token-file", metavar="FILE", type=click.Path(path_type=Path), help="The file with our token; else DIR/keys/jira-token."
)
@click.option("--token-env", metavar="NAME", help="The variable of the environment that holds our token.")
@click.option("--token-keyring", metavar="SERVICE", help="What our token stands under in the keyring.")
@click.option(
    "--contract", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The partner's contract."
)
@json_option
@click.pass_obj
def init(
    app: App,
    directory: Path,
    *,
    name: str,
    tracker: str,
    project: str,
    url: str | None,
    user: str | None,
    token_file: Path | None,
    token_env: str | None,
    token_keyring: str | None,
    contract: Path | None,
) -> None:
    """Make a new site in a folder.

    Writes DIR/filesync.yaml with comments, new keys under DIR/keys (our own is the first line of
    DIR/keys/allowed_signers), and the folders outbox, inbox, archive, store, quarantine, state and guard. Nothing that
    is there is overwritten.

    With --url, the Jira is asked what the project has: contract.yaml is a draft of that, or the partner's with --contract,
    and mapping.yaml a draft of our words for it. Read both before you pair. `filesync draft` does the same later.
    """
    given = {
        "url": url,
        "user": user,
        "token_file": None if token_file is None else _from(directory, token_file),
        "token_env": token_env,
        "token_keyring": token_keyring,
    }
    settings = {setting: value for setting, value in given.items() if value is not None}
    if settings and tracker == OWN:
        options = ", ".join(f"--{one.replace('_', '-')}" for one in settings)
        raise click.UsageError(f"{options}: only a Jira is asked over the network, and the tracker is {OWN}")
    new = NewSite(name=name, tracker=tracker, project=project, settings=settings, contract=contract)
    with waiting(app.progress()):
        drafted = create_site(directory, new, clock=now)
    config = directory / CONFIG
    app.tell(f"Made the site {name}: {config}")
    if click.get_current_context().get_parameter_source("project") is ParameterSource.DEFAULT:
        app.tell(f"Its project is {project}, as --project names no other.")
    tell_drafted(app, drafted, config=config)
    call = f"filesync -c {shlex.quote(str(config))}"
    if tracker != OWN and drafted is None:
        app.tell(f"First: write into {config} where the tracker is and who we are, and run: {call} draft")
    app.tell(f"Next: {call} pair export > {name}.json, and give that file to your partner.")
    if app.as_json:
        app.tell_json({"config": config, "drafted": drafted})


def _from(directory: Path, file: Path) -> str:
    """A file as the configuration in a folder names it."""
    place, folder = Path(os.path.abspath(file.expanduser())), Path(os.path.abspath(directory))  # noqa: PTH100 - links stay
    return str(place.relative_to(folder) if place.is_relative_to(folder) else place)
