"""How far this site has come with the partner's stream: told in every bundle and in reports, and taken from the partner's."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.agent.blobs import waiting
from filesync.agent.gaps import Gap, Untaken, missing, untaken
from filesync.bundle.header import Items, Place, Position, Refused, Report, Short
from filesync.errors import PartnerError
from filesync.ledger import journal, streams
from filesync.ledger.journal import Wait
from filesync.ledger.refusals import refusals
from filesync.ledger.shortfalls import tally
from filesync.ledger.streams import Exchange
from filesync.model.ids import NEVER, Mark, make_mark, parse_mark
from filesync.model.moments import micros, moment

_LISTED: Final = 10_000  # numbers that a report may list (schemas/report.json)
_WANTED: Final = 100  # bundles asked for, or named as refused, in one report; the next names those after them
_SHORT: Final = 1_000  # causes and fields that one report counts (schemas/report.json)
_UNTIL_KNOWN: Final = "Nothing more is sent or applied on this exchange until that is known."


def seen(conn: sa.Connection, x: Exchange) -> Mark:
    """The partner's last mark before which everything is decided. For acknowledgement and pruning; the merge never asks."""
    first = journal.first_queued(conn, x.id)
    if first is not None:
        generation, seq, n = parse_mark(first)
        return make_mark(generation, seq, n - 1)
    if not x.in_seq:
        return NEVER
    last = streams.taken(conn, x.id, generation=x.in_generation.n, seq=x.in_seq)
    return make_mark(x.in_generation.n, x.in_seq, last.changes if last is not None else 0)


# ── what is missing ─────────────────────────────────────────────────────────────────────────────────────────────


def lacking(conn: sa.Connection, x: Exchange) -> list[Gap]:
    """What is missing, and what came so that it could not be taken, also where it is the last there is."""
    gone = missing(conn, x)
    came = [
        Gap(one.seq, one.seq, moment(one.since))
        for one in refusals(conn, x, limit=_WANTED)
        if not any(gap.first <= one.seq <= gap.last for gap in gone)
    ]
    return sorted([*gone, *came], key=lambda gap: gap.first)


def wanted(found: Sequence[Gap], *, now: dt.datetime, grace: dt.timedelta) -> list[int]:
    """The numbers to ask for: those that are missing for longer than `grace`, the first ones where they are many."""
    numbers: list[int] = []
    for gap in found:
        if now - gap.since >= grace:
            room = _WANTED - len(numbers)
            numbers += range(gap.first, min(gap.last, gap.first + room - 1) + 1)
    return numbers


# ── what we say ─────────────────────────────────────────────────────────────────────────────────────────────────


def report(conn: sa.Connection, x: Exchange, *, now: dt.datetime, grace: dt.timedelta) -> Report:
    """Our position report, the next in number. What is missing for longer than `grace` is asked for."""
    queue = journal.count_queued(conn, x.id)
    held = [one.seq for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    received = x.in_seq
    for seq in held:
        received += seq == received + 1
    chunks, again = _wanted_bytes(conn, x, now=now, grace=grace)
    return Report(
        no=x.report_no + 1,
        of_stream=x.in_stream,
        generation=Place(x.in_generation.n, x.in_generation.id),
        received_to=received,
        applied_to=x.in_seq,
        applied_id=x.in_id,
        blobs_to=_blobs_to(conn, x),
        held=[seq for seq in held if seq > received][:_LISTED],
        want=wanted(lacking(conn, x), now=now, grace=grace) + again,
        want_blobs=chunks,
        refused=[Refused(one.seq, one.code) for one in refusals(conn, x, limit=_WANTED)],
        items=Items(
            ok=x.items_ok,
            conflict=x.items_conflict,
            failed=queue.get(Wait.STUCK, 0),
            deferred=sum(queue.values()) - queue.get(Wait.STUCK, 0),
        ),
        short=[Short(one.field, one.cause, one.items) for one in tally(conn, x.id, sent=False, examples=0, limit=_SHORT)],
        own=Position(Place(x.out_generation.n, x.out_generation.id), x.out_seq, x.out_id) if x.out_seq else None,
    )


def _wanted_bytes(conn: sa.Connection, x: Exchange, *, now: dt.datetime, grace: dt.timedelta) -> tuple[list[str], list[int]]:
    """Chunks, and applied bundles, that attachments need which wait for longer than `grace`."""
    chunks: dict[str, None] = {}
    bundles: set[int] = set()
    for one in waiting(conn, x):
        if now - moment(one.row.since) >= grace:
            chunks.update(dict.fromkeys(one.lack.first[: _WANTED - len(chunks)]))
            bundles.add(one.lack.bundle)
    return list(chunks), sorted(bundles - {0})[:_WANTED]


def _blobs_to(conn: sa.Connection, x: Exchange) -> int:
    """The last bundle up to which everything is applied with its attachments."""
    first = journal.first_blob(conn, x.id)
    return x.in_seq if first is None else min(x.in_seq, parse_mark(first)[1] - 1)


def news(told: Report) -> str:
    """A digest of what a report says of the partner's stream; empty where nothing ever came.

    Our own position is not in it, nor is what the partner reported: so no report is ever the answer to a report.
    """
    if not (told.received_to or told.held or told.want or told.refused):
        return ""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(told, no=1, own=None))).hexdigest()


def told(conn: sa.Connection, x: Exchange, what: Report, *, now: dt.datetime) -> None:
    """Remember that this report was given to the carrier."""
    streams.update_exchange(conn, x.id, report_told=news(what), report_at=micros(now))


# ── what the partner says ───────────────────────────────────────────────────────────────────────────────────────


def take(conn: sa.Connection, x: Exchange, says: Report, *, digest: str, now: dt.datetime) -> bool:
    """Take what the partner says of our stream and of its own. `digest`: SHA-256 of the report's bytes.

    Returns whether it came late: an older report than the last is counted, and says nothing. Raises PartnerError when
    it contradicts what is known: then one of the two sites was restored from a backup.
    """
    if says.of_stream != x.out_stream or says.generation.id != x.out_generation.id:
        return False
    if says.no < x.report_taken:
        streams.update_exchange(conn, x.id, reports_late=x.reports_late + 1)
        return True
    if says.no == x.report_taken:
        if x.report_digest and digest != x.report_digest:
            raise PartnerError(
                f"{x.partner_name} sent two different reports with the number {says.no}: was it restored from a backup?",
                hint=_UNTIL_KNOWN,
            )
        return False
    _check_acknowledged(conn, x, says)
    here = [one.seq for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    have, theirs = max([x.in_seq, *here]), _own(conn, x, says)
    behind_before = x.partner_seq > have
    streams.update_exchange(
        conn,
        x.id,
        report_taken=says.no,
        report_digest=digest,
        acked_seq=says.applied_to,
        acked_id=says.applied_id,
        acked_blobs=min(says.blobs_to, says.applied_to),
        wanted=msgspec.json.encode(says.want).decode() if says.want else "",
        refused=_refused(x, says, now=now),
        shortfalls=msgspec.json.encode(says.short).decode() if says.short else "",
        wanted_chunks=msgspec.json.encode(says.want_blobs).decode() if says.want_blobs else "",
        partner_seq=theirs,
        partner_since=x.partner_since if behind_before else micros(now),
    )
    return False


def short_there(x: Exchange) -> list[Short]:
    """What of ours is not at the partner's as we sent it, as its newest report counts."""
    return msgspec.json.decode(x.shortfalls, type=list[Short]) if x.shortfalls else []


def _refused(x: Exchange, says: Report, *, now: dt.datetime) -> str:
    since = {(one.seq, one.code): one.since for one in untaken(x)}
    named = dict.fromkeys((one.seq, one.code) for one in says.refused[:_WANTED])
    found = [Untaken(seq, code, since.get((seq, code), micros(now))) for seq, code in named]
    return msgspec.json.encode(found).decode() if found else ""


def _check_acknowledged(conn: sa.Connection, x: Exchange, says: Report) -> None:
    known = streams.sent(conn, x.id, generation=says.generation.n, seq=says.applied_to)
    if says.applied_to > x.out_seq or (says.applied_to and (known is None or known.id != says.applied_id)):
        raise PartnerError(
            f"{x.partner_name} acknowledges bundle {says.applied_to} ({says.applied_id[:8]}), which we never made "
            f"(we made {x.out_seq}): was this site restored from a backup?",
            hint=_UNTIL_KNOWN,
        )
    if says.applied_to < x.acked_seq:
        raise PartnerError(
            f"{x.partner_name} had applied our bundle {x.acked_seq}, and now says that it is at {says.applied_to}: "
            "was it restored from a backup?",
            hint=_UNTIL_KNOWN,
        )


def _own(conn: sa.Connection, x: Exchange, says: Report) -> int:
    """How far the partner's own stream has come. One that says less than is here is of another history."""
    if says.own is None or says.own.generation.id != x.in_generation.id:
        return x.partner_seq
    known = streams.taken(conn, x.id, generation=says.own.generation.n, seq=says.own.seq)
    if says.own.seq < x.in_seq or (known is not None and known.id != says.own.id):
        raise PartnerError(
            f"{x.partner_name} says that its last bundle is {says.own.seq} ({says.own.id[:8]}), but {x.in_seq} is applied "
            "here, and what is here is not that one: was it restored from a backup?",
            hint=_UNTIL_KNOWN,
        )
    return says.own.seq
