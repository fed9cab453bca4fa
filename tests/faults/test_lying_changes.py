"""Changes that are signed and say of an attachment's bytes what is not so; and bytes that the store has lost."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from filesync.ledger import blobs, shadows
from filesync.ledger.journal import BLOB, Wait
from filesync.model.change import Blob, Change, Chunk, Create, LongTold, Set
from filesync.model.ids import BundleId, Gid, Kind, make_gid
from tests.faults.scene import summaries
from tests.merge.scene import only
from tests.support.attachments import attached, bring, bytes_of, chunk_files, small_limits, take_chunks
from tests.support.forged import forge
from tests.support.two_sites import World, two_sites

FILM, NOTE = bytes_of(10_000, "film"), b"12 bar"


@pytest.fixture
def world() -> Iterator[World]:
    """ABC-1 at both sides, with an attachment in three chunks and one inside a bundle."""
    with two_sites() as made:
        small_limits(made)
        made.acme.desk.create("Bug", "Pump runs hot")
        made.acme.desk.attach("ABC-1", "pump.mov", [FILM])
        made.acme.desk.attach("ABC-1", "pump.log", [NOTE])
        made.settle()
        yield made


def told(world: World, content: bytes) -> Blob:
    """What acme said of bytes that it sent."""
    x = world.acme.exchange()
    with world.acme.site.ledger.begin() as conn:
        sent = blobs.sent(conn, x, hashlib.sha256(content).hexdigest())
    assert sent is not None
    return sent.blob


def an_issue(world: World) -> Gid:
    x = world.acme.exchange()
    with world.acme.site.ledger.begin() as conn:
        row = shadows.by_local(conn, x.id, Kind.ISSUE, "1")
    assert row is not None
    return row.gid


LIES: dict[str, Callable[[Blob], Blob]] = {
    "a chunk is larger": lambda one: replace(one, chunks=[replace(one.chunks[0], size=5000), *one.chunks[1:]]),
    "a chunk is huge": lambda one: replace(one, chunks=[replace(one.chunks[0], size=1 << 50), *one.chunks[1:]]),
    "a chunk has another hash": lambda one: replace(one, chunks=[replace(one.chunks[0], sha256="0" * 64), *one.chunks[1:]]),
    "sizes do not add up": lambda one: replace(one, size=9_999),
    "the whole has another hash": lambda one: replace(one, sha256="1" * 64),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_chunks_is_stuck_alone(world: World, lie: str) -> None:
    stuck_alone(world, LIES[lie](told(world, FILM)))


def test_a_lie_about_the_size_of_what_is_inside_a_bundle_is_stuck_alone(world: World) -> None:
    stuck_alone(world, replace(told(world, NOTE), size=7))


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (lambda one: one, "the bytes of description are no text in UTF-8: the sender made a mistake"),
        (lambda one: replace(one, sha256="1" * 64), "are not those that the change names"),
    ],
)
def test_a_long_text_that_is_none_or_another_is_stuck_and_is_tried_again_by_a_person(
    world: World, lie: Callable[[Blob], Blob], why: str
) -> None:
    gid = an_issue(world)
    texts = {"description": LongTold(lie(told(world, FILM)))}
    forge(world.acme, world.globex.config.folders.inbox, changes=[Set(n=1, gid=gid, fields={}, texts=texts)])
    assert world.globex.import_().bundles == 1
    row = only(world.globex.queued())
    assert row.state is Wait.STUCK
    assert why in row.reason
    world.globex.retry()
    assert only(world.globex.queued()).state is Wait.STUCK
    world.globex.skip(row.mark)
    assert world.globex.queued() == []


def attachment(world: World, blob: Blob, *, n: int = 1) -> Create:
    """An attachment of ABC-1 with these bytes, as acme could tell it."""
    return Create(
        n=n,
        gid=make_gid(world.acme.config.site, Kind.ATTACHMENT, str(900 + n), "1763892000000"),
        kind=Kind.ATTACHMENT,
        parent=an_issue(world),
        fields={"name": "lie.mov", "size": str(blob.size)},
        blob=blob,
    )


def test_a_bundle_that_names_a_chunk_twice_stops_the_stream_before_anything_of_it_is_applied(world: World) -> None:
    told_ = told(world, FILM)
    lie = attachment(world, replace(told_, size=4096 * 9_000, chunks=[told_.chunks[0]] * 9_000))
    forge(world.acme, world.globex.config.folders.inbox, changes=[lie])
    world.globex.import_()
    assert world.globex.queued() == []
    why = world.globex.exchange().stopped_why
    assert "is signed, but what it says is not valid" in why
    assert "names a chunk twice" in why


ATTACHMENTS, CHUNKS = 8, 20_000  # 26 MB of lines, and 64 MB as values
MEMORY = 45_000_000  # bytes: a page of lines, what they say, and the next page


def test_f60_hundreds_of_thousands_of_chunks_that_never_come_take_little_memory(world: World) -> None:
    """Looking what is missing, telling the partner, and the next import: each holds some attachments' chunks at a time."""
    changes: list[Change] = []
    for n in range(1, ATTACHMENTS + 1):
        named = [Chunk(BundleId(f"{n:02x}{place:062x}"), f"{place:064x}", 1 << 20) for place in range(CHUNKS)]
        changes.append(attachment(world, Blob(f"{n:064x}", CHUNKS << 20, named), n=n))
    forge(world.acme, world.globex.config.folders.inbox, changes=changes)
    del changes
    world.globex.import_()
    assert [one.waits_for for one in world.globex.queued()] == [BLOB] * ATTACHMENTS
    world.clock.advance(days=2)
    assert most(world.globex.status) < MEMORY
    assert most(world.globex.export) < MEMORY
    assert most(world.globex.import_) < MEMORY
    receiving = world.globex.status().exchanges[0].receiving
    assert receiving is not None
    assert len(receiving.attachments) == ATTACHMENTS
    assert receiving.attachments[-1].needs == f"{CHUNKS} more chunks of lie.mov (21.0 GB)"
    assert len(receiving.attachments[-1].chunks) == 100


def most(do: Callable[[], object]) -> int:
    """The bytes that Python had more, at most, than when it began."""
    gc.collect()
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def stuck_alone(world: World, blob: Blob) -> None:
    site = world.acme.config.site
    changes: list[Change] = [
        attachment(world, blob),
        Create(
            n=2,
            gid=make_gid(site, Kind.ISSUE, "901", "1763892000000"),
            kind=Kind.ISSUE,
            fields={"summary": "after", "type": "Bug", "status": "open", "priority": "medium"},
        ),
    ]
    forge(world.acme, world.globex.config.folders.inbox, changes=changes)
    done = world.globex.import_()
    assert done.bundles == 1
    (row,) = [one for one in world.globex.queued() if one.blobs]
    assert row.state is Wait.STUCK
    assert "the sender made a mistake" in row.reason
    assert "after" in summaries(world.globex)
    world.globex.import_()


def test_f37_a_chunk_that_the_ledger_has_and_the_store_has_not_is_asked_for_again(world: World) -> None:
    """As where a run was killed between dropping a file and saying so."""
    other = bytes_of(10_000, "other")
    world.acme.desk.attach("ABC-1", "other.mov", [other])
    world.acme.export()
    bring(world.globex, *take_chunks(world, of=world.acme))
    world.globex.import_()
    store = chunk_files(world.globex.config.folders.store)
    max(store, key=lambda file: file.stat().st_mtime_ns).unlink()
    world.carry(to=world.globex)
    world.globex.import_()
    assert only(world.globex.queued()).waits_for == BLOB
    for _ in range(3):
        world.clock.advance(hours=25)
        world.round()
    assert ("other.mov", other) in attached(world.globex, "ABC-1")
