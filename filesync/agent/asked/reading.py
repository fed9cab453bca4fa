"""The ledger of a site, opened to be read. Nothing else stands here: what only reads it, as `status`, loads little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa

from filesync.agent.traces import check_traces
from filesync.config import Config
from filesync.errors import DiskProblem
from filesync.ledger.ledger import Ledger


@contextmanager
def reading(config: Config) -> Iterator[sa.Connection]:
    """The ledger of a site, for reading: none is made, none is migrated. Raises DiskProblem, LedgerBehind."""
    with closing(existing_ledger(config)) as ledger, ledger.begin() as conn:
        yield conn


def existing_ledger(config: Config) -> Ledger:
    """The ledger that a site has. Raises as `reading`."""
    path = config.folders.ledger
    if config.folders.state.is_dir() and not os.path.lexists(path):
        check_traces(config, known=())  # of a site that has sent something, it is not merely new
        raise DiskProblem(
            f"there is no ledger {str(path)!r}, so nothing is known of this site",
            hint="Is the disk of the state folder mounted? Nothing was made or changed. A site that never sent or took "
            "anything gets a new ledger with its first `filesync pair export`, export or import.",
        )
    return Ledger.existing(path)
