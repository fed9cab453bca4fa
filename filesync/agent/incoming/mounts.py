"""What is remembered of an inbox, so that a share that is not mounted is told from an empty folder."""

from __future__ import annotations

from pathlib import Path

import msgspec
import sqlalchemy as sa

from filesync.exchange.inbox import Mounted
from filesync.ledger import streams
from filesync.ledger.streams import Exchange


def remembered(conn: sa.Connection, x: Exchange, folder: Path) -> Mounted | None:
    """What was remembered of this folder; None when no import looked at it yet."""
    text = streams.site_fact(conn, _fact(x, folder))
    return None if text is None else msgspec.json.decode(text, type=Mounted)


def remember(conn: sa.Connection, x: Exchange, folder: Path, mounted: Mounted) -> None:
    """Remember it."""
    streams.set_site_fact(conn, _fact(x, folder), msgspec.json.encode(mounted).decode())


def _fact(x: Exchange, folder: Path) -> str:
    return f"inbox {x.id} {folder}"
