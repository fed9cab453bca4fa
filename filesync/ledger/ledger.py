"""The database behind a site: opened, brought to the newest version, and worked on one transaction at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc

from filesync.errors import DiskProblem, LedgerBehind, StorageFailure, disk_problem

_MADE: Final = "select 1 from sqlite_master where type = 'table' and name = 'alembic_version'"
HEAD: Final = "0004"  # the newest migration; alembic is loaded only where a ledger is not there yet


class Older(DiskProblem):
    """The ledger was written by an older filesync: it is whole, and has to be brought to our version before it is read."""


class Ledger:
    """One site's ledger. SQLite by path (WAL, every commit fsynced)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._one = RLock()  # of one process: a thread that waits for its turn here wakes at once, one in SQLite's queue sleeps

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Open the ledger in this file, made and migrated as needed. Raises DiskProblem, StorageFailure, LedgerBehind."""
        ledger = cls(_engine(path))
        with _plainly(path):
            found = ledger.version()
            if found != HEAD:
                _migrate(ledger._engine, found)
        return ledger

    @classmethod
    def existing(cls, path: Path) -> Ledger:
        """Open a ledger to look into it: none is made, none is migrated. Raises as `open`, Older, DiskProblem."""
        try:
            size = path.stat().st_size  # SQLite would make the file, or begin one in an empty file
        except OSError as error:
            raise disk_problem(error, path, doing="read") from error
        if not size:
            _must_be_head(path, None)
        ledger = cls(_engine(path))
        try:
            with _plainly(path):
                _must_be_head(path, ledger.version())
        except BaseException:
            ledger.close()
            raise
        return ledger

    def version(self) -> str | None:
        """The migration the database stands at; None for a new one."""
        with self._engine.connect() as conn:
            if conn.exec_driver_sql(_MADE).first() is None:
                return None
            return conn.exec_driver_sql("select version_num from alembic_version").scalar_one_or_none()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        with self._one, _plainly(Path(self._engine.url.database or "")), self._engine.begin() as conn:
            yield conn

    def copy(self, path: Path) -> None:
        """A ledger of its own in a new file, as this one stands now. Raises DiskProblem, StorageFailure."""
        with _plainly(path), closing(sqlite3.connect(path)) as target, self._engine.connect() as conn:
            source = conn.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(target)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_at_once)
    return engine


def _must_be_head(path: Path, found: str | None) -> None:
    if found is not None and found > HEAD:
        raise _newer(found)
    hint = "Nothing was changed. The next `filesync export` or `filesync import` brings it to our version."
    if found is None:
        raise DiskProblem(f"the ledger {str(path)!r} is empty: its making was cut off", hint=hint)
    if found != HEAD:
        raise Older(f"the ledger {str(path)!r} is of an older version, {found} (ours is {HEAD})", hint=hint)


def _newer(found: str) -> LedgerBehind:
    what = f"the ledger was written by a newer filesync (its version {found}, ours {HEAD})"
    return LedgerBehind(what, hint="install the newer filesync again; nothing was changed")


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves: the driver would only at the first write
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_at_once(conn: sa.Connection) -> None:
    # IMMEDIATE: a writer that has read must not find out at its first write that another was quicker
    conn.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Turn the database's own errors into ours."""
    try:
        yield
    except exc.OperationalError as err:
        words = str(err.orig)
        if "full" in words:
            msg = f"no space for the ledger {path}"
            raise DiskProblem(msg, hint=f"make room on the disk of {path.parent}; nothing was lost, run it again") from err
        if "disk I/O error" in words:
            msg = f"the disk failed under the ledger {path}: {words}"
            raise StorageFailure(msg, hint="check the disk before anything else runs; nothing more is written") from err
        msg = f"the ledger {path} cannot be used: {words}"
        raise DiskProblem(msg, hint=f"check that {path.parent} is there and that this account may write to it") from err
    except exc.DatabaseError as err:
        if isinstance(err, exc.IntegrityError):
            raise  # a rule of ours broken by us
        msg = f"the ledger {path} is damaged: {err.orig}"
        raise LedgerBehind(
            msg, hint="restore it from a backup, then run filesync: guard and archive tell what it has to catch up on"
        ) from err


def _migrate(engine: sa.Engine, found: str | None) -> None:
    # alembic takes about 0.4 s to load, more than most commands run
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise _newer(found)
    with engine.connect() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
