"""The inbox: what lies there, and a private copy of it. Nothing is processed in place, and names are hints only.

A file that cannot be judged yet is *arriving* until it stayed the same for a while (`settling`). Time stamps and a
stable size alone prove nothing: carriers pause, and copies keep old times.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shlex
import stat as modes
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filesync.bundle.verdict import Code, bad, shown
from filesync.errors import DiskProblem, Problem, disk_problem, size_text
from filesync.exchange.files import BLOCK, NO_LINKS, free_bytes, hash_file, write_all, write_whole
from filesync.exchange.outbox import publish
from filesync.model.prepare import prepare

SENTINEL = ".filesync-inbox"
FIRST_BYTES = 512  # of a staged file, for telling what it is

# Carriers' files on their way, and what operating systems leave in folders.
_LITTER = re.compile(
    r"[.].*|~[$].*|.*[.](tmp|temp|part|partial|filepart|crdownload|swp)|.*~|desktop[.]ini|thumbs[.]db|ehthumbs[.]db"
    r"|[$]recycle[.]bin|system volume information|lost[+]found|__macosx|icon\r",
    re.IGNORECASE | re.DOTALL,
)
_LIKE_A_BUNDLE = re.compile(r"fs1_.*|.*[.](tar|age)", re.IGNORECASE | re.DOTALL)
_REPLACED = {errno.ENOENT, errno.ELOOP, errno.ESTALE, errno.ENXIO}


class InboxUnavailable(DiskProblem):
    """The folder is missing or its share is not mounted: that is not the same as empty."""


class Vanished(DiskProblem):
    """The file is gone or was replaced since it was listed. The next scan sees what is there."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file in the inbox as a scan saw it. `regular` is false for a link, pipe, device or folder: those are never opened."""

    folder: Path
    name: str  # as it is there: for messages only through verdict.shown
    size: int  # bytes
    mtime_ns: int
    ctime_ns: int  # nobody can set it back: it tells a file that was rewritten in place
    inode: int
    device: int
    regular: bool

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.name


@dataclass(frozen=True, slots=True)
class Mounted:
    """What to remember of a folder so that a share that is not mounted is told from an empty one."""

    sentinel: bool  # whether our file could be written there
    borders: int  # filesystems between the folder and the root: fewer later means something is not mounted


prepare(Mounted)


@dataclass(frozen=True, slots=True)
class Staged:
    """A private copy: what is judged and applied, whatever becomes of the original."""

    path: Path
    size: int  # bytes
    first: bytes  # up to FIRST_BYTES

    def hashed(self) -> str:
        """Its SHA-256: asked for where a file fails, for a good one is verified by its own hashes. Raises DiskProblem."""
        return hash_file(self.path).sha256


class Disposal(StrEnum):
    """What becomes of an inbox file that was judged."""

    KEEP = "keep"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of a file that could not be judged. `at`: seconds, of one clock that goes on over restarts."""

    size: int
    mtime_ns: int
    sha256: str
    at: float


@dataclass(frozen=True, slots=True)
class Settling:
    """Whether a file has settled: then what is wrong with it stays wrong. `since` is the look to hand in next time."""

    settled: bool
    since: Look


def scan(folder: Path, mounted: Mounted | None = None) -> list[Candidate]:
    """What may be a bundle, sorted by name. Raises InboxUnavailable: no such folder, or empty and not `mounted` as it was."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _ignored(entry):
                    with suppress(FileNotFoundError):  # the carrier took it back meanwhile: it is not there
                        found.append(_candidate(folder, entry))
    except OSError as error:
        problem = disk_problem(error, folder, doing="read")
        raise InboxUnavailable(f"the inbox cannot be read: {problem}", hint=problem.hint) from error
    if not found and mounted is not None and not is_mounted(folder, mounted):
        raise InboxUnavailable(
            f"the inbox {str(folder)!r} is empty, and so is the mark that filesync left there: is its share or stick mounted?",
            hint=f"Nothing is lost. Mount it. If this is the right folder, something removed {SENTINEL}: "
            f"touch {shlex.quote(str(folder / SENTINEL))}, and let the carrier leave that file alone.",
        )
    return sorted(found, key=lambda one: one.name)


def mark_mounted(folder: Path) -> Mounted:
    """Leave a mark in the folder, where that can be written; what to remember. Raises InboxUnavailable, DiskProblem."""
    try:
        there = folder.is_dir()
    except OSError as error:  # a folder above it may not be entered
        problem = disk_problem(error, folder, doing="look at")
        raise InboxUnavailable(f"the inbox cannot be looked at: {problem}", hint=problem.hint) from error
    if not there:
        raise InboxUnavailable(f"there is no inbox {str(folder)!r}", hint="Make the folder, or mount its share.")
    try:
        if not os.path.lexists(folder / SENTINEL):
            write_whole(
                folder / SENTINEL, [b"An inbox of filesync. By this file it knows that the share is mounted.\n"], mode=0o644
            )
    except DiskProblem as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise
        return Mounted(sentinel=False, borders=_borders(folder))  # read-only media: only the mounts themselves can tell
    return Mounted(sentinel=True, borders=_borders(folder))


def is_mounted(folder: Path, mounted: Mounted) -> bool:
    """Whether the folder still is what it was when `mark_mounted` was called."""
    if not folder.is_dir():
        return False
    borders = _borders(folder)
    if mounted.sentinel and borders <= mounted.borders:  # with more of them something was mounted since, over our mark
        return os.path.lexists(folder / SENTINEL)
    return borders >= mounted.borders


def stage(candidate: Candidate, stage_folder: Path, *, limit_bytes: int) -> Staged:
    """Copy the file into the private stage folder, on disk when this returns.

    Raises Vanished, BadBundle (NOT_REGULAR, TOO_LARGE), DiskProblem (room, right, an unreadable medium), StorageFailure.
    """
    where = shown(candidate.name)
    if not candidate.regular:
        raise bad(Code.NOT_REGULAR, where, "a link, folder, pipe or device: it was not opened")
    source = _open(candidate)
    try:
        size = os.fstat(source).st_size
        if size > limit_bytes:
            raise bad(Code.TOO_LARGE, where, f"{size_text(size)}, the limit is {size_text(limit_bytes)}")
        have = free_bytes(stage_folder)
        if have < size:
            raise disk_problem(OSError(errno.ENOSPC, "full"), stage_folder, need=size, have=have)
        return _copy(source, candidate, stage_folder, limit_bytes=limit_bytes)
    finally:
        os.close(source)


def clear_stage(stage_folder: Path) -> None:
    """Remove what a crash left. To be called under the site's lock, before the first file is staged. Raises DiskProblem."""
    try:
        for entry in os.scandir(stage_folder):
            Path(entry.path).unlink()
    except OSError as error:
        raise disk_problem(error, stage_folder) from error


def dispose(candidate: Candidate, policy: Disposal, *, to: Path) -> Problem | None:
    """Leave, move (into `to`, never over another file) or delete a judged file. What went wrong is a warning, not a failure.

    A file that was replaced since the scan stays: it was not judged.
    """
    if policy is Disposal.KEEP:
        return None
    where = shown(candidate.name)
    try:
        now = candidate.path.lstat()
        was = (candidate.device, candidate.inode, candidate.size, candidate.mtime_ns, candidate.ctime_ns)
        if not candidate.regular or _identity(now) != was:
            return Problem(where, "stays in the inbox: it is not the file that was judged")
        if policy is Disposal.MOVE and not _moved(candidate, to / candidate.name):
            publish(candidate.path, to, candidate.name)
        candidate.path.unlink()
    except FileNotFoundError:
        return None  # the carrier removed it: that is what was wanted
    except (OSError, DiskProblem) as error:
        return Problem(where, f"stays in the inbox, and is not taken again: {error}")
    return None


def _moved(candidate: Candidate, target: Path) -> bool:
    """Give the very file that was judged a name there, if that is free and on the same filesystem. Raises OSError."""
    try:
        os.link(candidate.path, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in {*NO_LINKS, errno.EEXIST, errno.ENOENT}:
            return False  # publish does it, or says what is wrong there
        raise
    seen = target.lstat()
    if (seen.st_dev, seen.st_ino) == (candidate.device, candidate.inode):
        return True
    target.unlink()  # somebody put another file in its place, just now
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), candidate.name)


def settling(previous: Look | None, now: Look, *, settle_s: float) -> Settling:
    """Whether a file that failed stayed the same for `settle_s` seconds between two reads. Until then it is arriving.

    `previous` is `since` of the last answer: the first look at what is there now.
    """
    if previous is None or (previous.size, previous.mtime_ns, previous.sha256) != (now.size, now.mtime_ns, now.sha256):
        return Settling(settled=False, since=now)
    if now.at < previous.at:  # the clock was set back: wait once more in full
        return Settling(settled=False, since=now)
    return Settling(settled=now.at - previous.at >= settle_s, since=previous)


def _candidate(folder: Path, entry: os.DirEntry[str]) -> Candidate:
    seen = entry.stat(follow_symlinks=False)
    return Candidate(
        folder=folder,
        name=entry.name,
        size=seen.st_size,
        mtime_ns=seen.st_mtime_ns,
        ctime_ns=seen.st_ctime_ns,
        inode=seen.st_ino,
        device=seen.st_dev,
        regular=modes.S_ISREG(seen.st_mode),
    )


def _ignored(entry: os.DirEntry[str]) -> bool:
    """Litter, files on their way, and folders of other names: nobody's mistake. Links, pipes and devices are told."""
    if entry.name.startswith("fs1_") and entry.name.endswith((".tar", ".age")):
        return False  # nearly all there are, told apart without the long list of what else lies in folders
    if _LITTER.fullmatch(entry.name):
        return True
    return entry.is_dir(follow_symlinks=False) and not _LIKE_A_BUNDLE.fullmatch(entry.name)


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _open(candidate: Candidate) -> int:
    """A descriptor of the very file that was listed: no link is followed, no pipe waited for. Raises Vanished, DiskProblem."""
    where = shown(candidate.name)
    try:
        descriptor = os.open(candidate.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _REPLACED:
            raise Vanished(f"{where} is gone or was replaced since it was listed") from None
        raise _unreadable(where, error) from error
    seen = os.fstat(descriptor)
    if modes.S_ISREG(seen.st_mode) and (seen.st_dev, seen.st_ino) == (candidate.device, candidate.inode):
        return descriptor
    os.close(descriptor)
    raise Vanished(f"{where} was replaced since it was listed")


def _copy(source: int, candidate: Candidate, stage_folder: Path, *, limit_bytes: int) -> Staged:
    where = shown(candidate.name)
    size, first = 0, b""
    name = ""
    try:
        target, name = tempfile.mkstemp(prefix="in-", dir=stage_folder)  # 0600, O_EXCL
        try:
            while chunk := _read(source, where):
                size += len(chunk)
                if size > limit_bytes:
                    raise bad(Code.TOO_LARGE, where, f"it grows beyond the limit of {size_text(limit_bytes)}")
                first = first or chunk[:FIRST_BYTES]
                write_all(target, chunk)
            os.fsync(target)
        finally:
            os.close(target)
    except BaseException as error:
        if name:
            with suppress(OSError):  # what stays is removed by clear_stage
                Path(name).unlink()
        if isinstance(error, OSError):
            raise disk_problem(error, stage_folder, need=candidate.size, have=free_bytes(stage_folder)) from error
        raise
    return Staged(Path(name), size, first)


def _read(source: int, where: str) -> bytes:
    try:
        return os.read(source, BLOCK)
    except OSError as error:
        if error.errno == errno.ESTALE:
            raise Vanished(f"{where} is gone: the share says it is another file now") from None
        raise _unreadable(where, error) from error


def _unreadable(where: str, error: OSError) -> DiskProblem:
    """A file on the carrier's medium that cannot be read: not our storage, so nothing but this file waits."""
    return DiskProblem(
        f"{where} in the inbox cannot be read: {error.strerror}",
        hint="Check the account's rights and the medium. If the medium is bad: copy it again, or ask for a resend.",
    )


def _borders(folder: Path) -> int:
    """How many filesystems lie between the folder and the root. Device numbers change when a stick is plugged in again."""
    here = folder.resolve()
    devices = [path.stat().st_dev for path in (here, *here.parents)]
    return sum(one != above for one, above in itertools.pairwise(devices))
