"""Exchanges that were ended: what is remembered of one when its rows are gone. Inside the caller's transaction."""

from __future__ import annotations

import re
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger import streams
from filesync.ledger.streams import Exchange
from filesync.ledger.tables import entity, exchange, metadata, site
from filesync.model.ids import SiteId, StreamId
from filesync.model.prepare import prepare
from filesync.model.shadow import Life

_FACT: Final = "ended "  # and our stream: the name of the site's fact
_ENDED: Final = "select value from site where name like ?"  # as in streams.py
# `paired 3`, `inbox 3 /srv/in 1`: the first number after the words is the exchange's, what follows is its own matter
_OF_EXCHANGE: Final = re.compile(r"[a-z ]+ ([0-9]+)(?: |\Z)")


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange that is no more. Its streams are remembered: what still comes on one, or lies in a folder, is no riddle."""

    exchange: str
    partner_site: SiteId
    partner_name: str
    out_stream: StreamId
    in_stream: StreamId
    at: int  # microseconds since 1970


prepare(Ended)


def endings(conn: sa.Connection) -> list[Ended]:
    """All of them."""
    found = conn.exec_driver_sql(_ENDED, (f"{_FACT}%",)).scalars()
    return [msgspec.json.decode(text, type=Ended) for text in found]


def end(conn: sa.Connection, x: Exchange, *, at: int) -> None:
    """Remove every row of an exchange but what the journal says, and remember that it was."""
    for table in reversed(metadata.sorted_tables):
        if table is not exchange and any(one.column.table is exchange for one in table.foreign_keys):
            conn.execute(sa.delete(table).where(table.c.exchange == x.id))
    conn.execute(sa.delete(exchange).where(exchange.c.id == x.id))
    # facts of the site that are named after it: its number may be given again
    for name in conn.execute(sa.select(site.c.name)).scalars().all():
        if (number := _OF_EXCHANGE.match(name)) is not None and int(number[1]) == x.id:
            streams.drop_site_fact(conn, name)
    ended = Ended(
        exchange=x.name,
        partner_site=x.partner_site,
        partner_name=x.partner_name,
        out_stream=x.out_stream,
        in_stream=x.in_stream,
        at=at,
    )
    streams.set_site_fact(conn, f"{_FACT}{x.out_stream}", msgspec.json.encode(ended).decode())


def count_entities(conn: sa.Connection, x: Exchange) -> dict[Life, int]:
    """How many issues, comments and their like an exchange knows, by what became of them."""
    query = sa.select(entity.c.state, sa.func.count()).where(entity.c.exchange == x.id).group_by(entity.c.state)
    return {Life(state): number for state, number in conn.execute(query)}
