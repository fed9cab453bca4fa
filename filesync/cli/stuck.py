"""`filesync stuck`: what the tracker or the mapping refused, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from filesync.agent.asked.look import Refused, refused, undecided_in
from filesync.agent.asked.reading import reading
from filesync.agent.events import count_text
from filesync.agent.upkeep import stuck as refusals
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Verbs, json_option, time_text
from filesync.cli.exchanges import worst
from filesync.errors import ExitCode, FilesyncError, NotHere, StorageFailure
from filesync.model.ids import Mark, parse_mark
from filesync.model.moments import moment

_REASON = 300  # characters
_Verb = TypeVar("_Verb", bound=Callable[..., Any])


class Number(click.ParamType[Mark]):
    """The number of a change, as `stuck list` shows it."""

    name = "number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Mark:
        """Read it."""
        try:
            parse_mark(value)
        except ValueError:
            self.fail(
                f"{value[:80]!r} is no number of a change, like 0001.0000000002.000001; see: filesync stuck list", param, ctx
            )
        return Mark(value)


def _exchange_option(verb: _Verb) -> _Verb:
    return click.option("--exchange", metavar="NAME", help="Needed only where two exchanges have a change of this number.")(
        verb
    )


@click.group(cls=Verbs)
def stuck() -> None:
    """List, retry or skip what the tracker refused.

    A stuck change holds up later changes of the same issue or comment, and nothing else. Where an issue cannot be read,
    or is closed to partners, each import tries again by itself; where the tracker failed at a write, with growing pauses.
    """


@stuck.command("list")
@json_option
@click.pass_obj
def list_(app: App) -> None:
    """List what is stuck.

    Each with its number, its reason, and how much waits behind it.
    """
    with reading(app.config()) as conn:
        found = refused(conn)
    for one in found:
        about = one.change.about
        what = f"{one.change.__struct_config__.tag} {shown(one.key or about.key or one.row.gid)}"
        app.tell(f"{one.row.mark}  {one.exchange}  {what}, since {time_text(moment(one.row.since))}")
        app.tell(f"    {shown(one.row.reason, limit=_REASON)}")
        if one.behind:
            app.tell(f"    {count_text(one.behind, 'later change')} of it {'waits' if one.behind == 1 else 'wait'}")
    if not found:
        app.tell("nothing is stuck")
    if app.as_json:
        app.tell_json([_document(one) for one in found])


@stuck.command()
@click.argument("mark", metavar="[NUMBER]", required=False, type=Number())
@_exchange_option
@json_option
@click.pass_obj
def retry(app: App, mark: Mark | None, exchange: str | None) -> ExitCode:
    """Try one again, or all of them.

    Mend the cause first; ends with 4 where something is still refused.
    """
    counts, failed = [], []
    with app.site() as site:
        if mark is not None:
            counts = [refusals.retry(site, _exchange_of(app, mark, exchange), frozenset({mark}))]
        elif exchange is not None:
            counts = [refusals.retry(site, exchange, None)]
        else:
            for name in site.exchange_names():
                try:
                    counts.append(refusals.retry(site, name, None))
                except StorageFailure:
                    raise
                except FilesyncError as error:  # one holds up no other
                    failed.append(error.exit_code)
                    app.tell_error(error)
    again = sum(one.refused for one in counts)
    applied, idle = sum(one.applied for one in counts), sum(one.skipped for one in counts)
    with reading(app.config()) as conn:
        left = [one for one in refused(conn) if exchange in {None, one.exchange} and mark in {None, one.row.mark}]
    for one in left:
        app.tell(f"{one.row.mark}: {shown(one.row.reason, limit=_REASON)}")
    app.tell(f"{applied} applied, {idle} needed nothing, {again} refused again")
    if app.as_json:
        app.tell_json({"applied": applied, "skipped": idle, "refused": again, "stuck": [_document(one) for one in left]})
    return worst([ExitCode.WORK_LEFT if again else ExitCode.DONE, *failed])


@stuck.command()
@click.argument("mark", metavar="NUMBER", type=Number())
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the log.")
@_exchange_option
@json_option
@click.pass_obj
def skip(app: App, mark: Mark, reason: str, exchange: str | None) -> None:
    """Decide one for good: what stands here stays.

    Our value of a skipped field is sent back to the partner. After a skipped creation or deletion each side keeps its own.
    """
    with app.site() as site:
        refusals.skip(site, _exchange_of(app, mark, exchange), mark, reason=reason)
    if app.as_json:
        app.tell_json({"mark": mark, "skipped": True, "reason": reason})


def _exchange_of(app: App, mark: Mark, exchange: str | None) -> str:
    """The exchange in which this change is stuck."""
    if exchange is not None:
        return exchange
    with reading(app.config()) as conn:
        names = undecided_in(conn, mark)
    if not names:
        raise NotHere(f"change {shown(mark)} is not stuck", hint="see which are: filesync stuck list")
    if len(names) > 1:
        raise click.UsageError(f"change {mark} is stuck in several exchanges ({', '.join(names)}): name one with --exchange")
    return names[0]


def _document(one: Refused) -> dict[str, object]:
    return {
        "mark": one.row.mark,
        "exchange": one.exchange,
        "gid": one.row.gid,
        "key": one.change.about.key,
        "reason": one.row.reason,
        "since": moment(one.row.since),
        "behind": one.behind,
        "change": one.change,
    }
