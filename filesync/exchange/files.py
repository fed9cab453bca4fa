"""Whole files or none: a file has its name only when every byte is on disk, and nothing kept or sent is overwritten.

A crash at any line leaves at most a dot-name, which the next attempt removes.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

import msgspec

from filesync.errors import DiskProblem, disk_problem

BLOCK = 1 << 20  # bytes read or written at once
# What a filesystem without hard links (FAT, many SMB and FUSE mounts) answers to link().
NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
# What a filesystem answers that may only be read, or is no such thing: a pipe, a folder.
_NO_FSYNC = {errno.EINVAL, errno.EROFS, errno.EBADF, errno.ESPIPE, errno.EOPNOTSUPP, errno.ENOSYS}
# What a filesystem answers that cannot fsync a folder: there is no such call on SMB and some FUSE mounts, nothing failed.
_NO_FOLDER_FSYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}


class Hashed(msgspec.Struct, frozen=True):
    """What a file holds: SHA-256 (64 hex digits) and size in bytes."""

    sha256: str
    size: int


class Placed(Enum):
    """What became of a file that was to get a name."""

    NEW = auto()
    SAME = auto()  # the same bytes had that name already
    TAKEN = auto()  # other bytes have that name; nothing was done


def write_whole(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Write a file of our own, or write it anew. Raises DiskProblem, StorageFailure; then the old one is as it was."""
    with whole(path, chunks, mode=mode, need=None) as temporary:
        try:
            temporary.replace(path)
        except OSError as error:
            raise disk_problem(error, path) from error
    fsync_folder(path.parent)


def keep(source: Path, target: Path) -> None:
    """Put it where it is kept (archive, store), for ever under this name. The same bytes there already is success.

    The source is a private file of ours that nobody writes to any more: on one filesystem it is given the name, no byte is
    copied. Raises DiskProblem when other bytes have the name, or no room or right; StorageFailure.
    """
    if _named(source, target):
        return
    if place(source, target, mode=0o600) is Placed.TAKEN:
        raise DiskProblem(
            f"other bytes are kept as {str(target)!r} already, and nothing kept is overwritten",
            hint="Did a second filesync write there? Compare the two files before moving one away.",
        )


def _named(source: Path, target: Path) -> bool:
    """Give a file one more name, durably, if the name is free and the filesystem can."""
    if os.path.lexists(target):
        return False
    _clear(target)  # a copy that was begun and killed
    _fsync(source)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in {*NO_LINKS, errno.EEXIST}:
            return False
        raise disk_problem(error, target) from error
    fsync_folder(target.parent)
    return True


def scratch(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a private file that a crash may take with it: it is not brought to the disk. Raises DiskProblem."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            for chunk in chunks:
                write_all(descriptor, chunk)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_problem(error, path, have=_room(path.parent)) from error


def drop(path: Path) -> None:
    """Remove what `keep` put there, or had begun to when it was killed. Raises DiskProblem."""
    _clear(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error, path, doing="remove") from error


def kept(path: Path) -> bool:
    """Whether `keep` put a file there. Then its name is durable, whoever was killed. Raises DiskProblem, StorageFailure."""
    if not os.path.lexists(path):
        return False
    _clear(path)
    fsync_folder(path.parent)
    return True


def place(source: Path, target: Path, *, mode: int) -> Placed:
    """Copy a file to a name that is not taken, durably; twice is the same as once. Raises DiskProblem, StorageFailure."""
    if os.path.lexists(target):
        placed = _compare(source, target)
        _clear(target)
        return placed
    need = size_of(source)
    with whole(target, read(source), mode=mode, need=need) as temporary:
        try:
            try:
                os.link(temporary, target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                # Without hard links no call both renames and never overwrites. The name was free a moment ago, and names
                # of this stream are given by us alone, under the site's lock: so a rename after this look is safe.
                if os.path.lexists(target):
                    raise FileExistsError(errno.EEXIST, "exists", str(target)) from None
                temporary.rename(target)
        except FileExistsError:
            return _compare(source, target)
        except OSError as error:
            raise disk_problem(error, target, need=need, have=free_bytes(target.parent)) from error
    fsync_folder(target.parent)
    return Placed.NEW


@contextmanager
def whole(path: Path, chunks: Iterable[bytes], *, mode: int, need: int | None) -> Iterator[Path]:
    """All chunks, on disk, in a file with a temporary name beside `path`; it is removed when the caller is done with it.

    `need` is the size in bytes where it is known: then room is looked for first. Raises DiskProblem, StorageFailure.
    """
    temporary = _temporary(path)
    if need is not None and (have := free_bytes(path.parent)) < need:
        raise disk_problem(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), path.parent, need=need, have=have)
    try:
        try:
            temporary.unlink(missing_ok=True)  # left by a crash; O_EXCL then keeps a planted link from being followed
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
            try:
                for chunk in chunks:
                    write_all(descriptor, chunk)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_problem(error, path, need=need, have=_room(path.parent)) from error
        yield temporary
    finally:
        with suppress(OSError):  # a dot-name that nobody takes for a bundle; the next attempt removes it
            temporary.unlink(missing_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read(path: Path) -> Iterator[bytes]:
    """The file's bytes, block by block. Raises DiskProblem, StorageFailure."""
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(BLOCK):
                yield chunk
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error


def forget_cached(path: Path) -> None:
    """Have the next reading come from the medium, not from what the system keeps of the file in memory. Raises DiskProblem.

    A filesystem that keeps its files in memory alone has no other place to read them from, and some let nothing go.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)  # what is not on the medium yet is not let go of
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise disk_problem(error, path, doing="read") from error


def hash_file(path: Path) -> Hashed:
    """SHA-256 and size of what the file holds now. Raises DiskProblem, StorageFailure."""
    digest, size = hashlib.sha256(), 0
    for chunk in read(path):
        digest.update(chunk)
        size += len(chunk)
    return Hashed(digest.hexdigest(), size)


def fsync_folder(folder: Path) -> None:
    """Bring the folder's names to the disk. Raises DiskProblem, StorageFailure."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FSYNC:
            raise disk_problem(error, folder) from error


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written to the folder's disk by this account. Raises DiskProblem."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise disk_problem(error, folder) from error
    return disk.f_bavail * disk.f_frsize


def size_of(path: Path) -> int:
    """Bytes in a file. Raises DiskProblem."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error


def _room(folder: Path) -> int:
    """Free bytes for a message about another failure: 0 where the disk does not even say that."""
    try:
        return free_bytes(folder)
    except DiskProblem:
        return 0


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _clear(path: Path) -> None:
    """Remove the temporary name of a file that has its own: whoever gave it was killed in between. Raises DiskProblem."""
    try:
        _temporary(path).unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error, path) from error


def _compare(source: Path, target: Path) -> Placed:
    """Whether the name holds the source's bytes. If so they are brought to disk: who put them there may have crashed first."""
    if target.is_symlink() or not target.is_file():
        return Placed.TAKEN
    if hash_file(source) != hash_file(target):
        return Placed.TAKEN
    _fsync(target)
    fsync_folder(target.parent)
    return Placed.SAME


def _fsync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_problem(error, path) from error
