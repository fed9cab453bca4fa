"""Files in the inbox that were looked at. Every function works inside the caller's transaction."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import seen_file

ARRIVING: Final = "arriving"  # the verdict on what is not whole, or damaged: nobody can tell yet
EARLY: Final = "early"
_PLAIN: Final = "/ !#$&'()*+,;=@[]{}"  # what a name keeps as it is, besides letters, digits and _.-~
_INODES: Final = 1 << 64  # file ids of network filesystems use all 64 bits, a database's integers have a sign
_SEEN: Final = "select name, size, mtime_ns, ctime_ns, inode, sha256, verdict, note, since from seen_file where exchange = ?"


class SeenFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of a file in the inbox when it was last looked at."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str
    verdict: str
    note: str
    since: int


def files(conn: sa.Connection, exchange_id: int) -> dict[str, SeenFile]:
    """Every file looked at so far, by name."""
    found = {}
    for row in conn.exec_driver_sql(_SEEN, (exchange_id,)).all():
        stored, size, mtime_ns, ctime_ns, inode, sha256, verdict, note, since = row
        name = unquote_to_bytes(stored).decode("utf-8", "surrogateescape") if "%" in stored else stored
        found[name] = SeenFile(
            name=name,
            size=size,
            mtime_ns=mtime_ns,
            ctime_ns=ctime_ns,
            inode=inode % _INODES,
            sha256=sha256,
            verdict=verdict,
            note=note,
            since=since,
        )
    return found


def remember(conn: sa.Connection, exchange_id: int, seen: SeenFile) -> None:
    """Record what was made of a file."""
    forget(conn, exchange_id, seen.name)
    conn.execute(
        sa.insert(seen_file).values(
            exchange=exchange_id,
            name=_stored(seen.name),
            size=seen.size,
            mtime_ns=seen.mtime_ns,
            ctime_ns=seen.ctime_ns,
            inode=seen.inode if seen.inode < _INODES // 2 else seen.inode - _INODES,
            sha256=seen.sha256,
            verdict=seen.verdict,
            note=seen.note,
            since=seen.since,
        )
    )


def forget(conn: sa.Connection, exchange_id: int, name: str) -> None:
    """The file is no longer there."""
    conn.execute(sa.delete(seen_file).where(seen_file.c.exchange == exchange_id, seen_file.c.name == _stored(name)))


def _stored(name: str) -> str:
    """A file's name as the ledger can keep it: whoever fills the inbox chose it, and it need not be text in any charset."""
    return quote_from_bytes(name.encode("utf-8", "surrogateescape"), safe=_PLAIN)
