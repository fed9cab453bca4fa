"""How much memory this process had at most since a moment, as Linux counts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_SELF = Path("/proc/self")


def from_now() -> Callable[[], int]:
    """Forgets what was had before. Returns what tells the most that was had since then, beyond what there was then, in KiB."""
    (_SELF / "clear_refs").write_text("5")  # the peak begins anew; `ru_maxrss` would go on from the highest one ever
    start = _kib("VmRSS")
    return lambda: _kib("VmHWM") - start


def _kib(name: str) -> int:
    lines = (_SELF / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
