"""However large an attachment is, memory stays the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMORY_KIB = 60 << 10  # more than before the export; a chunk alone has 64 MiB


def travels(mib: int, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.large", str(mib), folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    more, landed = map(int, done.stdout.split())
    assert landed == mib << 20
    assert more < MEMORY_KIB


def test_f60_an_attachment_of_300_mb_travels_in_little_memory(tmp_path: Path) -> None:
    travels(300, tmp_path)


@pytest.mark.prove
def test_f60_a_sparse_file_of_10_gb_travels_in_little_memory(tmp_path: Path) -> None:
    if os.environ.get("FILESYNC_LARGE") != "1" or shutil.disk_usage(tmp_path).free < 45 << 30:
        pytest.skip("`make prove` runs it, where the temporary folder's disk has 45 GiB")
    travels(10 << 10, tmp_path)
