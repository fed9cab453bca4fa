"""What all verbs of one call share: which site it is about, how much to say and in which form, and how it ends."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, ExitCode, FilesyncError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from filesync.agent.events import Event
    from filesync.agent.progress import Progress
    from filesync.agent.site import Site
    from filesync.cli.progress import Bar
    from filesync.config import Config
    from filesync.trackers.embedded import Desk

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

MOST: Final = 1_000_000  # of anything that is listed
_SENTENCE: Final = 1_000  # characters of an event's sentence; one that names many problems is cut


class Say(IntEnum):
    """How much a call says."""

    LESS = 0  # what needs a person
    NORMAL = 1  # what happened; nothing when nothing did
    MORE = 2  # also that nothing happened, and what is only of interest


class NotAgreed(FilesyncError):
    """A person was asked, and did not say yes. Nothing was done."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(slots=True)
class App:
    """One call of the command line."""

    configs: tuple[Path, ...] = (Path("filesync.yaml"),)  # of several sites where the verb is `run`
    say: Say = Say.NORMAL
    as_json: bool = False
    bar: Bar | None = None  # where long work is shown

    # A site brings SQLAlchemy and its like: 0.3 s that a verb which opens none, or shows its help, does not pay.

    def config(self) -> Config:
        """The configuration of the site. Raises ConfigError."""
        (path,) = self.configs
        if not path.is_file():
            inside = path / "filesync.yaml"
            near = f"a folder, not a configuration; did you mean {inside}?" if inside.is_file() else "no configuration there"
            raise ConfigError(
                [Problem(str(path), near)],
                hint="name it with `filesync -c CONFIG …`, go to its folder, or make a new site with `filesync init`",
            )
        from filesync.config import load_config  # noqa: PLC0415, start-up time

        return load_config(path)

    def site(self) -> Site:
        """The site, locked and open, for a `with`; what happens in it is told as it happens. Raises what `Site.open` raises."""
        from filesync.agent.site import Site  # noqa: PLC0415, start-up time

        site = Site.open(self.config(), sinks=[self.hear])
        site.progress = self.progress()
        return site

    def desk(self) -> Desk:
        """The desk at the embedded tracker. It takes no lock: people may work while an import runs. Raises ConfigError."""
        from filesync.trackers.registry import open_desk  # noqa: PLC0415, start-up time

        tracker = self.config().tracker
        return open_desk(tracker.kind, settings=tracker.settings, folder=tracker.base, clock=now)

    def progress(self) -> Progress:
        """What shows how far long work is: on a terminal, unless it was asked to say less, or to speak JSON."""
        from filesync.agent.progress import untold  # noqa: PLC0415, start-up time
        from filesync.cli.progress import Bar  # noqa: PLC0415, start-up time

        if self.as_json or self.say is Say.LESS or not sys.stderr.isatty():
            return untold
        self.bar = self.bar or Bar()
        return self.bar.show

    def clear(self) -> None:
        """Erase what shows how far long work is: other lines come, or it is over."""
        if self.bar is not None:
            self.bar.clear()

    def hear(self, event: Event) -> None:
        """Tell an event: what needs a person always, on stderr; the rest as much as was asked for."""
        sentence = shown(event.sentence(), limit=_SENTENCE)
        match event.severity.value:
            case "stop" | "warning":
                if not self.as_json and not (self.say is Say.LESS and _waits(event)):
                    self.clear()
                    click.echo(f"{event.severity.value}: {sentence}", err=True)
            case "info":
                self.tell(sentence)
            case _:
                self.tell(sentence, level=Say.MORE)

    def tell(self, text: str, *, level: Say = Say.NORMAL) -> None:
        """Print a line for people, unless it was asked to say less, or to speak JSON."""
        if self.say >= level and not self.as_json:
            self.clear()
            click.echo(text)

    def confirm(self, question: str, *, otherwise: str) -> None:
        """Ask a person before something is done for good. Raises NotAgreed where nobody says yes, or can be asked."""
        try:
            if click.confirm(question, err=self.as_json):
                return
        except click.Abort:  # no terminal, or Ctrl-C
            click.echo(err=self.as_json)  # the line of the question ends
        raise NotAgreed(otherwise, hint="where nobody can answer, as without a terminal, say so with --yes")

    def tell_json(self, value: object) -> None:
        """Print the answer as one JSON document. Values of our own, paths, enums and times become what JSON has."""
        import msgspec  # noqa: PLC0415, start-up time

        click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2))

    def tell_error(self, error: FilesyncError) -> None:
        """Print what went wrong to stderr: every problem on a line of its own, then what to do."""
        self.clear()
        problems: tuple[Problem, ...] = getattr(error, "problems", ())
        if self.as_json:
            import json  # noqa: PLC0415, start-up time

            document = {
                "error": error.exit_code.name,
                "exit_code": int(error.exit_code),
                "message": str(error),
                "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
                "hint": error.hint,
            }
            click.echo(json.dumps(document, ensure_ascii=False), err=True)
            return
        for line in [str(problem) for problem in problems] if len(problems) > 1 else [str(error)]:
            click.echo(f"filesync: {line}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)


def _waits(event: Event) -> bool:
    """Whether there is nothing to do yet: a bundle that is missing may be on its way."""
    from filesync.agent.incoming.bundles import Held  # noqa: PLC0415, start-up time
    from filesync.agent.incoming.pieces import BytesMissing, ChunksWait  # noqa: PLC0415, start-up time

    return isinstance(event, ChunksWait) or (isinstance(event, Held | BytesMissing) and not event.ask)


class Verbs(click.Group):
    """Verbs of which a mistyped one is guessed, and whose lines in the list are not cut where the terminal ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs, each with all of its first sentence."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=_SENTENCE)) for name, one in found if one is not None])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant. Raises UsageError."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # noqa: PLC0415, start-up time

            near = difflib.get_close_matches(args[0].casefold(), self.list_commands(ctx), n=1)
            if near and not args[0].startswith("-"):
                raise click.UsageError(f"No such verb: {args[0][:80]!r}; did you mean {near[0]!r}?", ctx) from error
            raise


def now() -> dt.datetime:
    """The time, for what has to be dated."""
    return dt.datetime.now(dt.UTC)


def time_text(moment: dt.datetime) -> str:
    """A moment for people, in UTC: the same on both sides and in every log."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span_text(span: dt.timedelta) -> str:
    """A length of time for people, in the largest unit of which it has one: 3 d, 5 h, 10 min."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def json_option(verb: Decorated) -> Decorated:
    """Give a verb `--json`."""

    def speak_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(App).as_json = True

    option = click.option(
        "--json", "as_json", is_flag=True, is_eager=True, expose_value=False, callback=speak_json, help="Answer as JSON."
    )
    return option(verb)


def say_options(verb: Decorated) -> Decorated:
    """Give `-v` and `-q`: to filesync itself, and to the verbs that tell what they do."""

    def say(level: Say) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
            app = ctx.ensure_object(App)
            if value and app.say not in {Say.NORMAL, level}:
                raise click.UsageError("-v and -q exclude each other")
            app.say = level if value else app.say

        return callback

    more = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=say(Say.MORE),
        help="Say also that nothing happened, and what is only of interest.",
    )
    less = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=say(Say.LESS), help="Say only what needs a person."
    )
    return more(less(verb))
