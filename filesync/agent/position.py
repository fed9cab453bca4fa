"""How far this site has come with the partner's stream: told in every bundle, and taken from every one of the partner's."""

from __future__ import annotations

import sqlalchemy as sa

from filesync.bundle.header import Items, Place, Position, Report
from filesync.errors import PartnerError
from filesync.ledger import journal, streams
from filesync.ledger.journal import Wait
from filesync.ledger.streams import Exchange
from filesync.model.ids import NEVER, BundleId, Mark, make_mark, parse_mark


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


def report(conn: sa.Connection, x: Exchange) -> Report:
    """Our position report, the next in number."""
    queue = journal.count_queued(conn, x.id)
    held = [one.seq for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    received = x.in_seq
    while received + 1 in held:
        received += 1
    return Report(
        no=x.report_no + 1,
        of_stream=x.in_stream,
        generation=Place(x.in_generation.n, x.in_generation.id),
        received_to=received,
        applied_to=x.in_seq,
        applied_id=x.in_id,
        blobs_to=x.in_seq,
        held=[seq for seq in held if seq > received],
        items=Items(
            ok=x.items_ok,
            conflict=x.items_conflict,
            failed=queue.get(Wait.STUCK, 0),
            deferred=sum(queue.values()) - queue.get(Wait.STUCK, 0),
        ),
        own=Position(Place(x.out_generation.n, x.out_generation.id), x.out_seq, x.out_id) if x.out_seq else None,
    )


def take(conn: sa.Connection, x: Exchange, told: Report) -> None:
    """Take what the partner says of our stream. An older report than the last is ignored.

    Raises PartnerError when it acknowledges what we never made, or takes back what it had acknowledged.
    """
    if told.of_stream != x.out_stream or told.generation.id != x.out_generation.id or told.no <= x.report_taken:
        return
    known = streams.sent(conn, x.id, generation=told.generation.n, seq=told.applied_to)
    if told.applied_to > x.out_seq or (told.applied_to and (known is None or known.id != told.applied_id)):
        raise PartnerError(
            f"{x.partner_name} acknowledges bundle {told.applied_to} ({told.applied_id[:8]}), which we never made "
            f"(we made {x.out_seq}): was this site restored from a backup?",
            hint="Nothing more is sent or applied on this exchange until that is known.",
        )
    if told.applied_to < x.acked_seq:
        raise PartnerError(
            f"{x.partner_name} had applied our bundle {x.acked_seq}, and now says that it is at {told.applied_to}: "
            "was it restored from a backup?",
            hint="Nothing more is sent or applied on this exchange until that is known.",
        )
    acked: dict[str, int | BundleId] = {"report_taken": told.no, "acked_seq": told.applied_to, "acked_id": told.applied_id}
    streams.update_exchange(conn, x.id, **acked)
