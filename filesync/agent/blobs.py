"""The bytes of attachments and long texts that came: what is here, what is waited for, and reading them where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

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
from filesync.model.change import Blob, Change, Create, Set, Told, blobs_of, texts_of
from filesync.model.ids import BundleId, Kind

_LongT = TypeVar("_LongT", Create, Set)
_NAME: Final = 80  # characters of an attachment's name in a sentence
_NAMED: Final = 100  # chunks of one change that are known by name: a report asks for no more at once
HINT: Final = 16  # digits of a chunk's id, as its file's name shows them


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing of a change: so many chunks, of `size` bytes in all, of which `first` names the first ones.

    `of`: what needs them, without anything that the change says: an attachment, or the texts of some fields. `bundle`: the
    number of one that holds them whole and is not here any more; 0 where they are in chunks, or were never here.
    """

    of: str
    first: tuple[BundleId, ...] = ()
    chunks: int = 0
    size: int = 0
    bundle: int = 0

    def words(self, name: str = "") -> str:
        """`2 more chunks of pump.mov (1.9 GB)`; without its name "of an attachment"."""
        what = shown(name, limit=_NAME) or self.of
        if not self.chunks:
            lost = f"bundle {self.bundle} once more" if self.bundle else "bytes that no bundle brought"
            return f"{lost}, for {what}"
        return f"{count_text(self.chunks, 'more chunk')} of {what} ({size_text(self.size)})"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that stand in a file of the store; their hash and size as verified when that came, whatever a change says."""

    path: Path
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for bytes. Its line is left out: `lack` says what is missing.

    `key`: its issue, as the partner shows it; `name`: of an attachment, for anything else `text`; `size`: bytes of all that
    it needs.
    """

    row: Queued
    key: str
    name: str
    text: bool
    size: int
    lack: Lack


def waiting(conn: sa.Connection, x: Exchange) -> Iterator[Waiting]:
    """Every change that waits for bytes, in the order in which they were sent."""
    for page in journal.queued_blobs(conn, x.id):
        changes = [read_change(row.change) for row in page]
        for row, change, lack in zip(page, changes, lacking(conn, x, changes), strict=True):
            if lack is not None:
                yield Waiting(
                    row=replace(row, change=b""),
                    key=change.about.key,
                    name=_name(change),
                    text=bool(texts_of(change)),
                    size=sum(one.size for one in blobs_of(change)),
                    lack=lack,
                )


def named(conn: sa.Connection, x: Exchange, ids: Collection[str]) -> set[str]:
    """Those of these beginnings of ids, all of one length, with which chunks begin that undecided changes name."""
    length = len(next(iter(ids), ""))
    found: set[str] = set()
    for page in journal.queued_blobs(conn, x.id) if ids else ():
        for row in page:
            chunks = (chunk for blob in blobs_of(read_change(row.change)) for chunk in blob.chunks)
            found.update(chunk.id[:length] for chunk in chunks if chunk.id[:length] in ids)
    return found


def needed_bundles(conn: sa.Connection, x: Exchange) -> set[int]:
    """Numbers of the bundles that hold what undecided changes need, whether they are here or not."""
    return {one.seq for one in blobs.inline(conn, x, journal.wanted_blobs(conn, x.id)).values()}


def lacking(conn: sa.Connection, x: Exchange, changes: Sequence[Change]) -> list[Lack | None]:
    """What each of these changes lacks of the bytes beside its line; None where it needs none, or all of them are here."""
    wanted = [blobs_of(change) for change in changes]
    flat = list(chain.from_iterable(wanted))
    chunks = blobs.taken_chunks(conn, x, (chunk.id for one in flat for chunk in one.chunks))
    inline = blobs.inline(conn, x, (one.sha256 for one in flat if not one.chunks))
    found: list[Lack | None] = []
    for change, needs in zip(changes, wanted, strict=True):
        missing = list({chunk.id: chunk for one in needs for chunk in one.chunks if chunk.id not in chunks}.values())
        held = [inline.get(one.sha256) for one in needs if not one.chunks]
        lost = [0 if one is None else one.seq for one in held if one is None or not one.there]
        if not missing and not lost:
            found.append(None)
            continue
        found.append(
            Lack(
                of=" and ".join(shown(name) for name in texts_of(change)) or "an attachment",
                first=tuple(chunk.id for chunk in missing[:_NAMED]),
                chunks=len(missing),
                size=sum(chunk.size for chunk in missing),
                bundle=next(iter(lost), 0),
            )
        )
    return found


def forget_lost(conn: sa.Connection, x: Exchange, wanted: Sequence[Blob], *, store: Path) -> None:
    """What the ledger has and the store has not (a run was cut off between the two) is missing again, and is asked for."""
    chunks = blobs.taken_chunks(conn, x, (chunk.id for one in wanted for chunk in one.chunks))
    blobs.drop_taken_chunks(conn, x, [one.id for one in chunks.values() if not (store / one.file).exists()])
    for one in blobs.inline(conn, x, (one.sha256 for one in wanted if not one.chunks)).values():
        if one.there and not (store / one.file).exists():
            blobs.lose_inline(conn, x, one)


def pieces(conn: sa.Connection, x: Exchange, blob: Blob, *, store: Path) -> list[Piece]:
    """Where bytes stand of which nothing is missing, in their order."""
    if not blob.chunks:
        held = blobs.inline(conn, x, [blob.sha256])[blob.sha256]
        return [Piece(store / held.file, held.offset, held.size, blob.sha256)]
    here = blobs.taken_chunks(conn, x, (chunk.id for chunk in blob.chunks))
    found = [here[one.id] for one in blob.chunks]
    return [Piece(store / one.file, one.offset, one.size, one.sha256) for one in found]


def stream(blob: Blob, parts: Sequence[Piece]) -> Iterator[bytes]:
    """Bytes that stand beside a line. The last of them are given only when all were found to be those that the change names.

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
            hint="Check the disk. What needs them was not done, and is tried again by every import.",
        )


def _as_named(blob: Blob, parts: Sequence[Piece]) -> bool:
    """Whether the pieces that came are those that the change describes, each of them once."""
    named = [(one.sha256, one.size) for one in blob.chunks] or [(blob.sha256, blob.size)]
    came = [(one.sha256, one.size) for one in parts]
    once = len({one.id for one in blob.chunks}) == len(blob.chunks)
    return once and came == named and sum(one.size for one in parts) == blob.size


def _name(change: Change) -> str:
    """Of an attachment; anything else has none."""
    return str(change.fields.get("name", "")) if isinstance(change, Create) and change.kind is Kind.ATTACHMENT else ""


def with_texts(change: _LongT, parts: Mapping[str, Sequence[Piece]]) -> _LongT:
    """The change with its long texts among its fields, read from these pieces.

    Raises Rejected where they are not what the change names, or no text; StorageFailure, DiskProblem.
    """
    texts = {name: _text(name, blob, parts[name]) for name, blob in texts_of(change).items()}
    if isinstance(change, Create):
        return replace(change, fields={**change.fields, **texts}, texts={})
    told = {name: Told(text, change.texts[name].base) for name, text in texts.items()}
    return replace(change, fields={**change.fields, **told}, texts={})


def _text(name: str, blob: Blob, parts: Sequence[Piece]) -> str:
    try:
        return b"".join(stream(blob, parts)).decode()
    except UnicodeDecodeError as error:
        raise Rejected(f"the bytes of {shown(name)} are no text in UTF-8: the sender made a mistake") from error
