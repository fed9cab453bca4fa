"""`filesync draft`: a first contract and mapping, out of what the tracker has."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from filesync.agent.drafts.files import Drafted, Made, draft_site
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option, now
from filesync.cli.progress import waiting
from filesync.errors import ExitCode

_LINE: Final = 300  # characters
_IN_USE: Final = "Something was exchanged under the contract: another one is proposed, with `filesync contract propose FILE`."


@click.command()
@click.option(
    "--contract", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The partner's contract."
)
@json_option
@click.pass_obj
def draft(app: App, contract: Path | None) -> ExitCode:
    """Draft contract and mapping from what the tracker has.

    Asks the tracker for its types, statuses, fields, options and types of links. Writes contract.yaml, or takes the
    partner's with --contract, and mapping.yaml with what is surely the same; guesses and gaps are comments in it. A file
    that a person wrote, or that something was exchanged under, is kept; one that `filesync init` wrote for everybody is not.
    """
    config = app.config()
    with waiting(app.progress()):
        drafted = draft_site(config, agreed=contract, clock=now)
    tell_drafted(app, drafted, config=config.path)
    if app.as_json:
        app.tell_json(drafted)
    return ExitCode.NOTHING if {drafted.contract, drafted.mapping} == {Made.KEPT} else ExitCode.DONE


def tell_drafted(app: App, drafted: Drafted | None, *, config: Path) -> None:
    """Say what became of both files, and what a person has to decide."""
    if drafted is None:
        return
    words = {
        Made.DRAFTED: f"drafted from {drafted.tracker}",
        Made.TAKEN: "taken as the partner has it",
        Made.KEPT: "kept as it was",
    }
    app.tell(f"contract: {words[drafted.contract]}")
    app.tell(f"mapping: {words[drafted.mapping]}")
    for problem in drafted.unmatched:
        app.tell(f"  {shown(str(problem), limit=_LINE)}")
    if drafted.unmatched:
        app.tell("What comes in for these is refused until the mapping names our words for them, or both contracts drop them.")
    made = (
        {"the mapping": drafted.mapping}
        if drafted.in_use
        else {"the contract": drafted.contract, "the mapping": drafted.mapping}
    )
    if kept := [name for name, one in made.items() if one is Made.KEPT]:
        app.tell(f"To have {' or '.join(kept)} drafted anew, move it away and run `filesync draft` again.")
    if drafted.in_use and drafted.contract is Made.KEPT:
        app.tell(_IN_USE)
    if Made.DRAFTED in {drafted.contract, drafted.mapping}:
        app.tell(f"Read what was drafted beside {config}, and change it: then `filesync check` says whether it fits.")
