"""Bundles that are given to the carrier again, byte for byte: because a person says so, or because a report asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from filesync.agent.events import Event, ranges
from filesync.agent.outgoing.departures import Asked, ChunksNotThere, ChunksResent, NotThere, Resent
from filesync.agent.outgoing.offer import offer
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.errors import PairingError
from filesync.ledger import blobs, streams
from filesync.ledger.blobs import SentChunk
from filesync.ledger.streams import Exchange, Sent
from filesync.model.moments import micros, moment


def resend(site: Site, name: str, seqs: Iterable[int]) -> list[Event]:
    """Put archived bundles into the outbox again. Raises PairingError, before any, where one is not there."""
    x = site.paired(name).exchange
    record = site.record(name)
    there = _archived(site, x, seqs)
    if there.pruned:
        raise PairingError(
            f"bundle {ranges([one.seq for one in there.pruned])} for {x.partner_name} was pruned here on "
            f"{moment(there.pruned[0].pruned):%Y-%m-%d}, after {x.partner_name} had acknowledged it as applied",
            hint=f"If {x.partner_name} needs it all the same, its site was restored from a backup. Put the file back into the "
            "archive from a backup of that folder, then run this again.",
        )
    if there.absent:
        raise PairingError(
            f"bundle {ranges(there.absent)} for {x.partner_name} is not in the archive (we made {x.out_seq})",
            hint="compare the number with what `filesync status` says at the partner's",
        )
    for one in there.found:
        _publish(site, x, one, record)
    now = micros(site.clock())
    with site.ledger.begin() as conn:
        for one in there.found:
            streams.update_sent(conn, x.id, one, resent=now)
        record.write(conn)
    record.done()
    return record.events


def answer(site: Site, x: Exchange, record: Record) -> None:
    """Resend what the partner's newest report asks for. A report is answered once, a bundle once in `report_every`."""
    seqs: list[int] = msgspec.json.decode(x.wanted, type=list[int]) if x.wanted else []
    _answer_chunks(site, x, record)
    if not seqs:
        return
    now = site.clock()
    there = _archived(site, x, seqs)
    again = [one for one in there.found if now - moment(one.resent) >= site.config.limits.report_every]
    if again:
        record.add(Asked(partner=x.partner_name, seqs=[one.seq for one in again]))
    for one in again:
        _publish(site, x, one, record)
    if missing := [*(one.seq for one in there.pruned), *there.absent]:
        record.add(NotThere(partner=x.partner_name, seqs=missing, made=x.out_seq))
    with site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, wanted="")
        for one in again:
            streams.update_sent(conn, x.id, one, resent=micros(now))
        record.write(conn)
    record.done()


def resend_chunks(site: Site, name: str, prefixes: list[str], *, whole: bool = False) -> list[Event]:
    """Put archived chunks into the outbox again, named by how their ids begin. Raises PairingError, before any.

    `whole`: with all other chunks of the attachments that they are of.
    """
    x = site.paired(name).exchange
    record = site.record(name)
    with site.ledger.begin() as conn:
        found = {prefix: blobs.sent_chunks(conn, x, [prefix]) for prefix in prefixes}
        if whole:
            of = {prefix: {one.blob for one in chunks} for prefix, chunks in found.items()}
            found = {prefix: [one for sha in of[prefix] for one in blobs.chunks_of(conn, x, sha)] for prefix in prefixes}
    archive = site.config.folders.archive
    for prefix, chunks in found.items():
        if not chunks or not all((archive / one.file).exists() for one in chunks):
            raise PairingError(
                f"there is no chunk {prefix[:64]!r} for {x.partner_name} in the archive",
                hint=f"`filesync status` at {x.partner_name} names the chunks that it waits for",
            )
    _publish_chunks(site, x, record, [one for chunks in found.values() for one in chunks])
    return record.events


def _answer_chunks(site: Site, x: Exchange, record: Record) -> None:
    """The chunks that the partner's newest report asks for."""
    ids: list[str] = msgspec.json.decode(x.wanted_chunks, type=list[str]) if x.wanted_chunks else []
    if not ids:
        return
    with site.ledger.begin() as conn:
        streams.update_exchange(conn, x.id, wanted_chunks="")
        found = blobs.sent_chunks(conn, x, ids)
    archive = site.config.folders.archive
    there = [one for one in found if (archive / one.file).exists()]
    if missing := len(ids) - len(there):
        record.add(ChunksNotThere(partner=x.partner_name, chunks=missing))
    now = site.clock()
    _publish_chunks(site, x, record, [one for one in there if now - moment(one.resent) >= site.config.limits.report_every])


def _publish_chunks(site: Site, x: Exchange, record: Record, chunks: list[SentChunk]) -> None:
    for one in chunks:
        offer(site, x, one.file, record)
    if chunks:
        record.add(ChunksResent(chunks=len(chunks), to=x.partner_name))
    with site.ledger.begin() as conn:
        for one in chunks:
            blobs.update_chunk(conn, x, one, resent=micros(site.clock()))
        record.write(conn)
    record.done()


@dataclass(frozen=True, slots=True)
class _There:
    """Which of the numbers the archive has."""

    found: list[Sent] = field(default_factory=list)
    pruned: list[Sent] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)


def _archived(site: Site, x: Exchange, seqs: Iterable[int]) -> _There:
    """What of these is there; the first number that is too high ends it."""
    there = _There()
    with site.ledger.begin() as conn:
        for seq in seqs:
            one = streams.sent(conn, x.id, generation=x.out_generation.n, seq=seq)
            if one is not None and (site.config.folders.archive / one.file).exists():
                there.found.append(one)
            elif one is not None and one.pruned:
                there.pruned.append(one)
            else:
                there.absent.append(seq)
            if seq > x.out_seq:
                break
    return there


def _publish(site: Site, x: Exchange, one: Sent, record: Record) -> None:
    record.add(Resent(seq=one.seq, file=offer(site, x, one.file, record).name))
