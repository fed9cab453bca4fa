"""What people were written to, as a fact of the site in the ledger: a restored one forgets what it tells of, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger import since, streams
from filesync.ledger.since import Place
from filesync.model.prepare import prepare

_FACT: Final = "mailed"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Something that lasts, or that is not told again for a while. Times are microseconds since 1970.

    `ends`: which look finds it again for as long as it lasts (found.py); "": none does.
    """

    exchange: str  # "": all of them
    text: str
    ends: str
    since: int
    seen: int  # when it was found last
    sent: int  # when it was mailed; 0: not yet


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """How far the ledger was read, and what is known of what was found, by its name.

    `doubt`: since when nobody knows whether a letter with what is not remembered was taken (microseconds since 1970); 0: never.
    """

    place: Place
    rows: Mapping[str, Row] = {}
    doubt: int = 0


prepare(Remembered)


def recall(conn: sa.Connection) -> Remembered | None:
    """What was remembered last; None where no mail was ever thought of. A place behind the ledger's last rows is these."""
    text = streams.site_fact(conn, _FACT)
    if text is None:
        return None
    found, there = msgspec.json.decode(text, type=Remembered), since.end(conn)
    place = Place(entry=min(found.place.entry, there.entry), conflict=min(found.place.conflict, there.conflict))
    return msgspec.structs.replace(found, place=place)


def remember(conn: sa.Connection, what: Remembered) -> None:
    """In place of what was remembered."""
    streams.set_site_fact(conn, _FACT, msgspec.json.encode(what).decode())


def rows_go(conn: sa.Connection) -> None:
    """Rows of the ledger were removed: their numbers are given again, to what nobody was told of."""
    if (known := recall(conn)) is not None:
        remember(conn, known)
