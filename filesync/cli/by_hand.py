"""`filesync stop-issues` and `filesync start-issues`: single issues taken out of an exchange, or brought into it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from filesync.agent.asked.look import looking
from filesync.agent.events import count_text
from filesync.agent.upkeep.by_hand import Saying, say
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option, now, time_text
from filesync.cli.exchanges import exchange_option, only_one
from filesync.errors import ExitCode
from filesync.model.by_hand import Hand
from filesync.model.issue import Scope
from filesync.model.moments import moment

_keys = click.argument("keys", metavar="KEY…", nargs=-1, required=True)
_apply = click.option("--apply", "do", is_flag=True, help="Do it. Without it nothing is changed, and what would be is shown.")
_SCOPE = {
    Scope.IN: "which holds it",
    Scope.LEFT: "which does not hold it",
    Scope.MOVED: "and it is in another project",
    Scope.DOUBT: "and the tracker cannot tell just now whether that holds it",
}


@click.command("stop-issues")
@_keys
@_apply
@exchange_option
@json_option
@click.pass_obj
def stop_issues(app: App, *, keys: tuple[str, ...], do: bool, exchange: str | None) -> ExitCode:
    """Take single issues out of an exchange, until start-issues.

    Nothing of such an issue goes out any more, and nothing that the partner tells of it is written here: that waits. The
    partner is told that it left where mapping.yaml says `leaving: {out: tell}`. KEY is one of ours, a partner's, or a gid. A
    `filesync run` that is at work goes by it by itself. Ends with 3 where all of them were stopped already.
    """
    return _say(app, keys, Hand.STOPPED, exchange=exchange, do=do)


@click.command("start-issues")
@_keys
@click.option("--as-scope", is_flag=True, help="Let tracker.settings.scope say again which of these are sent.")
@_apply
@exchange_option
@json_option
@click.pass_obj
def start_issues(app: App, *, keys: tuple[str, ...], as_scope: bool, do: bool, exchange: str | None) -> ExitCode:
    """Bring single issues into an exchange, whatever the scope says, or let stopped ones go on.

    The next export tells all of one that the partner does not have, and what was edited meanwhile of one that was stopped; the
    next import applies what waited for it. KEY is as for stop-issues. Ends with 3 where it was so already.
    """
    return _say(app, keys, Hand.AS_SCOPE if as_scope else Hand.STARTED, exchange=exchange, do=do)


def _say(app: App, keys: tuple[str, ...], hand: Hand, *, exchange: str | None, do: bool) -> ExitCode:
    with looking(app.config(), clock=now) as site:
        x = only_one(site, exchange)
        found = say(site, x, keys, hand, apply=do)
    for one in found:
        for line in _lines(one, x.partner_name, done=do):
            app.tell(line)
    if app.as_json:
        app.tell_json({"exchange": x.name, "applied": do, "issues": [_document(one) for one in found]})
    return ExitCode.DONE if any(one.changes for one in found) else ExitCode.NOTHING


def _lines(one: Saying, partner: str, *, done: bool) -> Iterator[str]:
    key, them = shown(one.key), shown(partner)
    words = {Hand.STOPPED: "stopped", Hand.STARTED: "started", Hand.AS_SCOPE: "as the scope says"}
    if not one.changes:
        since = f", since {time_text(moment(one.was.since))}" if one.was is not None else ""
        yield f"{key}: {words[one.now]} already{since}"
        return
    yield f"{key}: {words[one.now]}" if done else f"{key}: would be {words[one.now]}, with --apply"
    match one.now:
        case Hand.STOPPED:
            yield from (f"  {line}" for line in _stopped(one, them))
        case Hand.STARTED | Hand.AS_SCOPE:
            yield from (f"  {line}" for line in _going(one, them))


def _stopped(one: Saying, them: str) -> Iterator[str]:
    if not one.known:
        yield f"{them} does not have it, and is not sent it"
        return
    yield f"nothing of it goes to {them} any more, and what {them} tells of it waits here"
    if one.told:
        yield f"{them} is told by the next export that it left"
    else:
        yield f"{them} is not told that: mapping.yaml does not say `leaving: {{out: tell}}`"


def _going(one: Saying, them: str) -> Iterator[str]:
    if one.kept:
        yield f"nothing of it is sent all the same: {one.kept}"
    elif one.scope is None:
        yield f"it is not in our tracker any more: its deletion goes to {them} with the next export"
    else:
        what = "what was edited meanwhile" if one.known else "all of it"
        if one.now is Hand.STARTED:
            yield f"{what} goes to {them} with the next export, whatever tracker.settings.scope says"
        elif one.scope is Scope.IN:
            yield f"{what} goes to {them} with the next export, by tracker.settings.scope, {_SCOPE[one.scope]}"
        else:
            yield f"nothing of it goes out by tracker.settings.scope, {_SCOPE[one.scope]}"
    if one.waiting:
        goes = "is" if one.waiting == 1 else "are"
        yield f"{count_text(one.waiting, 'change')} of {them} that waited {goes} applied by the next import"


def _document(one: Saying) -> dict[str, object]:
    return {
        "key": one.key,
        "gid": one.gid,
        "before": one.was.hand if one.was is not None else Hand.AS_SCOPE,
        "now": one.now,
        "since": moment(one.was.since) if one.was is not None and not one.changes else None,
        "scope": one.scope,
        "known": one.known,
        "told": one.told,
        "waiting": one.waiting,
        "kept": one.kept,
    }
