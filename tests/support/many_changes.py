"""So many changes through both legs, in a process of its own: `python -m tests.support.many_changes COUNT FOLDER`.

The trackers compute their issues instead of keeping them, so what memory there is, is filesync's. Prints the most memory
that both took beyond what there was before, in KiB, and how many changes were applied.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.material import fields, gid_of, issue
from benchmarks.scene import EXCHANGE, pair_of_sites
from benchmarks.tracker import MemoryTracker
from filesync.agent.incoming.importer import import_once
from filesync.agent.outgoing.exporter import export_once
from filesync.agent.site import Site
from filesync.ledger import shadows, streams
from filesync.model.ids import Gid, Kind, Mark, SiteId, make_mark
from filesync.model.issue import Issue, Ref
from filesync.model.shadow import Entity, Shadow, Shadows
from filesync.model.values import Flat, Value, digest
from filesync.trackers.base import Action, Touched, Write
from tests.support.memory import from_now

PAGE = 5_000  # rows saved at once


class _Words:
    """The same title for all."""

    def text(self, size: int) -> str:
        return "Pump runs hot ".ljust(size, "·")


class Computed(MemoryTracker):
    """Issues 1 to `count`, as their numbers say; with `edited`, a person wrote something else into one text of each."""

    def __init__(self, count: int, origin: Callable[[int], Gid | None], *, edited: bool) -> None:
        super().__init__()
        self._count, self._origin, self._edited = count, origin, edited
        self.written = 0

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:
        for n in range(int(since or 0) + 1, (self._count if self._edited else 0) + 1):
            yield Touched(str(n), str(n))

    def get(self, local: str) -> Issue | None:
        n = int(local)
        values = as_before(n)
        if self._edited:
            values["description"] = f"as it is now: {n}"
        return issue(n, values, origin=self._origin(n), prefix="ABC")

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        return ((local, self.get(local)) for local in issues)

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:
        assert isinstance(action, Write), f"an edit arrived as {action}"
        assert action.fields == {"description": f"as it is now: {ref.local}"}
        self.written += 1
        return action.fields


def as_before(n: int) -> dict[str, Value]:
    return fields(n, _Words())


def know(site: Site, count: int, *, born: SiteId, **marks: Mark) -> None:
    """The ledger holds all issues as both sides have them."""
    x = site.paired(EXCHANGE).exchange.id
    for first in range(1, count + 1, PAGE):
        rows = [
            Entity(
                gid=gid_of(born, n),
                kind=Kind.ISSUE,
                local=str(n),
                shadows=Shadows.of({name: Shadow(here=digest(value), **marks) for name, value in as_before(n).items()}),
            )
            for n in range(first, min(first + PAGE, count + 1))
        ]
        with site.ledger.begin() as conn:
            shadows.save(conn, x, rows)
    basis = site.paired(EXCHANGE).basis
    with site.ledger.begin() as conn:  # as after an export: everything was looked at
        streams.update_exchange(conn, x, cursor="0", basis=basis)


def main(count: int, folder: Path) -> None:
    with pair_of_sites(folder, encrypt=True) as (acme, globex):
        born = acme.config.site
        here = Computed(count, lambda _: None, edited=True)
        there = Computed(count, lambda n: gid_of(born, n), edited=False)
        for site, tracker in ((acme, here), (globex, there)):
            site.tracker.close()
            site.tracker = tracker
        mark = make_mark(1, 0, 1)
        know(acme, count, born=born, told=mark)
        know(globex, count, born=born, took=mark)
        most = from_now()
        assert export_once(acme, EXCHANGE).changes == count
        for file in sorted(acme.config.folders.outbox.iterdir()):
            file.rename(globex.config.folders.inbox / file.name)
        import_once(globex, EXCHANGE)
        print(most(), there.written)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
