"""Runs the benchmarks, each in a process of its own, prints their figures and keeps them in benchmarks/out/."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figure import Figure, machine
from filesync.agent.garbage import collect_seldom

OUT: Final = Path(__file__).parent / "out"
SCRIPTS: Final = {
    "export": "export",
    "import": "import_",
    "change": "change",
    "inbox": "inbox",
    "latency": "latency",
    "status": "status",
    "attachment": "attachment",
    "jira": "jira",
    "peers": "peers",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one of: {', '.join(SCRIPTS)}; none: all of them")
    parser.add_argument("--small", action="store_true", help="sizes that say nothing, to see that everything runs")
    given = parser.parse_args()
    if unknown := set(given.names) - SCRIPTS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
    names = given.names or list(SCRIPTS)
    OUT.mkdir(exist_ok=True)
    if len(names) == 1:
        _one(names[0], small=given.small)
        return 0
    for name, value in machine(OUT).items():
        print(f"{name}: {value}", flush=True)
    small = ["--small"] if given.small else []
    # one that fails does not keep the others from being measured
    return max(subprocess.run([sys.executable, "-m", "benchmarks", name, *small], check=False).returncode for name in names)


def _one(name: str, *, small: bool) -> None:
    on = machine(OUT)
    collect_seldom()  # as the `filesync` program does
    module = importlib.import_module(f"benchmarks.{SCRIPTS[name]}")
    with tempfile.TemporaryDirectory(dir=OUT, prefix="scratch-") as scratch:
        figures: list[Figure] = module.run(Path(scratch), small=small)
    for figure in figures:
        print(figure.line(), flush=True)
    document = {"machine": on, "small": small, "figures": [asdict(one) | {"ratio": one.ratio} for one in figures]}
    path = OUT / f"{name}{'-small' if small else ''}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
