"""`filesync run`: the site works on its own."""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
import structlog

from filesync.agent.events import Event, Severity, Stopped, Stuck
from filesync.agent.incoming.arrivals import Arriving, Damaged
from filesync.agent.outgoing.departures import NotTold
from filesync.agent.running.loop import Around, Outcome
from filesync.agent.running.news import LeftAlone
from filesync.agent.running.schedule import Every, Schedule, cron
from filesync.agent.running.serve import serve, serve_once
from filesync.agent.running.service import Bell, Manager, stop_signals
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Say, now, say_options, time_text
from filesync.cli.exchanges import worst
from filesync.cli.import_ import code_of
from filesync.config import duration
from filesync.errors import ConfigError, ExitCode, Problem

_INTERVAL: Final = "5m"
_SENTENCE: Final = 1_000  # characters
_LEVELS: Final = {Severity.STOP: "error", Severity.WARNING: "warning", Severity.INFO: "info", Severity.DEBUG: "debug"}
_NOT_VALID: Final = "is not valid:"  # what follows comes from the schema
_LOCALTIME: Final = Path("/etc/localtime")


@click.command("run")
@click.option("--once", is_flag=True, help="One import and one export of every exchange, then end.")
@click.option("--interval", metavar="TIME", help=f"Export every so often: 30s, 5m, 2h, 1d.  [default: {_INTERVAL}]")
@click.option("--cron", "line", metavar="'M H D M W'", help="Export at the times of this cron line instead.")
@click.option("--zone", metavar="ZONE", help="The time zone of --cron, as Europe/Berlin. Otherwise that of the machine.")
@say_options
@click.pass_obj
def run(app: App, once: bool, interval: str | None, line: str | None, zone: str | None) -> ExitCode:
    """Import what arrives and export on a schedule, until stopped.

    Ends with 0 when SIGTERM or Ctrl-C stopped it, between two changes; a second one ends it at once. With --once it ends
    with the status of the worst failure, else as `import` does, and with 130 where it was stopped before its end. Other
    verbs that change the site are told who works there. Where stderr is not a terminal, each event is one line of JSON there.
    """
    if interval is not None and line is not None:
        raise click.UsageError("--interval and --cron exclude each other")
    if once and (interval is not None or line is not None):
        raise click.UsageError("--once has no schedule: leave out --interval and --cron")
    if zone is not None and line is None:
        raise click.UsageError("--zone is for --cron")
    schedule: Schedule = _every(interval or _INTERVAL) if line is None else cron(line, _zone(zone))
    app.config()  # a configuration that is not there is told with its own hint
    with Bell() as bell, stop_signals(bell) as stopping:
        around = Around(
            monotonic=time.monotonic,
            wait=bell.wait,
            stopping=stopping,
            chance=random.SystemRandom().random,
            alive=lambda: None,
            tell=_teller(app),
        )
        if once:
            return _status(serve_once(app.config_path, schedule=schedule, around=around))
        serve(app.config_path, schedule=schedule, around=around, bell=bell, manager=Manager(os.environ, time.monotonic))
    return ExitCode.DONE


def _status(outcome: Outcome) -> ExitCode:
    if outcome.halted:
        return ExitCode.INTERRUPTED
    sent = [ExitCode.DONE for one in outcome.exports if one.bundles]
    return worst([*map(code_of, outcome.imports), *sent, *(error.exit_code for error in outcome.failed)])


def _every(text: str) -> Every:
    span = duration(text) if re.fullmatch(r"[0-9]{1,6}[smhd]", text, re.ASCII) else dt.timedelta()
    if not span:
        raise click.UsageError(f"--interval: {shown(text)!r} is no time; write 30s, 5m, 2h or 1d")
    return Every(span)


def _zone(name: str | None) -> dt.tzinfo:
    """The zone of this name, or of the machine: $TZ, else /etc/localtime, else UTC. Raises ConfigError."""
    wanted = name or os.environ.get("TZ", "").removeprefix(":")
    try:
        if wanted:
            return ZoneInfo(wanted)
        if _LOCALTIME.exists():
            with _LOCALTIME.open("rb") as file:
                return ZoneInfo.from_file(file, key="local time")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            [Problem("--zone" if name else "TZ", f"there is no time zone {shown(wanted or str(_LOCALTIME))!r} here")],
            hint="Write a name as Europe/Berlin; Debian's package tzdata brings them.",
        ) from error
    return dt.UTC


def _teller(app: App) -> Callable[[str, Event], None]:
    """Lines for people where stderr is a terminal, else a log."""
    least = {Say.LESS: (Severity.STOP, Severity.WARNING), Say.NORMAL: (Severity.STOP, Severity.WARNING, Severity.INFO)}
    wanted = least.get(app.say, tuple(Severity))
    write = _line if sys.stderr.isatty() else _log()

    def tell(exchange: str, event: Event) -> None:
        if event.severity in wanted:
            write(exchange, event)

    return tell


def _line(exchange: str, event: Event) -> None:
    loud = f"{event.severity.value}: " if event.severity in {Severity.STOP, Severity.WARNING} else ""
    about = f"{exchange}: " if exchange else ""
    click.echo(f"{time_text(now())}  {about}{loud}{shown(event.sentence(), limit=_SENTENCE)}", err=True)


def _log() -> Callable[[str, Event], None]:
    """One JSON document a line: at, level, exchange, kind, event (the sentence)."""
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer(ensure_ascii=False)],
    )

    def write(exchange: str, event: Event) -> None:
        told = getattr(logger, _LEVELS[event.severity])
        sentence = shown(_without_values(event).sentence(), limit=_SENTENCE)
        told(sentence, at=now().isoformat(timespec="seconds"), exchange=exchange or None, kind=type(event).__name__)

    return write


def _without_values(event: Event) -> Event:
    """The event for a log that others may read: without the words of a tracker, mapping or schema, which may quote a value."""
    said: dict[str, object] = {}
    match event:
        case Stuck():
            said = {"why": "the reason is in `filesync stuck list`"}
        case NotTold():
            said = {"why": "the reason is in `filesync log`"}
        case Damaged():  # the beginning of a text that somebody put there may be quoted, too
            said = {"problems": ["what is wrong is in `filesync log`"]}
        case Arriving():
            said = {"problem": "what it lacks is in `filesync log`"}
        case Stopped() if _NOT_VALID in event.why:
            said = {"why": _cut(event.why)}
        case LeftAlone() if _NOT_VALID in event.what:
            said = {"what": _cut(event.what)}
    return msgspec.structs.replace(event, **said)


def _cut(why: str) -> str:
    return f"{why[: why.index(_NOT_VALID)]}{_NOT_VALID} what is wrong is in `filesync status`."
