"""An export or an import that is killed, for real, at every place where that could leave something half done.

`python -m tests.support.killed SCENE [--all]`, of those in killed_scenes.py. The process forks for everything that opens a site: one child is
killed (SIGKILL: nothing of it runs on) at the n-th place, the next goes on as a fresh process would, and looks whether
anything was lost, doubled or left over. What went wrong is told on stderr, and the exit status is 1.

Places: before and after each call that changes a file in a site's folders, each commit of the ledger, each write to the
tracker, and after each numbered step. Without --all: the first place of each kind, and some of the others.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.killed_scenes import SCENES, Scene
from tests.support.two_sites import MEMORY, Clock, Side, World, founded, template_of, two_sites

CALLS = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "write")
ROOMS = ("outbox", "inbox", "archive", "store", "quarantine", "guard", "spool", "stage", "keys", "fetched")
FEW = 60  # without --all: of all places, one in so many, besides the first of each kind


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Files:
    """Stands between the code and `os`: tells each call that changes something in a site's folders, before and after.

    What `hit` raises the call raises. `close` puts the real calls back. `apart`: every room is on a filesystem of its own.
    """

    def __init__(self, folder: Path, hit: Callable[[str], None], *, apart: bool) -> None:
        self._folder = folder
        self._apart = apart
        self._hit = hit
        self._open: dict[int, Path] = {}
        self._real = {name: getattr(os, name) for name in (*CALLS, "open")}
        for name in CALLS:
            setattr(os, name, partial(self._call, name))
        os.open = self._opening

    def close(self) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)

    def _room(self, path: Path) -> str | None:
        if not path.is_relative_to(self._folder):
            return None
        return next((part for part in path.relative_to(self._folder).parts if part in ROOMS), None)

    def _opening(self, path: Any, flags: int, *more: Any, **named: Any) -> int:
        room = self._room(Path(os.fsdecode(path))) if flags & os.O_CREAT else None
        if room:
            self._hit(f"before create {room}")
        descriptor: int = self._real["open"](path, flags, *more, **named)
        self._open[descriptor] = Path(os.fsdecode(path))
        if room:
            self._hit(f"after create {room}")
        return descriptor

    def _call(self, name: str, what: Any, *more: Any, **named: Any) -> Any:
        path = (
            self._open.get(what, Path("/")) if isinstance(what, int) else Path(os.fsdecode(more[0] if name in _TWO else what))
        )
        room = self._room(path)
        if name == "link" and self._apart and room != self._room(Path(os.fsdecode(what))):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        if room:
            self._hit(f"before {name} {room}")
        answer = self._real[name](what, *more, **named)
        if room:
            self._hit(f"after {name} {room}")
        return answer


_TWO = ("rename", "replace", "link")


def forked(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do it in a process of its own. The signal that ended it (0: none), and what it returned. Ends this one if it failed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(work()).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is ends this process, and this one only
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    state = os.waitpid(child, 0)[1]
    if os.WIFEXITED(state) and os.WEXITSTATUS(state) != 0:
        sys.exit(1)
    return (os.WTERMSIG(state), None) if os.WIFSIGNALED(state) else (0, json.loads(told))


# ── the campaign ────────────────────────────────────────────────────────────────────────────────────────────────


def opened(place: Path) -> World:
    """Both sites, as a process finds them that starts now."""
    clock, chance = Clock(), random.Random(7)
    return World(Side(place / "acme", clock, chance), Side(place / "globex", clock, chance), clock)


def prepared(scene: Scene, target: Path) -> None:
    """The start of the scene, made once by real sites."""
    with two_sites(encrypt=True, base=target.parent) as world:
        for side in world.sides:
            text = (side.folder / "filesync.yaml").read_text().replace("max_changes: 2000", "max_changes: 3")
            text = text.replace("inline_blob: 1 MiB", "inline_blob: 1 KiB").replace("chunk: 64 MiB", "chunk: 4 KiB")
            (side.folder / "filesync.yaml").write_text(text)
            side.reopen()
        scene.prepare(world)
        world.close()
        shutil.copytree(world.acme.folder.parent, target)
    for made in (template_of("", ("", ""), ("", ""), True, 1), founded()):
        shutil.rmtree(made)


def run_until(scene: Scene, place: Path, nth: int | None) -> list[str]:
    """Act; die at the n-th place, or (None) come through and tell all places."""
    world = opened(place)
    side = world.acme if scene.who == "acme" else world.globex
    names: list[str] = []

    def hit(name: str) -> None:
        names.append(name)
        if len(names) - 1 == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    side.faults.strike = hit
    Files(side.folder, hit, apart=scene.apart)
    scene.act(world)
    return names


def go_on(scene: Scene, place: Path, before: dict[str, bytes]) -> None:
    """As the next process: finish, and check."""
    world = opened(place)
    scene.after(world, before)
    world.close()


def kept(folder: Path) -> dict[str, bytes]:
    """What has its name in a site's folders for good."""
    files = [file for room in ("archive", "outbox", "store") for file in (folder / room).glob("fs1_*")]
    return {file.name: file.read_bytes() for file in files}


def chosen(names: list[str]) -> Iterable[int]:
    """The first place of each kind, and some of the others."""
    first = {name: n for n, name in reversed(list(enumerate(names)))}
    return sorted({*first.values(), *range(0, len(names), FEW)})


def campaign(scene: Scene, *, every: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="filesync-killed-", dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        start, place = Path(scratch) / "start", Path(scratch) / "now"
        forked(partial(prepared, scene, start))
        shutil.copytree(start, place)
        _, names = forked(partial(run_until, scene, place, None))
        forked(partial(go_on, scene, place, kept(place / scene.who)))
        numbers = range(len(names)) if every else chosen(names)
        for n in numbers:
            shutil.rmtree(place)
            shutil.copytree(start, place)
            ended, _ = forked(partial(run_until, scene, place, n))
            print(f"killed at {n}: {names[n]}", file=sys.stderr)  # the last line before a traceback says where
            assert ended == signal.SIGKILL
            forked(partial(go_on, scene, place, kept(place / scene.who)))
    return {"places": names, "killed": len(list(numbers))}


if __name__ == "__main__":
    print(json.dumps(campaign(SCENES[sys.argv[1]], every="--all" in sys.argv)))
