"""An export or an import that is killed, for real, at every place where that could leave something half done.

`python -m tests.support.killed SCENE [--all]`, of SCENES. The process forks for everything that opens a site: one child is
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
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filesync.agent.asked.inspect import inspected
from filesync.agent.asked.look import reading
from filesync.agent.asked.status import ExchangeStatus, status
from filesync.agent.events import Event
from filesync.agent.outgoing.exporter import export_once
from filesync.agent.outgoing.rotation import rotate_age, rotate_signing
from filesync.agent.partners.agreements import KeyRotated
from filesync.agent.partners.trust import place_of
from filesync.bundle.header import BundleKind
from filesync.bundle.read import Head
from filesync.bundle.write import NAMESPACE
from filesync.exchange.guard import read_guard
from filesync.keys.age import recipient_of
from filesync.keys.sshsig import verify
from filesync.ledger import journal, streams
from filesync.ledger.stream_keys import stream_keys
from filesync.model.ids import NO_BUNDLE
from tests.support.attachments import bytes_of
from tests.support.two_sites import EXCHANGE, MEMORY, Clock, Side, World, template_of, two_sites

CALLS = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "write")
ROOMS = ("outbox", "inbox", "archive", "store", "quarantine", "guard", "spool", "stage", "keys", "fetched")
FILM = bytes_of(5_000)
CHUNKS = 2  # of it
FEW = 20  # without --all: of all places, one in so many, besides the first of each kind


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


A_CHUNK = re.compile(r"_b[0-9a-f]{16}\.")  # in a file's name

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


# ── what is done, and what must hold afterwards ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Scene:
    """`prepare` makes the start, `act` is what gets killed at `who`, `after` goes on and checks."""

    who: str
    prepare: Callable[[World], None]
    act: Callable[[World], object]
    after: Callable[[World, dict[str, bytes]], None]
    apart: bool = False  # every room is on a filesystem of its own


def people(world: World) -> None:
    """What acme has told globex, and what it tells next."""
    desk = world.acme.desk
    pump = desk.create("Bug", "Pump runs hot", {"labels:field": True})
    note = desk.comment(pump, "since Monday")
    world.send(world.acme)
    desk.edit(pump, {"summary": "Pump runs hot again"})
    desk.transition(pump, "In Progress")
    desk.edit_comment(pump, note, "since Sunday")
    valve = desk.create("Task", "Change the valve")
    desk.comment(valve, "ordered")
    desk.attach(valve, "order.txt", [b"two"])
    desk.attach(valve, "valve.mov", [FILM])


def ready_to_import(world: World) -> None:
    people(world)
    world.acme.export()
    archived = sorted(world.acme.config.folders.archive.iterdir())
    inbox = world.globex.config.folders.inbox
    for number, file in enumerate(reversed(archived)):  # the last comes first, under names of the carrier's
        shutil.copy(file, inbox / f"{number} {file.name}")
    (inbox / "fs1_note.tar").write_text("Your attachment was removed.\n" * 40)


def whole(side: Side) -> list[Head]:
    """Every bundle in a site's archive, checked as `filesync verify` does."""
    heads = []
    for file in sorted(side.config.folders.archive.iterdir()):
        with inspected(file, side.config) as found:
            assert found.good, (file.name, found.problems)
            assert found.head is not None
            heads.append(found.head)
    return heads


def left_over(side: Side) -> list[str]:
    """Files that should not be there: temporary names, and anything in spool or stage."""
    folders = side.config.folders
    found = [path for path in side.folder.rglob(".*") if path.suffix == ".tmp"]
    private = [path for folder in (folders.fetched, folders.spool, folders.stage) for path in folder.rglob("*")]
    return [str(path) for path in [*found, *(path for path in private if path.is_file())]]


def shown_status(side: Side) -> ExchangeStatus:
    """As `filesync status` reads it."""
    with reading(side.config) as conn:
        (one,) = status(conn, side.config, now=side.clock()).exchanges
    return one


def exported(world: World, before: dict[str, bytes]) -> None:
    acme, globex = world.sides
    here = shown_status(acme)
    assert here.sending is not None
    events: list[Event] = []
    acme.site.sinks = [events.append]
    unfinished = here.sending.to_publish
    acme.export()
    assert sum(type(event).__name__ == "Resumed" for event in events) == unfinished
    assert export_once(acme.site, EXCHANGE).bundles == 0
    x = acme.exchange()
    everything = whole(acme)
    heads = [head for head in everything if head.header.kind.sequenced]
    assert len(everything) - len(heads) == CHUNKS, (
        "a chunk is lost, or one is left of an attachment that was not cut to its end"
    )
    assert [head.header.seq for head in heads] == list(range(1, x.out_seq + 1)), "a number is burned or used twice"
    assert [head.header.prev for head in heads] == [NO_BUNDLE, *(head.bundle_id for head in heads)][: len(heads)]
    guard = read_guard(acme.config.folders.guard, x.out_stream)
    assert guard is not None
    assert (guard.seq, guard.id, x.out_id) == (x.out_seq, heads[-1].bundle_id, heads[-1].bundle_id)
    with acme.site.ledger.begin() as conn:
        rows = [streams.sent(conn, x.id, generation=1, seq=seq) for seq in range(1, x.out_seq + 1)]
    assert {(row.state, row.header, row.frozen) for row in rows if row is not None} == {("published", None, None)}
    folders = acme.config.folders
    archived = {file.name: file.read_bytes() for file in folders.archive.iterdir()}
    offered = {file.name: file.read_bytes() for file in folders.outbox.iterdir()}
    assert set(offered) == set(archived) - {min(archived)}, "the first was carried away before, the others are there"
    # of an attachment that was not cut to its end nothing was offered, and nothing stays
    there = {name: content for name, content in before.items() if name in archived or not A_CHUNK.search(name)}
    assert all(archived[name] == content for name, content in [*offered.items(), *there.items()]), "other bytes for a number"
    assert left_over(acme) == []
    world.carry(to=globex)
    globex.import_()
    world.assert_in_step()
    assert len(globex.desk.list()) == 2


def imported(world: World, before: dict[str, bytes]) -> None:
    acme, globex = world.sides
    shown_status(globex)
    assert globex.export().bundles == 0, "what is half applied was told as our own"
    globex.import_()
    x = globex.exchange()
    assert (x.in_seq, x.in_id) == (acme.exchange().out_seq, acme.exchange().out_id)
    now = shown_status(globex)
    assert now.receiving is not None
    assert (now.receiving.held, now.receiving.missing, now.receiving.arriving) == ((), (), ())
    folders = globex.config.folders
    assert list(folders.inbox.glob("[!.]*")) == [], "everything was judged and disposed of"
    assert len(list(folders.store.glob("*.tar"))) == x.in_seq + CHUNKS
    assert sorted(path.suffix for path in folders.quarantine.iterdir()) == [".bundle", ".txt"]
    assert all((folders.store / name).read_bytes() == content for name, content in before.items())
    assert left_over(globex) == []
    checkpoint = globex.site.tracker.read_checkpoint(f"filesync-{x.in_stream[:8]}")
    assert checkpoint is not None
    assert json.loads(checkpoint)["seq"] == x.in_seq
    assert len(globex.desk.list()) == 2
    world.assert_in_step()
    with globex.site.ledger.begin() as conn:
        assert all(row.state == "applied" for seq in range(1, x.in_seq + 1) if (row := _taken(conn, x.id, seq)))


def heads_first(archived: Iterable[str]) -> str:
    """The name of the first numbered bundle."""
    return min(archived)


def _taken(conn: Any, x: int, seq: int) -> streams.Taken:
    row = streams.taken(conn, x, generation=1, seq=seq)
    assert row is not None
    return row


def ready_to_import_abreast(world: World) -> None:
    """As above, at a site that works on several issues at a time: the places of both come in any order."""
    path = world.globex.folder / "filesync.yaml"
    path.write_text(path.read_text().replace("workers: 1", "workers: 4"))
    ready_to_import(world)


def rotated(world: World, before: dict[str, bytes]) -> None:
    acme, globex = world.sides
    x = acme.exchange().id
    with acme.site.ledger.begin() as conn:
        begun = bool(stream_keys(conn, x, ours=True))
    if not begun:
        rotate_signing(acme.site)
        acme.reopen()
    acme.export()
    acme.reopen()
    with acme.site.ledger.begin() as conn:
        first, second = stream_keys(conn, x, ours=True)
    everything = whole(acme)
    heads = [head for head in everything if head.header.kind.sequenced]
    assert [head.header.seq for head in heads] == list(range(1, acme.exchange().out_seq + 1))
    assert [head.header.kind for head in heads].count(BundleKind.KEYS) == 1, "said twice, or never"
    signed = {place_of(head.header): verify(head.tagmanifest, head.signature, namespace=NAMESPACE).text() for head in heads}
    assert set(signed.values()) == {first.key, second.key}
    assert all(key == (second.key if str(place) >= second.since else first.key) for place, key in signed.items())
    assert acme.site.signer().public.text() == second.key
    assert sorted(path.name for path in (acme.folder / "keys").iterdir()) == [
        "age.txt",
        "allowed_signers",
        "signing",
        "signing.pub",
    ]
    assert left_over(acme) == []
    archived = {file.name: file.read_bytes() for file in acme.config.folders.archive.iterdir()}
    numbered = {name: content for name, content in before.items() if not A_CHUNK.search(name)}  # a chunk half cut is cut anew
    assert all(archived[name] == content for name, content in numbered.items()), "other bytes for a number"
    world.bring_again(to=globex)
    globex.import_()
    world.assert_in_step()
    assert globex.exchange().partner_key == second.key


def rotate_and_export(world: World) -> None:
    rotate_signing(world.acme.site)
    world.acme.export()


def turned(world: World, before: dict[str, bytes]) -> None:
    acme, globex = world.sides
    identities = acme.config.keys.age
    old = globex.exchange().partner_recipient
    with acme.site.ledger.begin() as conn:
        said = any(entry.kind == KeyRotated.__name__ for entry in journal.entries(conn))  # with the numbers, in one transaction
    if not said:
        rotate_age(acme.site)  # the same command once more
        acme.reopen()
    acme.export()
    new = recipient_of(identities)
    assert new != old
    kept = [line for line in identities.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-")]
    assert len(kept) == 2, "an identity is lost, or one was made twice"
    everything = whole(acme)
    heads = [head for head in everything if head.header.kind.sequenced]
    assert [head.header.seq for head in heads] == list(range(1, acme.exchange().out_seq + 1))
    assert [head.header.kind for head in heads].count(BundleKind.KEYS) == 1, "said twice, or never"
    assert left_over(acme) == []
    archived = {file.name: file.read_bytes() for file in acme.config.folders.archive.iterdir()}
    numbered = {name: content for name, content in before.items() if not A_CHUNK.search(name)}
    assert all(archived[name] == content for name, content in numbered.items()), "other bytes for a number"
    globex.desk.create("Task", "on its way")
    globex.export()  # for the identity before: globex has not heard of the new one
    world.bring_again(to=globex)
    globex.import_()
    assert globex.exchange().partner_recipient == new
    world.carry(to=acme)
    acme.import_()
    globex.desk.create("Task", "for the new one")
    world.send(globex)
    world.round()
    world.assert_in_step()
    assert len(acme.desk.list()) == 4


def turn_and_export(world: World) -> None:
    rotate_age(world.acme.site)
    world.acme.export()


SCENES = {
    "rotate": Scene("acme", people, rotate_and_export, rotated),
    "rotate-age": Scene("acme", people, turn_and_export, turned),
    "import-abreast": Scene("globex", ready_to_import_abreast, lambda world: world.globex.import_(), imported),
    "export": Scene("acme", people, lambda world: world.acme.export(), exported, apart=True),
    "import": Scene("globex", ready_to_import, lambda world: world.globex.import_(), imported, apart=True),
}


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
    shutil.rmtree(template_of("", ("", ""), ("", ""), True, 1))


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
