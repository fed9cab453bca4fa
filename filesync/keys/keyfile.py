"""Files that hold keys: private ones are ours alone (0600), and every file is written whole or not at all."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from filesync.errors import KeyProblem, disk_problem

MAX_KEY_FILE = 65_536  # bytes
_QUOTED = 20  # characters: less than tell anything of a secret that was pasted in the wrong place
_OPEN_TO_OTHERS = 0o077


def quoted(text: str) -> str:
    """A word that should be something else, for a message; one that is long is not shown, for it may be a private key."""
    return repr(text) if len(text) <= _QUOTED else f"a word of {len(text)} letters"


def read_private(path: Path) -> bytes:
    """The bytes of a private key file. Raises KeyProblem: missing, unreadable, open to others, too long."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_KEY_FILE + 1)
    except FileNotFoundError:
        raise KeyProblem(f"no key file {str(path)!r}", hint="Check the path under `keys` in the configuration.") from None
    except OSError as error:
        problem = disk_problem(error, path, doing="read")
        raise KeyProblem(str(problem), hint=problem.hint) from error
    if mode & _OPEN_TO_OTHERS:
        raise KeyProblem(
            f"others may use the private key {str(path)!r}: its mode is {mode & 0o777:04o}",
            hint=f"Run: chmod 600 {shlex.quote(str(path))}. If others had access to it, make a new key.",
        )
    if len(data) > MAX_KEY_FILE:
        raise KeyProblem(f"not a key file: {str(path)!r} is longer than {MAX_KEY_FILE} bytes")
    return data


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a new file, on disk when this returns. Raises KeyProblem where there is one already, DiskProblem."""
    try:
        _write(path, data, mode=mode)
        fsync_folder(path.parent)
    except FileExistsError:
        raise KeyProblem(
            f"{str(path)!r} is there already, and a key is never overwritten",
            hint="Move it away first if a new one is wanted. What was encrypted for it can be read with it alone.",
        ) from None
    except OSError as error:
        raise disk_problem(error, path) from error


def replace(path: Path, data: bytes, *, mode: int) -> None:
    """Write the file anew, whole or not at all. Raises DiskProblem."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        _write(temporary, data, mode=mode)
        temporary.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise disk_problem(error, path) from error


def _write(path: Path, data: bytes, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def fsync_folder(folder: Path) -> None:
    """Bring the folder's names to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
