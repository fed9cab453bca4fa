"""A whole site on a real disk that is really full: with a little more room each time, so that it ends at every step in turn."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from filesync.errors import DiskProblem, FilesyncError, StorageFailure, Unavailable
from tests.support.disk import small_disk
from tests.support.two_sites import Side, two_sites

PAGE = 4_096  # bytes, in which this disk counts


def with_little_room(disk: Path, pages: int, work: Callable[[], object]) -> bool:
    """Do the work while only so many pages are free. Returns whether it went through; if not, it says that there is no room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize // PAGE
        for _ in range(max(0, free - pages)):
            file.write(bytes(PAGE))
    told: FilesyncError | None = None
    try:
        work()
    except (DiskProblem, Unavailable) as error:
        told = error
    finally:
        filler.unlink()
    assert told is None or "no space" in str(told) or "full" in str(told), told
    assert told is None or (told.hint and not isinstance(told, StorageFailure)), told
    return told is None


def left_over(side: Side) -> list[str]:
    folders = (side.config.folders.outbox, side.config.folders.archive, side.config.folders.guard, side.config.folders.store)
    return [path.name for folder in folders for path in folder.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("encrypt", [False, True])
def test_f44_a_disk_that_is_really_full_ends_a_run_at_any_step_and_loses_and_doubles_nothing(
    tmp_path: Path, encrypt: bool
) -> None:
    noise = random.Random(7)
    through = {"export": 0, "import": 0}
    levels = [0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 64, 96]
    with small_disk(tmp_path / "disk", kilobytes=24 << 10) as disk:
        for pages in levels:
            with two_sites(encrypt=encrypt, base=disk) as world:
                for number in range(3):
                    fields = {"description": noise.randbytes(8_000).hex()}
                    world.acme.desk.create("Bug", f"Pump {number}", fields)
                through["export"] += with_little_room(disk, pages, world.acme.export)
                assert left_over(world.acme) == []
                world.acme.export()
                assert world.acme.exchange().out_seq == 1
                world.carry(to=world.globex)
                through["import"] += with_little_room(disk, pages, world.globex.import_)
                assert left_over(world.globex) == []
                world.globex.import_()
                assert len(world.globex.desk.list()) == 3
                world.settle()
                world.assert_in_step()
    for name, many in through.items():
        assert 0 < many < len(levels), f"{name}: the levels do not reach from too little to enough"
