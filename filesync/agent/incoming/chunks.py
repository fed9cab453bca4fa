"""Bytes of attachments and long texts that arrive: chunks in files of their own, in any order; small ones inside a bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filesync.agent import blobs as attached
from filesync.agent.incoming.filing import room, same
from filesync.agent.incoming.pieces import ChunkAgain, ChunkCame, ChunksDropped
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.header import file_name
from filesync.bundle.layout import BLOBS, CHUNK
from filesync.bundle.read import Bundle, Head
from filesync.exchange import files
from filesync.exchange.inbox import Candidate
from filesync.ledger import blobs, streams
from filesync.ledger.blobs import TakenChunk
from filesync.ledger.looked_at import EARLY, SeenFile
from filesync.ledger.streams import Exchange
from filesync.model.change import Blob
from filesync.model.moments import micros

_NAMED_LIKE: Final = re.compile(r"_b([0-9a-f]{16})")  # how the name of a chunk's file says its id


class Early:
    """Room for chunks that no change which came names, during one look at the inbox. What is named always has room."""

    def __init__(self, site: Site, x: Exchange, names: Iterable[str]) -> None:
        self._site, self._x = site, x
        self._hints = {found[1] for name in names if (found := _NAMED_LIKE.search(name.lower()))}
        self._wanted: set[str] | None = None  # of the hints
        self._room = 0  # bytes
        self.put_off: dict[str, int] = {}  # chunks that stay in the inbox for now, by name: how large their files are

    def skips(self, candidate: Candidate, seen: SeenFile | None) -> bool:
        """Whether the file is one that was put off before and would be again: it is not even opened."""
        if seen is None or seen.verdict != EARLY or not same(seen, candidate):
            return False
        self._look()
        chunk, _, size = seen.note.partition(" ")
        with self._site.ledger.begin() as conn:
            waits = int(size) > self._room and not self._names(conn, chunk[: attached.HINT])
        if waits:
            self.put_off[candidate.name] = candidate.size
        return waits

    def admits(self, candidate: Candidate, head: Head) -> bool:
        """Whether a verified chunk may be kept; it then counts. Else it is put off."""
        self._look()
        size = head.header.files[0].size
        with self._site.ledger.begin() as conn:
            if self._names(conn, head.bundle_id[: attached.HINT]) or blobs.taken_chunks(conn, self._x, [head.bundle_id]):
                return True
        if size > self._room:
            self.put_off[candidate.name] = candidate.size
            return False
        self._room -= size
        return True

    def _look(self) -> None:
        """Once, and only where chunks come: what is asked for, and how much of what nobody asks for is here."""
        if self._wanted is not None:
            return
        with self._site.ledger.begin() as conn:
            self._wanted = attached.named(conn, self._x, self._hints)
            self._room = self._site.config.limits.early_chunks - sum(one.size for one in _nobodys(conn, self._x))

    def _names(self, conn: sa.Connection, hint: str) -> bool:
        assert self._wanted is not None
        if hint in self._hints:
            return hint in self._wanted
        return bool(attached.named(conn, self._x, {hint}))  # it came under another name


def take_chunk(site: Site, x: Exchange, record: Record, plain: Path, bundle: Bundle, *, name: str) -> bool:
    """I10 of a chunk: durable in the store, then known to the ledger. Returns whether it was not here yet."""
    head = bundle.head
    stored = file_name(head.header, head.bundle_id, encrypted=False)
    target = site.config.folders.store / stored
    there = target.exists()
    with room():
        files.keep(plain, target)
    site.step("I10")
    now = micros(site.clock())
    member, entry = bundle.members[CHUNK], head.header.files[0]
    with site.ledger.begin() as conn:
        new = not there or head.bundle_id not in blobs.taken_chunks(conn, x, [head.bundle_id])
        if not new:
            blobs.renew(conn, x, head.bundle_id, at=now)
        if new:
            row = TakenChunk(
                id=head.bundle_id, file=stored, sha256=entry.sha256, size=entry.size, offset=member.offset, received=now
            )
            blobs.add_taken_chunk(conn, x, row)
        streams.update_exchange(conn, x.id, in_last_file=name, in_last_seen=now)
        record.add(ChunkCame(file=name, bytes=entry.size) if new else ChunkAgain(file=name))
        record.write(conn)
    record.done()
    return new


def note_inline(conn: sa.Connection, x: Exchange, bundle: Bundle) -> None:
    """Where in the file of a bundle that came its small attachments stand."""
    for path, member in bundle.members.items():
        if path.startswith(BLOBS):
            sha256, seq = path.removeprefix(BLOBS), bundle.head.header.seq
            blobs.add_inline(conn, x, sha256, seq=seq, offset=member.offset, size=member.size)


def store_again(site: Site, x: Exchange, plain: Path, bundle: Bundle) -> None:
    """A bundle that was applied and pruned came once more: it is kept where a change still needs what it holds."""
    header = bundle.head.header
    with site.ledger.begin() as conn:
        known = streams.taken(conn, x.id, generation=header.generation.n, seq=header.seq)
        missing = {one.lack.bundle for one in attached.waiting(conn, x)}
    if known is None or not known.pruned or header.seq not in missing:
        return
    with room():
        files.keep(plain, site.config.folders.store / known.file)
    with site.ledger.begin() as conn:
        streams.update_taken(conn, x.id, known, pruned=0)


def _nobodys(conn: sa.Connection, x: Exchange) -> list[TakenChunk]:
    """The chunks here that no change which came names, oldest first."""
    found = blobs.unspent(conn, x)
    wanted = attached.named(conn, x, {one.id for one in found})
    return [one for one in found if one.id not in wanted]


def spend(conn: sa.Connection, exchange_id: int, done: Iterable[Blob], *, at: int) -> None:
    """The chunks of what is decided have done their work."""
    for blob in done:
        blobs.spend(conn, exchange_id, [chunk.id for chunk in blob.chunks], at=at)


def drop_early(site: Site, x: Exchange, record: Record) -> None:
    """Of chunks that no change which came names, those older than `keep_for` go, and the oldest of what is too much."""
    with site.ledger.begin() as conn:
        nobodys = _nobodys(conn, x)
    over = sum(one.size for one in nobodys) - site.config.limits.early_chunks
    old = micros(site.clock() - site.config.limits.keep_for)
    gone: list[TakenChunk] = []
    for one in nobodys:
        if over <= 0 and one.received >= old:
            break
        files.drop(site.config.folders.store / one.file)
        gone.append(one)
        over -= one.size
    if not gone:
        return
    with site.ledger.begin() as conn:
        blobs.drop_taken_chunks(conn, x, [one.id for one in gone])
        record.add(ChunksDropped(partner=x.partner_name, chunks=len(gone), bytes=sum(one.size for one in gone)))
        record.write(conn)
    record.done()
