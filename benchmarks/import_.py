"""The bundles of 200,000 edits: how fast they go from the inbox into a tracker that costs nothing."""

from __future__ import annotations

from pathlib import Path

from benchmarks import bare
from benchmarks.export import changes
from benchmarks.figure import Figure, Mark, Spent, peak_mb, spent
from benchmarks.scene import EXCHANGE, edit_all, scene
from filesync.agent.incoming.importer import import_once
from filesync.agent.outgoing.exporter import export_once

ISSUES, SMALL = 200_000, 300


def run(folder: Path, *, small: bool) -> list[Figure]:
    issues = SMALL if small else ISSUES
    with scene(folder, issues=issues) as one:
        edit_all(one)
        export_once(one.acme, EXCHANGE)
        one.carry()
        limits = one.acme.config.limits
        conn = bare.connect(folder / "bare.db")
        bare.keep_records(conn, changes(one))
        (folder / "bare").mkdir()
        files = bare.export(conn, folder / "bare", each=limits.max_changes, level=limits.level)
        conn.close()
        before = _bare(folder / "before.db", files, issues)
        with spent() as ours:
            done = import_once(one.globex, EXCHANGE)
        assert done.counts.applied == issues
        assert one.there.get("1") is not None
        after = _bare(folder / "after.db", files, issues)
        best = min(before, after, key=lambda one: one.wall)
        return [
            Figure(
                name="import",
                what=f"{issues:,} edits of one text, into a tracker in memory, ten shadows each",
                value=issues / ours.wall,
                unit="records/s",
                peer="the same bytes without filesync",
                peer_value=issues / best.wall,
                mark=Mark(limit=0.35, at_least=True),
                more={
                    "µs of processor a record": ours.cpu / issues * 1e6,
                    "µs of processor a record, without filesync": best.cpu / issues * 1e6,
                    "peak memory, MB (most of it is the trackers')": peak_mb(),
                },
            )
        ]


def _bare(path: Path, files: list[Path], records: int) -> Spent:
    conn = bare.connect(path)
    with spent() as taken:
        assert bare.take(conn, files) == records
    conn.close()
    return taken
