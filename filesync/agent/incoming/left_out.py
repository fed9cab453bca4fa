"""What our mapping leaves out of what the partner sends, told once for each field."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from filesync.agent.incoming.arrivals import KeptOut
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.ledger import streams


def left_out(conn: sa.Connection, paired: Paired, named: Collection[tuple[str, str]], record: Record) -> None:
    """Tell those of these fields, bare wire names each with why its rule fails or "", that were not told yet."""
    if not named:
        return
    fields = [f"{name} ({why})" if why else name for name, why in named]
    fact = f"kept out {paired.exchange.id}"
    told = set(json.loads(streams.site_fact(conn, fact) or "[]"))
    if new := sorted(set(fields) - told):
        streams.set_site_fact(conn, fact, json.dumps(sorted({*told, *new})))
        record.add(KeptOut(partner=paired.them.name, fields=new))
