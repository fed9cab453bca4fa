"""Two paired sites in folders, driven through the command line in this process."""

from __future__ import annotations

import base64
import contextlib
import functools
import importlib.util
import io
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import msgspec

from filesync.cli.main import run

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "samples" / "carriers"
ISSUES = 100  # at acme, exported and not yet carried


@dataclass(frozen=True)
class Said:
    """How a call ended, and what it printed."""

    status: int
    text: str


def filesync(*words: str | Path) -> Said:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="utf-8", write_through=True) as said:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = run([str(word) for word in words])
        return Said(status, raw.getvalue().decode())


@dataclass(frozen=True)
class Scene:
    """acme and globex."""

    folder: Path

    def at(self, name: str, *words: str | Path) -> Said:
        return filesync("-c", self.folder / name / "filesync.yaml", *words)

    @property
    def outbox(self) -> Path:
        return self.folder / "acme" / "outbox"

    @property
    def inbox(self) -> Path:
        return self.folder / "globex" / "inbox"

    def sent(self) -> list[str]:
        """The names of the bundles in acme's outbox."""
        return sorted(file.name for file in self.outbox.iterdir())

    def arrived(self) -> list[str]:
        """The names in globex's inbox that filesync looks at."""
        return sorted(file.name for file in self.inbox.iterdir() if not file.name.startswith("."))

    def quarantined(self) -> list[Path]:
        return list((self.folder / "globex" / "quarantine").iterdir())

    def assert_in_step(self, *, issues: int) -> None:
        """Both trackers show so many issues, and the same of each."""
        equal = _equal()
        here, there = equal.look((self.folder / "acme" / "filesync.yaml", self.folder / "globex" / "filesync.yaml"))
        assert len(here) == issues
        assert list(equal.differences(here, there)) == []


@functools.cache
def _equal() -> ModuleType:
    """tools/equal.py."""
    spec = importlib.util.spec_from_file_location("equal", ROOT / "tools" / "equal.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["equal"] = module  # its dataclasses look there for the names in their annotations
    spec.loader.exec_module(module)
    return module


def make(folder: Path) -> None:
    """Two paired sites, made by the real code."""
    for name in ("acme", "globex"):
        assert filesync("init", folder / name, "--name", name).status == 0
    for name in ("acme", "globex"):
        offer = filesync("-c", folder / name / "filesync.yaml", "pair", "export")
        (folder / f"{name}.json").write_text(offer.text)
    for name, partner in (("acme", "globex"), ("globex", "acme")):
        accepted = filesync("-c", folder / name / "filesync.yaml", "pair", "accept", folder / f"{partner}.json")
        assert accepted.status == 0, accepted.text


def fill(scene: Scene, *, issues: int, characters: int, seed: int) -> None:
    """Issues at acme with texts that zstd can do little about, exported into one bundle."""
    letters = random.Random(seed)
    pages = [
        {
            "n": n,
            "type": "Bug",
            "by": "a.lindqvist",
            "at": "2026-01-05T16:42:24.200Z",
            "fields": {
                "summary": f"Issue {n}",
                "description": base64.b64encode(letters.randbytes(characters * 3 // 4)).decode(),
            },
        }
        for n in range(1, issues + 1)
    ]
    file = scene.folder / "issues.yaml"
    file.write_bytes(msgspec.json.encode(pages))  # JSON is YAML
    loaded = scene.at("acme", "issue", "load", file)
    assert loaded.status == 0, loaded.text
    exported = scene.at("acme", "export")
    assert exported.status == 0, exported.text


def copied(recipe: str, to: Path) -> Path:
    """The recipe as somebody took it over: copied, and to be changed there."""
    to.mkdir(exist_ok=True)
    return Path(shutil.copytree(RECIPES / recipe, to / recipe))
