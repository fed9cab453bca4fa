"""Three sites, and their command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.many.scene import Three, call, three_sites


@pytest.fixture
def three() -> Iterator[Three]:
    with three_sites() as made:
        yield made


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Calls a verb at a side."""
    return partial(call, capsys)
