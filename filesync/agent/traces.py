"""What stands outside a ledger and shows that there was one: guard files, and the bundles that were sent and taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from filesync.bundle.limits import FORMAT
from filesync.config import Config, Folders
from filesync.errors import ConfigError, LedgerBehind, Problem, disk_problem
from filesync.exchange.guard import Guard, guard_path, guards, read_guard
from filesync.ledger import streams
from filesync.ledger.endings import endings
from filesync.ledger.streams import Exchange
from filesync.model.ids import StreamId

SITE_ID: Final = "site"
SITE_NAME: Final = "name"


def check_ledger(conn: sa.Connection, config: Config) -> None:
    """Hold a ledger against the configuration and the guard files; nothing is changed. Raises ConfigError, LedgerBehind."""
    known = streams.site_fact(conn, SITE_ID)
    name = streams.site_fact(conn, SITE_NAME)
    exchanges = streams.exchanges(conn)
    if known not in {None, config.site}:
        raise ConfigError(
            [Problem(str(config.path), f"site.id is {config.site}, but the ledger is of site {known}")],
            hint="put the id back that `filesync init` wrote, or name the state folder of this site",
        )
    if name not in {None, config.name} and exchanges:
        raise ConfigError(
            [Problem(str(config.path), f"site.name is {config.name}, but partners know this site as {name}")],
            hint="put the name back: it says who wins where both sides edit, and both must read the same",
        )
    check_traces(config, known=[*(one.out_stream for one in exchanges), *(one.out_stream for one in endings(conn))])
    for one in exchanges:
        guard = read_guard(config.folders.guard, one.out_stream)
        if guard is not None and (guard.generation.n, guard.seq) > (one.out_generation.n, one.out_seq):
            raise _behind(one, guard)


def check_traces(config: Config, *, known: Collection[StreamId]) -> None:
    """Hold the streams of a ledger against what was left in other folders. Raises LedgerBehind, DiskProblem.

    A ledger that is gone, or of another day, must not be taken for that of a site that never sent anything.
    """
    lost = [one for one in guards(config.folders.guard) if one.stream not in known]
    if lost:
        last = max(lost, key=lambda one: (one.generation.n, one.seq))
        said = f"guard file {str(guard_path(config.folders.guard, last.stream))!r} says that bundle {last.seq} was sent"
    elif not known and (kept := _bundles(config.folders)):
        said = f"{kept} holds bundles"
    else:
        return
    raise LedgerBehind(
        f"the ledger {str(config.folders.ledger)!r} is gone, empty or too old: it knows nothing of this, but {said}",
        hint="Nothing was sent or applied. Is the disk of the state folder mounted? If the ledger is lost, put the newest one "
        "back from a backup, or keep everything as it is: it must be recovered from.",
    )


def _bundles(folders: Folders) -> str:
    """The folder that shows that bundles were sent or taken, or nothing."""
    for folder in (folders.archive, folders.store):
        try:
            if any(path.name.startswith(f"{FORMAT}_") for path in folder.iterdir()):
                return repr(str(folder))
        except OSError as error:
            raise disk_problem(error, folder, doing="read") from error
    return ""


def _behind(exchange: Exchange, guard: Guard) -> LedgerBehind:
    return LedgerBehind(
        f"the ledger knows our bundles for {exchange.partner_name or exchange.name} up to {exchange.out_seq}, "
        f"but {guard.seq} was already sent (says the guard file): the ledger was restored from a backup",
        hint="Nothing was sent or applied. Put the newest ledger back, or keep everything as it is: it must be recovered from.",
    )
