"""The bytes of attachments that came: what is here, what is waited for, and reading them where they stand."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from filesync.agent.events import count_text
from filesync.agent.members import member_chunks
from filesync.bundle.changes import read_change
from filesync.bundle.read import Member
from filesync.bundle.verdict import shown
from filesync.errors import Rejected, StorageFailure, size_text
from filesync.exchange.hashing import Sha256
from filesync.ledger import blobs, journal
from filesync.ledger.journal import Queued
from filesync.ledger.streams import Exchange
from filesync.model.change import Blob, Create
from filesync.model.ids import BundleId

_NAME: Final = 80  # characters of an attachment's name in a sentence
_NAMED: Final = 100  # chunks of one attachment that are known by name: a report asks for no more at once
HINT: Final = 16  # digits of a chunk's id, as its file's name shows them


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing of an attachment: so many chunks, of `size` bytes in all, of which `first` names the first ones.

    `bundle`: the number of the one that holds it whole and is not here any more; 0 where it is in chunks, or was never here.
    """

    first: tuple[BundleId, ...] = ()
    chunks: int = 0
    size: int = 0
    bundle: int = 0

    def words(self, change: Create | None = None) -> str:
        """`2 more chunks of pump.mov (1.9 GB)`; without the change nothing that it says, "of an attachment"."""
        name = shown(str(change.fields.get("name", "")), limit=_NAME) if change is not None else "an attachment"
        if not self.chunks:
            what = f"bundle {self.bundle} once more" if self.bundle else "bytes that no bundle brought"
            return f"{what}, for {name}"
        return f"{count_text(self.chunks, 'more chunk')} of {name} ({size_text(self.size)})"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that stand in a file of the store; their hash and size as verified when that came, whatever a change says."""

    path: Path
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attachment that waits for its bytes. Of its change the chunks are left out: `lack` says what is missing."""

    row: Queued
    change: Create
    lack: Lack


def waiting(conn: sa.Connection, x: Exchange) -> Iterator[Waiting]:
    """Every attachment that waits for its bytes, in the order in which they were sent."""
    for page in journal.queued_blobs(conn, x.id):
        changes = [_create(row) for row in page]
        found = lacking(conn, x, [blob_of(change) for change in changes])
        for row, change, lack in zip(page, changes, found, strict=True):
            if lack is not None:
                bare = replace(change, blob=replace(blob_of(change), chunks=[]))
                yield Waiting(dataclasses.replace(row, change=b""), bare, lack)


def named(conn: sa.Connection, x: Exchange, ids: Collection[str]) -> set[str]:
    """Those of these beginnings of ids, all of one length, with which chunks begin that undecided attachments name."""
    length = len(next(iter(ids), ""))
    found: set[str] = set()
    for page in journal.queued_blobs(conn, x.id) if ids else ():
        for row in page:
            found.update(chunk.id[:length] for chunk in blob_of(_create(row)).chunks if chunk.id[:length] in ids)
    return found


def needed_bundles(conn: sa.Connection, x: Exchange) -> set[int]:
    """Numbers of the bundles that hold what undecided attachments need, whether they are here or not."""
    return {one.seq for one in blobs.inline(conn, x, journal.wanted_blobs(conn, x.id)).values()}


def lacking(conn: sa.Connection, x: Exchange, wanted: Sequence[Blob]) -> list[Lack | None]:
    """What is missing of each of these; None where all of it is here."""
    chunks = blobs.taken_chunks(conn, x, (chunk.id for one in wanted for chunk in one.chunks))
    inline = blobs.inline(conn, x, (one.sha256 for one in wanted if not one.chunks))
    found: list[Lack | None] = []
    for one in wanted:
        missing = [chunk for chunk in one.chunks if chunk.id not in chunks]
        held = inline.get(one.sha256)
        if missing:
            first = tuple(chunk.id for chunk in missing[:_NAMED])
            found.append(Lack(first=first, chunks=len(missing), size=sum(chunk.size for chunk in missing)))
        elif one.chunks or (held is not None and held.there):
            found.append(None)
        else:
            found.append(Lack(bundle=held.seq if held is not None else 0))
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
    whole, size, held = Sha256(), 0, b""
    for part in parts:
        for chunk in _bytes_of(part):
            whole.update(chunk)
            size += len(chunk)
            if held:
                yield held
            held = chunk
    if whole.hexdigest() != blob.sha256 or size != blob.size:
        for part in parts:  # whose fault it is: each piece was what it should be when it came
            _check_stored(part)
        raise Rejected("its bytes, put together, are not those that the change names: the sender made a mistake")
    if held:
        yield held


def _bytes_of(part: Piece) -> Iterator[bytes]:
    return member_chunks(part.path, Member("", part.offset, part.size))


def _check_stored(part: Piece) -> None:
    digest = hashlib.sha256()
    for chunk in _bytes_of(part):
        digest.update(chunk)
    if digest.hexdigest() != part.sha256:
        raise StorageFailure(
            f"{str(part.path)!r} holds other bytes than came",
            hint="Check the disk. The attachment was not made, and is tried again by every import.",
        )


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
