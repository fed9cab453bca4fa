"""Attachments: the creation waits for its bytes, and nothing else does (R16)."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.agent.events import LandedDifferently
from filesync.config import template
from filesync.ledger.journal import BLOB, Wait
from filesync.trackers.base import Born, Draft
from tests.merge.scene import comments, crash, crashes_anywhere, events, only, refuse_nothing, shared
from tests.support.attachments import attached, bring, bytes_of, set_limits, small_limits, take_chunks
from tests.support.two_sites import World, two_sites

BIG = bytes_of(10_000)


def waiting_for_bytes(world: World) -> str:
    """An issue at both sides, with an attachment of acme's whose three chunks are kept back."""
    small_limits(world)
    key = shared(world)
    world.acme.desk.attach(key, "pump.mov", [BIG])
    world.acme.export()
    assert len(take_chunks(world, of=world.acme)) == 3
    world.carry(to=world.globex)
    world.globex.import_()
    return key


def chunks(world: World) -> list[Path]:
    return sorted((world.acme.folder.parent / "carrier").iterdir())


def test_an_attachment_travels_and_comes_back_as_nothing() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "pump.log", [b"12 bar"])
        world.send(world.acme)
        assert attached(world.globex, key) == [("pump.log", b"12 bar")]
        world.assert_in_step()


def test_blob_after_change() -> None:
    with two_sites() as world:
        key = waiting_for_bytes(world)
        row = only(world.globex.queued())
        assert (row.state, row.waits_for) == (Wait.WAITS, BLOB)
        assert attached(world.globex, key) == []
        first, second, third = chunks(world)
        for file in (third, first):
            bring(world.globex, file)
            world.globex.import_()
        assert attached(world.globex, key) == []
        bring(world.globex, second)
        world.globex.import_()
        assert attached(world.globex, key) == [("pump.mov", BIG)]
        world.assert_in_step()


def test_blob_before_change() -> None:
    with two_sites() as world:
        small_limits(world)
        key = shared(world)
        world.acme.desk.attach(key, "pump.mov", [BIG])
        world.acme.export()
        bring(world.globex, *take_chunks(world, of=world.acme))
        world.globex.import_()
        assert attached(world.globex, key) == []
        world.carry(to=world.globex)
        world.globex.import_()
        assert attached(world.globex, key) == [("pump.mov", BIG)]
        world.assert_in_step()


def test_deleted_before_blob() -> None:
    with two_sites() as world:
        key = waiting_for_bytes(world)
        world.acme.desk.delete_attachment(key, "1")
        world.send(world.acme)
        assert world.globex.queued() == []
        bring(world.globex, *chunks(world))
        world.globex.faults.forbid_writes = True
        world.globex.import_()
        world.globex.faults.forbid_writes = False
        assert attached(world.globex, key) == []
        world.assert_in_step()


def test_deleted_while_its_creation_is_in_doubt() -> None:
    with two_sites() as world:
        small_limits(world)
        key = shared(world)
        world.acme.desk.attach(key, "pump.mov", [BIG])
        world.acme.export()
        world.acme.desk.delete_attachment(key, "1")
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after create"):
            world.globex.import_()
        assert attached(world.globex, key) == [("pump.mov", BIG)]
        world.globex.import_()
        assert attached(world.globex, key) == []
        world.assert_in_step()


def test_the_issue_is_deleted_before_the_bytes_come() -> None:
    with two_sites(contract="") as world:
        key = waiting_for_bytes(world)
        world.globex.desk.delete(key)
        world.send(world.globex)
        bring(world.globex, *chunks(world))
        world.globex.import_()
        assert world.globex.queued() == []


def test_same_name_twice() -> None:
    with two_sites() as world:
        small_limits(world)
        key = shared(world)
        for content in (b"one", b"two", BIG, b"one"):
            world.acme.desk.attach(key, "A.png", [content])
        world.acme.desk.attach(key, "a.png", [b"small letter"])
        world.send(world.acme)
        assert sorted(attached(world.globex, key)) == sorted(
            [("A.png", b"one"), ("A.png", b"two"), ("A.png", BIG), ("A.png", b"one"), ("a.png", b"small letter")]
        )
        world.assert_in_step()
        world.globex.desk.delete_attachment(key, "1")
        world.send(world.globex)
        assert len(attached(world.acme, key)) == 4
        world.assert_in_step()


def test_comment_passes_waiting_blob() -> None:
    with two_sites() as world:
        key = waiting_for_bytes(world)
        world.acme.desk.comment(key, "see the film")
        world.acme.desk.edit(key, {"summary": "Pump runs hot"})
        world.acme.desk.attach(key, "small.txt", [b"x"])
        world.send(world.acme)
        assert comments(world.globex, key) == ["see the film"]
        assert world.globex.desk.show(key).issue.fields["summary"] == "Pump runs hot"
        assert attached(world.globex, key) == [("small.txt", b"x")]
        bring(world.globex, *chunks(world))
        world.globex.import_()
        world.assert_in_step()


def test_a_small_one_that_came_in_an_earlier_bundle_is_read_from_there() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "one", [b"same"])
        world.send(world.acme)
        world.acme.desk.attach(key, "two", [b"same"])
        world.acme.export()
        (file,) = world.acme.config.folders.outbox.iterdir()
        assert b"data/blobs/" not in file.read_bytes(), "it was sent before"
        world.carry(to=world.globex)
        world.globex.import_()
        assert attached(world.globex, key) == [("one", b"same"), ("two", b"same")]
        world.assert_in_step()


def test_an_attachment_that_the_tracker_refuses_is_stuck_and_skipping_it_sets_it_apart() -> None:
    with two_sites() as world:
        small_limits(world)
        key = shared(world)
        world.acme.desk.attach(key, "huge.iso", [BIG])
        world.globex.faults.refuse = lambda call, what: (
            "larger than 5 kB" if isinstance(what, Draft) and what.content is not None else None
        )
        world.acme.desk.comment(key, "goes on")
        world.send(world.acme)
        assert comments(world.globex, key) == ["goes on"]
        (stuck,) = world.globex.stuck()
        assert "larger than 5 kB" in stuck.reason
        world.globex.import_()
        assert len(world.globex.stuck()) == 1, "not tried again by itself"
        world.globex.skip(stuck.mark)
        refuse_nothing(world.globex)
        assert attached(world.globex, key) == []
        assert world.round() == 0


def test_a_name_that_lands_differently_is_told_and_never_sent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "a/b.txt", [b"x"])
        real = world.globex.site.tracker
        create = type(real).create

        def cleaned(self: object, origin: object, draft: Draft) -> Born:
            if draft.content is not None:
                fields = {**draft.fields, "name": "a_b.txt"}
                draft = Draft(kind=draft.kind, issue=draft.issue, fields=fields, about=draft.about, content=draft.content)
            return create(self, origin, draft)  # type: ignore[arg-type]  # the tracker before it is wrapped

        monkeypatch.setattr(type(real), "create", cleaned)
        done = world.send(world.acme)
        assert only(events(done, LandedDifferently)).field == "name"
        assert attached(world.globex, key) == [("a_b.txt", b"x")]
        assert world.globex.queued() == []
        assert world.round() == 0
        assert attached(world.acme, key) == [("a/b.txt", b"x")]


def test_attachments_that_the_contract_leaves_out_stay_at_home() -> None:
    text = template("contract.yaml").replace("attachments: true", "attachments: false")
    with two_sites(contract=text) as world:
        key = shared(world)
        world.acme.desk.attach(key, "pump.log", [b"12 bar"])
        world.send(world.acme)
        assert attached(world.globex, key) == []
        assert world.acme.export().bundles == 0


def test_one_that_cannot_be_fetched_is_left_out_and_tried_again() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.attach(key, "lost.log", [b"x"])
        world.acme.desk.comment(key, "goes on")
        folder = world.acme.folder / "state" / "tracker.db.files"
        kept = (folder / "1").rename(folder / "away")
        done = world.acme.export()
        assert any("an attachment, lost.log, was not sent" in one.sentence() for one in done.events)
        world.carry(to=world.globex)
        world.globex.import_()
        assert comments(world.globex, key) == ["goes on"]
        assert world.acme.export().bundles == 0
        kept.rename(folder / "1")
        world.send(world.acme)
        assert attached(world.globex, key) == [("lost.log", b"x")]
        world.assert_in_step()


def test_it_comes_whole_or_not_at_all_wherever_either_side_dies() -> None:
    with two_sites() as world:
        small_limits(world)
        key = shared(world)
        made = 0
        for nth in range(1, 400, 9):
            world.acme.desk.attach(key, f"{nth}", [bytes_of(5_000 + nth)])
            world.acme.desk.attach(key, f"small {nth}", [bytes_of(100 + nth)])
            out = crashes_anywhere(world.acme, nth, world.acme.export)
            world.acme.export()
            world.carry(to=world.globex)
            came = crashes_anywhere(world.globex, nth, world.globex.import_)
            world.globex.import_()
            made += 2
            if not out and not came:
                break
        assert made > 10
        here, there = attached(world.acme, key), attached(world.globex, key)
        assert sorted(here) == sorted(there)
        assert len(here) == made
        world.assert_in_step()


@pytest.mark.parametrize("size", [0, 1023, 1024, 1025, 4096, 4097, 8192])
def test_every_size_around_the_limits(size: int) -> None:
    with two_sites(encrypt=size == 4097) as world:
        small_limits(world)
        key = shared(world)
        world.acme.desk.attach(key, "x", [bytes_of(size)])
        world.send(world.acme)
        assert attached(world.globex, key) == [("x", bytes_of(size))]
        world.assert_in_step()


def test_a_bundle_is_closed_before_its_attachments_make_it_too_large() -> None:
    with two_sites() as world:
        set_limits(world.acme, max_bundle_bytes="64 KiB", inline_blob="64 KiB", chunk="64 KiB")
        key = shared(world)
        for n in range(5):
            world.acme.desk.attach(key, f"{n}", [bytes_of(20_000, str(n))])
        before = world.acme.exchange().out_seq
        world.acme.export()
        assert max(path.stat().st_size for path in world.acme.config.folders.outbox.iterdir()) <= 64 << 10
        assert world.acme.exchange().out_seq - before == 3
        world.carry(to=world.globex)
        world.globex.import_()
        assert len(attached(world.globex, key)) == 5
        world.assert_in_step()
