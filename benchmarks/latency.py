"""From the rename of a file into the inbox to `filesync run` saying that it is applied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import IO

from benchmarks.figure import Figure
from benchmarks.scene import EXCHANGE, pair_of_sites
from filesync.agent.outgoing.exporter import export_once
from filesync.config import Config
from filesync.trackers.registry import open_desk

FILES, SMALL = 100, 3


def run(folder: Path, *, small: bool) -> list[Figure]:
    with pair_of_sites(folder, encrypt=True) as (acme, globex):
        theirs = globex.config
        globex.close()  # a process of its own works there
        desk = open_desk(
            acme.config.tracker.kind,
            settings=acme.config.tracker.settings,
            folder=acme.config.tracker.base,
            clock=acme.clock,
        )
        times: list[float] = []
        with running(theirs) as said:
            for n in range(SMALL if small else FILES):
                desk.create("Bug", f"Pump {n} runs hot")
                export_once(acme, EXCHANGE)
                (file,) = acme.config.folders.outbox.iterdir()
                began = time.perf_counter()
                file.rename(theirs.folders.inbox / file.name)
                wait_for(said, "BundleApplied")
                times.append((time.perf_counter() - began) * 1000)
        desk.close()
    what = f"{len(times)} files of one new issue, each after the one before, encrypted, into the embedded tracker"
    return [
        Figure(name="latency, p50", what=what, value=median(times), unit="ms"),
        Figure(name="latency, p99", what="of the same", value=quantiles(times, n=100, method="inclusive")[-1], unit="ms"),
    ]


@contextmanager
def running(config: Config) -> Iterator[IO[str]]:
    """`filesync run` at a site, once its first look is over: what it says, a document a line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "filesync.cli.main", "-c", str(config.path), "run", "--interval", "1h"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        wait_for(process.stderr, "Started")
        yield process.stderr
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def wait_for(said: IO[str], kind: str) -> None:
    """Read until it says this."""
    for line in said:
        if json.loads(line)["kind"] == kind:
            return
    raise RuntimeError(f"`filesync run` ended before it said {kind}")
