"""The outbox: whole files under names that are never taken away from others."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from filesync.errors import DiskProblem, StorageFailure
from filesync.exchange.files import fsync_folder
from filesync.exchange.outbox import Published, publish
from tests.exchange.conftest import CONTENT, NAME
from tests.exchange.test_files import WAYS_TO_FAIL, names
from tests.support.disk import failing, small_disk


def test_f49_publishing_again_is_publishing_once(source: Path, outbox: Path) -> None:
    first = publish(source, outbox, NAME)
    stamp = first.path.stat()
    assert first == Published(outbox / NAME, again=False, renamed=False)
    assert publish(source, outbox, NAME) == Published(outbox / NAME, again=True, renamed=False)
    assert (first.path.stat().st_ino, first.path.stat().st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)
    assert first.path.read_bytes() == CONTENT
    assert names(outbox) == [NAME]


def test_f70_a_name_with_other_bytes_is_left_alone_and_a_second_name_given(source: Path, outbox: Path) -> None:
    publish(source, outbox, NAME)
    (outbox / "other").write_bytes(b"other")
    second = "fs1_5a5a5a5a_g0001_0000000417_9d2e01ab-2.tar"
    assert publish(outbox / "other", outbox, NAME) == Published(outbox / second, again=False, renamed=True)
    assert publish(outbox / "other", outbox, NAME) == Published(outbox / second, again=True, renamed=True)
    assert (outbox / NAME).read_bytes() == CONTENT
    assert (outbox / second).read_bytes() == b"other"


def test_after_a_hundred_other_files_of_one_name_it_says_so(source: Path, outbox: Path) -> None:
    for number in range(1, 100):
        (outbox / ("x.tar" if number == 1 else f"x-{number}.tar")).write_bytes(b"%d" % number)
    with pytest.raises(DiskProblem, match="99 files named like"):
        publish(source, outbox, "x.tar")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])
def test_f57_it_works_without_hard_links_and_does_not_overwrite_there_either(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", failing(number))
    assert publish(source, outbox, NAME) == Published(outbox / NAME, again=False, renamed=False)
    assert (outbox / NAME).read_bytes() == CONTENT
    assert publish(source, outbox, NAME).again
    source.write_bytes(b"other")
    assert publish(source, outbox, NAME).renamed
    assert (outbox / NAME).read_bytes() == CONTENT
    assert not [name for name in names(outbox) if name.startswith(".")]


def test_f47_a_name_that_the_disk_fails_to_give_is_a_storage_failure_and_no_case_for_a_rename(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    with pytest.raises(StorageFailure):
        publish(source, outbox, NAME)
    assert names(outbox) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_name_taken_at_the_last_moment_is_not_overwritten(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Somebody else's file appears while ours is being copied."""
    real = os.link

    def link(temporary: Path, target: Path, *, follow_symlinks: bool) -> None:
        if target.name == NAME:
            target.write_bytes(b"somebody else's")
        if not links:
            raise OSError(errno.EPERM, "no links here")
        real(temporary, target, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", link)
    done = publish(source, outbox, NAME)
    assert done.renamed
    assert done.path.read_bytes() == CONTENT
    assert (outbox / NAME).read_bytes() == b"somebody else's"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_f57_a_filesystem_that_cannot_fsync_folders_is_used_all_the_same(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert publish(source, outbox, NAME).path.read_bytes() == CONTENT


@pytest.mark.parametrize(("call", "number"), WAYS_TO_FAIL)
def test_f44_a_publication_that_fails_leaves_nothing_and_goes_through_later(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    real = getattr(os, call)

    def fail(first: object, *rest: object, **named: object) -> object:
        if call == "open" and not str(first).startswith(str(outbox)):
            return real(first, *rest, **named)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(DiskProblem):
            publish(source, outbox, NAME)
    assert names(outbox) == []
    assert publish(source, outbox, NAME).path.read_bytes() == CONTENT


def test_f44_a_full_disk_is_told_with_what_is_needed_before_a_byte_is_written(source: Path, outbox: Path) -> None:
    with small_disk(outbox, kilobytes=1024):
        with pytest.raises(DiskProblem, match=r"no space on the disk of '.*outbox': need 2\.5 MB, have 1\.0 MB") as caught:
            publish(source, outbox, NAME)
        assert "by itself" in caught.value.hint
        assert names(outbox) == []
        source.write_bytes(CONTENT[:500_000])
        assert publish(source, outbox, NAME).path.read_bytes() == CONTENT[:500_000]


def test_f46_bytes_are_on_disk_before_the_name_and_the_name_before_it_returns(
    source: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def told(descriptor: int) -> None:
        where = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append(f"fsync {'outbox' if where == outbox else where.name}")
        fsync(descriptor)

    def linked(*arguments: Path, follow_symlinks: bool) -> None:
        done.append("name")
        link(*arguments, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "fsync", told)
    monkeypatch.setattr(os, "link", linked)
    publish(source, outbox, NAME)
    assert done == [f"fsync .{NAME}.tmp", "name", "fsync outbox"]
    done.clear()
    publish(source, outbox, NAME)  # who put the same bytes there may have crashed before their fsync
    assert done == [f"fsync {NAME}", "fsync outbox"]


def test_f62_a_lost_right_names_path_and_right(source: Path, outbox: Path) -> None:
    if os.geteuid() != 0:
        outbox.chmod(0o500)
        with pytest.raises(DiskProblem, match=r"may not write '.*outbox"):
            publish(source, outbox, NAME)
        outbox.chmod(0o700)
        return
    program = (
        "import os, sys; from pathlib import Path; from filesync.errors import DiskProblem\n"
        "from filesync.exchange.outbox import publish\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: publish(Path('/etc/hostname'), Path('/etc'), 'x.tar')\n"
        "except DiskProblem as error: print(error, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "may not write '/etc/x.tar': Permission denied" in done.stdout, done.stderr
    assert "the right to write there" in done.stdout


def test_a_folder_or_source_that_is_missing_is_told(source: Path, outbox: Path) -> None:
    with pytest.raises(DiskProblem, match="No such file"):
        publish(source, outbox / "none", NAME)
    with pytest.raises(DiskProblem, match=r"cannot read '.*none'"):
        publish(source.parent / "none", outbox, NAME)
    with pytest.raises(DiskProblem, match="No such file"):
        fsync_folder(outbox / "none")
