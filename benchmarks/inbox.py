"""An inbox in which 20,000 files lie that were judged before."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.figure import Figure, Mark, spent
from benchmarks.scene import EXCHANGE, Scene, scene
from filesync.agent.incoming.importer import import_once
from filesync.exchange import inbox
from filesync.ledger import looked_at
from filesync.ledger.looked_at import SeenFile

FILES, SMALL = 20_000, 100


def run(folder: Path, *, small: bool) -> list[Figure]:
    files = SMALL if small else FILES
    with scene(folder, issues=10, settings={"inbox_policy: move": "inbox_policy: keep"}) as one:
        _judged(one, files)
        import_once(one.globex, EXCHANGE)  # opens what the next one finds open
        place = str(one.globex.config.folders.inbox)
        opened: list[str] = []
        listening = True

        def listen(event: str, given: tuple[object, ...]) -> None:
            if listening and event == "open" and str(given[0]).startswith(f"{place}/"):
                opened.append(str(given[0]))

        sys.addaudithook(listen)
        with spent() as taken:
            import_once(one.globex, EXCHANGE)
        listening = False
        what = f"an import that finds {files:,} files in the inbox, all of them judged before"
        return [
            Figure(name="inbox", what=what, value=taken.wall, unit="s", mark=Mark(limit=1)),
            Figure(
                name="inbox, opened", what="of these files, by that import", value=len(opened), unit="files", mark=Mark(limit=0)
            ),
        ]


def _judged(one: Scene, files: int) -> None:
    place = one.globex.config.folders.inbox
    for n in range(files):
        (place / f"fs1_{n:08x}_g0001_{n:010}_{n:08x}.tar").write_bytes(b"of somebody else")
    x = one.globex.paired(EXCHANGE).exchange
    with one.globex.ledger.begin() as conn:
        for file in inbox.scan(place):
            seen = SeenFile(
                name=file.name,
                size=file.size,
                mtime_ns=file.mtime_ns,
                ctime_ns=file.ctime_ns,
                inode=file.inode,
                sha256="0" * 64,
                verdict="foreign",
                note="named as another stream's",
                since=0,
            )
            looked_at.remember(conn, x.id, seen)
