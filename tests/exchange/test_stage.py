"""Private copies: of the very file that was listed, whole, within the limits; and what becomes of the original."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from filesync.bundle.verdict import BadBundle, Code
from filesync.errors import DiskProblem, StorageFailure
from filesync.exchange.inbox import Candidate, Disposal, Staged, Vanished, clear_stage, dispose, scan, stage
from tests.exchange.conftest import CONTENT, NAME
from tests.support.disk import failing, small_disk

LIMIT = 10_000_000  # bytes

# ── staging ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_copy_is_private_whole_and_hashed(candidate: Candidate, staging: Path) -> None:
    staged = stage(candidate, staging, limit_bytes=LIMIT)
    assert staged.path.parent == staging
    assert staged == Staged(staged.path, len(CONTENT), CONTENT[:512])
    assert staged.hashed() == hashlib.sha256(CONTENT).hexdigest()
    assert staged.path.read_bytes() == CONTENT
    assert staged.path.stat().st_mode & 0o777 == 0o600
    assert candidate.path.read_bytes() == CONTENT


def test_f25_an_empty_file_is_staged_for_the_reader_to_say_so(inbox: Path, staging: Path) -> None:
    (inbox / NAME).touch()
    (found,) = scan(inbox)
    assert stage(found, staging, limit_bytes=LIMIT).first == b""


def test_f79_what_happens_to_the_original_afterwards_changes_nothing(candidate: Candidate, staging: Path) -> None:
    staged = stage(candidate, staging, limit_bytes=LIMIT)
    candidate.path.write_bytes(b"swapped")
    assert staged.path.read_bytes() == CONTENT


@pytest.mark.parametrize("swapped", ["gone", "file", "link", "pipe", "folder"])
def test_f79_a_file_swapped_after_the_scan_is_not_staged(candidate: Candidate, staging: Path, swapped: str) -> None:
    other = candidate.path.with_name("other.tar")
    match swapped:
        case "file":
            other.write_bytes(b"other")
        case "link":
            (staging.parent / "secret").write_bytes(b"secret")
            other.symlink_to(staging.parent / "secret")
        case "pipe":
            os.mkfifo(other)
        case "folder":
            other.mkdir()
    candidate.path.unlink()
    if swapped != "gone":
        other.rename(candidate.path)
    with pytest.raises(Vanished, match=NAME):
        stage(candidate, staging, limit_bytes=LIMIT)
    assert list(staging.iterdir()) == []


def test_a_file_over_the_limit_is_refused_before_a_byte_is_copied(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "read", failing(errno.EIO))
    with pytest.raises(BadBundle, match=r"2\.5 MB, the limit is 2\.5 MB") as caught:
        stage(candidate, staging, limit_bytes=len(CONTENT) - 1)
    assert caught.value.code is Code.TOO_LARGE


def test_a_file_that_grows_over_the_limit_is_stopped_there(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.read

    def growing(descriptor: int, count: int) -> bytes:
        with candidate.path.open("ab") as file:
            file.write(b"more" * 300_000)
        return real(descriptor, count)

    monkeypatch.setattr(os, "read", growing)
    with pytest.raises(BadBundle, match="grows beyond the limit"):
        stage(candidate, staging, limit_bytes=LIMIT)
    assert list(staging.iterdir()) == []


def test_a_file_of_exactly_the_limit_is_within_it(candidate: Candidate, staging: Path) -> None:
    assert stage(candidate, staging, limit_bytes=len(CONTENT)).size == len(CONTENT)


def test_f44_a_full_stage_is_told_before_a_byte_is_copied(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", failing(errno.EIO))
    with small_disk(staging, kilobytes=1024):
        with pytest.raises(DiskProblem, match=r"no space on the disk of '.*stage': need 2\.5 MB, have 1\.0 MB"):
            stage(candidate, staging, limit_bytes=LIMIT)
        assert list(staging.iterdir()) == []


@pytest.mark.parametrize(("call", "number"), [("write", errno.ENOSPC), ("write", errno.EIO), ("fsync", errno.EIO)])
def test_f44_f47_a_stage_that_fails_while_writing_is_left_clean(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(DiskProblem) as caught:
            stage(candidate, staging, limit_bytes=LIMIT)
    assert isinstance(caught.value, StorageFailure) == (number == errno.EIO)
    assert list(staging.iterdir()) == []
    assert stage(candidate, staging, limit_bytes=LIMIT).size == len(CONTENT)


def test_f72_a_stick_pulled_out_while_reading_stops_nothing_but_this_file(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = 0
    real = os.read

    def pulled(descriptor: int, count: int) -> bytes:
        nonlocal blocks
        blocks += 1
        if blocks == 3:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, count)

    monkeypatch.setattr(os, "read", pulled)
    with pytest.raises(DiskProblem, match="in the inbox cannot be read") as caught:
        stage(candidate, staging, limit_bytes=LIMIT)
    assert not isinstance(caught.value, StorageFailure)
    assert list(staging.iterdir()) == []


def test_f66_a_stale_handle_is_a_file_that_is_gone(
    candidate: Candidate, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "read", failing(errno.ESTALE))
    with pytest.raises(Vanished):
        stage(candidate, staging, limit_bytes=LIMIT)


def test_f72_what_a_crash_left_in_the_stage_is_cleared(candidate: Candidate, staging: Path) -> None:
    stage(candidate, staging, limit_bytes=LIMIT)
    (staging / "in-half").write_bytes(b"half")
    clear_stage(staging)
    assert list(staging.iterdir()) == []
    with pytest.raises(DiskProblem):
        clear_stage(staging / "none")


# ── disposing ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("policy", "stays", "moved"), [(Disposal.KEEP, True, False), (Disposal.MOVE, False, True), (Disposal.DELETE, False, False)]
)
def test_the_policy_says_what_becomes_of_a_judged_file(
    candidate: Candidate, judged: Path, policy: Disposal, stays: bool, moved: bool
) -> None:
    assert dispose(candidate, policy, to=judged) is None
    assert candidate.path.exists() == stays
    assert (judged / NAME).exists() == moved
    assert dispose(candidate, policy, to=judged) is None  # also when the carrier was quicker


def test_moving_never_overwrites(candidate: Candidate, judged: Path) -> None:
    (judged / NAME).write_bytes(b"an earlier one")
    assert dispose(candidate, Disposal.MOVE, to=judged) is None
    assert (judged / NAME).read_bytes() == b"an earlier one"
    assert (judged / NAME.replace(".tar", "-2.tar")).read_bytes() == CONTENT


@pytest.mark.parametrize("policy", [Disposal.MOVE, Disposal.DELETE])
def test_a_file_that_is_not_the_one_judged_stays(candidate: Candidate, judged: Path, policy: Disposal) -> None:
    candidate.path.write_bytes(b"a new one")
    problem = dispose(candidate, policy, to=judged)
    assert problem is not None
    assert "not the file that was judged" in problem.what
    assert candidate.path.read_bytes() == b"a new one"


@pytest.mark.parametrize("policy", [Disposal.MOVE, Disposal.DELETE])
def test_f80_a_file_that_cannot_be_removed_is_a_warning(
    candidate: Candidate, judged: Path, monkeypatch: pytest.MonkeyPatch, policy: Disposal
) -> None:
    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        if path == candidate.path:
            raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", unlink)
    problem = dispose(candidate, policy, to=judged)
    assert problem is not None
    assert "Read-only file system" in str(problem)
    assert NAME in str(problem)
    assert candidate.path.read_bytes() == CONTENT


def test_f80_a_folder_for_judged_files_that_is_missing_is_a_warning_and_the_file_stays(
    candidate: Candidate, judged: Path
) -> None:
    problem = dispose(candidate, Disposal.MOVE, to=judged / "none")
    assert problem is not None
    assert candidate.path.read_bytes() == CONTENT
