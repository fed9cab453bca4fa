"""Changes that are signed and say of an attachment's bytes what is not so; and bytes that the store has lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from filesync.ledger import blobs, shadows
from filesync.ledger.journal import BLOB, Wait
from filesync.model.change import Blob, Change, Create
from filesync.model.ids import Gid, Kind, make_gid
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
    "one chunk many times": lambda one: replace(one, size=4096 * 9_000, chunks=[one.chunks[0]] * 9_000),
    "the whole has another hash": lambda one: replace(one, sha256="1" * 64),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_chunks_is_stuck_alone(world: World, lie: str) -> None:
    stuck_alone(world, LIES[lie](told(world, FILM)))


def test_a_lie_about_the_size_of_what_is_inside_a_bundle_is_stuck_alone(world: World) -> None:
    stuck_alone(world, replace(told(world, NOTE), size=7))


def stuck_alone(world: World, blob: Blob) -> None:
    site = world.acme.config.site
    changes: list[Change] = [
        Create(
            n=1,
            gid=make_gid(site, Kind.ATTACHMENT, "900", "1763892000000"),
            kind=Kind.ATTACHMENT,
            parent=an_issue(world),
            fields={"name": "lie.mov", "size": str(blob.size)},
            blob=blob,
        ),
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
    (row,) = [one for one in world.globex.queued() if one.blob]
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
