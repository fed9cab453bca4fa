"""A carrier on whom nobody can rely: loses, keeps back, repeats, renames, cuts and damages what it brings."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from tests.support.two_sites import Side, World

_copies = itertools.count(1)
FATES = 8  # of each file; the first three: it arrives as it should


def carry(world: World, *, to: Side, fates: int) -> None:
    """Bring what lies in the other side's outbox; three bits of `fates` say what becomes of each file."""
    inbox = to.config.folders.inbox
    for file in sorted(world.other(to).config.folders.outbox.iterdir()):
        fates, fate = divmod(fates, FATES)
        match fate:
            case 3:  # lost; the archive still has it
                file.unlink()
            case 4:  # comes with the next one, behind those that follow it
                pass
            case 5:  # twice, once under another name
                shutil.copy(file, inbox / f"copy-{next(_copies)} of {file.name}")
                shutil.move(file, inbox / file.name)
            case 6:  # cut short; the whole file comes with the next one
                whole = file.read_bytes()
                (inbox / file.name).write_bytes(whole[: len(whole) // 2])
            case 7:  # one bit of it wrong; the whole file comes with the next one
                damaged = bytearray(file.read_bytes())
                damaged[len(damaged) * 2 // 3] ^= 4
                (inbox / file.name).write_bytes(damaged)
            case _:
                shutil.move(file, inbox / file.name)


def archived(world: World, *, to: Side) -> list[Path]:
    """Everything the other side ever sent, oldest first."""
    return sorted(one for one in world.other(to).config.folders.archive.iterdir() if not one.name.startswith("."))


def bring(files: list[Path], *, to: Side) -> None:
    """Copies of archived bundles, whether they came before or not."""
    for file in files:
        shutil.copy(file, to.config.folders.inbox / file.name)
