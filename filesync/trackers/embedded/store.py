"""The embedded tracker's file: one database, one project. Opening, transactions, and errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from filesync.errors import ConfigError, Problem, Unavailable
from filesync.trackers.embedded import tables
from filesync.trackers.embedded.check import quoted
from filesync.trackers.embedded.content import Files
from filesync.trackers.embedded.project import Definition
from filesync.trackers.embedded.work import Work

_BUSY_S: Final = 10.0  # how long a write waits for another process's write
_KEY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


class Store:
    """An open tracker file. `reading` sees one unchanging state; `writing` is all or nothing, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Files(path.with_name(f"{path.name}.files"))
        self._turn = Lock()  # of our own threads' writes: one that waits in SQLite sleeps too long, and at last gives up
        self._readers = _engine(path, mode="rw")
        self._writers = self._readers.execution_options(filesync_write=True)
        try:
            with self._ours(), self._readers.begin() as connection:
                kept = {row.name: row.value for row in connection.execute(select(tables.setting))}
        except Unavailable:
            self.close()
            raise
        version = kept.get("schema_version")
        if version != tables.SCHEMA_VERSION:
            self.close()
            raise Unavailable(
                f"the tracker file {path} is of version {version}, this filesync reads version {tables.SCHEMA_VERSION}",
                hint="Use the filesync that made it, or make a new tracker.",
            )
        self.key: str = kept["key"]
        self.definition = msgspec.json.decode(kept["definition"], type=Definition)

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """A view that other processes' writes do not change. Raises Unavailable."""
        with self._ours(), self._readers.begin() as connection:
            yield Work(connection, self.definition, self.key)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """A transaction: kept when the block ends, taken back when it raises. Raises Unavailable."""
        with self._turn, self._ours(), self._writers.begin() as connection:
            yield Work(connection, self.definition, self.key)

    def close(self) -> None:
        """Let go of the file; what was written is then in the one file, without a -wal beside it."""
        self._readers.dispose()

    @contextmanager
    def _ours(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _unavailable(self.path, error) from error


def create_project(path: Path, definition: Definition, *, key: str) -> None:
    """Make a tracker file with one empty project; `key` is what issue keys begin with ("ABC").

    Raises ConfigError when the key is not one, or the file is there already; Unavailable.
    """
    if not key[:1].isalpha() or not set(key) <= set(_KEY_LETTERS):
        raise ConfigError([Problem("tracker.project", f"not a project key (ABC, capital letters and digits): {quoted(key)}")])
    if path.exists():
        raise ConfigError([Problem("tracker.path", f"{path} is there already")], hint="Name another file, or use this one.")
    engine = _engine(path, mode="rwc")
    kept = {
        "schema_version": tables.SCHEMA_VERSION,
        "key": key,
        "definition": msgspec.json.encode(definition).decode(),
    }
    try:
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            connection.execute(insert(tables.setting), [{"name": name, "value": value} for name, value in kept.items()])
    except DBAPIError as error:
        raise _unavailable(path, error) from error
    finally:
        engine.dispose()


def _engine(path: Path, *, mode: str) -> Engine:
    # mode=rw: a missing file is an error, never a new, empty tracker
    def connect() -> sqlite3.Connection:
        address = f"file:{quote(os.fsencode(path))}?mode={mode}"
        # isolation_level None: the driver begins nothing by itself, _begin says how
        return sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)

    # no bound (0): who asks at the same time are the threads of exchanges and workers, each for one connection; any other
    # number would be too small for some site
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=0)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    return engine


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # a write takes the lock at once: upgrading later could find that another process wrote in between
    write: Any = connection.get_execution_options().get("filesync_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _unavailable(path: Path, error: DBAPIError) -> Unavailable:
    if not path.exists():
        return Unavailable(f"there is no tracker at {path}", hint="Check tracker.path in the configuration, or its disk.")
    return Unavailable(
        f"the tracker file {path} cannot be used: {error.orig}",
        hint="Nothing was changed. Check the file, its folder's rights and the disk, then run again.",
    )
