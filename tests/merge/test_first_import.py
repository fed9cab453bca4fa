"""A first import that waits for a person reads what is held once, however often it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.agent.incoming import first
from filesync.agent.incoming.importer import import_once
from filesync.agent.incoming.stored import reread
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.bundle.read import Bundle
from filesync.ledger.streams import Taken
from tests.merge.scene import crash
from tests.support.two_sites import EXCHANGE, World, two_sites


def asking(world: World) -> Path:
    """globex asks a person from the second issue on."""
    config = world.globex.folder / "filesync.yaml"
    config.write_text(config.read_text().replace("first_import: 1000000", "first_import: 1"))
    world.globex.reopen()
    return config


def test_what_is_held_is_judged_once_until_something_else_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        config = asking(world)
        read: list[int] = []

        def counted(site: Site, paired: Paired, taken: Taken) -> Bundle:
            read.append(taken.seq)
            return reread(site, paired, taken)

        monkeypatch.setattr(first, "reread", counted)
        for name in ("first", "second"):
            world.acme.desk.create("Bug", name)
        world.send(world.acme)
        for _ in range(3):
            assert world.globex.import_().held == 1
        assert read == [1]
        world.acme.desk.create("Bug", "third")
        world.send(world.acme)
        world.globex.import_()
        assert read == [1, 1, 2], "once more, with what came"
        config.write_text(config.read_text().replace("first_import: 1 ", "first_import: 3 "))
        world.globex.reopen()
        assert world.globex.import_().bundles == 2
        assert read == [1, 1, 2]


def test_a_first_import_that_a_person_asked_for_and_that_was_cut_off_asks_nobody_again() -> None:
    with two_sites() as world:
        asking(world)
        for number in range(3):
            world.acme.desk.create("Bug", f"number {number}")
        assert world.send(world.acme).held == 1
        with crash(world.globex, "after I12"):
            import_once(world.globex.site, EXCHANGE, first=True)
        assert world.globex.import_().bundles == 1
        assert len(world.globex.desk.list()) == 3
