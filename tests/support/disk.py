"""Disks that are full, and calls that fail as a disk would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import need


@contextmanager
def small_disk(folder: Path, *, kilobytes: int) -> Iterator[Path]:
    """A real filesystem of that size, mounted on the folder. Needs root; the test is skipped without."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder.mkdir(exist_ok=True)
    options = f"size={kilobytes}k"
    done = subprocess.run([need("mount"), "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mount is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run([need("umount"), folder], check=True)


def failing(number: int) -> Callable[..., object]:
    """Stands in for a call of `os` and fails as the system would, with that errno."""

    def fail(*arguments: object, **named: object) -> object:
        raise OSError(number, os.strerror(number))

    return fail


def make_read_only(mounted: Path) -> None:
    """The filesystem of `small_disk` takes no more writes, as a stick whose switch was set."""
    subprocess.run([need("mount"), "-o", "remount,ro", mounted], check=True)
