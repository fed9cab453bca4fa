"""What tests of the way to Jira share: a server that answers as it is told, and time that does not pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from filesync.trackers.jira.rest.http import Http, Waiting
from filesync.trackers.jira.settings import read_settings
from tests.support.jira.site import FLAVOURS
from tests.trackers.jira import scene
from tests.trackers.jira.scene import Opened
from tests.trackers.jira.stub import Clock, Stub

TOKEN = "s3cret-T0ken"


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """A simulated Jira of each kind, and what opens its project."""
    with scene.jira(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        yield server


@pytest.fixture
def passing() -> Clock:
    return Clock()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def jira(stub: Stub, passing: Clock, token_file: Path, tmp_path: Path) -> Iterator[Callable[..., Http]]:
    """Opens the way to the stub, with these settings beside its address and a token."""
    made: list[Http] = []

    def make(*, cloud: bool = False, **given: object) -> Http:
        settings = {"url": stub.url, "token_file": "token"} | given
        settings = {name: value for name, value in settings.items() if value is not None}
        waiting = Waiting(now=passing.now, sleep=passing.sleep, chance=lambda: 0.0)
        made.append(Http.open(read_settings(settings, folder=tmp_path), cloud=cloud, waiting=waiting))
        return made[-1]

    yield make
    for one in made:
        one.close()
