"""Issues as they would be, kept beside the tracker in a file of the rehearsal."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from filesync.model.issue import Issue
from filesync.model.prepare import prepare

prepare(Issue)
_NEW: Final = "new"


class Overlay:
    """What the tracker would show instead of what it shows, by local id. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._base.execute("pragma synchronous = off")
        self._base.execute("create table issue (local text primary key, content blob)")
        self._decode = msgspec.json.Decoder(Issue).decode
        self._encode = msgspec.json.Encoder().encode
        self._made = 0

    def new(self) -> str:
        """An id that no tracker gives."""
        self._made += 1
        return f"{_NEW}{self._made}"

    def made(self, local: str) -> bool:
        """Whether it is one of these ids."""
        return local.startswith(_NEW)

    def has(self, local: str) -> bool:
        """Whether it would be another than the tracker shows."""
        return self._base.execute("select 1 from issue where local = ?", (local,)).fetchone() is not None

    def get(self, local: str) -> Issue | None:
        """The issue, None where it would be gone; ask `has` before."""
        (content,) = self._base.execute("select content from issue where local = ?", (local,)).fetchone()
        return None if content is None else self._decode(content)

    def put(self, local: str, issue: Issue | None) -> None:
        """From now on it is so."""
        content = None if issue is None else self._encode(issue)
        self._base.execute("insert or replace into issue (local, content) values (?, ?)", (local, content))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()
