"""Removing files that have done their work, and nothing else: the partner's signed report says that it *applied* them.

| | removed when |
|---|---|
| outbox | the partner acknowledged it, and nobody asked for it again within `keep_for` |
| archive | the partner acknowledged it; it is not among the newest `keep_bundles`, and older than `keep_for` |
| store | it is applied here, not among the newest `keep_bundles`, and was applied before `keep_for` |
| both | of an exchange that was ended, when that is longer ago than `keep_for` |
| store/arrived | it came before `keep_for`: these are copies of what is in the store or in quarantine, and of reports |

Of the journal, what is older than `keep_log` goes with them.

What is in quarantine stays until a person drops it. The ledger keeps every bundle's number and id for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from filesync.agent import blobs as attached
from filesync.agent.events import Warned
from filesync.agent.outgoing.departures import Pruned
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.errors import disk_problem
from filesync.exchange.files import hash_file
from filesync.ledger import blobs, journal, retention
from filesync.ledger.blobs import SentChunk, TakenChunk
from filesync.ledger.endings import endings
from filesync.ledger.retention import Kept
from filesync.ledger.streams import Exchange
from filesync.model.moments import micros


class Place(StrEnum):
    """Where a file is removed."""

    OUTBOX = "outbox"
    ARCHIVE = "archive"
    STORE = "store"
    ARRIVED = "arrived"
    ENDED = "ended"  # archive or store, of an exchange that is no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A file that has done its work. `bundle`, `chunk`: what the ledger knows of it, neither for a copy of what arrived."""

    place: Place
    path: Path
    size: int  # bytes; 0 where it is gone already
    bundle: Kept | None = None
    chunk: SentChunk | TakenChunk | None = None


def prune(site: Site, name: str, *, dry_run: bool = False) -> list[Spent]:
    """Remove what has done its work; what could not be removed is a warning, and is tried again by the next export.

    Returns what was removed, or would be. Raises PairingError, StreamStopped: where a stream stands still, files are evidence.
    """
    with site.alone(site.config.folders.store):
        return _prune(site, name, dry_run=dry_run)


def _prune(site: Site, name: str, *, dry_run: bool) -> list[Spent]:
    x = site.paired(name).exchange
    with site.ledger.begin() as conn:
        found = spent(conn, site, x)
        if not dry_run:
            journal.drop_entries(conn, before=micros(site.clock() - site.config.limits.keep_log))
    if dry_run or not found:
        return found
    record = site.record(name)
    removed = _removed(site, found, record)
    now = micros(site.clock())
    with site.ledger.begin() as conn:
        for one in removed:
            if one.bundle is not None and one.place is Place.ARCHIVE:
                retention.sent_pruned(conn, x, one.bundle, at=now)
            elif one.bundle is not None and one.place is Place.STORE:
                retention.taken_pruned(conn, x, one.bundle, at=now)
        sent = [one.chunk for one in removed if isinstance(one.chunk, SentChunk) and one.place is Place.ARCHIVE]
        blobs.drop_chunks(conn, x, sent)
        blobs.drop_taken_chunks(conn, x, [one.chunk.id for one in removed if isinstance(one.chunk, TakenChunk)])
        for place in (Place.ARCHIVE, Place.STORE):
            of = [one for one in removed if one.place is place]
            if of:
                record.add(_pruned(x, place, of))
        record.write(conn)
    record.done()
    return removed


def _pruned(x: Exchange, place: Place, of: list[Spent]) -> Pruned:
    seqs = [one.bundle.seq for one in of if one.bundle is not None]
    size = sum(one.size for one in of)
    last, chunks = max(seqs, default=0), len(of) - len(seqs)
    return Pruned(partner=x.partner_name, place=place, bundles=len(seqs), chunks=chunks, last=last, bytes=size)


def spent(conn: sa.Connection, site: Site, x: Exchange) -> list[Spent]:
    """Every file of this exchange that has done its work. Nothing is changed."""
    limits, folders = site.config.limits, site.config.folders
    before = micros(site.clock() - limits.keep_for)
    acked = retention.acknowledged(conn, x)
    outbox = site.outbox(x)
    chunks = [one for one in blobs.covered(conn, x) if one.resent < before]
    ours = {one.file for one in chunks} | {one.file for one in acked if one.resent < before}
    sent = [path for path in _files(outbox) if path.name in ours]
    found = []
    for number, path in enumerate(sent):
        site.progress(Doing.COMPARING, number, len(sent))
        if _same(path, folders.archive / path.name):
            found.append(_spent(Place.OUTBOX, path))
    found += [_spent(Place.ARCHIVE, folders.archive / one.file, chunk=one) for one in chunks if one.at < before]
    needed, done = attached.needed_bundles(conn, x), blobs.spent(conn, x, before=before)
    wanted = attached.named(conn, x, {one.id for one in done})
    done = [one for one in done if one.id not in wanted]
    found += [_spent(Place.STORE, folders.store / one.file, chunk=one) for one in done]
    kept: list[tuple[Place, Path, list[Kept], int]] = [
        (Place.ARCHIVE, folders.archive, [one for one in acked if one.resent < before], x.out_seq),
        (Place.STORE, folders.store, [one for one in retention.applied(conn, x) if one.seq not in needed], x.in_seq),
    ]
    for place, folder, bundles, newest in kept:
        old = [one for one in bundles if one.seq <= newest - limits.keep_bundles and one.at < before]
        found += [_spent(place, folder / one.file, bundle=one) for one in old]
    limit = (site.clock() - limits.keep_for).timestamp()
    arrived = [path for path in _files(folders.store / "arrived") if path.lstat().st_mtime < limit]
    return [*found, *(_spent(Place.ARRIVED, path) for path in arrived), *_of_ended(conn, site)]


def prune_ended(site: Site, *, dry_run: bool = False) -> list[Spent]:
    """Remove what is old of ended exchanges: for a site that has no other."""
    record = site.record("-")
    with site.ledger.begin() as conn:
        found = _of_ended(conn, site)
    removed = found if dry_run else _removed(site, found, record)
    with site.ledger.begin() as conn:
        record.write(conn)
    record.done()
    return removed


def _of_ended(conn: sa.Connection, site: Site) -> list[Spent]:
    before = micros(site.clock() - site.config.limits.keep_for)
    old = [one for one in endings(conn) if one.at < before]
    named = {f"fs1_{one.out_stream[:8]}_" for one in old}, {f"fs1_{one.in_stream[:8]}_" for one in old if one.in_stream}
    return [
        _spent(Place.ENDED, path)
        for folder, starts in zip((site.config.folders.archive, site.config.folders.store), named, strict=True)
        for path in (_files(folder) if starts else ())
        if path.name.startswith(tuple(starts))
    ]


def _files(folder: Path) -> list[Path]:
    """Regular files there, by name; a folder that was never made holds none."""
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    except OSError as error:
        raise disk_problem(error, folder, doing="read") from error


def _same(path: Path, archived: Path) -> bool:
    """Whether a file of our name in the outbox is ours: others may write there."""
    return archived.is_file() and hash_file(path) == hash_file(archived)


def _spent(place: Place, path: Path, *, bundle: Kept | None = None, chunk: SentChunk | TakenChunk | None = None) -> Spent:
    return Spent(place=place, path=path, size=path.stat().st_size if path.exists() else 0, bundle=bundle, chunk=chunk)


def _removed(site: Site, found: list[Spent], record: Record) -> list[Spent]:
    """Those of them that could be removed."""
    removed = []
    for number, one in enumerate(found):
        site.progress(Doing.REMOVING, number, len(found))
        if _remove(one, record):
            removed.append(one)
    return removed


def _remove(one: Spent, record: Record) -> bool:
    try:
        one.path.unlink(missing_ok=True)  # the carrier took it, or a run was cut off between this and the ledger
    except OSError as error:
        record.add(Warned(what=f"{shown(one.path.name)} stays in {one.place}: {disk_problem(error, one.path, doing='remove')}"))
        return False
    return True
