"""The outbox: where the carrier finds what we send. Names are given; what is there is never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filesync.errors import DiskProblem
from filesync.exchange.files import Placed, place

# The carrier is often another account: who may look is for the folder's own rights and the umask to say.
_MODE = 0o644
_NAMES = 100  # second names that are tried: more files of one name are no accident


@dataclass(frozen=True, slots=True)
class Published:
    """Where the file stands. `again`: it stood there already. `renamed`: other bytes have its own name: worth a warning."""

    path: Path
    again: bool
    renamed: bool


def publish(source: Path, folder: Path, name: str) -> Published:
    """Put a copy of the file into the folder, whole and on disk, under its name; else `…-2` and on. Twice is once.

    Raises DiskProblem (room, right, folder; nothing is left behind), StorageFailure.
    """
    stem, dot, suffixes = name.partition(".")
    for number in range(1, _NAMES):
        target = folder / (name if number == 1 else f"{stem}-{number}{dot}{suffixes}")
        placed = place(source, target, mode=_MODE)
        if placed is not Placed.TAKEN:
            return Published(target, again=placed is Placed.SAME, renamed=number > 1)
    raise DiskProblem(
        f"{_NAMES - 1} files named like {name!r} hold other bytes in {str(folder)!r}",
        hint="Look who writes there: it should be filesync and the carrier alone.",
    )
