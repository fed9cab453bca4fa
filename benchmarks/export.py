"""200,000 issues, one text of each edited: how fast they go from the tracker into the outbox."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from benchmarks import bare
from benchmarks.figure import Figure, Mark, Spent, peak_mb, spent
from benchmarks.material import gid_of
from benchmarks.scene import EXCHANGE, Scene, edit_all, scene
from filesync.agent.outgoing.exporter import export_once
from filesync.model.change import Change, Set, Told

ISSUES, SMALL = 200_000, 300


def run(folder: Path, *, small: bool) -> list[Figure]:
    issues = SMALL if small else ISSUES
    with scene(folder, issues=issues) as one:
        edit_all(one)
        limits = one.acme.config.limits
        conn = bare.connect(folder / "bare.db")
        bare.keep_records(conn, changes(one))
        before = _bare(folder / "before", conn, each=limits.max_changes, level=limits.level)
        with spent() as ours:
            done = export_once(one.acme, EXCHANGE)
        assert done.changes == issues
        after = _bare(folder / "after", conn, each=limits.max_changes, level=limits.level)
        conn.close()
        raw = sum(len(str(issue.item.fields["description"])) for issue in one.here.issues.values())
        files = list(one.acme.config.folders.outbox.glob("*.tar"))
        best = min(before, after, key=lambda one: one.wall)
        return [
            Figure(
                name="export",
                what=f"{issues:,} issues in a tracker in memory, one text of each edited, ten shadows each",
                value=issues / ours.wall,
                unit="records/s",
                peer="the same bytes without filesync",
                peer_value=issues / best.wall,
                mark=Mark(limit=0.3, at_least=True),
                more={
                    "µs of processor a record": ours.cpu / issues * 1e6,
                    "µs of processor a record, without filesync": best.cpu / issues * 1e6,
                    "bundles": len(files),
                    "MB of text": raw / 1e6,
                    "MB of bundles": sum(file.stat().st_size for file in files) / 1e6,
                    "peak memory, MB (most of it is the tracker's)": peak_mb(),
                },
            )
        ]


def changes(one: Scene) -> list[Change]:
    """The records that go out, for what they are held against."""
    site = one.acme.config.site
    return [
        Set(n=n, gid=gid_of(site, n), fields={"description": Told(issue.item.fields["description"])}, about=issue.item.about)
        for n, issue in enumerate(one.here.issues.values(), start=1)
    ]


def _bare(folder: Path, conn: sqlite3.Connection, *, each: int, level: int) -> Spent:
    folder.mkdir()
    with spent() as taken:
        bare.export(conn, folder, each=each, level=level)
    return taken
