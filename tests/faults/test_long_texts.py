"""Texts that are longer than a bundle may hold: their bytes travel as those of attachments do, and are merged as any text."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from filesync.agent.events import Met
from filesync.agent.incoming.pieces import BytesMissing
from filesync.agent.outgoing import cutting, exporter
from filesync.agent.upkeep.prune import prune
from filesync.bundle.limits import Limits
from filesync.errors import ExitCode
from filesync.ledger.journal import BLOB, Wait
from filesync.trackers.base import Write
from tests.faults.scene import Terminal, change_settings, only
from tests.merge.scene import crashes_anywhere
from tests.support.attachments import bring, bytes_of, chunk_files, set_limits, take_chunks
from tests.support.two_sites import Side, World, two_sites

LONG = bytes_of(50_000, "long").hex() + " ä🙂\n{code}ABC-1{code}"  # three chunks
OTHER = bytes_of(40_000, "other").hex()  # two


@pytest.fixture
def narrow(plain: World) -> World:
    """An issue on both sides, whose carrier takes no file beyond 64 KiB."""
    for side in plain.sides:
        set_limits(side, max_bundle_bytes="64 KiB")
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.settle()
    return plain


def description(side: Side, key: str = "ABC-1") -> object:
    return side.desk.show(key).issue.fields.get("description")


def bodies(side: Side, key: str) -> list[object]:
    return [one.fields["body"] for one in side.desk.show(key).comments]


def come(world: World, *files: Path) -> object:
    """What is in acme's outbox comes to globex, and these chunks."""
    world.carry(to=world.globex)
    bring(world.globex, *files)
    return world.globex.import_()


@pytest.mark.parametrize("size", [5_000_000, pytest.param(40_000_000, marks=pytest.mark.prove)])
def test_f17_a_description_of_40_mb_travels_both_ways_as_files_that_the_carrier_takes(size: int) -> None:
    with two_sites(encrypt=False) as world:
        for side in world.sides:
            set_limits(side, chunk="1 MiB", max_bundle_bytes="8 MiB")
        text = "Pumpe läuft heiß. " * (size // 18)
        key = world.acme.desk.create("Bug", "Pump", {"description": text})
        world.acme.export()
        assert all(file.stat().st_size <= 8 << 20 for file in world.acme.config.folders.outbox.iterdir())
        files = take_chunks(world, of=world.acme)
        assert len(files) == -(-len(text.encode()) // (1 << 20))
        bring(world.globex, *reversed(files))
        world.globex.import_()
        come(world)
        assert description(world.globex, key) == text
        world.globex.desk.edit(key, {"description": text + "Seal replaced."})
        world.send(world.globex)
        assert description(world.acme, key) == text + "Seal replaced."
        assert world.acme.export().changes == 0


def test_f17_a_text_whose_chunks_are_missing_is_named_with_the_command_and_holds_up_its_issue_alone(
    narrow: World, terminal: Terminal
) -> None:
    narrow.acme.desk.edit("ABC-1", {"description": LONG})
    narrow.acme.export()
    narrow.acme.desk.edit("ABC-1", {"summary": "Pump runs warm"})
    narrow.acme.desk.comment("ABC-1", "Comments go on")
    narrow.acme.desk.create("Bug", "Others go on")
    narrow.acme.export()
    first, lost, last = take_chunks(narrow, of=narrow.acme)
    come(narrow, last, first)
    row, behind = narrow.globex.queued()
    assert (row.state, row.waits_for, behind.state) == (Wait.WAITS, BLOB, Wait.BEHIND)
    assert len(row.change) < 2_000, "the text is not in the ledger"
    assert narrow.globex.desk.show("ABC-1").issue.fields["summary"] == "Pump runs hot"
    assert bodies(narrow.globex, "ABC-1") == ["Comments go on"]
    assert narrow.globex.desk.show("ABC-2").issue.fields["summary"] == "Others go on"
    status, out, _ = terminal(narrow.globex, "status")
    assert status == ExitCode.WORK_LEFT
    assert "ABC-1 needs 1 more chunk of description (" in out
    narrow.clock.advance(hours=2)
    told = only(narrow.globex.import_(), BytesMissing)
    one = lost.name.rpartition("_b")[2][:16]
    assert "What comes later of the same waits with it; all else goes on." in told
    assert told.endswith(f"Ask acme to run: filesync resend globex --chunk {one}")
    assert terminal(narrow.acme, "resend", "globex", "--chunk", one)[0] == ExitCode.DONE
    come(narrow)
    assert narrow.globex.queued() == []
    assert description(narrow.globex) == LONG
    narrow.assert_in_step()


def test_f17_a_new_issue_and_its_comments_wait_for_a_long_text_and_are_made_once(narrow: World) -> None:
    narrow.acme.desk.create("Bug", "New", {"description": LONG})
    narrow.acme.desk.comment("ABC-2", OTHER)
    narrow.acme.export()
    files = take_chunks(narrow, of=narrow.acme)
    come(narrow)
    assert [one.fields["summary"] for one in narrow.globex.desk.list()] == ["Pump runs hot"]
    for file in files:
        come(narrow, file)
    assert description(narrow.globex, "ABC-2") == LONG
    assert bodies(narrow.globex, "ABC-2") == [OTHER]
    narrow.assert_in_step()
    assert narrow.acme.export().bundles == 0


def test_f17_long_texts_that_met_are_decided_as_short_ones_are(narrow: World) -> None:
    narrow.acme.desk.edit("ABC-1", {"description": LONG})
    narrow.globex.desk.edit("ABC-1", {"description": OTHER})
    narrow.acme.export()
    narrow.globex.export()
    narrow.carry(to=narrow.acme)
    met = [one for one in narrow.acme.import_().events if isinstance(one, Met)]
    narrow.settle()
    assert len(met) == 1
    assert description(narrow.acme) == description(narrow.globex)
    narrow.assert_in_step()


def test_f17_of_several_texts_the_longest_go_beside_the_line_until_it_fits(narrow: World, terminal: Terminal) -> None:
    fields = {"description": LONG, "environment": "e" * 40_000}
    narrow.acme.desk.create("Bug", "Two", fields)
    narrow.acme.export()
    (bundle,) = set(narrow.acme.config.folders.outbox.iterdir()) - set(chunk_files(narrow.acme.config.folders.outbox))
    _, out, _ = terminal(narrow.globex, "show", "--changes", str(bundle))
    assert "description: a text of 100.0 kB, in 3 chunks" in out
    assert "environment: eee" in out
    narrow.settle()
    assert narrow.globex.desk.show("ABC-2").issue.fields["environment"] == fields["environment"]
    assert description(narrow.globex, "ABC-2") == LONG


def test_f17_a_text_that_the_tracker_refuses_is_stuck_without_its_text_in_the_ledger_and_can_be_tried_again(
    narrow: World,
) -> None:
    def refuse(_call: str, what: object) -> dict[str, str] | None:
        return {"description": "too long for us"} if isinstance(what, Write) and "description" in what.fields else None

    narrow.globex.faults.refuse = refuse
    narrow.acme.desk.edit("ABC-1", {"description": LONG, "summary": "Pump runs warm"})
    narrow.send(narrow.acme)
    (row,) = narrow.globex.queued()
    assert (row.state, len(row.blobs)) == (Wait.STUCK, 1)
    assert len(row.change) < 2_000
    assert narrow.globex.desk.show("ABC-1").issue.fields["summary"] == "Pump runs warm"
    narrow.globex.faults.refuse = lambda _call, _what: None
    narrow.globex.retry()
    assert description(narrow.globex) == LONG
    narrow.assert_in_step()


def test_f17_a_long_text_that_is_skipped_is_answered_with_ours_even_if_its_bytes_never_come(
    narrow: World, terminal: Terminal
) -> None:
    narrow.acme.desk.edit("ABC-1", {"description": LONG})
    narrow.acme.export()
    take_chunks(narrow, of=narrow.acme)
    come(narrow)
    number = narrow.globex.queued()[0].mark
    assert number in terminal(narrow.globex, "why", "ABC-1")[1]
    assert terminal(narrow.globex, "stuck", "skip", number, "--reason", "it is lost")[0] == ExitCode.DONE
    narrow.settle()
    assert description(narrow.acme) is None
    narrow.assert_in_step()


def test_f17_what_is_more_than_a_receiver_takes_stays_here_in_words_and_holds_up_no_other(
    narrow: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cutting, exporter):
        monkeypatch.setattr(module, "LIMITS", Limits(line=60_000, texts=90_000))
    narrow.acme.desk.create("Bug", "Long", {"description": LONG})
    narrow.acme.desk.edit("ABC-1", {"summary": "Pump runs warm"})
    (told,) = [one.sentence() for one in narrow.acme.export().events if "not sent" in one.sentence()]
    assert told.startswith("ABC-2: description")
    assert "was not sent: it is longer than a change may be (60.0 kB, and 90.0 kB of long texts)" in told
    come(narrow)
    assert [one.fields["summary"] for one in narrow.globex.desk.list()] == ["Pump runs warm"]


def test_f17_a_long_text_is_kept_until_the_partner_has_it_and_then_goes_in_time(narrow: World) -> None:
    for side in narrow.sides:
        change_settings(side, keep_bundles="0", keep_for="0s")
    narrow.acme.desk.edit("ABC-1", {"description": LONG})
    narrow.acme.export()
    files = take_chunks(narrow, of=narrow.acme)
    come(narrow, *files[:2])
    narrow.send(narrow.globex)
    prune(narrow.acme.site, "main")
    assert len(chunk_files(narrow.acme.config.folders.archive)) == 3
    prune(narrow.globex.site, "main")
    come(narrow, *files[2:])
    assert description(narrow.globex) == LONG
    narrow.settle()
    narrow.clock.advance(days=1)
    for side in narrow.sides:
        prune(side.site, "main")
    folders = chain.from_iterable((side.config.folders.archive, side.config.folders.store) for side in narrow.sides)
    assert [chunk_files(folder) for folder in folders] == [[]] * 4


@pytest.mark.prove
def test_f17_a_run_that_is_killed_anywhere_loses_and_doubles_no_long_text() -> None:
    with two_sites() as world:
        for side in world.sides:
            set_limits(side, max_bundle_bytes="64 KiB", inline_blob="1 KiB")
        key = world.acme.desk.create("Bug", "Pump runs hot")
        world.settle()
        for nth in range(1, 400, 9):
            text = bytes_of(30_000 + nth).hex()
            world.acme.desk.edit(key, {"description": text})
            world.acme.desk.comment(key, f"{nth} {text}")
            out = crashes_anywhere(world.acme, nth, world.acme.export)
            world.acme.export()
            world.carry(to=world.globex)
            came = crashes_anywhere(world.globex, nth, world.globex.import_)
            world.globex.import_()
            assert description(world.globex, key) == text
            if not out and not came:
                break
        assert bodies(world.globex, key) == bodies(world.acme, key)
        world.assert_in_step()
