"""The bytes of attachments that came: what is here, what is waited for, and reading them where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filesync.agent.events import count_text
from filesync.agent.staged import member_chunks
from filesync.bundle.changes import read_change
from filesync.bundle.read import Member
from filesync.bundle.verdict import shown
from filesync.errors import Rejected, StorageFailure, size_text
from filesync.ledger import blobs, journal
from filesync.ledger.journal import Queued
from filesync.ledger.streams import Exchange
from filesync.model.change import Blob, Chunk, Create

_NAME: Final = 80  # characters of an attachment's name in a sentence


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing of an attachment. `bundle`: the number of the one that holds it whole and is not here any more."""

    chunks: tuple[Chunk, ...]
    bundle: int

    def words(self, change: Create) -> str:
        """`2 more chunks of pump.mov (1.9 GB)`."""
        name = shown(str(change.fields.get("name", "")), limit=_NAME)
        if not self.chunks:
            what = f"bundle {self.bundle} once more" if self.bundle else "bytes that no bundle brought"
            return f"{what}, for {name}"
        return f"{count_text(len(self.chunks), 'more chunk')} of {name} ({size_text(sum(one.size for one in self.chunks))})"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that stand in a file of the store; their hash and size as verified when that came, whatever a change says."""

    path: Path
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attachment that waits for its bytes."""

    row: Queued
    change: Create
    lack: Lack


def waiting(conn: sa.Connection, x: Exchange) -> list[Waiting]:
    """Every attachment that waits for its bytes, in the order in which they were sent."""
    rows = [(row, _create(row)) for row in journal.queued_blobs(conn, x.id)]
    found = lacking(conn, x, [blob_of(change) for _, change in rows])
    return [Waiting(row, change, lack) for (row, change), lack in zip(rows, found, strict=True) if lack is not None]


def needed(conn: sa.Connection, x: Exchange) -> tuple[set[str], set[int]]:
    """Ids of the chunks, and numbers of the bundles, that undecided attachments need, whether they are here or not."""
    named = [blob_of(_create(row)) for row in journal.queued_blobs(conn, x.id)]
    inline = blobs.inline(conn, x, [one.sha256 for one in named if not one.chunks])
    return {chunk.id for one in named for chunk in one.chunks}, {one.seq for one in inline.values()}


def lacking(conn: sa.Connection, x: Exchange, wanted: Sequence[Blob]) -> list[Lack | None]:
    """What is missing of each of these; None where all of it is here."""
    chunks = blobs.taken_chunks(conn, x, (chunk.id for one in wanted for chunk in one.chunks))
    inline = blobs.inline(conn, x, (one.sha256 for one in wanted if not one.chunks))
    found: list[Lack | None] = []
    for one in wanted:
        missing = tuple(chunk for chunk in one.chunks if chunk.id not in chunks)
        held = inline.get(one.sha256)
        if one.chunks:
            found.append(Lack(missing, 0) if missing else None)
        else:
            found.append(None if held is not None and held.there else Lack((), held.seq if held is not None else 0))
    return found


def forget_lost(conn: sa.Connection, x: Exchange, wanted: Sequence[Blob], *, store: Path) -> None:
    """What the ledger has and the store has not (a run was cut off between the two) is missing again, and is asked for."""
    chunks = blobs.taken_chunks(conn, x, (chunk.id for one in wanted for chunk in one.chunks))
    blobs.drop_taken_chunks(conn, x, [one.id for one in chunks.values() if not (store / one.file).exists()])
    for one in blobs.inline(conn, x, (one.sha256 for one in wanted if not one.chunks)).values():
        if one.there and not (store / one.file).exists():
            blobs.lose_inline(conn, x, one)


def pieces(conn: sa.Connection, x: Exchange, blob: Blob, *, store: Path) -> list[Piece]:
    """Where the bytes of an attachment stand of which nothing is missing, in their order."""
    if not blob.chunks:
        held = blobs.inline(conn, x, [blob.sha256])[blob.sha256]
        return [Piece(store / held.file, held.offset, held.size, blob.sha256)]
    here = blobs.taken_chunks(conn, x, (chunk.id for chunk in blob.chunks))
    found = [here[one.id] for one in blob.chunks]
    return [Piece(store / one.file, one.offset, one.size, one.sha256) for one in found]


def stream(blob: Blob, parts: Sequence[Piece]) -> Iterator[bytes]:
    """The bytes of an attachment. The last of them are given only when all were found to be those that the change names.

    Raises StorageFailure where the store gives back other bytes than came, Rejected where the change names others, before
    the first of them where that shows: a change that lies takes no disk and no time. Raises DiskProblem.
    """
    if not _as_named(blob, parts):
        raise Rejected("what the change says of its pieces is not what came: the sender made a mistake")
    whole, size, held = hashlib.sha256(), 0, b""
    for part in parts:
        digest = hashlib.sha256()
        for chunk in member_chunks(part.path, Member("", part.offset, part.size)):
            digest.update(chunk)
            whole.update(chunk)
            size += len(chunk)
            if held:
                yield held
            held = chunk
        if digest.hexdigest() != part.sha256:
            raise StorageFailure(
                f"{str(part.path)!r} holds other bytes than came",
                hint="Check the disk. The attachment was not made, and is tried again by every import.",
            )
    if whole.hexdigest() != blob.sha256 or size != blob.size:
        raise Rejected("its bytes, put together, are not those that the change names: the sender made a mistake")
    if held:
        yield held


def _as_named(blob: Blob, parts: Sequence[Piece]) -> bool:
    """Whether the pieces that came are those that the change describes, each of them once."""
    named = [(one.sha256, one.size) for one in blob.chunks] or [(blob.sha256, blob.size)]
    came = [(one.sha256, one.size) for one in parts]
    once = len({one.id for one in blob.chunks}) == len(blob.chunks)
    return once and came == named and sum(one.size for one in parts) == blob.size


def blob_of(change: Create) -> Blob:
    """The bytes of an attachment's creation."""
    assert change.blob is not None
    return change.blob


def _create(row: Queued) -> Create:
    change = read_change(row.change)
    assert isinstance(change, Create)
    return change
