"""Bytes of attachments where nothing ever comes back: the receiver cannot ask, so nothing may be lost without a word."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from filesync.agent.incoming.pieces import BytesMissing
from filesync.agent.upkeep.prune import prune
from filesync.errors import ExitCode
from filesync.ledger import streams
from filesync.ledger.streams import Direction
from tests.faults.scene import Terminal, change_settings, only
from tests.support.attachments import attached, bring, bytes_of, chunk_files, set_limits, small_limits, take_chunks
from tests.support.two_sites import EXCHANGE, World, two_sites

FILM, NOTE = bytes_of(14_000, "film"), b"12 bar"  # four chunks, and one that travels inside a bundle


@pytest.fixture
def diode() -> Iterator[World]:
    """acme only sends, globex only receives, and removes early what has done its work. Both have ABC-1, with both contents."""
    with two_sites() as world:
        small_limits(world)
        for side, direction in ((world.acme, Direction.SEND), (world.globex, Direction.RECEIVE)):
            change_settings(side, keep_bundles="0", keep_for="30d")
            x = side.exchange()
            with side.site.ledger.begin() as conn:
                streams.update_exchange(conn, x.id, direction=direction)
        world.acme.desk.create("Bug", "Pump runs hot")
        world.acme.desk.attach("ABC-1", "pump.mov", [FILM])
        world.acme.desk.attach("ABC-1", "pump.log", [NOTE])
        world.send(world.acme)
        assert len(attached(world.globex, "ABC-1")) == 2
        yield world


def let_go(world: World) -> None:
    """The receiver removes what has done its work."""
    world.clock.advance(days=31)
    prune(world.globex.site, EXCHANGE)
    assert list(world.globex.config.folders.store.glob("fs1_*")) == []


def test_a_content_that_was_sent_long_ago_goes_again_with_what_names_it(diode: World) -> None:
    let_go(diode)
    diode.acme.desk.attach("ABC-1", "again.mov", [FILM])
    diode.acme.desk.attach("ABC-1", "again.log", [NOTE])
    done = diode.send(diode.acme)
    assert [one for one in done.events if isinstance(one, BytesMissing)] == []
    assert attached(diode.globex, "ABC-1")[2:] == [("again.log", NOTE), ("again.mov", FILM)]
    assert len(chunk_files(diode.acme.config.folders.archive)) == 4, "the same files, not new ones"


def test_the_change_that_comes_long_after_the_bytes_came_again_still_finds_them(diode: World) -> None:
    diode.clock.advance(days=29)
    diode.acme.desk.attach("ABC-1", "again.mov", [FILM])
    diode.acme.export()
    bring(diode.globex, *take_chunks(diode, of=diode.acme))
    diode.globex.import_()
    diode.clock.advance(days=2)
    prune(diode.globex.site, EXCHANGE)
    diode.carry(to=diode.globex)
    diode.globex.import_()
    assert attached(diode.globex, "ABC-1")[2:] == [("again.mov", FILM)]


def test_a_content_whose_chunks_somebody_removed_from_the_archive_is_cut_anew(diode: World) -> None:
    let_go(diode)
    chunk_files(diode.acme.config.folders.archive)[1].unlink()
    diode.acme.desk.attach("ABC-1", "again.mov", [FILM])
    diode.send(diode.acme)
    assert attached(diode.globex, "ABC-1")[2:] == [("again.mov", FILM)]


@pytest.mark.parametrize("chunk", ["4 KiB", "1 KiB"])  # four chunks, and more than a sentence names
def test_what_was_lost_is_named_with_the_one_command_that_brings_all_of_it(
    diode: World, terminal: Terminal, chunk: str
) -> None:
    film = bytes_of(14_000, "lost")
    set_limits(diode.acme, chunk=chunk)
    diode.acme.desk.attach("ABC-1", "lost.mov", [film])
    diode.acme.export()
    take_chunks(diode, of=diode.acme)  # and they are never seen again
    diode.carry(to=diode.globex)
    diode.globex.import_()
    diode.clock.advance(hours=2)
    told = only(diode.globex.import_(), BytesMissing)
    _, ask, command = told.partition("Ask acme to run: filesync ")
    assert ask
    assert terminal(diode.acme, *shlex.split(command))[0] == ExitCode.DONE
    diode.carry(to=diode.globex)
    diode.globex.import_()
    assert ("lost.mov", film) in attached(diode.globex, "ABC-1")


def test_all_pieces_of_an_attachment_are_sent_again_by_one_of_their_names(diode: World, terminal: Terminal) -> None:
    named = chunk_files(diode.acme.config.folders.archive)[2].name.rpartition("_b")[2][:16]
    assert terminal(diode.acme, "resend", "globex", "--whole", "--chunk", named)[0] == ExitCode.DONE
    assert len(chunk_files(diode.acme.config.folders.outbox)) == 4
    assert terminal(diode.acme, "resend", "globex", "--whole", "1")[0] == ExitCode.USAGE


def test_a_long_text_that_was_sent_long_ago_goes_again_when_it_stands_there_again(diode: World) -> None:
    set_limits(diode.acme, max_bundle_bytes="64 KiB")
    text = bytes_of(30_000, "text").hex()
    for one in (text, "short", text):
        diode.acme.desk.edit("ABC-1", {"description": one})
        done = diode.send(diode.acme)
        assert [event for event in done.events if isinstance(event, BytesMissing)] == []
        assert diode.globex.desk.show("ABC-1").issue.fields["description"] == one
        let_go(diode)
