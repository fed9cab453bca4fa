"""Attachments that a mapping keeps at home or does not let in: neither told, read nor made, and said so once."""

from __future__ import annotations

from filesync.agent.events import Dropped, FileLeftOut
from filesync.agent.outgoing.departures import KeptHere
from tests.merge.scene import crash, events, only, shared
from tests.support.attachments import attached, bytes_of, small_limits
from tests.support.two_sites import Side, World, two_sites

OUT = "attachments: {out: {leave_out: [{larger_than: 1 KiB}, {name: '*.exe'}]}}\n"
IN = "attachments: {in: {only: [{type: 'text/*'}]}}\n"
BIG = bytes_of(5_000)


def names(side: Side, key: str) -> list[str]:
    return sorted(name for name, _ in attached(side, key))


def kept(world: World) -> list[KeptHere]:
    return [one for one in world.acme.export().events if isinstance(one, KeptHere)]


def test_what_the_mapping_keeps_is_neither_told_nor_read_and_said_once_for_each_rule() -> None:
    with two_sites(mappings=(OUT, "")) as world:
        key = shared(world)
        for name, content in (("a.txt", b"x"), ("one.exe", b"x"), ("two.EXE", b"x"), ("big.txt", BIG)):
            world.acme.desk.attach(key, name, [content])
        read: list[str] = []
        world.acme.faults.strike = lambda place: read.append(place) if "fetch" in place else None
        assert sorted((one.rule, one.files) for one in kept(world)) == [
            ("attachments.out.leave_out: larger_than 1 KiB", 1),
            ("attachments.out.leave_out: name *.exe", 2),
        ]
        assert read.count("before fetch") == 1
        world.carry(to=world.globex)
        world.globex.import_()
        assert names(world.globex, key) == ["a.txt"]
        assert kept(world) == []


def test_what_was_kept_is_told_once_no_rule_keeps_it() -> None:
    with two_sites(mappings=(OUT, "")) as world:
        key = shared(world)
        world.acme.desk.attach(key, "one.exe", [b"x"])
        assert only(kept(world)).key == key
        (world.acme.folder / "mapping.yaml").write_text("# all of them\n")
        world.acme.reopen()
        world.send(world.acme)
        assert names(world.globex, key) == ["one.exe"]
        world.assert_in_step()


def test_what_was_sent_before_the_rule_stays_and_its_deletion_is_told() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "one.exe", [b"x"])
        world.send(world.acme)
        (world.acme.folder / "mapping.yaml").write_text(OUT)
        world.acme.reopen()
        world.send(world.acme)
        assert names(world.globex, key) == ["one.exe"]
        world.acme.desk.delete_attachment(key, "1")
        world.send(world.acme)
        assert names(world.globex, key) == []


def test_what_is_not_let_in_is_not_made_nor_waited_for_and_its_deletion_is_quiet() -> None:
    with two_sites(mappings=("", IN)) as world:
        small_limits(world)
        key = shared(world)
        for name, content in (("a.txt", b"x"), ("pump.mov", BIG)):
            world.acme.desk.attach(key, name, [content])
        done = world.send(world.acme)
        assert only(events(done, FileLeftOut)).rule == "attachments.in.only: type text/*"
        assert only(events(done, FileLeftOut)).key == key
        assert (names(world.globex, key), world.globex.queued()) == (["a.txt"], [])
        world.acme.desk.delete_attachment(key, "2")
        assert events(world.send(world.acme), Dropped) == []
        world.assert_in_step()


def test_a_rule_that_goes_brings_nothing_back_but_attaching_once_more_does() -> None:
    with two_sites(mappings=("", IN)) as world:
        key = shared(world)
        world.acme.desk.attach(key, "pump.png", [b"x"])
        world.send(world.acme)
        (world.globex.folder / "mapping.yaml").write_text("# all of them\n")
        world.globex.reopen()
        world.bring_again(to=world.globex)
        world.globex.import_()
        assert names(world.globex, key) == []
        world.acme.desk.attach(key, "pump.png", [b"x"])
        world.send(world.acme)
        assert names(world.globex, key) == ["pump.png"]


def test_a_rule_that_comes_after_a_crash_loses_nothing_that_was_made() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "pump.png", [b"x"])
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after create"):
            world.globex.import_()
        (world.globex.folder / "mapping.yaml").write_text(IN)
        world.globex.reopen()
        world.globex.import_()
        assert names(world.globex, key) == ["pump.png"]
        world.acme.desk.delete_attachment(key, "1")
        world.send(world.acme)
        assert names(world.globex, key) == []
        world.assert_in_step()
