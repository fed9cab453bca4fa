"""One attachment of 2 GiB, out of one tracker into the outbox and from the inbox into the other, each leg by itself."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, Mark, Spent, peak_mb, spent
from benchmarks.scene import EXCHANGE, pair_of_sites
from filesync.agent.incoming.importer import import_once
from filesync.agent.outgoing.exporter import export_once
from filesync.agent.site import Site
from filesync.keys import age
from filesync.model.ids import Kind
from filesync.trackers.embedded.entry import By
from filesync.trackers.registry import open_desk

SIZE, SMALL = 2 << 30, 3 << 20
_BLOCK: Final = 1 << 20
_MEMORY: Final = 200  # MB


def run(folder: Path, *, small: bool) -> list[Figure]:
    film = folder / "film"
    size = SMALL if small else SIZE
    _write(film, size)
    before = _plain(film, folder / "before")
    out, in_ = _legs(folder / "plain", film, encrypt=False)
    memory = peak_mb()
    after = _plain(film, folder / "after")
    best = min(before, after, key=lambda one: one.wall)
    what = f"{size / 1e6:,.0f} MB that cannot be compressed"
    figures = [
        _figure("attachment, out", f"{what}: tracker, chunks, archive, outbox", size, out, "copied once, hashed twice", best),
        _figure("attachment, in", f"{what}: inbox, store, tracker", size, in_, "copied once, hashed twice", best),
        Figure(
            name="attachment, memory",
            what="the most that the process ever had, both legs",
            value=memory,
            unit="MB",
            mark=Mark(limit=_MEMORY),
        ),
    ]
    shutil.rmtree(folder / "plain")
    out, in_ = _legs(folder / "locked", film, encrypt=True)
    shutil.rmtree(folder / "locked")
    if shutil.which("age") is not None:
        locking, opening = _age(film, folder)
        figures.append(_figure("attachment, out, encrypted", what, size, out, "age", locking))
        figures.append(_figure("attachment, in, encrypted", what, size, in_, "age -d", opening))
    return figures


def _figure(name: str, what: str, size: int, ours: Spent, peer: str, theirs: Spent) -> Figure:
    return Figure(
        name=name,
        what=what,
        value=size / ours.wall / 1e6,
        unit="MB/s",
        peer=peer,
        peer_value=size / theirs.wall / 1e6,
        mark=None if peer.startswith("age") else Mark(limit=0.6, at_least=True),
        more={"seconds": ours.wall, "of processor": ours.cpu, "of processor, the other": theirs.cpu},
    )


def _write(path: Path, size: int) -> None:
    """The same bytes every time, on the disk."""
    source = random.Random(1)
    with path.open("wb") as file:
        for at in range(0, size, _BLOCK):
            file.write(source.randbytes(min(_BLOCK, size - at)))
        file.flush()
        os.fsync(file.fileno())


def _plain(source: Path, target: Path) -> Spent:
    """What nobody can do without: read, hash twice (a piece, and the whole), write, fsync."""
    with _quiet() as taken:
        piece, whole = hashlib.sha256(), hashlib.sha256()
        with source.open("rb", buffering=0) as file, target.open("xb", buffering=0) as copy:
            while block := file.read(_BLOCK):
                piece.update(block)
                whole.update(block)
                copy.write(block)
            os.fsync(copy.fileno())
    target.unlink()
    return taken


def _legs(folder: Path, film: Path, *, encrypt: bool) -> tuple[Spent, Spent]:
    """What an export and an import of the attachment take. Its issue is at both sites before."""
    with pair_of_sites(folder, encrypt=encrypt, settings={"settle: 10m": "settle: 0s"}) as (acme, globex):
        _attach(acme, film)
        with _quiet() as out:
            export_once(acme, EXCHANGE)
        for file in acme.config.folders.outbox.iterdir():
            file.rename(globex.config.folders.inbox / file.name)
        with _quiet() as in_:
            import_once(globex, EXCHANGE)
        (made,) = (globex.config.path.parent / "state" / "tracker.db.files").iterdir()
        assert made.stat().st_size == film.stat().st_size
    return out, in_


def _attach(site: Site, film: Path) -> None:
    """As `filesync issue attach` does, without a copy."""
    tracker = site.config.tracker
    desk = open_desk(tracker.kind, settings=tracker.settings, folder=tracker.base, clock=site.clock)
    key = desk.create("Bug", "Pump runs hot")
    size = film.stat().st_size
    with desk.store.writing() as work:
        local = key.rpartition("-")[2]
        made = work.create_below(Kind.ATTACHMENT, local, {"name": "film", "size": str(size)}, By(desk.author, site.clock()))
    files = site.config.path.parent / "state" / "tracker.db.files"
    files.mkdir()
    os.link(film, files / made.ref.local)
    desk.close()


def _age(film: Path, folder: Path) -> tuple[Spent, Spent]:
    """The same bytes through the age program, to two recipients as filesync's are, and back. Its fsync is ours."""
    identity = folder / "identity"
    recipients = [age.make_identity(identity), age.make_identity(folder / "other")]
    locked, opened = folder / "film.age", folder / "film.out"
    to = [word for one in recipients for word in ("-r", one)]
    commands: list[tuple[list[str | Path], Path]] = [
        (["age", *to, "-o", locked, film], locked),
        (["age", "-d", "-i", identity, "-o", opened, locked], opened),
    ]
    taken = []
    for command, made in commands:
        with _quiet() as one:
            before = os.times()
            subprocess.run(command, check=True)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            now = os.times()
        one.cpu = now.children_user + now.children_system - before.children_user - before.children_system
        taken.append(one)
    opened.unlink()
    locked.unlink()
    return taken[0], taken[1]


@contextmanager
def _quiet() -> Iterator[Spent]:
    """Measure the block, after what others wrote is on the disk."""
    os.sync()
    time.sleep(0.2)
    with spent() as taken:
        yield taken
