"""`filesync run`: the site works on its own."""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from filesync.agent.running.loop import Around, Outcome
from filesync.agent.running.schedule import Every, Schedule, cron
from filesync.agent.running.serve import Served, serve, serve_once
from filesync.agent.running.service import Bell, Manager, Pulse, stop_signals
from filesync.bundle.verdict import shown
from filesync.cli.app import App, say_options
from filesync.cli.exchanges import worst
from filesync.cli.import_ import code_of
from filesync.cli.telling import LogFormat, Tell, teller
from filesync.errors import ConfigError, ExitCode, Problem
from filesync.settings import duration

_INTERVAL: Final = "5m"
_LOCALTIME: Final = Path("/etc/localtime")


@click.command("run")
@click.option("--once", is_flag=True, help="One import and one export of every exchange, then end.")
@click.option("--interval", metavar="TIME", help=f"Export every so often: 30s, 5m, 2h, 1d.  [default: {_INTERVAL}]")
@click.option("--cron", "line", metavar="'M H D M W'", help="Export at the times of this cron line instead.")
@click.option("--zone", metavar="ZONE", help="The time zone of --cron, as Europe/Berlin. Otherwise that of the machine.")
@click.option(
    "--log-format",
    type=click.Choice([one.value for one in LogFormat]),
    help="How to tell what happens, on stderr: lines for people, or one JSON document a line.  [default: text on a terminal]",
)
@say_options
@click.pass_obj
def run(app: App, once: bool, interval: str | None, line: str | None, zone: str | None, log_format: str | None) -> ExitCode:
    """Import what arrives and export on a schedule, until stopped.

    Ends with 0 when SIGTERM or Ctrl-C stopped it, between two changes; a second one ends it at once. With --once it ends
    with the status of the worst failure, else as `import` does, and with 130 where it was stopped before its end. Other
    verbs that change the site are told who works there.

    Several sites of this machine are served by one run: `filesync -c A.yaml -c B.yaml run`. What ends one of them is
    told, and the others go on; the status is then that of the first one that ended.
    """
    if interval is not None and line is not None:
        raise click.UsageError("--interval and --cron exclude each other")
    if once and (interval is not None or line is not None):
        raise click.UsageError("--once has no schedule: leave out --interval and --cron")
    if zone is not None and line is None:
        raise click.UsageError("--zone is for --cron")
    schedule: Schedule = _every(interval or _INTERVAL) if line is None else cron(line, _zone(zone))
    tell = teller(app.say, LogFormat(log_format) if log_format else None, several=len(app.configs) > 1)
    if len(app.configs) == 1:
        app.config()  # a configuration that is not there is told with its own hint
    with ExitStack() as stack:
        bells = [stack.enter_context(Bell()) for _ in app.configs]
        stopping = stack.enter_context(stop_signals(partial(_ring, bells)))
        sites = [Served(path, _around(bell, stopping, tell)) for path, bell in zip(app.configs, bells, strict=True)]
        if once:
            return _status(serve_once(sites, schedule=schedule))
        ended = serve(sites, schedule=schedule, manager=Manager(os.environ, time.monotonic))
    return ended[0].exit_code if ended else ExitCode.DONE


def _ring(bells: Iterable[Bell]) -> None:
    for bell in bells:
        bell.ring()


def _around(bell: Bell, stopping: Callable[[], bool], tell: Tell) -> Around:
    return Around(
        monotonic=time.monotonic,
        wait=bell.wait,
        ring=bell.ring,
        stopping=stopping,
        chance=random.SystemRandom().random,
        crew=lambda size: ThreadPoolExecutor(size, thread_name_prefix="exchange"),
        pulse=Pulse(lambda: None),
        tell=tell,
    )


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
