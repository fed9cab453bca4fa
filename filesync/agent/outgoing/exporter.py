"""Export: read what changed, number it, and put it into the outbox as signed bundles. Steps X1-X12 of docs/format.md.

A bundle exists from the one transaction that numbers and freezes it (X3). Whatever interrupts the rest, the next run
finishes it: from the archive when the file is there, else from what was frozen. A number is never used twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import msgspec

from filesync.agent.contract.switch import at_work, proposed
from filesync.agent.events import Event
from filesync.agent.naming import value_text
from filesync.agent.outgoing.again import answer
from filesync.agent.outgoing.build import clear_spool
from filesync.agent.outgoing.cutting import Cutter, alone, drop_loose, drop_unnamed
from filesync.agent.outgoing.departures import NotTold, RulesChanged
from filesync.agent.outgoing.finish import finish, small_file
from filesync.agent.outgoing.found import Found
from filesync.agent.outgoing.gather import Gather
from filesync.agent.outgoing.number import freeze, next_heading
from filesync.agent.outgoing.reports import report_if_due
from filesync.agent.outgoing.unmarked import claim
from filesync.agent.paired import Paired
from filesync.agent.partners.agreements import ReadAnew
from filesync.agent.record import Record
from filesync.agent.showing import show
from filesync.agent.site import Site
from filesync.agent.staged import LIMITS
from filesync.agent.upkeep.prune import prune
from filesync.bundle.changes import compress, encode_change
from filesync.bundle.header import BundleKind, InChunks
from filesync.bundle.write import changes_file, pack
from filesync.config import Limits, room_in
from filesync.errors import PairingError, size_text
from filesync.ledger import blobs, by_hand, called, journal, open_conflicts, shadows, streams
from filesync.ledger.outside import put_ours
from filesync.ledger.shortfalls import note_sent
from filesync.ledger.streams import Direction, Exchange
from filesync.model.change import Blob
from filesync.model.diff import Tell
from filesync.model.ids import Gid, Kind, make_mark
from filesync.model.issue import Item
from filesync.model.links import link_end
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life

_BLOBS: Final = 2_000  # attachments and texts that the changes of one bundle name: its head lists them
_ENTRY: Final = 1_500  # bytes that a small attachment takes besides its own: in head, manifest and tar


@dataclass(frozen=True, slots=True)
class Exports:
    """What one export did."""

    bundles: int
    changes: int
    reported: bool  # a position report is in the outbox
    events: tuple[Event, ...]


def export_once(site: Site, name: str) -> Exports:
    """Export everything that changed. Raises PairingError, StreamStopped, ConfigError, Unavailable, DiskProblem, KeyProblem."""
    paired = at_work(site, name)
    if paired.exchange.direction is Direction.RECEIVE:
        raise PairingError(f"exchange {name!r} only receives", hint="pair it again with --direction both to send, too")
    site.check_restored(paired.exchange)
    record = site.record(name)
    clear_spool(site.spool(paired.exchange))
    finished = finish(site, paired.exchange, record, resumed=True)
    held = proposed(site, paired, record)
    if paired.exchange.basis not in {"", paired.basis} and not held:
        agreed = paired.exchange.basis == streams.AGREED
        record.add((ReadAnew if agreed else RulesChanged)(partner=paired.them.name))
    drop_loose(site, paired.exchange)
    lost: list[tuple[Item, Gid]] = []
    for found in () if held else Gather(site, paired, record).found():  # X1
        lost += found.unmarked
        for part in _with_bytes(site, paired, record, found):  # X2
            numbered = _number(site, paired, record, part)  # X3
            site.step("X3")
            if numbered:
                finished += finish(site, paired.exchange, record)
    claim(site.tracker, lost)
    drop_unnamed(site, paired.exchange)
    with site.ledger.begin() as conn:
        if not held:
            streams.update_exchange(conn, paired.exchange.id, basis=paired.basis)  # all was looked at under these rules
        x = streams.exchange_of(conn, paired.exchange.id)
        record.write(conn)
    record.done()
    answer(site, x, record)
    reported = report_if_due(site, paired, record)
    show(site, paired, record)
    prune(site, name)
    return Exports(
        bundles=len(finished),
        changes=sum(one.changes for one in finished),
        reported=reported,
        events=tuple(record.events),
    )


def _with_bytes(site: Site, paired: Paired, record: Record, found: Found) -> Iterator[Found]:
    """What is to be numbered: first what waits for no large attachment, then these, some at a time."""
    cutter = Cutter(site, paired, record)
    big: list[Tell] = []
    small: list[Tell] = []
    for tell in found.tells:
        (big if cutter.is_big(tell) else small).append(tell)
    later = {tell.issue for tell in big}
    tells = list(cutter.with_bytes(small))
    first = replace(found, tells=tells, again=found.again | {(issue, "") for issue in cutter.deferred | later})
    yield first
    told: list[Tell] = []
    for tell in cutter.with_bytes(_of_told(site, paired.exchange, big)):
        told.append(tell)
        if sum(blob.size for one in told for blob in one.blobs) >= site.config.limits.piece:
            yield Found(tells=told, keys=found.keys)
            told = []
    if big:
        again = {(issue, end) for issue, end in first.again if issue in later and (end or issue in cutter.deferred)}
        again |= found.again & {(issue, "") for issue in later}
        yield Found(
            tells=told,
            looked_at=sorted(later),
            again=again,
            keys=found.keys,
            short={one: found.short.get(one, []) for one in later},
        )


def _of_told(site: Site, x: Exchange, tells: list[Tell]) -> list[Tell]:
    """Those whose issue was told: one that is too long stays here, with what belongs to it."""
    with site.ledger.begin() as conn:
        rows = shadows.entities(conn, x.id, [tell.row.parent for tell in tells if tell.row.parent is not None])
    return [tell for tell in tells if tell.row.parent in rows and rows[tell.row.parent].state is Life.LIVE]


def _number(site: Site, paired: Paired, record: Record, found: Found) -> bool:
    """X3: one transaction freezes the changes, takes numbers, advances shadows and cursor. Nothing to tell takes none.

    Returns whether it took any.
    """
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        rest = fit = that_fit(found, record)
        while rest:
            seq = x.out_seq + 1
            named_before = {blob.sha256 for blob in _beside(rest) if blobs.sent(conn, x, blob.sha256)}
            sent = set() if alone(x) else named_before
            lines, rows = _lines(rest, generation=x.out_generation.n, seq=seq, limits=site.config.limits, sent=sent)
            told, rest = rest[: len(lines)], rest[len(lines) :]
            packed = compress(lines, level=site.config.limits.level)
            now = site.clock()
            header = msgspec.structs.replace(
                next_heading(
                    conn,
                    site,
                    x,
                    BundleKind.CHANGES,
                    now=now,
                    contract=paired.rules.contract.digest,
                    counts=dict(sorted(Counter(one.word for one in told).items())),
                ),
                blobs=_in_chunks(_beside(told)),
            )
            named = {blob.sha256: blob for blob in _beside(told)}
            here = [one for sha256, one in sorted(named.items()) if sha256 not in sent and not one.chunks]
            bag = pack(header, [changes_file(packed), *(small_file(site, x, one.sha256, one.size) for one in here)])
            for blob in named.values():
                blobs.name_sent(conn, x, blob, seq=seq)
                if alone(x) and blob.chunks:
                    blobs.publish_again(conn, x, blob.sha256)
            shadows.save(conn, x.id, rows)
            open_conflicts.say_ours(conn, x.id, list(_ours(told)))
            if paired.keeps_pace:
                called.send(
                    conn,
                    x.id,
                    {one.row.parent or one.row.gid for one in told if one.says_more and one.row.kind is not Kind.VERSION},
                    seq=seq,
                )
            called.tell(conn, x.id, [(row.gid, found.keys[row.gid]) for row in rows if row.gid in found.keys])
            x = freeze(conn, x, bag, packed, changes=len(told), now=now)
        if found.cursor is not None and found.cursor != x.cursor:
            streams.update_exchange(conn, x.id, cursor=found.cursor)
        called.learn(conn, x.id, found.named)
        put_ours(conn, x.id, found.outside)
        journal.add_conflicts(conn, x.id, found.met)
        by_hand.looked_at(conn, x.id, found.by_hand)
        by_hand.drop(conn, x.id, found.over)
        shadows.drop_revisits(conn, x.id, found.looked_at)
        shadows.add_revisits(conn, x.id, found.again)
        note_sent(conn, x.id, found.looked_at, chain.from_iterable(found.short.values()), now=micros(site.clock()))
        record.write(conn)
    record.done()
    return bool(fit)


def that_fit(found: Found, record: Record) -> list[Tell]:
    """The tells whose line the receiver takes. What is too long stays here, with what belongs to it, and is told of.

    Links to a new issue that stays here are told once that one is.
    """
    fit: list[Tell] = []
    left_out: set[Gid] = set()
    unborn: dict[Gid, str] = {}  # -> its local id
    for tell in found.tells:
        row = tell.row
        if row.parent in left_out:
            continue
        early = _early(tell, unborn) if unborn else {}
        found.again.update((row.local or "", end) for end in early.values())
        if early and not (tell.new or tell.fields.keys() - early.keys()):
            continue
        # a line is longer than its texts by little, so most are never encoded for this
        if tell.size * 8 > LIMITS.line and len(encode_change(tell.change(1))) > LIMITS.line:
            why = f"it is longer than a change may be ({size_text(LIMITS.line)}, and {size_text(LIMITS.texts)} of long texts)"
            record.add(NotTold(key=tell.about.key, field=", ".join(list(tell.fields)[:3]), why=why))
            left_out.add(row.gid)
            if tell.new and row.local is not None:
                unborn[row.gid] = row.local
        else:
            fit.append(tell if not early else _without(tell, early))
    return fit


def _early(tell: Tell, unborn: Mapping[Gid, str]) -> dict[str, str]:
    """The links to what stays here, and its local id."""
    return {name: unborn[end] for name in tell.fields if (end := link_end(name)) in unborn and end is not None}


def _without(tell: Tell, names: Collection[str]) -> Tell:
    return msgspec.structs.replace(tell, fields={name: value for name, value in tell.fields.items() if name not in names})


def _beside(tells: Iterable[Tell]) -> list[Blob]:
    """All that goes beside these lines."""
    return [blob for one in tells if one.texts or one.blob is not None for blob in one.blobs]


def _in_chunks(beside: Iterable[Blob]) -> list[InChunks]:
    """What the head says of what goes in chunks."""
    found = {blob.sha256: blob for blob in beside if blob.chunks}
    return [InChunks(sha256, one.size, len(one.chunks)) for sha256, one in sorted(found.items())]


def _ours(told: Iterable[Tell]) -> Iterator[tuple[Gid, str, str]]:
    """Of fields that wait for a person: what stands here from now on, in words."""
    for one in told:
        for name in one.row.shadows.met:
            if name in one.fields:
                yield one.row.gid, name, value_text(one.fields[name])


def _lines(
    tells: list[Tell], *, generation: int, seq: int, limits: Limits, sent: Collection[str]
) -> tuple[list[bytes], list[Entity]]:
    """As many change lines as one bundle takes with what goes beside them, at least one, and the rows they leave behind."""
    lines: list[bytes] = []
    rows: list[Entity] = []
    size, most = 0, limits.max_bundle_bytes
    named: set[str] = set()
    for n, tell in enumerate(tells[: limits.max_changes], start=1):
        line = encode_change(tell.change(n))
        size += len(line)
        for blob in tell.blobs:
            if not blob.chunks and blob.sha256 not in named and blob.sha256 not in sent:
                most = room_in(limits.max_bundle_bytes)  # it cannot be compressed
                size += blob.size + _ENTRY
            named.add(blob.sha256)
        if lines and (size > most or len(named) > _BLOBS):
            break
        lines.append(line)
        rows += tell.rows(make_mark(generation, seq, n))
    return lines, rows
