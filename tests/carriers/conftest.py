"""A partner's machine that answers, and two sites with a bundle of a few megabytes on its way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.carriers.scene import ISSUES, Scene, fill, make
from tests.carriers.sshd import Server, serving


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """acme has exported a bundle of some 2 MB for globex. Made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("sites")
    make(folder)
    fill(Scene(folder), issues=ISSUES, characters=30_000, seed=4)
    return folder


@pytest.fixture
def scene(started: Path, tmp_path: Path) -> Scene:
    return Scene(shutil.copytree(started, tmp_path / "sites"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    with serving(folder) as one:
        yield one
