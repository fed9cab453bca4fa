"""What would be done, written to a file as it is found out: an import may hold more than memory does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from filesync.model.ids import Kind
from filesync.model.prepare import prepare
from filesync.model.values import Value


class Deed(StrEnum):
    """What would become of an item."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    MARK = "mark as deleted"
    OUTSIDE = "show as outside the scope"
    INSIDE = "show as inside it again"


class Edit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field. What stands there now is not known of what is sent: of that the ledger keeps a digest alone."""

    field: str
    new: Value | None
    old: Value | None = None
    people: dict[str, str] = {}  # what people see for the users that it names, where that is not their name in the tracker
    keys: dict[str, str] = {}  # of the issues that it names by an id of the tracker's, or a gid


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One item and all that would be done to it at once."""

    deed: Deed
    key: str  # of its issue; "new 3" of one that would be made
    kind: Kind
    edits: list[Edit] = []


prepare(Entry)


class Written:
    """The list, in a file. Use it in a `with`; it is read when it was closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode
        self._last: Entry | None = None  # what follows may be about the same
        self._about: object = None
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._put()
        self._file.close()

    def add(self, entry: Entry, about: object = None) -> None:
        """Note it. A change of what was made or changed right before, by `about`, is one with that."""
        if self._last is not None and about is not None and about == self._about and entry.deed is Deed.CHANGE:
            edits = {one.field: one for one in self._last.edits}
            for one in entry.edits:
                before = edits.get(one.field)
                edits[one.field] = one if before is None else msgspec.structs.replace(one, old=before.old)
            self._last = msgspec.structs.replace(self._last, edits=list(edits.values()))
            return
        self._put()
        self._last, self._about = entry, about

    def _put(self) -> None:
        if self._last is not None:
            self._file.write(self._encode(self._last) + b"\n")
            self.counts[self._last.deed] += 1
            self._last = None

    def __iter__(self) -> Iterator[Entry]:
        decode = msgspec.json.Decoder(Entry).decode
        with self._path.open("rb") as lines:
            yield from map(decode, lines)
