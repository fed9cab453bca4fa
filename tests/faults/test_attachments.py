"""What goes wrong with the bytes of attachments, and that nothing but the attachment itself ever waits for them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from filesync.agent.incoming.importer import Imports
from filesync.agent.incoming.pieces import BytesMissing, ChunksDropped, ChunksWait
from filesync.agent.outgoing.again import resend_chunks
from filesync.agent.upkeep.prune import prune
from filesync.config import LARGEST_BUNDLE
from filesync.errors import ExitCode, PairingError
from tests.faults.scene import Terminal, change_settings, only, sentences
from tests.support.attachments import attached, bring, bytes_of, chunk_files, set_limits, small_limits, take_chunks
from tests.support.two_sites import World

FILM = bytes_of(14_000, "film")  # four chunks


@pytest.fixture
def film(plain: World) -> World:
    """globex has the issue; of its attachment the chunks are with the carrier."""
    small_limits(plain)
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "pump.mov", [FILM])
    plain.acme.export()
    assert len(take_chunks(plain, of=plain.acme)) == 4
    return plain


def come(world: World, *files: Path) -> Imports:
    """What is in acme's outbox comes to globex, and these chunks."""
    world.carry(to=world.globex)
    bring(world.globex, *files)
    return world.globex.import_()


def carried(world: World) -> list[Path]:
    return sorted((world.acme.folder.parent / "carrier").iterdir())


def film_is_there(world: World) -> None:
    assert attached(world.globex, "ABC-1") == [("pump.mov", FILM)]
    world.assert_in_step()


def test_f36_f115_some_chunks_of_an_attachment_are_named_and_the_issue_is_there(film: World, terminal: Terminal) -> None:
    done = come(film, *carried(film)[:2])
    missing = [file.name.rpartition("_b")[2][:16] for file in carried(film)[2:]]
    told = only(done, BytesMissing)
    assert told.startswith("ABC-1 needs 2 more chunks of an attachment (")
    assert all(one in told for one in missing)
    assert told.endswith("All else of it is here or goes on. Made as soon as they come.")
    status, out, _ = terminal(film.globex, "status")
    assert status == ExitCode.WORK_LEFT
    assert "ABC-1 needs 2 more chunks of pump.mov (" in out
    assert film.globex.desk.show("ABC-1").issue.fields["summary"] == "Pump runs hot"
    come(film, *carried(film)[2:])
    film_is_there(film)


@pytest.fixture
def early(plain: World) -> World:
    """globex has chunks, and not yet the change that names them; it may keep two of these four."""
    small_limits(plain)
    for side in plain.sides:
        set_limits(side, early_chunks="8 KiB")
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "pump.mov", [FILM])
    plain.acme.export()
    bring(plain.globex, *take_chunks(plain, of=plain.acme))
    return plain


def test_f37_chunks_that_no_change_names_are_kept_within_a_quota_and_the_others_stay_where_they_are(
    early: World, terminal: Terminal
) -> None:
    told = only(early.globex.import_(), ChunksWait)
    assert told.startswith("2 chunks from acme, ")
    assert "stay in the inbox: no change that came names them" in told
    folders = early.globex.config.folders
    assert len(chunk_files(folders.store)) == 2
    assert len(chunk_files(folders.inbox)) == 2
    assert "2 chunks stay in the inbox" in terminal(early.globex, "status")[1]
    early.carry(to=early.globex)
    done = early.globex.import_()
    assert [one for one in done.events if isinstance(one, ChunksWait | BytesMissing)] == []
    assert chunk_files(folders.inbox) == []
    film_is_there(early)


def test_f37_the_quota_holds_while_files_are_taken_not_only_afterwards(early: World) -> None:
    most = 0

    def look(_place: str) -> None:
        nonlocal most
        most = max(most, len(chunk_files(early.globex.config.folders.store)))

    early.globex.faults.strike = look
    early.globex.import_()
    assert most == 2


def test_f37_a_chunk_that_stays_in_the_inbox_is_not_opened_again_until_it_is_named(early: World) -> None:
    early.globex.import_()
    staged: list[str] = []
    early.globex.faults.strike = lambda place: staged.append(place) if place == "after I4" else None
    assert "2 chunks" in only(early.globex.import_(), ChunksWait)
    assert staged == []


def test_f37_what_is_asked_for_is_taken_however_full_the_quota_is_and_whatever_its_name(film: World) -> None:
    set_limits(film.globex, early_chunks="1 KiB")
    come(film)
    for number, file in enumerate(carried(film)):
        (film.globex.config.folders.inbox / f"copy {number}.tar").write_bytes(file.read_bytes())
    film.globex.import_()
    film_is_there(film)


def test_f37_chunks_wait_in_the_inbox_until_there_is_room_again(early: World) -> None:
    early.globex.import_()
    early.clock.advance(days=31)
    assert "were dropped" in only(early.globex.import_(), ChunksDropped)
    folders = early.globex.config.folders
    assert chunk_files(folders.store) == []
    early.globex.import_()
    assert len(chunk_files(folders.store)) == 2
    assert chunk_files(folders.inbox) == []


def test_f37_a_chunk_that_comes_again_long_after_its_attachment_was_made_goes_in_time(film: World) -> None:
    for side in film.sides:
        change_settings(side, keep_bundles="0", keep_for="1d")
    come(film, *carried(film))
    film.clock.advance(days=2)
    film.globex.export()
    store = film.globex.config.folders.store
    assert chunk_files(store) == []
    come(film, *carried(film)[:1])
    assert len(chunk_files(store)) == 1
    film.clock.advance(days=2)
    assert "older than limits.keep_for" in only(film.globex.import_(), ChunksDropped)
    assert chunk_files(store) == []
    assert attached(film.globex, "ABC-1") == [("pump.mov", FILM)]


def test_a_chunk_is_verified_and_shown_like_any_bundle(film: World, terminal: Terminal) -> None:
    chunk = str(carried(film)[0])
    assert terminal(film.globex, "verify", chunk)[0] == ExitCode.DONE
    status, out, _ = terminal(film.globex, "show", chunk)
    assert status == ExitCode.DONE
    assert out.startswith("bundle      without a number, of generation 1, kind chunk\n")
    assert "file        data/chunk, " in out
    (numbered,) = film.acme.config.folders.archive.glob("fs1_*_0000000002_*")
    shown = terminal(film.globex, "show", "--changes", str(numbered))[1]
    assert "refers to   14.0 kB in 4 chunks, " in shown
    assert "bytes: 14.0 kB, in 4 chunks" in shown


def test_f38_chunks_come_on_several_sticks_over_days_and_status_shows_the_rest(film: World) -> None:
    come(film)
    for number, chunk in enumerate(carried(film)):
        receiving = film.globex.status().exchanges[0].receiving
        assert receiving is not None
        (waiting,) = receiving.attachments
        assert (waiting.name, len(waiting.chunks), waiting.size) == ("pump.mov", 4 - number, len(FILM))
        film.clock.advance(days=1)
        bring(film.globex, chunk)
        film.globex.import_()
    film_is_there(film)


def test_f39_a_chunk_that_comes_twice_is_a_note(film: World) -> None:
    come(film, *carried(film)[:1])
    (again,) = [one for one in sentences(come(film, *carried(film)[:1])) if "here already" in one]
    assert again.endswith("is a chunk that is here already; nothing to do")
    other = film.globex.config.folders.inbox / "copy of 1.tar"
    shutil.copy(carried(film)[0], other)
    come(film, *carried(film)[1:])
    film_is_there(film)
    assert len(chunk_files(film.globex.config.folders.store)) == 4
    come(film, *carried(film))
    film_is_there(film)


def test_f40_the_last_chunk_is_known_to_be_missing_without_anything_behind_it(film: World) -> None:
    come(film, *carried(film)[:3])
    film.clock.advance(hours=2)
    told = only(film.globex.import_(), BytesMissing)
    last = carried(film)[3].name.rpartition("_b")[2][:16]
    assert "needs 1 more chunk of an attachment (" in told
    assert told.endswith(f"Ask acme to run: filesync resend globex --chunk {last}")
    film.send(film.globex)  # asks for it
    film.send(film.acme)  # and it comes
    film_is_there(film)


def test_f41_chunks_before_their_change_are_kept_and_used(film: World) -> None:
    bring(film.globex, *carried(film))
    assert film.globex.import_().bundles == 0
    film.clock.advance(days=3)
    come(film)
    film_is_there(film)


def test_f42_a_damaged_chunk_alone_is_asked_for_again_by_its_id(film: World) -> None:
    first, *rest = carried(film)
    damaged = bytearray(first.read_bytes())
    damaged[-3_000] ^= 1
    (film.globex.config.folders.inbox / first.name).write_bytes(damaged)
    done = come(film, *rest)
    (told,) = [one for one in sentences(done) if "cannot be taken" in one]
    assert "data/chunk: its SHA-256 is not the declared one" in told
    film.clock.advance(hours=2)
    film.send(film.globex)
    film.acme.export()
    assert [file.name for file in chunk_files(film.acme.config.folders.outbox)] == [first.name]
    come(film)
    film_is_there(film)


def test_f17_an_attachment_larger_than_a_bundle_may_be_goes_in_chunks(plain: World) -> None:
    set_limits(plain.acme, max_bundle_bytes="64 KiB", inline_blob="16 KiB", chunk="64 KiB")
    plain.acme.desk.create("Bug", "Pump runs hot")
    content = bytes_of(500_000)
    plain.acme.desk.attach("ABC-1", "pump.mov", [content])
    plain.acme.export()
    outbox = plain.acme.config.folders.outbox
    assert len(chunk_files(outbox)) == 11
    assert all(file.stat().st_size <= 64 << 10 for file in outbox.iterdir())
    come(plain)
    assert attached(plain.globex, "ABC-1") == [("pump.mov", content)]


def test_where_a_chunk_is_no_larger_than_what_goes_inline_an_attachment_is_whole(plain: World) -> None:
    for side in plain.sides:
        set_limits(side, inline_blob="4 KiB", chunk="4 KiB")
    plain.acme.desk.create("Bug", "Pump runs hot")
    for size in (4096, 4097, 10_000):
        plain.acme.desk.attach("ABC-1", f"{size}.bin", [bytes_of(size)])
    plain.settle()
    assert {name: len(content) for name, content in attached(plain.globex, "ABC-1")} == {
        f"{size}.bin": size for size in (4096, 4097, 10_000)
    }


def test_f77_every_file_stays_below_what_a_stick_can_hold() -> None:
    assert LARGEST_BUNDLE < 4 << 30


@pytest.mark.parametrize(
    "name",
    ["x" * 1000 + ".log", "Pru\u0308fstand.csv", "CON.txt", "../../x", "a\\b:c", "pump\\xff.log", "\x1b[31m\u202egnp.exe"],
)
def test_f75_a_name_is_data_wherever_it_travels(plain: World, terminal: Terminal, name: str) -> None:
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", name, [b"x"])
    plain.acme.export()
    plain.globex.import_()
    before = {path for path in plain.globex.folder.rglob("*") if "fs1_" not in path.name and "state" not in path.parts}
    come(plain)
    assert attached(plain.globex, "ABC-1") == [(name, b"x")]
    after = {path for path in plain.globex.folder.rglob("*") if "fs1_" not in path.name and "state" not in path.parts}
    assert after == before, "no file is named by a partner"
    _, out, _ = terminal(plain.globex, "issue", "show", "ABC-1")
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_f76_two_names_that_differ_in_case_alone_are_two_attachments(plain: World) -> None:
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "A.png", [b"large"])
    plain.acme.desk.attach("ABC-1", "a.png", [b"small"])
    plain.send(plain.acme)
    assert attached(plain.globex, "ABC-1") == [("A.png", b"large"), ("a.png", b"small")]


def test_chunks_are_sent_again_by_hand_and_a_wrong_id_is_told(film: World) -> None:
    come(film)
    ids = [file.name.rpartition("_b")[2][:16] for file in carried(film)]
    with pytest.raises(PairingError, match="no chunk 'ffff'"):
        resend_chunks(film.acme.site, "main", [ids[0], "ffff"])
    assert chunk_files(film.acme.config.folders.outbox) == []
    resend_chunks(film.acme.site, "main", ids)
    come(film)
    film_is_there(film)


def test_nothing_of_an_attachment_is_pruned_before_the_partner_has_it(film: World) -> None:
    for side in film.sides:
        change_settings(side, keep_bundles="0", keep_for="0s")
    film.acme.desk.attach("ABC-1", "small", [b"small"])
    film.acme.export()
    come(film, *carried(film)[:1])
    film.send(film.globex)
    prune(film.acme.site, "main")
    assert len(chunk_files(film.acme.config.folders.archive)) == 4
    assert len(chunk_files(film.globex.config.folders.store)) == 1
    come(film, *carried(film)[1:])
    film.send(film.globex)
    film.acme.export()
    assert list(film.acme.config.folders.archive.glob("fs1*")) == []
    assert len(attached(film.globex, "ABC-1")) == 2
    film.assert_in_step()
