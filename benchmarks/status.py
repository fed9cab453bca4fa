"""What `filesync status` takes, beyond what Python itself takes to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figure import Figure, Mark
from benchmarks.scene import EXCHANGE, pair_of_sites
from filesync.agent.outgoing.exporter import export_once
from filesync.errors import ExitCode

TIMES, SMALL = 15, 2
_BARE: Final = "import sqlalchemy; sqlalchemy.create_engine('sqlite://')"  # what every command that has a ledger loads


def run(folder: Path, *, small: bool) -> list[Figure]:
    times = SMALL if small else TIMES
    with pair_of_sites(folder, encrypt=True) as (acme, _):
        export_once(acme, EXCHANGE)
        config = str(acme.config.path)
    status = [sys.executable, "-m", "filesync.cli.main", "-c", config, "status"]
    _processor(status)  # from here on all is compiled, as it is where filesync was installed
    asked = [_processor(status) for _ in range(times)]
    python = [_processor([sys.executable, "-c", "pass"]) for _ in range(times)]
    bare = [_processor([sys.executable, "-c", _BARE]) for _ in range(times)]
    return [
        Figure(
            name="status",
            what=f"processor time of `filesync status` above that of `python -c pass`, medians of {times}",
            value=median(asked) - median(python),
            unit="s",
            mark=Mark(limit=0.25),
            more={"python -c pass, s": median(python), "SQLAlchemy alone, s": median(bare) - median(python)},
        )
    ]


def _processor(words: list[str]) -> float:
    """Seconds of processor time of a program."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == ExitCode.DONE
    return used.ru_utime + used.ru_stime
