"""What `filesync run` tells: lines for people on a terminal, else a log of one JSON document a line."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from typing import Any, Final

import click
import structlog

from filesync.agent.discreet import without_values
from filesync.agent.events import Event, Severity
from filesync.bundle.verdict import shown
from filesync.cli.app import Say, now, time_text

_SENTENCE: Final = 1_000  # characters
_LEVELS: Final = {Severity.STOP: "error", Severity.WARNING: "warning", Severity.INFO: "info", Severity.DEBUG: "debug"}
_WANTED: Final = {Say.LESS: {Severity.STOP, Severity.WARNING}, Say.NORMAL: {Severity.STOP, Severity.WARNING, Severity.INFO}}

Tell = Callable[[str, str, Event], None]  # the site, the exchange ("": all of them), and what happened


class LogFormat(StrEnum):
    """How `run` tells."""

    TEXT = "text"
    JSON = "json"


def teller(say: Say, log_format: LogFormat | None, *, several: bool) -> Tell:
    """What tells as much as was asked for, from any thread. `several`: of more than one site, so that lines name theirs."""
    wanted = _WANTED.get(say, set(Severity))
    chosen = log_format or (LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON)
    write = _lines(several=several) if chosen is LogFormat.TEXT else _log()
    one_at_a_time = Lock()

    def tell(site: str, exchange: str, event: Event) -> None:
        if event.severity in wanted:
            with one_at_a_time:
                write(site, exchange, event)

    return tell


def _lines(*, several: bool) -> Tell:
    def write(site: str, exchange: str, event: Event) -> None:
        loud = f"{event.severity.value}: " if event.severity in {Severity.STOP, Severity.WARNING} else ""
        about = "/".join(word for word in (site if several else "", exchange) if word)
        sentence = shown(without_values(event).sentence(), limit=_SENTENCE)
        click.echo(f"{time_text(now())}  {about + ': ' if about else ''}{loud}{sentence}", err=True)

    return write


def _log() -> Tell:
    """at, level, site, exchange, seq (of the bundle that it is about), kind, event (the sentence), run (one id a process)."""
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer(ensure_ascii=False)],
        run=secrets.token_hex(4),
    )

    def write(site: str, exchange: str, event: Event) -> None:
        told = getattr(logger, _LEVELS[event.severity])
        told(
            shown(without_values(event).sentence(), limit=_SENTENCE),
            at=now().isoformat(timespec="seconds"),
            site=site,
            exchange=exchange or None,
            seq=getattr(event, "seq", None),
            kind=type(event).__name__,
        )

    return write
