"""Two paired sites, and ways to drive them as people do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

Filesync = Callable[..., tuple[int, Any, str]]


@dataclass(frozen=True)
class Pair:
    """acme and globex, paired."""

    folder: Path
    filesync: Filesync

    @property
    def acme(self) -> Path:
        return self.folder / "acme" / "filesync.yaml"

    @property
    def globex(self) -> Path:
        return self.folder / "globex" / "filesync.yaml"

    def at_acme(self, *words: str | Path) -> tuple[int, Any, str]:
        return self.filesync("-c", self.acme, *words)

    def at_globex(self, *words: str | Path) -> tuple[int, Any, str]:
        return self.filesync("-c", self.globex, *words)

    def sent(self) -> list[Path]:
        return sorted((self.folder / "acme" / "outbox").iterdir())

    def deliver(self, *files: Path) -> None:
        for file in files:
            shutil.copy(file, self.folder / "globex" / "inbox")


def with_filesync(folder: Path, *, covered: bool = True) -> dict[str, str]:
    """An environment whose `filesync` is the one under test. `covered`: coverage is measured there too, which takes its time."""
    shim = folder / "bin" / "filesync"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m filesync.cli.main "$@"\n')
    shim.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if covered or not name.startswith("COVERAGE_")}
    return inherited | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
