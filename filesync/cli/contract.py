"""`filesync contract`: what both sites share, and how it is changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import click

from filesync.agent.contract import propose as changes
from filesync.agent.contract.propose import Standing
from filesync.agent.events import count_text
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Verbs, json_option, time_text
from filesync.cli.exchanges import exchange_option, only_one
from filesync.errors import ExitCode
from filesync.ledger.proposals import OPEN, WITHDRAWN, Proposal
from filesync.model.moments import moment

_LINE = 300  # characters of a line of the partner's
_MAPPING = "The mapping.yaml that goes with it; without it ours stays."


@click.group(cls=Verbs)
def contract() -> None:
    """Look at the contract with a partner, and change it.

    A change is proposed at one site and accepted at the other. Until then the proposer sends nothing new; from then on both
    are at work under the new contract, and no edit is lost.
    """


@contract.command()
@exchange_option
@json_option
@click.pass_obj
def show(app: App, exchange: str | None) -> ExitCode:
    """Show the contract in force, and what is proposed.

    Ends with 4 where a proposal of the partner's waits for somebody here.
    """
    with app.site() as site:
        found = changes.standing(site, only_one(site, exchange).name)
    one = found.proposal
    app.tell(f"contract {found.version} ({found.digest[:8]}) is in force")
    if one is not None:
        who = "proposed here" if one.ours else "proposed by the partner"
        who = "withdrawn here, and the partner has not answered that," if one.state == WITHDRAWN else who
        app.tell(f"contract {one.version} ({one.digest[:8]}) is {who} since {time_text(moment(one.since))}")
        if one.message:
            app.tell(f"message: {shown(one.message, limit=_LINE)}")
        for line in _diff(found.text, one.text):
            app.tell(shown(line, limit=_LINE))
        again = f"{count_text(found.again, 'issue')} will be told again by the proposer"
        app.tell(f"it cannot be read here: {found.unreadable}" if found.unreadable else again)
        _tell_misfits(app, found)
        for line in _next(one, exchange, unreadable=bool(found.unreadable)):
            app.tell(line)
    if app.as_json:
        app.tell_json(_document(found))
    return ExitCode.WORK_LEFT if one is not None and not one.ours else ExitCode.DONE


@contract.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--message", required=True, metavar="TEXT", help="Why; the partner reads it.")
@click.option("--mapping", metavar="FILE", type=click.Path(path_type=Path), help=_MAPPING)
@exchange_option
@json_option
@click.pass_obj
def propose(app: App, *, file: Path, message: str, mapping: Path | None, exchange: str | None) -> None:
    """Propose the contract in FILE to the partner.

    It travels in the next bundle. On an exchange that only sends it is in force at once, and what the partner gets after it
    is held there until somebody accepts it.
    """
    with app.site() as site:
        found = changes.propose(site, only_one(site, exchange).name, file, mapping=mapping, message=message)
    _tell_misfits(app, found)
    app.tell(f"Once it is in force, {count_text(found.again, 'issue')} will be told again.")
    if app.as_json:
        app.tell_json(_document(found))


@contract.command()
@click.option("--mapping", metavar="FILE", type=click.Path(path_type=Path), help=_MAPPING)
@exchange_option
@json_option
@click.pass_obj
def accept(app: App, mapping: Path | None, exchange: str | None) -> None:
    """Accept what the partner proposed.

    contract.yaml here becomes the proposed one, and mapping.yaml what --mapping names. Where our mapping does not fit it,
    everything that does not is told, and nothing is changed.
    """
    with app.site() as site:
        one = changes.accept(site, only_one(site, exchange).name, mapping=mapping)
    if app.as_json:
        app.tell_json({"version": one.version, "digest": one.digest, "accepted": True})


@contract.command()
@click.option("--message", required=True, metavar="TEXT", help="Why; the partner reads it.")
@exchange_option
@json_option
@click.pass_obj
def decline(app: App, message: str, exchange: str | None) -> None:
    """Decline what the partner proposed: the contract before stays in force on both sides."""
    with app.site() as site:
        one = changes.decline(site, only_one(site, exchange).name, message=message)
    if app.as_json:
        app.tell_json({"version": one.version, "digest": one.digest, "accepted": False})


@contract.command()
@click.option("--message", required=True, metavar="TEXT", help="Why; the partner reads it.")
@exchange_option
@json_option
@click.pass_obj
def withdraw(app: App, message: str, exchange: str | None) -> None:
    """Take back what was proposed here and nobody has answered.

    It travels in the next bundle, and the filesync there answers by itself. Where the contract was accepted before that,
    it is in force on both sides.
    """
    with app.site() as site:
        one = changes.withdraw(site, only_one(site, exchange).name, message=message)
    if app.as_json:
        app.tell_json({"version": one.version, "digest": one.digest, "withdrawn": True})


def _tell_misfits(app: App, found: Standing) -> None:
    """What would be refused here: not in the way of the contract, but to be mended beside it."""
    for place, one in enumerate(found.misfits):
        if not place:
            app.tell("under it this would be refused here, until our mapping or tracker has a place for it:")
        app.tell(f"  {shown(str(one), limit=_LINE)}")


def _next(one: Proposal, exchange: str | None, *, unreadable: bool) -> Iterator[str]:
    """What somebody here can do about a proposal. `exchange`: as it was asked for."""
    which = f" --exchange {exchange}" if exchange else ""
    if one.instead_of:
        yield (
            f"ours, contract {one.instead_of}, gave way to it: once it is decided, where ours is still wanted, count that up "
            f"and: filesync contract propose FILE --message TEXT{which}"
        )
    if not one.ours and one.state == OPEN:
        mapping = " (--mapping FILE, where ours does not fit it)"
        first = "upgrade this site, where a newer filesync made it; then: " if unreadable else ""
        yield f"next: {first}filesync contract accept{which}{mapping}; or: filesync contract decline --message TEXT{which}"
    elif one.state == OPEN:
        yield f"next: wait for the partner's answer; or: filesync contract withdraw --message TEXT{which}"


def _diff(before: str, after: str) -> Iterator[str]:
    return difflib.unified_diff(before.splitlines(), after.splitlines(), "in force", "proposed", lineterm="", n=2)


def _document(found: Standing) -> dict[str, object]:
    one = found.proposal
    return {
        "version": found.version,
        "digest": found.digest,
        "proposal": None
        if one is None
        else {"version": one.version, "digest": one.digest, "ours": one.ours, "message": one.message, "text": one.text}
        | {"withdrawn": one.state == WITHDRAWN, "unreadable": found.unreadable, "instead_of": one.instead_of},
        "again": found.again,
        "misfits": [str(one) for one in found.misfits],
    }
