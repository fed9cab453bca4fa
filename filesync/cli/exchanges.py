"""Exchanges on the command line: which one is meant, and one export or import of each, where one holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from secrets import token_hex
from typing import Any, Final, Generic, Protocol, TypeVar

import click
import msgspec

from filesync.agent.discreet import without_values
from filesync.agent.events import Event
from filesync.agent.mailing.found import Pass, loud
from filesync.agent.mailing.post import Post, mail_failure
from filesync.agent.running.lanes import Job
from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.cli.app import App, now
from filesync.errors import ExitCode, FilesyncError, NotHere, PairingError, Paused, StorageFailure
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State


class _Told(Protocol):
    """What an import or export came to."""

    @property
    def events(self) -> tuple[Event, ...]:
        """What it told."""
        ...


Done = TypeVar("Done")
Loud = TypeVar("Loud", bound=_Told)
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

# From nothing at all to what needs a person most.
_WORSE: Final = (
    ExitCode.NOTHING,
    ExitCode.DONE,
    ExitCode.WORK_LEFT,
    ExitCode.USAGE,
    ExitCode.INTERRUPTED,
    ExitCode.REJECTED,
    ExitCode.TRACKER,
    ExitCode.PARTNER,
    ExitCode.STOPPED,
    ExitCode.LOCKED,
    ExitCode.CONFIG,
    ExitCode.DISK,
    ExitCode.RECOVER,
    ExitCode.BUG,
)


class Results(Generic[Done]):
    """What each exchange came to."""

    def __init__(self) -> None:
        self.done: dict[str, Done] = {}
        self.failed: dict[str, FilesyncError] = {}
        self.paused: list[str] = []

    def status(self, done: Iterable[ExitCode]) -> ExitCode:
        """The worst of all exchanges: `done` is that of those that went through."""
        return worst([*done, *(error.exit_code for error in self.failed.values())])

    def summary(self, app: App, words: Callable[[Done], str]) -> None:
        """Name each exchange and what it came to, where there are several: `words` says what was done on one."""
        if len(self.done) + len(self.failed) + len(self.paused) < 2:  # noqa: PLR2004 - of one, all was said
            return
        lines = {name: words(one) for name, one in self.done.items()}
        lines |= {name: f"failed: {shown(str(error), limit=200)}" for name, error in self.failed.items()}
        lines |= dict.fromkeys(self.paused, "paused")
        if any(lines[name] for name in self.done) or self.failed:
            for name in sorted(lines):
                app.tell(f"{name}: {lines[name] or 'nothing'}")


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit status that needs a person most; NOTHING of none."""
    return max(codes, key=_WORSE.index, default=ExitCode.NOTHING)


def exchange_option(verb: Decorated) -> Decorated:
    """Give a verb `--exchange`."""
    return click.option("--exchange", metavar="NAME", help="This exchange alone, by its name here or its partner's.")(verb)


def named(exchanges: Iterable[Exchange], name: str) -> Exchange:
    """The exchange that a person means by its name, or by that of its partner. Raises NotHere."""
    there = list(exchanges)
    found = [one for one in there if one.name == name] or [one for one in there if one.partner_name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotHere(
            f"there are {len(found)} exchanges with {shown(name)}: {', '.join(one.name for one in found)}",
            hint="name one of these",
        )
    known = ", ".join(f"{one.name} with {one.partner_name}" for one in there if one.partner_name)
    raise NotHere(
        f"there is no partner or exchange named {shown(name)!r} here",
        hint=f"There are: {known}." if known else "Paired with nobody yet.",
    )


def only_one(site: Site, name: str | None) -> Exchange:
    """The exchange that a person means; without a name, the only one there is. Raises NotHere, PairingError."""
    with site.ledger.begin() as conn:
        there = [one for one in streams.exchanges(conn) if one.state is not State.OFFERED]
    if name is not None:
        return named(there, name)
    if not there:
        raise PairingError("paired with nobody yet", hint="see: filesync pair --help")
    if len(there) > 1:
        raise NotHere(f"there are {len(there)} exchanges", hint="Name one of them with --exchange.")
    return there[0]


def each_exchange(
    app: App, work: Callable[[Site, str], Done], *, only: str | None = None, without: Direction | None = None
) -> Results[Done]:
    """Do the work for every paired exchange, but for those of one direction; or for the one that was named.

    Failures, and that an exchange is paused, are told as they happen. Raises what opening the site raises, PairingError
    where nothing is paired, NotHere where that name is unknown, and StorageFailure: a disk that failed is written to no more.
    """
    with app.site() as site:
        return _each(app, site, work, only=only, without=without)


def each_mailed(
    app: App, work: Callable[[Site, str], Loud], job: Job, *, only: str | None = None, without: Direction | None = None
) -> Results[Loud]:
    """An import or export of every exchange, as `each_exchange`; then people are written to of what newly needs them."""
    config = app.config()
    try:
        with app.site() as site:
            post = Post(site)
            results = _each(app, site, work, only=only, without=without)
            for name, one in results.done.items():
                post.note(Pass(exchange=name, job=job, events=[event for event in one.events if loud(event)]))
            for name, error in results.failed.items():
                post.note(Pass(exchange=name, job=job, error=error))
            post.send()
    except FilesyncError as error:
        mail_failure(config, error, clock=now, random=token_hex, tell=app.hear)
        raise
    return results


def _each(
    app: App, site: Site, work: Callable[[Site, str], Done], *, only: str | None, without: Direction | None
) -> Results[Done]:
    results = Results[Done]()
    with site.ledger.begin() as conn:
        there = streams.exchanges(conn)
    paired = [one for one in there if one.state is not State.OFFERED]
    if only is not None:
        paired = [named(there, only)]
    elif not paired:
        raise PairingError(
            "paired with nobody yet, so there is nobody to exchange with",
            hint="Give the partner what `filesync pair export` prints, and accept theirs: filesync pair accept FILE",
        )
    for one in paired:
        if only is None and one.direction is without:
            continue
        try:
            results.done[one.name] = work(site, one.name)
        except StorageFailure:
            raise
        except Paused as error:
            results.paused.append(one.name)
            app.tell(f"{error}; {error.hint}")
        except FilesyncError as error:
            results.failed[one.name] = error
            app.tell_error(error)
    return results


def event_documents(events: tuple[Event, ...]) -> list[dict[str, Any]]:
    """Events for JSON, each with its sentence; as `Record` tells them."""
    told = map(without_values, events)
    return [{"severity": event.severity.value, "sentence": event.sentence(), **msgspec.to_builtins(event)} for event in told]
