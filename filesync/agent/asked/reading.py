"""The ledger of a site, opened to be read. Nothing else stands here: what only reads it, as `status`, loads little."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa

from filesync.agent.traces import check_traces
from filesync.config import Config
from filesync.errors import DiskProblem, Locked
from filesync.ledger.ledger import Ledger, Older


@contextmanager
def reading(config: Config) -> Iterator[sa.Connection]:
    """The ledger of a site, for reading: none is made. Raises DiskProblem, LedgerBehind, Locked."""
    with closing(existing_ledger(config)) as ledger, ledger.begin() as conn:
        yield conn


def existing_ledger(config: Config) -> Ledger:
    """The ledger that a site has. One that an older filesync wrote is brought to our version first. Raises as `reading`."""
    path = config.folders.ledger
    if config.folders.state.is_dir() and not os.path.lexists(path):
        check_traces(config, known=())  # of a site that has sent something, it is not merely new
        raise DiskProblem(
            f"there is no ledger {str(path)!r}, so nothing is known of this site",
            hint="Is the disk of the state folder mounted? Nothing was made or changed. A site that never sent or took "
            "anything gets a new ledger with its first `filesync pair export`, export or import.",
        )
    try:
        return Ledger.existing(path)
    except Older as error:
        _bring_up(config, error)
    return Ledger.existing(path)


def _bring_up(config: Config, older: Older) -> None:
    """As any export or import does it first of all, and under the same lock: an older filesync may still be at work."""
    from filesync.agent.lock import lock_site  # noqa: PLC0415, start-up time: once after an upgrade

    try:
        lock = lock_site(config.folders.state, lambda: dt.datetime.now(dt.UTC))
    except Locked as error:
        hint = "Nothing was changed or lost. Wait for it, or, where it is a `filesync run`, start that anew; then ask again."
        raise Locked(f"{older}, and {error}", hint=hint) from error
    try:
        Ledger.open(config.folders.ledger).close()
    finally:
        lock.release()
