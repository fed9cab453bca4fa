"""Two paired sites on the disk, with real keys and ledgers; their trackers are in memory, and in step with each other."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.material import TEXT, Prose, fields, gid_of, issue
from benchmarks.tracker import MemoryTracker
from filesync.agent.founding import CONFIG, NewSite, create_site
from filesync.agent.partners import pairing
from filesync.agent.site import Site
from filesync.cli.app import now
from filesync.config import load_config
from filesync.ledger import shadows, streams
from filesync.ledger.streams import Direction
from filesync.model.ids import Kind, Mark, make_mark
from filesync.model.shadow import Entity, Shadow, Shadows
from filesync.model.values import Value, digest

EXCHANGE: Final = "main"
_PAGE: Final = 5_000  # rows saved at once
_FIRST: Final = make_mark(1, 0, 1)  # before every bundle: what both sites agreed on when it begins


@dataclass(frozen=True, slots=True)
class Scene:
    """acme sends, globex receives."""

    folder: Path
    acme: Site
    globex: Site
    here: MemoryTracker  # acme's
    there: MemoryTracker  # globex's

    def carry(self) -> list[Path]:
        """Move everything from acme's outbox to globex's inbox. Returns the files."""
        found = []
        for file in sorted(self.acme.config.folders.outbox.iterdir()):
            found.append(self.globex.config.folders.inbox / file.name)
            shutil.move(file, found[-1])
        return found


@contextmanager
def pair_of_sites(folder: Path, *, encrypt: bool, settings: Mapping[str, str] | None = None) -> Iterator[tuple[Site, Site]]:
    """acme and globex as `filesync init` and `pair` make them, open. `settings`: lines of filesync.yaml to replace."""
    with ExitStack() as opened:
        acme, globex = (opened.enter_context(_site(folder, name, settings or {})) for name in ("acme", "globex"))
        for ours, other in ((globex, acme), (acme, globex)):
            theirs = pairing.offer(other, EXCHANGE)
            pairing.accept(ours, theirs, exchange=EXCHANGE, encrypt=encrypt, direction=Direction.BOTH, outbox=None, inbox=None)
        yield acme, globex


def _site(folder: Path, name: str, settings: Mapping[str, str]) -> Site:
    create_site(folder / name, NewSite(name=name, tracker="embedded", project="ABC"), clock=now)
    path = folder / name / CONFIG
    text = path.read_text(encoding="utf-8").replace("first_import: 500", "first_import: 1000000")
    for line, other in settings.items():
        assert line in text
        text = text.replace(line, other)
    path.write_text(text, encoding="utf-8")
    return Site.open(load_config(path))


@contextmanager
def scene(folder: Path, *, issues: int, encrypt: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Scene]:
    """Both sites have so many issues, and know that the other has them."""
    with pair_of_sites(folder, encrypt=encrypt, settings=settings) as (acme, globex):
        here, there = MemoryTracker(), MemoryTracker()
        for site, tracker in ((acme, here), (globex, there)):
            site.tracker.close()
            site.tracker = tracker
        made = Scene(folder, acme, globex, here, there)
        _fill(made, issues)
        gc.collect()
        gc.freeze()  # the trackers' own memory is nothing that filesync would have to walk through
        yield made
    gc.unfreeze()


def edit_all(one: Scene) -> None:
    """Somebody at acme writes one text of each issue anew."""
    prose = Prose()
    for local in list(one.here.issues):
        one.here.edit(local, {"description": prose.text(TEXT)})
    gc.collect()
    gc.freeze()


def _fill(one: Scene, issues: int) -> None:
    prose = Prose(seed=1)
    born = one.acme.config.site
    rows: list[tuple[Entity, Entity]] = []
    for n in range(1, issues + 1):
        values = fields(n, prose)
        one.here.issues[str(n)] = issue(n, values, origin=None, prefix="ABC")
        one.there.issues[str(n)] = issue(n, values, origin=gid_of(born, n), prefix="XYZ")
        told = Entity(gid=gid_of(born, n), kind=Kind.ISSUE, local=str(n), shadows=_shadows(values, told=_FIRST))
        took = Entity(gid=gid_of(born, n), kind=Kind.ISSUE, local=str(n), shadows=_shadows(values, took=_FIRST))
        rows.append((told, took))
        if len(rows) == _PAGE or n == issues:
            for site, page in zip((one.acme, one.globex), zip(*rows, strict=True), strict=True):
                x = site.paired(EXCHANGE).exchange.id
                with site.ledger.begin() as conn:
                    shadows.save(conn, x, page)
            rows = []
    for site, tracker in ((one.acme, one.here), (one.globex, one.there)):
        paired = site.paired(EXCHANGE)
        with site.ledger.begin() as conn:  # as after an export: everything was looked at
            streams.update_exchange(conn, paired.exchange.id, cursor=tracker.cursor(), basis=paired.basis)


def _shadows(values: dict[str, Value], **marks: Mark) -> Shadows:
    return Shadows.of({name: Shadow(here=digest(value), **marks) for name, value in values.items()})
