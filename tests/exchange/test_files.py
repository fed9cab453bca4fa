"""Whole files or none, whatever the disk does."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import DiskProblem, ExitCode, StorageFailure, disk_problem, size_text
from filesync.exchange.files import Placed, forget_cached, free_bytes, fsync_folder, hash_file, keep, place, read, write_whole
from tests.exchange.conftest import CONTENT, NAME
from tests.support.disk import failing, small_disk
from tests.support.programs import need

# Each call of the system that a write goes through, and what it may answer.
WAYS_TO_FAIL = [
    ("write", errno.ENOSPC),
    ("write", errno.EIO),
    ("fsync", errno.EIO),
    ("fsync", errno.ENOSPC),
    ("open", errno.EACCES),
]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ── our own files ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_written_whole_private_and_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_whole(path, [b"one", b"two"])
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o600
    write_whole(path, iter([b"three"]), mode=0o644)
    assert path.read_bytes() == b"three"
    assert names(tmp_path) == ["state.json"]


@pytest.mark.parametrize(("call", "number"), WAYS_TO_FAIL)
def test_f44_what_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    path = tmp_path / "state.json"
    write_whole(path, [b"old"])
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(DiskProblem) as caught:
            write_whole(path, [b"new"])
    assert isinstance(caught.value, StorageFailure) == (number == errno.EIO)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code is ExitCode.DISK
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["state.json"]


def test_a_writer_that_stops_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    path = tmp_path / "state.json"
    write_whole(path, [b"old"])
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, chunks())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["state.json"]


def test_f45_killed_between_any_two_blocks_the_name_holds_all_or_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from filesync.exchange.files import write_whole\n"
        "def chunks():\n"
        "    for number in range(3):\n"
        "        if number == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield b'x' * 70_000\n"
        "write_whole(Path(sys.argv[1]), chunks())\n"
    )
    for dies_at in (0, 1, 2, 3):
        path = tmp_path / f"file-{dies_at}"
        done = subprocess.run([sys.executable, "-c", program, path, str(dies_at)], capture_output=True, check=False)
        assert done.returncode == (0 if dies_at == 3 else -signal.SIGKILL)
        assert path.exists() == (dies_at == 3)
        write_whole(path, [b"again"])
        assert path.read_bytes() == b"again"
    assert names(tmp_path) == ["file-0", "file-1", "file-2", "file-3"]


def test_a_planted_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / ".state.json.tmp").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "state.json", [b"new"])
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert names(tmp_path) == ["precious", "state.json"]


# ── placing and keeping ─────────────────────────────────────────────────────────────────────────────────────────


def test_f43_what_the_system_keeps_of_a_file_in_memory_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(bytes(1 << 20))

    def pages() -> int:
        out = subprocess.check_output([need("fincore"), "--noheadings", "--output", "PAGES", path])
        return int(out)

    assert pages() == 256
    forget_cached(path)
    assert pages() == 0, "is the temporary folder on a disk?"
    assert hash_file(path).size == 1 << 20


@pytest.mark.parametrize("number", [errno.EROFS, errno.EINVAL])
def test_f43_a_medium_that_can_only_be_read_is_checked_all_the_same(
    source: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    forget_cached(source)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StorageFailure, match="cannot read"):
        forget_cached(source)


def test_keeping_twice_is_keeping_once_and_other_bytes_are_never_overwritten(source: Path, outbox: Path) -> None:
    kept = outbox / NAME
    source.chmod(0o600)
    keep(source, kept)
    keep(source, kept)
    assert kept.read_bytes() == CONTENT
    assert kept.stat().st_mode & 0o777 == 0o600
    source.unlink()
    source.write_bytes(b"other")
    with pytest.raises(DiskProblem, match="nothing kept is overwritten"):
        keep(source, kept)
    assert kept.read_bytes() == CONTENT
    assert names(kept.parent) == [NAME]


def test_keeping_copies_nothing_on_one_filesystem_and_copies_where_there_are_two(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(source, outbox / NAME)
    assert (outbox / NAME).samefile(source)
    monkeypatch.setattr(os, "link", failing(errno.EXDEV))
    keep(source, outbox / "apart")
    assert not (outbox / "apart").samefile(source)
    assert (outbox / "apart").read_bytes() == CONTENT
    assert (outbox / "apart").stat().st_mode & 0o777 == 0o600
    assert names(outbox) == ["apart", NAME]


def test_f46_what_is_kept_is_on_the_disk_before_it_has_its_name(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, link = os.fsync, os.link
    done: list[str] = []

    def told(descriptor: int) -> None:
        done.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def named(*words: Any, **more: Any) -> None:
        done.append("name")
        link(*words, **more)

    monkeypatch.setattr(os, "fsync", told)
    monkeypatch.setattr(os, "link", named)
    keep(source, outbox / NAME)
    assert done == [f"fsync {source.name}", "name", "fsync outbox"]


@pytest.mark.parametrize(
    ("call", "number", "words"),
    [("link", errno.ENOSPC, "no space"), ("fsync", errno.EIO, "the disk failed"), ("link", errno.EACCES, "may not write")],
)
def test_f44_f47_a_name_that_cannot_be_given_leaves_nothing(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(DiskProblem, match=words):
            keep(source, outbox / NAME)
    assert names(outbox) == []


@pytest.mark.parametrize("what", ["link to the same bytes", "link to nothing", "folder", "pipe"])
def test_a_name_taken_by_something_else_than_a_file_is_taken(source: Path, outbox: Path, what: str) -> None:
    target = outbox / NAME
    match what:
        case "link to the same bytes":
            target.symlink_to(source)
        case "link to nothing":
            target.symlink_to(outbox / "nothing")
        case "folder":
            target.mkdir()
        case _:
            os.mkfifo(target)
    assert place(source, target, mode=0o600) is Placed.TAKEN
    assert names(outbox) == [NAME]


def test_f44_a_disk_that_fills_up_while_writing_leaves_nothing(source: Path, outbox: Path) -> None:
    with small_disk(outbox, kilobytes=1024):
        with pytest.raises(DiskProblem, match="no space on the disk of"):
            write_whole(outbox / "state.json", read(source))
        assert names(outbox) == []


def test_f47_a_disk_that_cannot_read_is_a_storage_failure(tmp_path: Path) -> None:
    """The first page of a process' memory can be opened but not read: a real EIO."""
    with pytest.raises(StorageFailure, match="the disk failed: cannot read '/proc/self/mem'"):
        hash_file(Path("/proc/self/mem"))
    with pytest.raises(StorageFailure):
        write_whole(tmp_path / "copy", read(Path("/proc/self/mem")))
    assert names(tmp_path) == []


def test_f47_a_folder_whose_fsync_fails_is_a_storage_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StorageFailure):
        fsync_folder(tmp_path)


def test_hash_is_that_of_sha256sum(source: Path) -> None:
    found = hash_file(source)
    assert (found.sha256, found.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def test_free_bytes_are_those_of_this_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", kilobytes=512) as small:
        assert free_bytes(small) == 512 * 1024


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2_100_000_000, "2.1 GB"),
        (10**20, "100000.0 PB"),
    ],
)
def test_sizes_are_told_as_disks_are_sold(count: int, text: str) -> None:
    assert size_text(count) == text


def test_paths_in_messages_hold_no_control_codes() -> None:
    said = str(disk_problem(OSError(errno.ENOENT, "No such file"), "in\x1b[31m\udcff"))
    assert said == "cannot write 'in\\x1b[31m\\udcff': No such file"
