"""globex with a mail server, and acme, whose files come or do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mail.office import Office, office
from tests.mail.scene import Mailed, told_to_mail
from tests.support.two_sites import World, two_sites


@pytest.fixture(scope="session")
def server() -> Iterator[Office]:
    with office() as made:
        yield made


@pytest.fixture
def made(server: Office) -> Office:
    server.letters, server.refuses, server.full, server.hangs_up = [], set(), False, False
    return server


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites() as one:
        yield one


@pytest.fixture
def globex(world: World, made: Office) -> Mailed:
    told_to_mail(world.globex, made)
    return Mailed(world, made)
