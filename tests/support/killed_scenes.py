"""What is done at a site that is killed, and what must hold once the next process has gone on."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from filesync.agent.asked.inspect import inspected
from filesync.agent.asked.reading import reading
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
from tests.support.two_sites import EXCHANGE, Side, World

FILM = bytes_of(5_000)
CHUNKS = 2  # of it
A_CHUNK = re.compile(r"_b[0-9a-f]{16}\.")  # in a file's name


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
