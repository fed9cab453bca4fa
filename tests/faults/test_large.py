"""However large an attachment is, and however many changes there are, memory stays the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMORY_KIB = 60 << 10  # more than before the export; a chunk alone has 64 MiB


def measured(module: str, size: int, folder: Path) -> tuple[int, int]:
    """The most memory that was added, in KiB, and what came out at the other end."""
    words = [sys.executable, "-W", "error", "-m", f"tests.support.{module}", str(size), str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    more, out = map(int, done.stdout.split())
    return more, out


def travels(mib: int, folder: Path) -> None:
    more, landed = measured("large", mib, folder)
    assert landed == mib << 20
    assert more < MEMORY_KIB


def test_f60_an_attachment_of_300_mb_travels_in_little_memory(tmp_path: Path) -> None:
    travels(300, tmp_path)


@pytest.mark.prove
def test_f60_a_sparse_file_of_10_gb_travels_in_little_memory(tmp_path: Path) -> None:
    if os.environ.get("FILESYNC_LARGE") != "1" or shutil.disk_usage(tmp_path).free < 45 << 30:
        pytest.skip("`make prove` runs it, where the temporary folder's disk has 45 GiB")
    travels(10 << 10, tmp_path)


def apply_all(changes: int, folder: Path) -> None:
    more, applied = measured("many_changes", changes, folder)
    assert applied == changes
    assert more < MEMORY_KIB


def test_f60_some_bundles_of_changes_travel_in_little_memory(tmp_path: Path) -> None:
    apply_all(5_000, tmp_path)


@pytest.mark.prove
def test_f60_a_million_changes_travel_in_little_memory(tmp_path: Path) -> None:
    if os.environ.get("FILESYNC_LARGE") != "1":
        pytest.skip("`make prove` runs it: half an hour")
    apply_all(1_000_000, tmp_path)
