"""One memory of compiled statements for every database that a test process opens, and one of words to read out.

SQLAlchemy keeps what it compiled with each engine. A command opens two and ends; a campaign opens tens of thousands, each
on the same kind of database, and would spend a third of its time on compiling the same statements again.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from filesync.trackers.embedded import store

_open: Final = sa.create_engine
_compiled: Final[Any] = LRUCache(1_000)
_scrypt: Final = functools.cache(hashlib.scrypt)


@functools.cache
def _dialect() -> sa.Dialect:
    """Of a database that was connected to: only then it knows SQLite's version, without which no table can be looked at.

    Not that of the first engine that a test makes: it may be one of a file that cannot be opened.
    """
    engine = _open("sqlite://")
    engine.connect().close()
    engine.dispose()
    return engine.dialect


def _engine(*where: Any, **how: Any) -> sa.Engine:
    engine = _open(*where, **how)
    engine.dialect = _dialect()  # it is part of what compiled statements are found by
    engine.update_execution_options(compiled_cache=_compiled)
    return engine


def share() -> None:
    """From now on, in this process."""
    sa.create_engine = _engine  # of the ledger, which asks the module
    store.create_engine = _engine  # type: ignore[attr-defined]  # of the embedded tracker, which took the name
    hashlib.scrypt = _scrypt  # type: ignore[assignment]  # slow on purpose, and the sites of most tests pair with the same keys
