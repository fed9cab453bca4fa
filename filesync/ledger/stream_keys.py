"""Which key signs which bundles of a stream, ours or the partner's. Inside the caller's transaction.

A stream that was only ever signed with one key has no rows. A place is the mark (generation, seq, 0) of a bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.tables import blob_in, bundle_in, bundle_out, stream_key
from filesync.model.ids import Mark

_KEYS: Final = "select since, key, revoked from stream_key where exchange = ? and ours = ? order by since"  # as in streams.py


class StreamKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, `ssh-ed25519 AAAA…`, and from which place on it signs; another that follows ends it."""

    since: Mark
    key: str
    revoked: Mark | None = None  # from here on nothing signed with it is taken

    def counts_at(self, place: Mark) -> bool:
        """Whether it signs there, as far as it alone can say."""
        return self.since <= place and (self.revoked is None or place < self.revoked)


def stream_keys(conn: sa.Connection, exchange_id: int, *, ours: bool) -> tuple[StreamKey, ...]:
    """The keys of one of both streams, in the order in which they sign."""
    return tuple(
        StreamKey(since=Mark(row.since), key=row.key, revoked=Mark(row.revoked) if row.revoked else None)
        for row in conn.exec_driver_sql(_KEYS, (exchange_id, ours))
    )


def key_at(keys: Sequence[StreamKey], place: Mark) -> StreamKey | None:
    """The one that signs at this place; None where it was revoked before."""
    begun = [one for one in keys if one.since <= place]
    return begun[-1] if begun and begun[-1].counts_at(place) else None


def begin_key(conn: sa.Connection, exchange_id: int, *, ours: bool, since: Mark, key: str) -> None:
    """From this place on the key signs."""
    conn.execute(
        sa.delete(stream_key).where(
            stream_key.c.exchange == exchange_id, stream_key.c.ours == ours, stream_key.c.since == since
        )
    )
    conn.execute(sa.insert(stream_key).values(exchange=exchange_id, ours=ours, since=since, key=key, revoked=""))


def revoke_keys(conn: sa.Connection, exchange_id: int, *, place: Mark) -> None:
    """From this place on no key of the partner's counts that is known now."""
    keys = stream_keys(conn, exchange_id, ours=False)
    for one, following in zip(keys, (*keys[1:], None), strict=True):
        if (following is None or following.since > place) and (one.revoked is None or one.revoked > place):
            conn.execute(
                sa.update(stream_key)
                .where(stream_key.c.exchange == exchange_id, ~stream_key.c.ours, stream_key.c.since == one.since)
                .values(revoked=max(place, one.since))
            )


def last_revocation(keys: Sequence[StreamKey]) -> Mark:
    """From where on nothing is taken any more, of keys of which the last is revoked.

    Keys that were revoked together end before the one after them begins; one of an earlier theft ends where the key that
    was accepted for it begins, and what that one signed stays good.
    """
    *before, last = keys
    assert last.revoked is not None
    since, begins = last.revoked, last.since
    for one in reversed(before):
        if one.revoked is None or one.revoked >= begins:
            break
        since, begins = one.revoked, one.since
    return since


def drop_keys_from(conn: sa.Connection, exchange_id: int, place: Mark) -> None:
    """The partner's keys that were to sign from there on, or from later, never counted."""
    conn.execute(
        sa.delete(stream_key).where(stream_key.c.exchange == exchange_id, ~stream_key.c.ours, stream_key.c.since >= place)
    )


def forget_keys(conn: sa.Connection, exchange_id: int) -> None:
    """The partner's keys before the one that it has now count no more."""
    conn.execute(sa.delete(stream_key).where(stream_key.c.exchange == exchange_id, ~stream_key.c.ours))


def unsigned(conn: sa.Connection) -> bool:
    """Whether a bundle of any exchange has a number, and is not signed yet."""
    return bool(conn.execute(sa.select(sa.exists().where(bundle_out.c.state == "frozen"))).scalar())


def drop_taken(conn: sa.Connection, exchange_id: int, *, generation: int, seq: int) -> None:
    """A held bundle is refused after all: another may come in its place."""
    conn.execute(
        sa.delete(bundle_in).where(
            bundle_in.c.exchange == exchange_id, bundle_in.c.generation == generation, bundle_in.c.seq == seq
        )
    )
    conn.execute(
        sa.delete(blob_in).where(blob_in.c.exchange == exchange_id, blob_in.c.generation == generation, blob_in.c.seq == seq)
    )
