"""Cost follows the change: ten edits, with 2,000 issues and with 200,000."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from benchmarks.figure import Figure, Mark, spent
from benchmarks.material import TEXT, Prose
from benchmarks.scene import EXCHANGE, Scene, scene
from filesync.agent.outgoing.exporter import export_once

FEW, MANY, SMALL = 2_000, 200_000, 100
EDITS = 10
_TIMES = 9


@dataclass(slots=True)
class Rows:
    """Rows that a ledger gave out."""

    read: int = 0


def run(folder: Path, *, small: bool) -> list[Figure]:
    few, many = (SMALL, 2 * SMALL) if small else (FEW, MANY)
    with counted() as rows:
        with scene(folder / "few", issues=few) as one:
            little, _ = _exports(one, rows)
        with scene(folder / "many", issues=many) as one:
            much, read = _exports(one, rows)
    what = f"an export of {EDITS} edits, median of {_TIMES}: with {few:,} issues {little:.1f} ms, with {many:,} {much:.1f} ms"
    return [
        Figure(name="change", what=what, value=much - little, unit="ms more", mark=Mark(limit=20)),
        Figure(name="change, rows", what="of the ledger, read by that export", value=read, unit="rows", mark=Mark(limit=50)),
    ]


@contextmanager
def counted() -> Iterator[Rows]:
    """Count the rows of every ledger opened in the block."""
    rows = Rows()

    def count(_cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        rows.read += 1
        return row

    def prepare(connection: Any, _record: object) -> None:
        connection.row_factory = count

    sa.event.listen(sa.Engine, "connect", prepare)
    try:
        yield rows
    finally:
        sa.event.remove(sa.Engine, "connect", prepare)


def _exports(one: Scene, rows: Rows) -> tuple[float, int]:
    """Milliseconds, and rows read, of an export of a few edits."""
    prose = Prose()
    times: list[float] = []
    for turn in range(_TIMES + 1):
        for n in range(EDITS):
            one.here.edit(str(turn * EDITS + n + 1), {"description": prose.text(TEXT)})
        rows.read = 0
        with spent() as taken:
            done = export_once(one.acme, EXCHANGE)
        assert done.changes == EDITS
        times.append(taken.wall * 1000)
    return median(times[1:]), rows.read  # the first one opens what the others find open
