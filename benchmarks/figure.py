"""A figure with what it is held against, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Spent:
    """What a piece of work took: seconds of wall clock, and of processor time over all threads."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def spent() -> Iterator[Spent]:
    """Measure the block."""
    taken = Spent()
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken.wall, taken.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a number has to be."""

    limit: float
    at_least: bool = False  # else: at most

    def held(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {number(self.limit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. Where there is a `peer`, what is marked is the share of it that is reached, else the number itself."""

    name: str
    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float = 0.0
    mark: Mark | None = None
    more: dict[str, float] = field(default_factory=dict)  # beside it: processor time, megabytes, ...

    @property
    def ratio(self) -> float | None:
        return self.value / self.peer_value if self.peer else None

    def line(self) -> str:
        text = f"{self.name}: {number(self.value)} {self.unit}"
        if self.ratio is not None:
            text += f"  |  {self.peer}: {number(self.peer_value)}  |  ratio {number(self.ratio)}"
        if self.mark is not None:
            held = self.mark.held(self.value if self.ratio is None else self.ratio)
            text += f"  |  mark {self.mark}: {'held' if held else 'MISSED'}"
        rest = "".join(f"\n    {name}: {number(value)}" for name, value in self.more.items())
        return f"{text}\n    {self.what}{rest}"


def number(value: float) -> str:
    """For people: three digits that count, no more than needed."""
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def peak_mb() -> float:
    """The most memory this process ever had, in MB. `ru_maxrss` would begin with that of the process which started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6


def machine(folder: Path) -> dict[str, str]:
    """On what it was measured; `folder` is where the files were written."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "disk": _disk(folder),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + "Z",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _disk(folder: Path) -> str:
    """Device and filesystem: the longest mount point above the folder."""
    here = folder.resolve()
    best: tuple[int, str] = (0, "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, at, kind, *_ = line.split()
        if here.is_relative_to(at):
            best = max(best, (len(at), f"{device}, {kind}"))
    return best[1]
