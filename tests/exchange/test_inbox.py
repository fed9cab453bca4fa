"""The inbox: what is looked at, what is never opened, and when a file that fails is more than late."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from filesync.bundle.verdict import BadBundle, Code
from filesync.errors import StorageFailure
from filesync.exchange import inbox as room
from filesync.exchange.inbox import (
    SENTINEL,
    Candidate,
    Disposal,
    InboxUnavailable,
    Mounted,
    dispose,
    is_mounted,
    mark_mounted,
    scan,
    stage,
)
from tests.exchange.conftest import NAME
from tests.support.disk import failing, make_read_only, small_disk

LIMIT = 10_000_000


def found_names(folder: Path) -> list[str]:
    return [one.name for one in scan(folder)]


# ── scanning ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_candidates_come_in_the_order_of_their_names_with_what_a_scan_sees(inbox: Path) -> None:
    for name in ("fs1_b.tar", "fs1_a.tar.age", "fs1_c (1).tar"):
        (inbox / name).write_bytes(b"x" * len(name))
    found = scan(inbox)
    assert [one.name for one in found] == ["fs1_a.tar.age", "fs1_b.tar", "fs1_c (1).tar"]
    seen = found[0].path.stat()
    expected = (len("fs1_a.tar.age"), seen.st_mtime_ns, seen.st_ino, seen.st_dev, True)
    assert (found[0].size, found[0].mtime_ns, found[0].inode, found[0].device, found[0].regular) == expected


@pytest.mark.parametrize("name", ["417 (1).tar", "FS1_5A~1.TAR", "renamed by mail", "über.tar", "x" * 255, "attachment.bin"])
def test_f30_any_name_may_hold_a_bundle(inbox: Path, name: str) -> None:
    (inbox / name).touch()
    assert found_names(inbox) == [name]


def test_f75_a_name_that_is_no_text_is_listed_staged_and_told_escaped(inbox: Path, staging: Path) -> None:
    (inbox / os.fsdecode(b"\xff\x1b[31m.tar")).write_bytes(b"x")
    (found,) = scan(inbox)
    assert stage(found, staging, limit_bytes=LIMIT).size == 1
    with pytest.raises(BadBundle, match=r"\\udcff\\x1b\[31m\.tar"):
        stage(found, staging, limit_bytes=0)


@pytest.mark.parametrize(
    "name",
    [
        ".fs1_a.tar.tmp", f".{NAME}.Ab3xYz", "fs1_a.tar.tmp", "fs1_a.tar.part", "fs1_a.tar.PARTIAL", "fs1_a.tar.filepart",
        "fs1_a.tar.crdownload", ".nfs000000000000001", "fs1_a.tar~",
    ],
)  # fmt: skip
def test_f29_f66_files_on_their_way_are_ignored(inbox: Path, name: str) -> None:
    (inbox / name).touch()
    assert scan(inbox) == []


@pytest.mark.parametrize("name", ["desktop.ini", "Thumbs.db", "._fs1_a.tar", ".DS_Store", "~$list.docx", "Icon\r", SENTINEL])
def test_f74_what_operating_systems_leave_is_ignored(inbox: Path, name: str) -> None:
    (inbox / name).touch()
    assert scan(inbox) == []


@pytest.mark.parametrize("name", ["lost+found", "System Volume Information", "$RECYCLE.BIN", ".~tmp~", "holiday"])
def test_f74_folders_of_other_names_are_nobodys_mistake(inbox: Path, name: str) -> None:
    (inbox / name).mkdir()
    (inbox / name / NAME).touch()
    assert scan(inbox) == []


@pytest.mark.parametrize("what", ["link", "dangling", "pipe", "socket", "folder", "device"])
def test_f78_what_is_no_file_is_told_and_never_opened(
    inbox: Path, staging: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = inbox / NAME
    match what:
        case "link":
            (inbox.parent / "secret").write_bytes(b"secret")
            path.symlink_to(inbox.parent / "secret")
        case "dangling":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            monkeypatch.chdir(inbox)  # a socket's address is short
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(NAME)
        case _:
            if os.geteuid() != 0:
                pytest.skip("making a device needs root")
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    (found,) = scan(inbox)
    assert not found.regular
    monkeypatch.setattr(os, "open", failing(errno.EIO))
    with pytest.raises(BadBundle, match=NAME) as caught:
        stage(found, staging, limit_bytes=LIMIT)
    assert caught.value.code is Code.NOT_REGULAR
    assert dispose(found, Disposal.DELETE, to=inbox.parent / "judged") is not None
    assert os.path.lexists(path)


def test_a_file_taken_back_during_the_scan_is_not_there(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fs1_a.tar", "fs1_b.tar"):
        (inbox / name).touch()
    real = room._candidate

    def late(folder: Path, entry: os.DirEntry[str]) -> Candidate:
        if entry.name == "fs1_a.tar":
            (inbox / "fs1_a.tar").unlink()
        return real(folder, entry)

    monkeypatch.setattr(room, "_candidate", late)
    assert found_names(inbox) == ["fs1_b.tar"]


# ── mounted or empty ────────────────────────────────────────────────────────────────────────────────────────────


def test_f65_a_missing_folder_is_not_an_empty_one(inbox: Path) -> None:
    with pytest.raises(InboxUnavailable, match="cannot be read"):
        scan(inbox / "none")
    with pytest.raises(InboxUnavailable, match="there is no inbox"):
        mark_mounted(inbox / "none")
    with pytest.raises(InboxUnavailable):
        scan(Path(__file__))
    assert not is_mounted(inbox / "none", Mounted(sentinel=False, borders=0))


def test_f65_an_empty_folder_without_the_mark_is_a_share_that_is_not_mounted(inbox: Path) -> None:
    mounted = mark_mounted(inbox)
    assert mounted.sentinel
    assert scan(inbox, mounted) == []
    (inbox / SENTINEL).unlink()
    with pytest.raises(InboxUnavailable, match="is its share or stick mounted") as caught:
        scan(inbox, mounted)
    assert SENTINEL in caught.value.hint
    (inbox / NAME).touch()  # files arrive there all the same: whatever it is, it is not empty
    assert [one.name for one in scan(inbox, mounted)] == [NAME]


def test_f65_a_real_mount_that_went_away_is_seen(inbox: Path) -> None:
    with small_disk(inbox, kilobytes=64):
        marked = mark_mounted(inbox)
        bare = Mounted(sentinel=False, borders=marked.borders)
        assert is_mounted(inbox, marked)
        assert is_mounted(inbox, bare)
    assert not is_mounted(inbox, marked)
    assert not is_mounted(inbox, bare)
    with pytest.raises(InboxUnavailable):
        scan(inbox, bare)


def test_a_share_mounted_over_a_marked_folder_is_no_share_that_is_missing(inbox: Path) -> None:
    marked = mark_mounted(inbox)
    with small_disk(inbox, kilobytes=64):
        assert is_mounted(inbox, marked)
        assert scan(inbox, marked) == []


def test_marking_twice_leaves_the_first_mark(inbox: Path) -> None:
    first = mark_mounted(inbox)
    stamp = (inbox / SENTINEL).stat().st_mtime_ns
    assert mark_mounted(inbox) == first
    assert (inbox / SENTINEL).stat().st_mtime_ns == stamp


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_f71_read_only_media_are_known_by_their_mount(inbox: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", failing(number))
        mounted = mark_mounted(inbox)
    assert not mounted.sentinel
    assert list(inbox.iterdir()) == []
    assert is_mounted(inbox, mounted)
    assert scan(inbox, mounted) == []


def test_f71_a_real_read_only_medium_is_read_and_nothing_is_written_to_it(inbox: Path, staging: Path, judged: Path) -> None:
    with small_disk(inbox, kilobytes=64):
        (inbox / NAME).write_bytes(b"bundle")
        make_read_only(inbox)
        mounted = mark_mounted(inbox)
        assert not mounted.sentinel
        (found,) = scan(inbox, mounted)
        assert stage(found, staging, limit_bytes=LIMIT).size == 6
        assert dispose(found, Disposal.KEEP, to=judged) is None
        problem = dispose(found, Disposal.DELETE, to=judged)
        assert problem is not None
        assert "Read-only file system" in problem.what
    assert not is_mounted(inbox, mounted)


def test_f47_a_disk_that_fails_while_marking_is_not_taken_for_read_only(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StorageFailure):
        mark_mounted(inbox)
