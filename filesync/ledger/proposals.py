"""The change of a contract that is under way on an exchange: one at a time. Inside the caller's transaction."""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import proposal

OPEN: Final = "open"  # it waits for the other side's answer, or for ours
WITHDRAWN: Final = "withdrawn"  # ours, that we take back: the other side's answer says whether that came in time
SWITCHING: Final = "switching"  # accepted: what the ledger knows is brought under it


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """`text` and `mapping` are those that are to be in force, `before` and `mapping_before` those that were.

    `origins`: what the partner said of its fields (bundle/agreement.py), as JSON; None where it said nothing. `agent`: what
    made the partner's proposal. `read_by`: the version of filesync that read it last, and why that could not: `unreadable`.
    `instead_of`: the version of ours that was proposed at the same time and gave way to it; 0: none.
    """

    ours: bool
    state: str
    seq: int  # the partner's bundle that proposed it, or accepted ours; 0: none
    version: int
    digest: str
    text: str
    message: str
    mapping: str | None
    before: str
    mapping_before: str | None
    place: int
    since: int  # microseconds
    origins: str | None = None
    agent: str = ""
    instead_of: int = 0
    read_by: str = ""
    unreadable: str = ""


_OF: Final = "select * from proposal where exchange = ?"  # as in streams.py


def of(conn: sa.Connection, exchange_id: int) -> Proposal | None:
    """The one that is under way."""
    row = conn.exec_driver_sql(_OF, (exchange_id,)).one_or_none()
    if row is None:
        return None
    values = {**row._mapping, "ours": bool(row.ours)}  # noqa: SLF001, SQLAlchemy's public name
    del values["exchange"]
    return Proposal(**values)


def put(conn: sa.Connection, exchange_id: int, one: Proposal) -> None:
    """Keep it in place of what is there."""
    drop(conn, exchange_id)
    conn.execute(sa.insert(proposal).values(exchange=exchange_id, **msgspec.structs.asdict(one)))


def drop(conn: sa.Connection, exchange_id: int) -> None:
    """It is over."""
    conn.execute(sa.delete(proposal).where(proposal.c.exchange == exchange_id))
