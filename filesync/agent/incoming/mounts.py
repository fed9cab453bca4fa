"""What is remembered of an inbox, so that a share that is not mounted is told from an empty folder."""

from __future__ import annotations

from pathlib import Path

import msgspec
import sqlalchemy as sa

from filesync.agent.site import Site
from filesync.exchange.inbox import Mounted, mark_mounted
from filesync.ledger import streams
from filesync.ledger.streams import Exchange


def mounted(site: Site, x: Exchange, folder: Path) -> Mounted:
    """What was remembered of the folder; remembered now if it was never looked at. Raises DiskProblem."""
    with site.ledger.begin() as conn:
        known = remembered(conn, x, folder)
    if known is not None:
        return known
    now = mark_mounted(folder)
    with site.ledger.begin() as conn:
        streams.set_site_fact(conn, _fact(x, folder), msgspec.json.encode(now).decode())
    return now


def remembered(conn: sa.Connection, x: Exchange, folder: Path) -> Mounted | None:
    """What was remembered of this folder; None when no import looked at it yet."""
    text = streams.site_fact(conn, _fact(x, folder))
    return None if text is None else msgspec.json.decode(text, type=Mounted)


def assume(conn: sa.Connection, x: Exchange, folder: Path) -> None:
    """Take the folder as it is where no import looked at it yet, and leave nothing in it."""
    if remembered(conn, x, folder) is None:
        there = Mounted(sentinel=False, borders=0)
        streams.set_site_fact(conn, _fact(x, folder), msgspec.json.encode(there).decode())


def _fact(x: Exchange, folder: Path) -> str:
    return f"inbox {x.id} {folder}"
