"""What the two sides of an exchange call the same issue, and what ours shows of that. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from filesync.model.ids import Gid

_NOTHING: Final = "{}"  # shown by an issue that was closed to partners when it was to show something
_ADD: Final = "insert into called (exchange, gid, theirs, told, shown, due, sent, held) values "
_LEARN: Final = (
    f"{_ADD} (?, ?, ?, '', '', 1, 0, 0)"
    " on conflict (exchange, gid) do update set theirs = excluded.theirs, due = 1"
    f" where theirs <> excluded.theirs or shown = '{_NOTHING}'"
)
_TOLD: Final = f"{_ADD} (?, ?, '', ?, '', 0, 0, 0) on conflict (exchange, gid) do update set told = excluded.told"
_SENT: Final = f"{_ADD} (?, ?, '', '', '', 1, ?, 0) on conflict (exchange, gid) do update set sent = excluded.sent, due = 1"
_HELD: Final = f"{_ADD} (?, ?, '', '', '', 1, 0, 0) on conflict (exchange, gid) do update set due = 1"
_OF: Final = "select gid, theirs, told, shown, sent from called where exchange = ? and gid in (select value from json_each(?))"
_NAMED: Final = (
    "select gid from called where exchange = ? and ((? and told = ?) or (? and theirs = ?)) order by told <> ?, gid limit 1"
)
_DUE: Final = (
    "select gid, theirs, told, shown, sent from called where exchange = ? and (due or held or sent > 0)"
    " and (due or held or sent <= ?) and gid > ? order by gid limit ?"
)
_SHOWN: Final = "update called set shown = ?, due = 0, sent = ?, held = ? where exchange = ? and gid = ?"
_PUT_OFF: Final = "update called set shown = ?, due = 0, held = 0, sent = sent * (sent > ?) where exchange = ? and gid = ?"
_AGAIN: Final = "update called set due = 1 where exchange = ? and shown = ?"
_ALL_DUE: Final = "update called set due = 1 where exchange = ?"
_UNDECIDED: Final = (
    "select coalesce(entity.parent, queue.gid) as gid, max(queue.state = 'stuck' and queue.waits_for = '') as stuck"
    " from queue left join entity on entity.exchange = queue.exchange and entity.gid = queue.gid"
    " where queue.exchange = ? group by 1"
)


class Called(NamedTuple):
    """One issue. "" is what is not known, was not told, is not shown."""

    gid: Gid
    theirs: str  # the partner's key
    told: str  # our key, as the partner was told it
    shown: str  # what our issue shows of the partner's, as whoever wrote it there put it
    sent: int  # our bundle that last told something of it; 0: none that is not acknowledged

    @property
    def is_put_off(self) -> bool:
        """Whether it was closed to partners when it was to show something."""
        return self.shown == _NOTHING


def learn(conn: sa.Connection, exchange_id: int, keys: Iterable[tuple[Gid, str]]) -> None:
    """The partner calls these issues so. Where that is new, or was put off, it is due to be shown."""
    if values := [(exchange_id, gid, theirs) for gid, theirs in keys]:
        conn.exec_driver_sql(_LEARN, values)


def tell(conn: sa.Connection, exchange_id: int, keys: Iterable[tuple[Gid, str]]) -> None:
    """The partner is told what we call these issues."""
    if values := [(exchange_id, gid, ours) for gid, ours in keys]:
        conn.exec_driver_sql(_TOLD, values)


def send(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid], *, seq: int) -> None:
    """Something of these issues is told by this bundle of ours."""
    if values := [(exchange_id, gid, seq) for gid in gids]:
        conn.exec_driver_sql(_SENT, values)


def hold(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> None:
    """Something of the partner's is not decided at these issues, or they are apart now."""
    if values := [(exchange_id, gid) for gid in gids]:
        conn.exec_driver_sql(_HELD, values)


def called(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid]) -> dict[Gid, Called]:
    """What is known of these issues."""
    wanted = msgspec.json.encode(list(gids)).decode()
    return {Gid(row.gid): Called(*row) for row in conn.exec_driver_sql(_OF, (exchange_id, wanted))}


def named(conn: sa.Connection, exchange_id: int, key: str, *, by_us: bool, by_them: bool) -> Gid | None:
    """The issue that we told under this key, or that the partner told us so: also one that was deleted since."""
    found = conn.exec_driver_sql(_NAMED, (exchange_id, by_us, key, by_them, key, key)).scalars().first()
    return None if found is None else Gid(found)


def due(conn: sa.Connection, exchange_id: int, *, acknowledged: int, after: str, limit: int) -> list[Called]:
    """Issues that may have to show something else, by their gids, those that come behind `after`.

    `acknowledged`: the last bundle of ours that the partner applied.
    """
    return [Called(*row) for row in conn.exec_driver_sql(_DUE, (exchange_id, acknowledged, after, limit))]


def undecided(conn: sa.Connection, exchange_id: int) -> dict[Gid, bool]:
    """The issues at which something of the partner's is not decided, and whether that waits for a person.

    What belongs to an issue and is not made yet stands here by itself.
    """
    return {Gid(row.gid): bool(row.stuck) for row in conn.exec_driver_sql(_UNDECIDED, (exchange_id,))}


def show(conn: sa.Connection, exchange_id: int, gid: Gid, shown: str, *, sent: int, held: bool) -> None:
    """This is shown now, and nothing is due. `sent`: a bundle of ours that is still to be acknowledged; `held`: by then."""
    conn.exec_driver_sql(_SHOWN, (shown, sent, held, exchange_id, gid))


def put_off(conn: sa.Connection, exchange_id: int, gids: Iterable[Gid], *, acknowledged: int) -> None:
    """These are closed to partners now: nothing is due there until they are learned anew, or `again`."""
    if values := [(_NOTHING, acknowledged, exchange_id, gid) for gid in gids]:
        conn.exec_driver_sql(_PUT_OFF, values)


def again(conn: sa.Connection, exchange_id: int) -> None:
    """What was put off is due: it may be open to partners now."""
    conn.exec_driver_sql(_AGAIN, (exchange_id, _NOTHING))


def all_due(conn: sa.Connection, exchange_id: int) -> None:
    """Something else is to be shown than before."""
    conn.exec_driver_sql(_ALL_DUE, (exchange_id,))
