"""Two or three sites that encrypt, and their command line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.many.scene import Three, Type, call, three_sites
from tests.support.two_sites import World, two_sites


@pytest.fixture
def three() -> Iterator[Three]:
    with three_sites() as made:
        yield made


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites(encrypt=True) as made:
        for n in range(2):
            made.acme.desk.create("Bug", f"before {n}")
        made.settle()
        yield made


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Type:
    """Calls a verb at a side."""
    return partial(call, capsys)
