"""The partner's keys of issues that came, and texts with issues or files that are not here yet. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import X, partner_key, unnamed
from filesync.model.ids import Gid, Mark

_KEY: Final[sa.BindParameter[str]] = sa.bindparam("key")
_THEIRS: Final = sa.select(partner_key.c.theirs).where(partner_key.c.exchange == X, partner_key.c.ours == _KEY)
_OURS: Final = sa.select(partner_key.c.ours).where(partner_key.c.exchange == X, partner_key.c.theirs == _KEY)
_ADD: Final = (
    "insert into partner_key (exchange, theirs, ours) values (?, ?, ?)"
    " on conflict (exchange, theirs) do update set ours = excluded.ours"
)
_WAIT: Final = "insert into unnamed (exchange, theirs, gid) values (?, ?, ?) on conflict (exchange, theirs, gid) do nothing"
_DROP: Final = "delete from unnamed where exchange = ? and theirs = ? and gid = ?"
_COME: Final = (
    sa.select(unnamed.c.gid, unnamed.c.theirs)
    .join(partner_key, (partner_key.c.exchange == unnamed.c.exchange) & (partner_key.c.theirs == unnamed.c.theirs))
    .where(unnamed.c.exchange == X)
    .order_by(unnamed.c.gid)
)
_PUT_FILES: Final = (
    "insert into unfiled (exchange, gid, field, mark, text, files, due) values (?, ?, ?, ?, ?, ?, 0)"
    " on conflict (exchange, gid, field)"
    " do update set mark = excluded.mark, text = excluded.text, files = excluded.files, due = 0"
)
_DROP_FILES: Final = "delete from unfiled where exchange = ? and gid = ? and field = ?"
_FILES_CAME: Final = (
    "update unfiled set due = 1 where exchange = ?"
    " and (gid = ? or gid in (select gid from entity where exchange = ? and parent = ?))"
)
_FILES_DUE: Final = "select gid, field from unfiled where exchange = ? and due = 1 order by gid, field"
_UNFILED: Final = "select mark, text, files from unfiled where exchange = ? and gid = ? and field = ?"


class Unfiled(msgspec.Struct, frozen=True):
    """A text, as it was told by the change at this mark, that shows files; `files`: the names of those that have not come."""

    gid: Gid
    field: str
    mark: Mark
    text: str
    files: tuple[str, ...]


def add_keys(conn: sa.Connection, exchange_id: int, keys: Iterable[tuple[str, str]]) -> None:
    """What an issue that came is called: (by us, by the partner)."""
    if values := [(exchange_id, theirs, ours) for ours, theirs in keys]:
        conn.exec_driver_sql(_ADD, values)


def theirs_of(conn: sa.Connection, exchange_id: int, ours: str) -> str | None:
    """The partner's key of an issue that came from it, by ours."""
    return conn.execute(_THEIRS, {"x": exchange_id, "key": ours}).scalars().first()


def ours_of(conn: sa.Connection, exchange_id: int, theirs: str) -> str | None:
    """Our key of an issue that came, by the partner's."""
    return conn.execute(_OURS, {"x": exchange_id, "key": theirs}).scalars().first()


def add_unnamed(conn: sa.Connection, exchange_id: int, texts: Iterable[tuple[Gid, str]]) -> None:
    """Entities whose texts show an issue that is not here by the partner's key."""
    if values := [(exchange_id, theirs, gid) for gid, theirs in texts]:
        conn.exec_driver_sql(_WAIT, values)


def come(conn: sa.Connection, exchange_id: int) -> dict[Gid, list[str]]:
    """Of these, the ones that name an issue which has come meanwhile, with the partner's keys of such."""
    found: dict[Gid, list[str]] = {}
    for row in conn.execute(_COME, {"x": exchange_id}):
        found.setdefault(Gid(row.gid), []).append(row.theirs)
    return found


def drop_unnamed(conn: sa.Connection, exchange_id: int, gid: Gid, theirs: Iterable[str]) -> None:
    """Its texts name these by our keys now, or need not any more."""
    conn.exec_driver_sql(_DROP, [(exchange_id, one, gid) for one in theirs])


def put_unfiled(conn: sa.Connection, exchange_id: int, texts: Iterable[Unfiled]) -> None:
    """Remember these texts, each in the place of what was known of its field; one that waits for no file is forgotten."""
    for one in texts:
        if one.files:
            row = (exchange_id, one.gid, one.field, one.mark, one.text, "\n".join(one.files))
            conn.exec_driver_sql(_PUT_FILES, row)
        else:
            conn.exec_driver_sql(_DROP_FILES, (exchange_id, one.gid, one.field))


def files_came(conn: sa.Connection, exchange_id: int, issues: Iterable[Gid]) -> None:
    """Something was attached to these: their texts, and those of what belongs to them, are to be looked at."""
    if values := [(exchange_id, one, exchange_id, one) for one in issues]:
        conn.exec_driver_sql(_FILES_CAME, values)


def files_due(conn: sa.Connection, exchange_id: int) -> list[tuple[Gid, str]]:
    """The texts that are to be looked at, by issue and field: others may wait for ever for a file that nobody tells."""
    return [(Gid(gid), field) for gid, field in conn.exec_driver_sql(_FILES_DUE, (exchange_id,))]


def unfiled_text(conn: sa.Connection, exchange_id: int, gid: Gid, field: str) -> Unfiled:
    """One that is there."""
    mark, text, files = conn.exec_driver_sql(_UNFILED, (exchange_id, gid, field)).one()
    return Unfiled(gid, field, Mark(mark), text, tuple(files.split("\n")))
