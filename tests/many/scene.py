"""Three whole sites: acme in the middle, with an exchange, an outbox and an inbox for each of globex and initech."""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filesync.agent.founding import CONFIG, NewSite, create_site
from filesync.agent.incoming.importer import Imports, import_once
from filesync.agent.outgoing.exporter import Exports, export_once
from filesync.agent.partners import pairing
from filesync.agent.site import Site
from filesync.cli.app import now
from filesync.cli.main import run
from filesync.config import load_config
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange
from tests.support.two_sites import MEMORY, Clock, Side

NORTH, SOUTH = "north", "south"  # what acme calls its exchanges with globex and initech; to them it is "main"


@dataclass
class Three:
    """The sites, and the carriers between them."""

    acme: Side
    globex: Side
    initech: Side
    clock: Clock

    @property
    def sides(self) -> tuple[Side, Side, Side]:
        return self.acme, self.globex, self.initech

    def export(self, side: Side, exchange: str = "main") -> Exports:
        return export_once(side.site, exchange)

    def import_(self, side: Side, exchange: str = "main") -> Imports:
        return import_once(side.site, exchange)

    def partner(self, exchange: str) -> Side:
        return self.globex if exchange == NORTH else self.initech

    def box(self, kind: str, exchange: str) -> Path:
        """A folder of acme's for one partner: "outbox" or "inbox"."""
        return self.acme.folder / f"{kind}-{exchange}"

    def out(self, exchange: str) -> list[Path]:
        """Carry from acme to a partner."""
        return _move(self.box("outbox", exchange), self.partner(exchange).config.folders.inbox)

    def back(self, exchange: str) -> list[Path]:
        """Carry from a partner to acme."""
        return _move(self.partner(exchange).config.folders.outbox, self.box("inbox", exchange))

    def tell(self, exchange: str) -> None:
        """From acme to a partner: export, carry, import."""
        self.export(self.acme, exchange)
        self.out(exchange)
        self.import_(self.partner(exchange))

    def hear(self, exchange: str) -> None:
        """From a partner to acme."""
        self.export(self.partner(exchange))
        self.back(exchange)
        self.import_(self.acme, exchange)

    def settle(self) -> None:
        """Rounds on both exchanges until nothing moves."""
        self._settle((NORTH, SOUTH))

    def settle_one(self, exchange: str) -> None:
        """Rounds on one exchange."""
        self._settle((exchange,))

    def _settle(self, exchanges: Sequence[str]) -> None:
        for _ in range(8):
            moved = 0
            for exchange in exchanges:
                for source, target, there, here, carry in (
                    (self.acme, self.partner(exchange), exchange, "main", self.out),
                    (self.partner(exchange), self.acme, "main", exchange, self.back),
                ):
                    moved += self.export(source, there).bundles
                    carry(exchange)
                    moved += self.import_(target, here).bundles
            if not moved:
                return
        raise AssertionError("it never ends")

    def at(self, side: Side, exchange: str) -> Exchange:
        with side.site.ledger.begin() as conn:
            found = streams.exchange_named(conn, exchange)
        assert found is not None
        return found

    def close(self) -> None:
        for side in self.sides:
            side.close()


def _move(source: Path, target: Path) -> list[Path]:
    return [Path(shutil.move(file, target / file.name)) for file in sorted(source.iterdir())]


def seen(side: Side) -> dict[str, tuple[Any, ...]]:
    """What a person sees: by summary, the status and the comments."""
    found = {}
    for one in side.desk.list():
        page = side.desk.show(one.key)
        said = tuple(comment.fields["body"] for comment in page.comments)
        found[str(one.fields["summary"])] = (one.fields.get("status"), said)
    return found


def bind(one: Site, here: str, other: Site, there: str) -> None:
    """Pair two open sites."""
    ours, theirs = pairing.offer(one, here), pairing.offer(other, there)
    plain: dict[str, Any] = {"encrypt": True, "direction": Direction.BOTH, "outbox": None, "inbox": None}
    pairing.accept(other, ours, exchange=there, **plain)
    pairing.accept(one, theirs, exchange=here, **plain)


@functools.cache
def _template() -> Path:
    """The three, paired by the real code, to be copied."""
    place = _folder()
    atexit.register(shutil.rmtree, place)
    for name in ("acme", "globex", "initech"):
        create_site(place / name, NewSite(name=name, tracker="embedded", project="ABC"), clock=now)
        path = place / name / CONFIG
        text = path.read_text().replace("settle: 10m", "settle: 0s").replace("inbox_policy: move", "inbox_policy: delete")
        path.write_text(text)
    sites = [Site.open(load_config(place / name / "filesync.yaml")) for name in ("acme", "globex", "initech")]
    for name, other in zip((NORTH, SOUTH), sites[1:], strict=True):
        bind(sites[0], name, other, "main")
    for site in sites:
        site.close()
    return place


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="filesync-three-", dir=MEMORY if MEMORY.is_dir() else None))


@contextmanager
def three_sites() -> Iterator[Three]:
    """Paired, with empty trackers."""
    place, clock, randomness = _folder(), Clock(), random.Random(0)
    shutil.copytree(_template(), place, dirs_exist_ok=True)
    acme, globex, initech = (Side(place / name, clock, randomness) for name in ("acme", "globex", "initech"))
    world = Three(acme, globex, initech, clock)
    for name in (NORTH, SOUTH):
        boxes = {kind: world.box(kind, name) for kind in ("outbox", "inbox")}
        for box in boxes.values():
            box.mkdir()
        with acme.site.ledger.begin() as conn:
            one = streams.exchange_named(conn, name)
            assert one is not None
            streams.update_exchange(conn, one.id, **{kind: str(box) for kind, box in boxes.items()})
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(place)


Type = Callable[..., tuple[int, str, str]]  # a verb at a side, as `call` does it


def call(capsys: pytest.CaptureFixture[str], side: Side, *words: str) -> tuple[int, str, str]:
    """A verb, as a person types it: the status, stdout and stderr."""
    side.site.close()
    try:
        capsys.readouterr()
        status = run(["-c", str(side.config.path), *words])
        out, err = capsys.readouterr()
    finally:
        side.reopen()
    return status, out, err
