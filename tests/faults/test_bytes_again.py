"""Bytes that went once: sent again where they were pruned, left where nothing names them, named where they vanished."""

from __future__ import annotations

import pytest

from filesync.agent.incoming.pieces import BytesMissing
from filesync.agent.outgoing.departures import ChunksGone
from tests.faults.scene import change_settings, only
from tests.faults.test_attachments import FILM, come, film_is_there
from tests.merge.scene import crash
from tests.support.attachments import attached, chunk_files, small_limits
from tests.support.two_sites import World


def test_a_content_is_sent_once_and_again_only_when_it_was_pruned(plain: World) -> None:
    small_limits(plain)
    for side in plain.sides:
        change_settings(side, keep_bundles="0", keep_for="0s")
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "one", [FILM])
    plain.acme.desk.attach("ABC-1", "small one", [b"small"])
    plain.acme.export()
    assert len(chunk_files(plain.acme.config.folders.archive)) == 4
    plain.acme.desk.attach("ABC-1", "two", [FILM])
    plain.acme.desk.attach("ABC-1", "small two", [b"small"])
    plain.acme.export()
    assert len(chunk_files(plain.acme.config.folders.archive)) == 4
    come(plain)
    assert len(attached(plain.globex, "ABC-1")) == 4
    plain.send(plain.globex)
    plain.acme.export()
    assert chunk_files(plain.acme.config.folders.archive) == []
    plain.globex.export()
    assert chunk_files(plain.globex.config.folders.store) == []
    plain.acme.desk.attach("ABC-1", "three", [FILM])
    plain.acme.desk.attach("ABC-1", "small three", [b"small"])
    plain.send(plain.acme)
    assert len(attached(plain.globex, "ABC-1")) == 6
    plain.assert_in_step()


def test_a_pruned_bundle_comes_again_for_what_it_holds(plain: World) -> None:
    """The receiver pruned the bundle that holds a content which a later one names."""
    change_settings(plain.globex, keep_bundles="0", keep_for="0s")
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "one", [b"small"])
    plain.send(plain.acme)
    plain.globex.export()
    assert list(plain.globex.config.folders.store.glob("fs1*")) == []
    for file in plain.globex.config.folders.outbox.iterdir():
        file.unlink()  # acme does not hear of it
    plain.acme.desk.attach("ABC-1", "two", [b"small"])
    told = only(plain.send(plain.acme), BytesMissing)
    assert "needs bundle 1 once more, for an attachment" in told
    plain.clock.advance(hours=2)
    plain.round()
    plain.clock.advance(hours=25)
    plain.round()
    plain.round()
    assert attached(plain.globex, "ABC-1") == [("one", b"small"), ("two", b"small")]
    plain.assert_in_step()


def test_what_was_cut_and_is_attached_no_more_leaves_nothing(plain: World) -> None:
    small_limits(plain)
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.export()
    plain.acme.desk.attach("ABC-1", "film", [FILM])

    class Died(BaseException):
        pass

    def strike(place: str) -> None:
        if place == "after X2":
            raise Died

    plain.acme.faults.strike = strike
    with pytest.raises(Died):
        plain.acme.export()
    plain.acme.faults.strike = lambda _place: None
    plain.acme.reopen()
    assert len(chunk_files(plain.acme.config.folders.archive)) == 4
    plain.acme.desk.delete_attachment("ABC-1", "1")
    plain.acme.export()
    assert chunk_files(plain.acme.config.folders.archive) == []
    assert chunk_files(plain.acme.config.folders.outbox) == []


@pytest.fixture
def lost(plain: World) -> World:
    """An export of acme's was cut off before any chunk was in the outbox, and one has gone from the archive since."""
    small_limits(plain)
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "pump.mov", [FILM])
    with crash(plain.acme, "after X12", 2):  # of the bundle that names it
        plain.acme.export()
    assert chunk_files(plain.acme.config.folders.outbox) == []
    first, *_ = chunk_files(plain.acme.config.folders.archive)
    first.rename(plain.acme.folder / first.name)
    return plain


def test_a_chunk_that_vanished_before_it_was_sent_is_named_and_all_else_goes_on(lost: World) -> None:
    kept, *_ = lost.acme.folder.glob("fs1_*")
    lost.acme.desk.create("Task", "Change the valve")
    (told,) = [one.sentence() for one in lost.acme.export().events if isinstance(one, ChunksGone)]
    assert told.startswith("ABC-1: 1 chunk of an attachment or text of 14.0 kB cannot be sent, being gone from the archive: ")
    assert f": {kept.name}. globex waits for it; everything else goes on." in told
    done = come(lost)
    assert only(done, BytesMissing).startswith("ABC-1 needs 1 more chunk of an attachment (")
    assert [one.fields["summary"] for one in lost.globex.desk.list()] == ["Pump runs hot", "Change the valve"]
    kept.rename(lost.acme.config.folders.archive / kept.name)  # as the message says
    assert not [one for one in lost.acme.export().events if isinstance(one, ChunksGone)]
    come(lost)
    film_is_there(lost)


def test_a_file_that_is_attached_once_more_is_cut_anew_where_the_archive_lost_a_piece_of_it(lost: World) -> None:
    (film,) = lost.acme.desk.show("ABC-1").attachments
    lost.acme.export()
    come(lost)
    lost.acme.desk.delete_attachment("ABC-1", film.id)
    lost.acme.desk.attach("ABC-1", "pump.mov", [FILM])
    lost.acme.export()
    come(lost)
    film_is_there(lost)
    assert not [one for one in lost.acme.export().events if isinstance(one, ChunksGone)]
