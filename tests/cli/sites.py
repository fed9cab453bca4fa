"""Two paired sites, and ways to drive them as people do."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FORKED = ROOT / "tests" / "support" / "forked.py"

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
    inherited = {name: value for name, value in os.environ.items() if covered or not name.startswith("COVERAGE_")}
    shim = folder / "bin" / "filesync"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(loaded(covered=covered))} "$@"\n')
    shim.chmod(0o755)
    return inherited | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@functools.cache
def loaded(*, covered: bool = True) -> list[str]:
    """`filesync` in a real process, whose words are to follow: a fork of one that has loaded it, and that lives with these tests."""
    folder = Path(tempfile.mkdtemp(prefix="filesync-"))
    atexit.register(shutil.rmtree, folder)
    environment = {name: value for name, value in os.environ.items() if covered or not name.startswith("COVERAGE_")}
    server = subprocess.Popen(
        [sys.executable, FORKED, "serve", folder / "calls"],
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(server.communicate)  # which ends what it reads
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return [sys.executable, "-IS", str(FORKED), "call", str(folder / "calls")]


def played(demo: str, tmp_path: Path, *, counts: str, met: str = "priority", winner: str = "acme") -> str:
    """What one of the demos tells, once what every one of them must show was seen. `counts`: what both sites hold in the end."""
    folder, environment = tmp_path / "demo", with_filesync(tmp_path, covered=False)
    done = subprocess.run(
        [ROOT / "tools" / demo, folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    told = done.stdout
    assert done.returncode == 0, told
    assert "\x1b" not in told, "colours are for terminals"
    assert len(set(re.findall(r"six words:\n\n    (.*)\n", told))) == 1
    assert told.count(f"{met} was edited on both sides at once; {winner}'s value stands") == 2
    assert told.count("nothing to send") == told.count("nothing arrived") == 2
    assert f"acme/filesync.yaml: {counts}\nglobex/filesync.yaml: {counts}\n0 differences" in told
    typed = re.findall(r"^  (filesync .*?)(?:  .*)?$", told[told.index("to look around in") :], re.MULTILINE)
    assert len(typed) == 3
    for command in typed:
        subprocess.run(["/bin/sh", "-c", command], cwd=folder / "globex", env=environment, check=True)
    return told
