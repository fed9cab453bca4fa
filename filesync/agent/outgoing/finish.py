"""X4-X12: from a bundle's number to a file in the outbox. Whatever interrupts it, the next run goes on from what was frozen."""

from __future__ import annotations

from pathlib import Path

from filesync.agent.outgoing.build import build, check_recipient, clear_spool
from filesync.agent.outgoing.cutting import fetched
from filesync.agent.outgoing.departures import ChunksExported, Exported, Resumed
from filesync.agent.outgoing.offer import offer
from filesync.agent.outgoing.vanished import gone
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.changes import Compressed
from filesync.bundle.header import decode_header
from filesync.bundle.layout import BLOBS
from filesync.bundle.write import Bag, DataFile, changes_file, pack
from filesync.errors import DiskProblem, StorageFailure
from filesync.exchange import files
from filesync.exchange.guard import Guard, write_guard
from filesync.ledger import blobs, streams
from filesync.ledger.streams import Exchange, Sent

_ARCHIVED, _PUBLISHED = "archived", "published"


def finish(site: Site, x: Exchange, record: Record, *, resumed: bool = False) -> list[Sent]:
    """X4-X12 for every bundle that has a number and is not in the outbox yet."""
    check_recipient(x)
    with site.ledger.begin() as conn:
        waiting = streams.unpublished(conn, x.id)
    for number, one in enumerate(waiting):
        site.progress(Doing.FINISHING, number, len(waiting))
        archived = site.config.folders.archive / one.file
        # If the archive has the file, that is the bundle: encryption and some signatures never give the same bytes twice.
        if not files.kept(archived):
            _build(site, x, one, archived)
        if resumed:
            record.add(Resumed(seq=one.seq, file=one.file))
        write_guard(site.config.folders.guard, _guard(x, one))  # X9
        site.step("X9")
        with site.ledger.begin() as conn:  # X10
            streams.update_sent(conn, x.id, one, header=None, frozen=None, state=_ARCHIVED)
        site.step("X10")
        offered = offer(site, x, one.file, record)  # X11
        site.step("X11")
        size = files.size_of(archived)
        record.add(Exported(seq=one.seq, changes=one.changes, bytes=size, file=offered.name, to=x.partner_name))
        with site.ledger.begin() as conn:  # X12
            streams.update_sent(conn, x.id, one, state=_PUBLISHED)
            record.write(conn)
        record.done()
        site.step("X12")
    clear_spool(fetched(site, x))
    _publish_chunks(site, x, record, resumed=resumed)
    return waiting


def _publish_chunks(site: Site, x: Exchange, record: Record, *, resumed: bool) -> None:
    """X11 and X12 of chunks: those that a numbered bundle names. One that the archive has not any more holds up no other."""
    with site.ledger.begin() as conn:
        found = blobs.unpublished(conn, x)
    waiting = [one for one in found if (site.config.folders.archive / one.file).exists()]
    sent, size = 0, sum(one.size for one in waiting)
    for one in waiting:
        site.progress(Doing.SENDING, sent, size)
        sent += one.size
        offer(site, x, one.file, record)
        site.step("X11")
        with site.ledger.begin() as conn:
            blobs.update_chunk(conn, x, one, published=True)
        site.step("X12")
    if waiting:
        record.add(ChunksExported(chunks=len(waiting), bytes=size, to=x.partner_name))
    if resumed and len(waiting) < len(found):  # once a run
        for event in gone(site, x, [one for one in found if one not in waiting]):
            record.add(event)
    if found:
        with site.ledger.begin() as conn:
            record.write(conn)
        record.done()


def _guard(x: Exchange, one: Sent) -> Guard:
    return Guard(
        stream=x.out_stream,
        generation=x.out_generation,
        seq=one.seq,
        id=one.id,
        partner_generation=x.in_generation.n,
    )


def _build(site: Site, x: Exchange, one: Sent, archived: Path) -> None:
    """X4-X8: from what was frozen to a file in the archive that our own reader has read."""
    finished = build(site, x, _bag(site, x, one, archived), one.file)
    files.keep(finished, archived)  # X8
    site.step("X8")
    clear_spool(site.spool(x))


def _bag(site: Site, x: Exchange, one: Sent, archived: Path) -> Bag:
    if one.header is None or one.frozen is None:
        raise DiskProblem(
            f"bundle {one.seq} was made and archived, but {str(archived)!r} is gone before it was published",
            hint="Put the file back, from a backup or another copy: its number is taken, and no other bytes may have it.",
        )
    header = decode_header(one.header)
    changes, *inline = header.files
    data = [small_file(site, x, entry.sha256, entry.size) for entry in inline]
    bag = pack(header, [changes_file(Compressed(one.frozen, changes.content_size)), *data])
    if bag.bundle_id != one.id:
        raise StorageFailure(
            f"what was frozen of bundle {one.seq} is not what was numbered: {bag.bundle_id[:8]} instead of {one.id[:8]}",
            hint="the ledger's disk gives back other bytes than were written: check it before anything else runs",
        )
    return bag


def small_file(site: Site, x: Exchange, sha256: str, size: int) -> DataFile:
    """What is small and goes beside a line, as a member of the bundle."""
    path = fetched(site, x) / sha256
    return DataFile(BLOBS + sha256, size, size, sha256, lambda: files.read(path))
