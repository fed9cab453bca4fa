"""Two sites, and their command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.scene import Terminal
from tests.support.two_sites import World, two_sites


@pytest.fixture
def plain() -> Iterator[World]:
    """Two sites that sign and do not encrypt, so that a test can change what is inside."""
    with two_sites() as both:
        yield both


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)
