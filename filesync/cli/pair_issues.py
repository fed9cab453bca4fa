"""`filesync pair-issues`: issues that both sites had before they exchanged anything."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import click

from filesync.agent.events import count_text
from filesync.agent.upkeep.matches import ByField, ByKey, ByTable, Match
from filesync.agent.upkeep.tying import Stands, Tie, Ties, tie_issues
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option
from filesync.cli.exchanges import exchange_option, only_one
from filesync.errors import ConfigError, ExitCode, NotHere, Problem, disk_problem
from filesync.model.values import FieldKind
from filesync.rules.contract import Contract
from filesync.settings import did_you_mean

_COLUMNS: Final = ("ours", "theirs")
_SEPARATORS: Final = ",;\t"


@click.command("pair-issues")
@click.option("--by-key", is_flag=True, help="Issues with the same key are the same.")
@click.option("--by-field", metavar="NAME", help="Issues with the same value in this field of the contract are the same.")
@click.option(
    "--csv", "table", metavar="FILE", type=click.Path(path_type=Path), help="A table of keys, with the columns ours and theirs."
)
@click.option(
    "--stands",
    required=True,
    type=click.Choice([one.value for one in Stands]),
    help="Whose values stand where the two differ; contract: as it says for edits that met.",
)
@click.option("--apply", "tie", is_flag=True, help="Tie them. Without it nothing is tied, and what would be is shown.")
@exchange_option
@json_option
@click.pass_obj
def pair_issues(
    app: App, *, by_key: bool, by_field: str | None, table: Path | None, stands: str, tie: bool, exchange: str | None
) -> ExitCode:
    """Tie issues that both sites had before, so that none is made twice.

    To be run at one site, before anything is imported there: once the partner's first export has arrived, and before this
    site's own first export. Comments, attachments and worklogs that are the same on both sides are tied, too; what only one
    side has goes to the other. Nothing is written into the tracker: the next import and export bring both in step. Ends
    with 3 where no issue is found on both sides, with 4 where it is not clear of some which belong together, or a line of
    the table names one that is not there.
    """
    match = _match(by_key=by_key, by_field=by_field, table=table)
    with app.site() as site:
        one = only_one(site, exchange)
        if by_field is not None:
            _check_field(site.paired(one.name).rules.contract, by_field)
        found = tie_issues(site, one.name, match, stands=Stands(stands), tie=tie)
    _tell(app, found, partner=one.partner_name)
    if app.as_json:
        app.tell_json(_document(found))
    return ExitCode.WORK_LEFT if found.unclear else ExitCode.DONE if found.ties else ExitCode.NOTHING


def _check_field(contract: Contract, name: str) -> None:
    field = contract.fields.get(name)
    if field is None:
        near = did_you_mean(name, contract.fields)
        raise NotHere(f"the contract has no field {shown(name)!r}{near}", hint="its fields are in contract.yaml")
    if field.spec.many or field.spec.kind is FieldKind.CASCADE:
        raise NotHere(f"{name} does not hold one word by which an issue is known", hint="Name another field.")


def _match(*, by_key: bool, by_field: str | None, table: Path | None) -> Match:
    if [by_key, by_field is not None, table is not None].count(True) != 1:
        raise click.UsageError("say one of --by-key, --by-field NAME and --csv FILE")
    if table is not None:
        return ByTable(keys=_read(table))
    return ByKey() if by_field is None else ByField(name=by_field)


def _read(path: Path) -> dict[str, str]:
    """The keys of a table: ours, and the partner's for each. Raises ConfigError with every problem."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            by = next((one for one in _SEPARATORS if one in head), ",")
            columns = [one.strip() for one in next(csv.reader([head], delimiter=by), [])]
            rows = list(csv.DictReader(file, columns, delimiter=by))
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError([Problem(str(path), f"is no table: {error}")], hint="It is CSV in UTF-8.") from error
    hint = f"Its first line is: {by.join(_COLUMNS)}"
    if missing := [one for one in _COLUMNS if one not in columns]:
        raise ConfigError([Problem(f"{path}:1", f"names no column {' and no column '.join(missing)}")], hint=hint)
    keys: dict[str, str] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=2):
        ours, theirs = ((row.get(one) or "").strip() for one in _COLUMNS)
        if not ours or not theirs:
            problems.append(Problem(f"{path}:{number}", "a line names a key of ours and one of theirs"))
        elif ours in keys:
            problems.append(Problem(f"{path}:{number}", f"{shown(ours)} stands there twice"))
        keys[ours] = theirs
    if problems or not rows:
        problems = problems or [Problem(str(path), "names no issue")]
        raise ConfigError(problems, hint=hint)
    return keys


def _tell(app: App, found: Ties, *, partner: str) -> None:
    for one in found.ties:
        differs = f", differ in {', '.join(one.differs)}" if one.differs else ""
        below = f", {one.below} of what belongs to them" if one.below else ""
        app.tell(f"{shown(one.ours)} = {shown(one.theirs)} at {partner}{differs}{below}")
    for key, why in found.unclear.items():
        app.tell(f"{shown(key)}: {shown(why)}")
    if unread := sum(one.unread for one in found.ties):
        why = "their bytes were not compared, for they are larger than limits.inline_blob or cannot be read now"
        app.tell(f"of these {count_text(unread, 'attachment')} by name and size alone: {why}")
    alone = f"; {count_text(found.alone, 'issue')} of {partner} will be new here"
    what = "tied" if found.tied else "would be tied, with --apply"
    app.tell(f"{count_text(len(found.ties), 'issue')} {what}{alone}")
    if found.several:
        app.tell(
            f"Of these {count_text(found.several, 'issue')} would stand here twice, for it is not clear which are ours: "
            "say it in a table (--csv) before the next import."
        )
    elif not found.came:
        app.tell(f"Nothing of {partner} has come yet: once its first export lies in the inbox, run this again.")
    elif not found.ties and not found.alone:
        app.tell(
            "What was imported already cannot be tied: take what stands here twice out of the scope before the next export."
        )


def _document(found: Ties) -> dict[str, object]:
    return {
        "tied": found.tied,
        "issues": [_tie(one) for one in found.ties],
        "alone": found.alone,
        "several": found.several,
        "unclear": found.unclear,
    }


def _tie(one: Tie) -> dict[str, object]:
    return {
        "ours": one.ours,
        "theirs": one.theirs,
        "gid": one.gid,
        "differs": list(one.differs),
        "below": one.below,
        "unread": one.unread,
    }
