"""Bytes of attachments that arrive: chunks in files of their own, in any order, and small ones inside a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from filesync.agent import blobs as attached
from filesync.agent.incoming.arrivals import ChunkAgain, ChunkCame, ChunksDropped
from filesync.agent.incoming.filing import room
from filesync.agent.record import Record, micros
from filesync.agent.site import Site
from filesync.bundle.header import file_name
from filesync.bundle.layout import BLOBS, CHUNK
from filesync.bundle.read import Bundle
from filesync.exchange import files
from filesync.ledger import blobs, streams
from filesync.ledger.blobs import TakenChunk
from filesync.ledger.streams import Exchange
from filesync.model.change import Change, Create


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
    """A bundle that was applied and pruned came once more: it is kept where an attachment still needs what it holds."""
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


def spend(conn: sa.Connection, exchange_id: int, decided: Iterable[Change], *, at: int) -> None:
    """The chunks of attachments that are decided have done their work."""
    for change in decided:
        if isinstance(change, Create) and change.blob is not None:
            blobs.spend(conn, exchange_id, [chunk.id for chunk in change.blob.chunks], at=at)


def drop_early(site: Site, x: Exchange, record: Record) -> None:
    """Of chunks that no change which came names, those older than `keep_for` go, and the oldest of what is too much."""
    with site.ledger.begin() as conn:
        wanted, _ = attached.needed(conn, x)
        nobodys = [one for one in blobs.unspent(conn, x) if one.id not in wanted]
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
