"""X2: the bytes of new attachments and long texts, hashed and on disk before the change that names them gets its number.

A small one waits in a folder for the bundle that will hold it. A bigger one is cut into chunks while it streams;
each is signed, read back, encrypted and archived at once, so a piece is never on disk in the clear for longer than that.
A content that can still be sent again is not sent a second time; but where nobody can ask for it, it is, each time that
it is attached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from filesync.agent.outgoing.build import build, clear_spool
from filesync.agent.outgoing.departures import NotFetched
from filesync.agent.outgoing.number import heading
from filesync.agent.paired import Paired
from filesync.agent.progress import Doing, passing
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.agent.staged import LIMITS
from filesync.bundle import canonical
from filesync.bundle.changes import encode_change
from filesync.bundle.header import BundleKind, file_name
from filesync.bundle.layout import CHUNK
from filesync.bundle.limits import KIB
from filesync.bundle.write import Bag, DataFile, pack
from filesync.config import Limits, room_in
from filesync.errors import DiskProblem, Gone, Rejected, StorageFailure, Unavailable, disk_problem, size_text
from filesync.exchange import files
from filesync.exchange.hashing import Sha256
from filesync.ledger import blobs
from filesync.ledger.blobs import SentChunk
from filesync.ledger.streams import Direction, Exchange
from filesync.model.change import Blob, Chunk
from filesync.model.diff import Tell
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.model.moments import micros

_BLOCK: Final = 256 * KIB  # of a text that is cut
_ESCAPED: Final = 8  # a line has no more bytes than this for each character of its texts
_NAMED, _CHUNK = 150, 220  # bytes that a text beside a line takes in it, at the most, and each of its chunks


class Cutter:
    """The attachments and long texts of one export. `deferred`: local ids of the issues with one that could not be fetched."""

    def __init__(self, site: Site, paired: Paired, record: Record) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange
        self._record = record
        self._limits = site.config.limits
        self.deferred: set[str] = set()

    def is_big(self, tell: Tell) -> bool:
        """Whether it is a new attachment that goes in chunks, by what the tracker says of its size."""
        return is_new_attachment(tell) and _size(tell) > self._limits.inline

    def with_bytes(self, tells: Iterable[Tell]) -> Iterator[Tell]:
        """The tells, with the bytes at hand that go beside their lines; an attachment that cannot be fetched is left out.

        Raises DiskProblem, StorageFailure, KeyProblem where a long text cannot be kept: it is here, so it goes or nothing does.
        """
        for tell in tells:
            if not is_new_attachment(tell):
                texts = {name: self._text(text) for name, text in beside(tell, self._limits).items()}
                if texts:
                    self._site.step("X2")
                yield replace(tell, texts=texts) if texts else tell
                continue
            try:
                blob = self._blob(tell)
            except (Gone, Rejected, Unavailable, DiskProblem) as error:
                if isinstance(error, StorageFailure):
                    raise
                self._defer(tell, error)
            else:
                self._site.step("X2")
                yield replace(tell, blob=blob)

    def _defer(self, tell: Tell, error: Exception) -> None:
        drop_loose(self._site, self._x)
        clear_spool(self._site.spool(self._x))
        self.deferred.add(tell.issue)
        if not isinstance(error, Gone):  # deleted since we looked: the next look sees that
            name = str(tell.fields.get("name", ""))
            self._record.add(NotFetched(key=tell.about.key, name=name, why=str(error)))

    def _blob(self, tell: Tell) -> Blob:
        ref = Ref(Kind.ATTACHMENT, tell.issue, tell.row.local or "")
        size = _size(tell)
        if size > self._limits.piece * LIMITS.chunks:
            most = size_text(self._limits.piece * LIMITS.chunks)
            raise Rejected(f"it is larger than {LIMITS.chunks} chunks ({most}): raise limits.chunk here")
        with self._site.ledger.begin() as conn:
            perhaps = blobs.any_of_size(conn, self._x, size)
        if perhaps and (size > self._limits.inline or not alone(self._x)):
            source = _Source(self._site.tracker.fetch(ref))
            for _ in source.take(size + 1):
                pass
            if source.size == size and (known := self._known(source.sha256)):
                return known
        return self._cut(_Source(passing(self._site.tracker.fetch(ref), self._site.progress, Doing.FETCHING, of=size)))

    def _text(self, text: str) -> Blob:
        data = text.encode()
        known = self._known(hashlib.sha256(data).hexdigest())
        return known or self._cut(_Source(data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)))

    def _known(self, sha256: str) -> Blob | None:
        """What was sent with this content, where it can be named again."""
        archive = self._site.config.folders.archive
        with self._site.ledger.begin() as conn:
            sent = blobs.sent(conn, self._x, sha256)
            if sent is None or (alone(self._x) and not sent.blob.chunks):
                return None
            chunks = blobs.chunks_of(conn, self._x, sha256)
            if all((archive / one.file).exists() for one in chunks):
                return sent.blob
            blobs.drop_chunks(conn, self._x, chunks)  # somebody removed files there: what is left is of no use
        return None

    def _cut(self, source: _Source) -> Blob:
        """Read it once. Raises what fetching raises, DiskProblem, StorageFailure, KeyProblem."""
        piece = self._site.spool(self._x) / "piece"
        chunks: list[Chunk] = []
        while True:
            part = _Source(source.take(self._limits.piece))
            files.scratch(piece, part.take(self._limits.piece))
            if not chunks and source.size <= self._limits.inline and not source.more():
                return self._known(source.sha256) or self._small(Blob(source.sha256, source.size))
            if part.size:
                chunks.append(self._chunk(part))
            if not source.more():
                break
            if len(chunks) == LIMITS.chunks:
                raise Rejected(f"it is larger than {LIMITS.chunks} chunks: raise limits.chunk here")
        blob = Blob(source.sha256, source.size, chunks)
        if known := self._known(blob.sha256):
            drop_loose(self._site, self._x)
            return known
        with self._site.ledger.begin() as conn:
            blobs.complete(conn, self._x, blob)
        return blob

    def _small(self, blob: Blob) -> Blob:
        target = fetched(self._site, self._x) / blob.sha256
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_problem(error, target) from error
        files.keep(self._site.spool(self._x) / "piece", target)
        return blob

    def _chunk(self, part: _Source) -> Chunk:
        """A piece as a bundle of its own, in the archive."""
        folders = self._site.config.folders
        bag = self._packed(part)
        name = file_name(bag.header, bag.bundle_id, encrypted=self._x.encrypt)
        row = SentChunk(
            id=bag.bundle_id,
            generation=self._x.out_generation.n,
            blob="",
            file=name,
            size=part.size,
            at=micros(self._site.clock()),
            published=False,
            resent=0,
        )
        with self._site.ledger.begin() as conn:
            blobs.add_chunk(conn, self._x, row)
        files.keep(build(self._site, self._x, bag, name), folders.archive / name)
        self._site.step("X2 chunk")
        clear_spool(self._site.spool(self._x))
        return Chunk(bag.bundle_id, part.sha256, part.size)

    def _packed(self, part: _Source) -> Bag:
        contract = self._paired.rules.contract.digest
        header = heading(self._site, self._x, BundleKind.CHUNK, now=self._site.clock(), contract=contract)
        piece = self._site.spool(self._x) / "piece"
        return pack(header, [DataFile(CHUNK, part.size, part.size, part.sha256, lambda: files.read(piece))])


def fetched(site: Site, x: Exchange) -> Path:
    """Where small attachments of an exchange stand until the bundle that holds them is in the archive."""
    return site.config.folders.fetched / str(x.id)


def alone(x: Exchange) -> bool:
    """Whether nothing ever comes back: the partner cannot ask for bytes that it has not any more."""
    return x.direction is Direction.SEND


def is_new_attachment(tell: Tell) -> bool:
    """Whether its bytes go with it."""
    return tell.new and tell.row.kind is Kind.ATTACHMENT


def beside(tell: Tell, limits: Limits) -> dict[str, str]:
    """The texts that make a line longer than a bundle or a receiver takes, the longest first until it is not."""
    most = min(LIMITS.line, room_in(limits.max_bundle_bytes))
    if tell.size * _ESCAPED <= most:  # a line is longer than its texts by little, so most are never encoded for this
        return {}
    over = len(encode_change(tell.change(1))) - most
    texts = {name: value for name, value in tell.fields.items() if isinstance(value, str)}
    found: dict[str, str] = {}
    room = LIMITS.texts
    for name in sorted(texts, key=lambda one: (-len(texts[one]), one)):
        size = len(texts[name].encode())
        chunks = -(-size // limits.piece)
        saved = len(canonical.encode(texts[name])) - _NAMED - _CHUNK * chunks
        room -= size
        if over <= 0 or saved <= 0:
            break
        if room < 0 or chunks > LIMITS.chunks:
            return {}  # more than a receiver takes: nothing is cut for a line that stays here
        found[name] = texts[name]
        over -= saved
    return found


def drop_loose(site: Site, x: Exchange) -> None:
    """Remove the chunks of an attachment that was not cut to its end: by a fetch that failed, or a run that was cut off."""
    with site.ledger.begin() as conn:
        loose = blobs.loose(conn, x)
    _drop(site, x, loose)


def drop_unnamed(site: Site, x: Exchange) -> None:
    """Remove what was cut, and is attached no more: nothing names it now that everything was looked at."""
    with site.ledger.begin() as conn:
        found = [(one.blob.sha256, blobs.chunks_of(conn, x, one.blob.sha256)) for one in blobs.unnamed(conn, x)]
    _drop(site, x, [chunk for _, chunks in found for chunk in chunks])


def _drop(site: Site, x: Exchange, chunks: list[SentChunk]) -> None:
    if not chunks:
        return
    for one in chunks:
        files.drop(site.config.folders.archive / one.file)
    with site.ledger.begin() as conn:
        blobs.drop_chunks(conn, x, chunks)


def _size(tell: Tell) -> int:
    """What the tracker says; the bytes themselves have the last word."""
    said = tell.fields.get("size")
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() else 0


class _Source:
    """A stream of bytes, taken in parts; what has passed is counted and hashed."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""
        self._digest = Sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of what has passed."""
        return self._digest.hexdigest()

    def more(self) -> bool:
        """Whether there is anything left."""
        while not self._rest and (block := next(self._blocks, None)) is not None:
            self._rest = block
        return bool(self._rest)

    def take(self, limit: int) -> Iterator[bytes]:
        """The next bytes, at most so many."""
        while limit and self.more():
            part, self._rest = self._rest[:limit], self._rest[limit:]
            limit -= len(part)
            self.size += len(part)
            self._digest.update(part)
            yield part
