"""Disks that are full, fail, or may not be written to: what a person is told, that nothing is left, and that it goes on alone."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from filesync.agent.asked.reading import reading
from filesync.agent.incoming.arrivals import NotTaken
from filesync.errors import DiskProblem, StorageFailure, Unavailable
from filesync.exchange.inbox import InboxUnavailable
from filesync.ledger import journal
from tests.support.attachments import small_limits
from tests.support.disk import small_disk
from tests.support.killed import Files, kept
from tests.support.killed_scenes import exported, imported, left_over, people, ready_to_import
from tests.support.programs import need
from tests.support.two_sites import Side, World, two_sites

ROOT = Path(__file__).parents[2]
SPACE = "no space on the disk of"
EXPORT = ("spool", "archive", "guard", "outbox")
IMPORT = ("stage", "store", "quarantine")


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites(encrypt=True) as both:
        small_limits(both)
        yield both


def again(world: World) -> None:
    """Both sites, closed before, are open again."""
    world.acme, world.globex = (Side(side.folder, world.clock, random.Random(7)) for side in world.sides)


@contextmanager
def broken(side: Side, place: str, number: int) -> Iterator[list[str]]:
    """Every call at this place fails as the system would. Yields the places that were come to, in order."""
    came: list[str] = []

    def hit(name: str) -> None:
        came.append(name)
        if name == f"before {place}":
            raise OSError(number, os.strerror(number))

    calls = Files(side.folder, hit, apart=True)
    try:
        yield came
    finally:
        calls.close()


# ── export ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("room", EXPORT)
def test_f44_no_room_while_exporting_is_told_leaves_nothing_and_goes_on_alone(world: World, room: str) -> None:
    people(world)
    with broken(world.acme, f"create {room}", errno.ENOSPC), pytest.raises(DiskProblem, match=SPACE) as told:
        world.acme.export()
    assert room in str(told.value)
    assert told.value.hint == "Make room there: the work goes on by itself. Nothing was lost."
    assert [path for path in left_over(world.acme) if path.endswith(".tmp")] == []
    exported(world, kept(world.acme.folder))


@pytest.mark.parametrize("room", EXPORT)
def test_f47_an_fsync_that_fails_while_exporting_stops_and_is_not_tried_again(world: World, room: str) -> None:
    people(world)
    with broken(world.acme, f"fsync {room}", errno.EIO) as came, pytest.raises(StorageFailure, match="the disk failed") as told:
        world.acme.export()
    assert "Look at the disk and the system's log first" in told.value.hint
    assert came.count(f"before fsync {room}") == 1
    assert came[came.index(f"before fsync {room}") :] in ([f"before fsync {room}"], [f"before fsync {room}", *_cleaned(room)])
    exported(world, kept(world.acme.folder))


def _cleaned(room: str) -> list[str]:
    return [f"before unlink {room}", f"after unlink {room}"]


@pytest.mark.parametrize("room", EXPORT)
@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_f62_a_right_that_was_lost_while_exporting_is_named_with_its_path(world: World, room: str, number: int) -> None:
    people(world)
    with broken(world.acme, f"create {room}", number), pytest.raises(DiskProblem, match="may not write") as told:
        world.acme.export()
    assert str(world.acme.folder) in str(told.value)
    assert room in str(told.value)
    assert "the right to write there" in told.value.hint
    exported(world, kept(world.acme.folder))


def test_f44_a_full_outbox_says_what_is_needed_and_what_there_is(world: World) -> None:
    people(world)
    outbox = world.acme.config.folders.outbox
    with small_disk(outbox, kilobytes=16):
        (outbox / "other").write_bytes(bytes(12_288))
        with pytest.raises(DiskProblem, match=rf"{SPACE} .*outbox.*: need [0-9.]+ kB, have [0-9.]+ ?k?B"):
            world.acme.export()
        assert [path.name for path in outbox.iterdir()] == ["other"]
    exported(world, kept(world.acme.folder))


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as open_file:
        while True:
            open_file.write(bytes(4_096))


def test_f44_a_full_disk_under_the_ledger_is_told_and_nothing_is_numbered(world: World) -> None:
    people(world)
    state, aside = world.acme.config.folders.state, world.acme.folder / "aside"
    world.close()
    state.rename(aside)
    with small_disk(state, kilobytes=2_048):
        shutil.copytree(aside, state, dirs_exist_ok=True)
        again(world)
        seq = world.acme.exchange().out_seq
        with pytest.raises(OSError, match="No space"):
            fill(state / "filler")
        with pytest.raises(DiskProblem, match="no space"):
            world.acme.export()
        (state / "filler").unlink()
        assert world.acme.exchange().out_seq == seq
        exported(world, kept(world.acme.folder))
        world.close()
        shutil.rmtree(aside)
        shutil.copytree(state, aside)
    state.rmdir()
    aside.rename(state)
    again(world)


def test_f15_an_export_that_fails_thirty_times_uses_one_number(world: World) -> None:
    people(world)
    with broken(world.acme, "create archive", errno.ENOSPC):
        for _ in range(30):
            with pytest.raises(DiskProblem, match=SPACE):
                world.acme.export()
    assert world.acme.exchange().out_seq == 2
    exported(world, kept(world.acme.folder))


# ── import ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("room", IMPORT)
@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, SPACE), (errno.EACCES, "may not write")])
def test_f44_f62_no_room_or_right_while_importing_keeps_the_files_and_goes_on_alone(
    world: World, room: str, number: int, words: str
) -> None:
    ready_to_import(world)
    inbox = world.globex.config.folders.inbox
    there = sorted(path.name for path in inbox.glob("[!.]*"))
    with broken(world.globex, f"create {room}", number):
        done = world.globex.import_()
    (event,) = [one for one in done.events if isinstance(one, NotTaken)]
    assert words in event.why
    assert room in event.why
    assert "They stay in the inbox and are tried again by every import" in event.sentence()
    expected = {"stage": there, "store": there[:-2], "quarantine": there[-1:]}[room]  # the last but one was applied before
    assert sorted(path.name for path in inbox.glob("[!.]*")) == expected
    assert len(event.files) + event.more == len(expected)
    assert left_over(world.globex) == []
    imported(world, {})


def test_f44_what_is_here_already_is_applied_while_there_is_no_room_for_more(world: World) -> None:
    def down(place: str) -> None:
        if place == "before create":
            raise Unavailable("the tracker is down")

    world.acme.desk.create("Bug", "first")
    world.globex.faults.strike = down
    with pytest.raises(Unavailable):
        world.send(world.acme)
    world.globex.faults.strike = lambda _: None
    world.acme.desk.create("Bug", "second")
    world.acme.export()
    world.carry(to=world.globex)
    with broken(world.globex, "create stage", errno.ENOSPC):
        done = world.globex.import_()
    assert done.bundles == 1
    assert any(isinstance(event, NotTaken) for event in done.events)
    assert world.globex.import_().bundles == 1
    world.assert_in_step()


@pytest.mark.parametrize("room", IMPORT)
def test_f47_an_fsync_that_fails_while_importing_stops_and_is_not_tried_again(world: World, room: str) -> None:
    ready_to_import(world)
    with broken(world.globex, f"fsync {room}", errno.EIO) as came, pytest.raises(StorageFailure, match="the disk failed"):
        world.globex.import_()
    assert came.count(f"before fsync {room}") == 1
    assert world.globex.desk.list() == world.globex.desk.list({"summary": "Pump runs hot"}), "nothing of it was applied"
    imported(world, {})


def test_f44_a_warning_that_stands_is_told_each_time_and_written_down_once(world: World) -> None:
    ready_to_import(world)
    with broken(world.globex, "create stage", errno.ENOSPC):
        for _ in range(3):
            assert any(isinstance(event, NotTaken) for event in world.globex.import_().events)
    with reading(world.globex.config) as conn:
        told = [one.kind for one in journal.entries(conn)]
    assert told.count("NotTaken") == 1


def test_f62_an_inbox_that_may_not_be_read_is_named_and_is_not_empty(world: World) -> None:
    ready_to_import(world)
    inbox = world.globex.config.folders.inbox
    world.close()
    inbox.chmod(0o000)
    done = as_an_ordinary_account("-c", world.globex.folder / "filesync.yaml", "import")
    inbox.chmod(0o755)
    again(world)
    assert done.returncode == 7
    assert f"may not read '{inbox}': Permission denied" in done.stderr
    imported(world, {})


def test_f65_an_inbox_that_is_gone_is_told_and_nothing_is_forgotten(world: World) -> None:
    ready_to_import(world)
    inbox = world.globex.config.folders.inbox
    inbox.rename(inbox.with_name("elsewhere"))
    with pytest.raises(InboxUnavailable, match="the inbox cannot be read"):
        world.globex.import_()
    inbox.with_name("elsewhere").rename(inbox)
    imported(world, {})


# ── an account that lost its rights, for real ───────────────────────────────────────────────────────────────────


def as_an_ordinary_account(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line, run without root's right to write everywhere."""
    drop = [need("setpriv"), "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*drop, sys.executable, "-m", "filesync.cli.main", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("verb", "room"), [("export", "outbox"), ("export", "archive"), ("export", "guard"), ("import", "store")]
)
def test_f62_a_read_only_folder_is_named_with_the_right_that_is_missing(world: World, verb: str, room: str) -> None:
    ready_to_import(world) if verb == "import" else people(world)
    side = world.acme if verb == "export" else world.globex
    world.close()
    folder = side.folder / room
    folder.chmod(0o555)
    done = as_an_ordinary_account("-c", side.folder / "filesync.yaml", verb)
    folder.chmod(0o755)
    again(world)
    assert done.returncode == (7 if verb == "export" else 8)  # 8: the file that is no bundle was refused all the same
    assert "may not write" in done.stderr
    assert str(folder) in done.stderr
    assert "Give the account that filesync runs as the right to write there." in done.stderr
    (exported if verb == "export" else imported)(world, {})


def test_f62_a_state_folder_without_rights_is_named(world: World) -> None:
    world.close()
    world.acme.config.folders.state.chmod(0o555)
    (world.acme.config.folders.state / "lock").unlink(missing_ok=True)
    done = as_an_ordinary_account("-c", world.acme.folder / "filesync.yaml", "export")
    world.acme.config.folders.state.chmod(0o755)
    again(world)
    assert done.returncode == 7, done.stderr
    assert str(world.acme.config.folders.state) in done.stderr
