"""The bytes of attachments and long texts, which stand in files: what was sent and what came. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from filesync.ledger.streams import Exchange
from filesync.ledger.tables import blob_in, blob_out, bundle_in, chunk_in, chunk_out
from filesync.model.change import Blob, Chunk
from filesync.model.ids import BundleId

_MANY: Final = 500  # names in one IN (…): databases bound them
_chunks: Final = msgspec.json.Decoder(list[Chunk])


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBlob:
    """A content that we sent, or are about to: `first` is 0 until a bundle names it."""

    blob: Blob
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentChunk:
    """A chunk of ours in archive/. Times are microseconds since 1970."""

    id: BundleId
    generation: int
    blob: str
    file: str
    size: int
    at: int
    published: bool
    resent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenChunk:
    """A chunk of the partner's in store/: where its piece stands there. `spent`: when it had done its work, else 0."""

    id: BundleId
    file: str
    sha256: str
    size: int
    offset: int
    received: int
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """Where a bundle of the partner's holds an attachment. `there`: it was not pruned."""

    seq: int
    file: str
    offset: int
    size: int
    there: bool


def _values(row: Any) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented name
    del values["exchange"]
    return values


# ── what we send ────────────────────────────────────────────────────────────────────────────────────────────────


def _sent(row: Any) -> SentBlob:
    return SentBlob(blob=Blob(row.sha256, row.size, _chunks.decode(row.chunks)), first=row.first, last=row.last)


def sent(conn: sa.Connection, x: Exchange, sha256: str) -> SentBlob | None:
    """A content of this generation that can still be sent again."""
    row = conn.execute(
        sa.select(blob_out).where(
            blob_out.c.exchange == x.id, blob_out.c.generation == x.out_generation.n, blob_out.c.sha256 == sha256
        )
    ).one_or_none()
    return None if row is None else _sent(row)


def any_of_size(conn: sa.Connection, x: Exchange, size: int) -> bool:
    """Whether a content of this size was sent: only then it can be the same."""
    query = sa.select(blob_out.c.size).where(
        blob_out.c.exchange == x.id, blob_out.c.generation == x.out_generation.n, blob_out.c.size == size
    )
    return conn.execute(query.limit(1)).first() is not None


def name_sent(conn: sa.Connection, x: Exchange, blob: Blob, *, seq: int) -> None:
    """A bundle with this number names the content; 0: it is cut, and will be named."""
    before = sent(conn, x, blob.sha256)
    if before is None:
        chunks = msgspec.json.encode(blob.chunks)
        row = {"exchange": x.id, "generation": x.out_generation.n, "sha256": blob.sha256, "size": blob.size, "chunks": chunks}
        conn.execute(sa.insert(blob_out).values(**row, first=seq, last=seq))
    else:
        conn.execute(
            sa.update(blob_out)
            .where(blob_out.c.exchange == x.id, blob_out.c.generation == x.out_generation.n, blob_out.c.sha256 == blob.sha256)
            .values(first=before.first or seq, last=seq)
        )


def unnamed(conn: sa.Connection, x: Exchange) -> list[SentBlob]:
    """Contents that are cut, and that no bundle names."""
    query = sa.select(blob_out).where(blob_out.c.exchange == x.id, blob_out.c.first == 0)
    return [_sent(row) for row in conn.execute(query)]


def still_needed(conn: sa.Connection, x: Exchange) -> set[int]:
    """Numbers of our bundles that hold an attachment which some bundle, of which it is not acknowledged, names."""
    query = sa.select(blob_out.c.first).where(
        blob_out.c.exchange == x.id,
        blob_out.c.generation == x.out_generation.n,
        blob_out.c.chunks == b"[]",
        blob_out.c.last > x.acked_blobs,
    )
    return set(conn.execute(query).scalars())


def forget_sent(conn: sa.Connection, x: Exchange, *, bundle: int) -> None:
    """The bundle with this number was pruned: what it held is sent anew where it is attached once more."""
    conn.execute(
        sa.delete(blob_out).where(
            blob_out.c.exchange == x.id,
            blob_out.c.generation == x.out_generation.n,
            blob_out.c.chunks == b"[]",
            blob_out.c.first == bundle,
        )
    )


# ── chunks that we send ─────────────────────────────────────────────────────────────────────────────────────────


def add_chunk(conn: sa.Connection, x: Exchange, one: SentChunk) -> None:
    """A chunk is about to be made."""
    conn.execute(
        sa.insert(chunk_out).values(
            exchange=x.id,
            id=one.id,
            generation=one.generation,
            blob=one.blob,
            file=one.file,
            size=one.size,
            at=one.at,
            published=one.published,
            resent=one.resent,
        )
    )


def complete(conn: sa.Connection, x: Exchange, blob: Blob) -> None:
    """The content is cut to its end: these are its chunks."""
    for one in blob.chunks:
        conn.execute(
            sa.update(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.id == one.id).values(blob=blob.sha256)
        )
    name_sent(conn, x, blob, seq=0)


def _chunk_rows(conn: sa.Connection, query: sa.Select[Any]) -> list[SentChunk]:
    return [SentChunk(**_values(row)) for row in conn.execute(query.order_by(chunk_out.c.at))]


def loose(conn: sa.Connection, x: Exchange) -> list[SentChunk]:
    """Chunks of a content that was never cut to its end."""
    return _chunk_rows(conn, sa.select(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.blob == ""))


def chunks_of(conn: sa.Connection, x: Exchange, sha256: str) -> list[SentChunk]:
    """The chunks of a content."""
    return _chunk_rows(conn, sa.select(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.blob == sha256))


def unpublished(conn: sa.Connection, x: Exchange) -> list[SentChunk]:
    """Chunks that a bundle names, and that are not in the outbox yet."""
    named = sa.select(blob_out.c.sha256).where(blob_out.c.exchange == x.id, blob_out.c.first > 0)
    query = sa.select(chunk_out).where(chunk_out.c.exchange == x.id, ~chunk_out.c.published, chunk_out.c.blob.in_(named))
    return _chunk_rows(conn, query)


def publish_again(conn: sa.Connection, x: Exchange, sha256: str) -> None:
    """The chunks of a content go into the outbox once more, with the bundle that names it."""
    of = sa.update(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.blob == sha256)
    conn.execute(of.values(published=False))


def sent_chunks(conn: sa.Connection, x: Exchange, prefixes: Iterable[str]) -> list[SentChunk]:
    """Chunks whose ids begin so."""
    found: dict[str, SentChunk] = {}
    for prefix in prefixes:
        query = sa.select(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.id.startswith(prefix, autoescape=True))
        found.update((one.id, one) for one in _chunk_rows(conn, query.where(chunk_out.c.published)))
    return list(found.values())


def covered(conn: sa.Connection, x: Exchange) -> list[SentChunk]:
    """Published chunks of which every change that names them is applied at the partner's."""
    done = sa.select(blob_out.c.sha256).where(
        blob_out.c.exchange == x.id,
        blob_out.c.generation == x.out_generation.n,
        blob_out.c.first > 0,
        blob_out.c.last <= x.acked_blobs,
    )
    query = sa.select(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.published, chunk_out.c.blob.in_(done))
    return _chunk_rows(conn, query)


def update_chunk(conn: sa.Connection, x: Exchange, one: SentChunk, **values: object) -> None:
    """Published, sent again."""
    conn.execute(sa.update(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.id == one.id).values(**values))


def drop_chunks(conn: sa.Connection, x: Exchange, rows: Collection[SentChunk]) -> None:
    """Their files are gone; what they belong to is sent anew where it is attached once more."""
    for one in rows:
        conn.execute(sa.delete(chunk_out).where(chunk_out.c.exchange == x.id, chunk_out.c.id == one.id))
    for sha256 in {one.blob for one in rows} - {""}:
        conn.execute(sa.delete(blob_out).where(blob_out.c.exchange == x.id, blob_out.c.sha256 == sha256))


# ── what we take ────────────────────────────────────────────────────────────────────────────────────────────────


def add_inline(conn: sa.Connection, x: Exchange, sha256: str, *, seq: int, offset: int, size: int) -> None:
    """A bundle that came holds this content; one before it that does, and is still here, goes on standing for it."""
    row = {"x": x.id, "g": x.in_generation.n, "h": sha256, "s": seq, "o": offset, "z": size}
    conn.execute(
        sa.text(
            "insert into blob_in (exchange, generation, sha256, seq, offset, size) values (:x, :g, :h, :s, :o, :z)"
            " on conflict (exchange, generation, sha256) do update set seq = excluded.seq, offset = excluded.offset"
            " where not exists (select 1 from bundle_in b where b.exchange = blob_in.exchange"
            " and b.generation = blob_in.generation and b.seq = blob_in.seq and b.pruned = 0)"
        ),
        row,
    )


def inline(conn: sa.Connection, x: Exchange, sha256s: Iterable[str]) -> dict[str, Inline]:
    """Where these contents stand."""
    found: dict[str, Inline] = {}
    wanted = list(dict.fromkeys(sha256s))
    same = (bundle_in.c.exchange == blob_in.c.exchange) & (bundle_in.c.generation == blob_in.c.generation)
    columns = (blob_in.c.sha256, blob_in.c.seq, blob_in.c.offset, blob_in.c.size, bundle_in.c.file, bundle_in.c.pruned)
    for start in range(0, len(wanted), _MANY):
        query = (
            sa.select(*columns)
            .join(bundle_in, same & (bundle_in.c.seq == blob_in.c.seq))
            .where(blob_in.c.exchange == x.id, blob_in.c.generation == x.in_generation.n)
            .where(blob_in.c.sha256.in_(wanted[start : start + _MANY]))
        )
        for row in conn.execute(query):
            found[row.sha256] = Inline(seq=row.seq, file=row.file, offset=row.offset, size=row.size, there=not row.pruned)
    return found


def lose_inline(conn: sa.Connection, x: Exchange, one: Inline) -> None:
    """The applied bundle that holds this content is not in store/ any more, as if it had been pruned."""
    conn.execute(
        sa.update(bundle_in)
        .where(bundle_in.c.exchange == x.id, bundle_in.c.generation == x.in_generation.n, bundle_in.c.seq == one.seq)
        .where(bundle_in.c.applied > 0)
        .values(pruned=bundle_in.c.applied)
    )


def taken_chunks(conn: sa.Connection, x: Exchange, ids: Iterable[str]) -> dict[str, TakenChunk]:
    """Those of these chunks that are here."""
    found: dict[str, TakenChunk] = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), _MANY):
        query = sa.select(chunk_in).where(chunk_in.c.exchange == x.id, chunk_in.c.id.in_(wanted[start : start + _MANY]))
        found.update((row.id, TakenChunk(**_values(row))) for row in conn.execute(query))
    return found


def add_taken_chunk(conn: sa.Connection, x: Exchange, one: TakenChunk) -> None:
    """A chunk is in store/."""
    drop_taken_chunks(conn, x, [one.id])
    conn.execute(
        sa.insert(chunk_in).values(
            exchange=x.id,
            id=one.id,
            file=one.file,
            sha256=one.sha256,
            size=one.size,
            offset=one.offset,
            received=one.received,
            spent=one.spent,
        )
    )


def renew(conn: sa.Connection, x: Exchange, one: str, *, at: int) -> None:
    """It came again: whoever sent it will name it again, so the time for which it is kept begins anew."""
    row = sa.update(chunk_in).where(chunk_in.c.exchange == x.id, chunk_in.c.id == one)
    conn.execute(row.where(chunk_in.c.spent == 0).values(received=at))
    conn.execute(row.where(chunk_in.c.spent > 0).values(spent=at))


def unspent(conn: sa.Connection, x: Exchange) -> list[TakenChunk]:
    """Chunks whose work is not done, oldest first: their change has not come, or is not decided."""
    query = sa.select(chunk_in).where(chunk_in.c.exchange == x.id, chunk_in.c.spent == 0).order_by(chunk_in.c.received)
    return [TakenChunk(**_values(row)) for row in conn.execute(query)]


def spent(conn: sa.Connection, x: Exchange, *, before: int) -> list[TakenChunk]:
    """Chunks that had done their work before this time."""
    query = sa.select(chunk_in).where(chunk_in.c.exchange == x.id, chunk_in.c.spent > 0, chunk_in.c.spent < before)
    return [TakenChunk(**_values(row)) for row in conn.execute(query)]


def spend(conn: sa.Connection, exchange_id: int, ids: Iterable[str], *, at: int) -> None:
    """What they belong to is decided."""
    for one in ids:
        conn.execute(sa.update(chunk_in).where(chunk_in.c.exchange == exchange_id, chunk_in.c.id == one).values(spent=at))


def drop_taken_chunks(conn: sa.Connection, x: Exchange, ids: Iterable[str]) -> None:
    """Their files are gone."""
    for one in ids:
        conn.execute(sa.delete(chunk_in).where(chunk_in.c.exchange == x.id, chunk_in.c.id == one))
