"""A first import that waits for a person reads what is held once, however often it is run."""

from __future__ import annotations

import pytest

from filesync.agent.incoming import first
from filesync.agent.incoming.stored import reread
from filesync.agent.site import Paired, Site
from filesync.bundle.read import Bundle
from filesync.ledger.streams import Taken
from tests.support.two_sites import two_sites


def test_what_is_held_is_judged_once_until_something_else_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        config = world.globex.folder / "filesync.yaml"
        config.write_text(config.read_text().replace("first_import: 1000000", "first_import: 1"))
        world.globex.reopen()
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
