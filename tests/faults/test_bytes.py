"""Files damaged, cut off, rewritten, hostile, or for somebody else: what a person is told, and where the file ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from filesync.agent.events import Warned
from filesync.agent.incoming.arrivals import Arriving, Damaged, Foreign
from filesync.bundle.header import Party
from filesync.errors import ExitCode
from filesync.model.ids import SiteId
from tests.faults.scene import (
    ESCAPE,
    Terminal,
    change_settings,
    deliver,
    inbox,
    only,
    put,
    quarantined,
    sent,
    summaries,
)
from tests.support.forged import forge
from tests.support.two_sites import World


@pytest.fixture
def patient(plain: World) -> World:
    """The receiver waits ten minutes before it calls a file damaged."""
    change_settings(plain.globex, settle="10m")
    return plain


# ── damaged or not whole ────────────────────────────────────────────────────────────────────────────────────────


def test_f22_a_cut_off_file_is_arriving_then_damaged_and_says_how_much_is_missing(patient: World, terminal: Terminal) -> None:
    (one,) = sent(patient, ["Pump"])
    content = one.read_bytes()
    put(patient.globex, one.name, content[:-1_500])
    told = only(patient.globex.import_(), Arriving)
    assert f"{one.name} is still arriving, or damaged: " in told
    assert "short by 1.5 kB" in told
    assert "called damaged if it stays the same for 10 min. Nothing else is affected." in told
    status = terminal(patient.globex, "status")
    assert (status[0], f"arriving or damaged: {one.name}" in status[1]) == (ExitCode.WORK_LEFT, True)
    patient.clock.advance(minutes=11)
    told = only(patient.globex.import_(), Damaged)
    assert f"{one.name} cannot be taken (MISSING_FILE): " in told
    assert "short by 1.5 kB" in told
    assert [path.read_bytes() for path in quarantined(patient.globex)] == [content[:-1_500]]
    deliver(patient.globex, one)
    assert patient.globex.import_().bundles == 1


@pytest.mark.parametrize(("at", "name"), [(-1_500, "data/changes.ndjson.zst"), (4_000, "bundle.json")])
def test_f23_one_flipped_bit_is_named_by_the_file_it_is_in(plain: World, at: int, name: str) -> None:
    (one,) = sent(plain, ["Pump"])
    content = bytearray(one.read_bytes())
    at = content.index(b"\x28\xb5\x2f\xfd") + 9 if at < 0 else content.index(b'"agent"')
    content[at] ^= 1
    put(plain.globex, one.name, bytes(content))
    told = only(plain.globex.import_(), Damaged)
    assert f"{one.name} cannot be taken (BAD_HASH): {name}: " in told
    assert "Nothing of it was applied. Copy it again, or ask the sender to run: filesync resend" in told


def test_f32_what_a_guard_rewrote_is_named_and_refused_however_often_it_comes(plain: World) -> None:
    plain.acme.desk.create("Bug", "Pump runs hot")
    plain.acme.desk.attach("ABC-1", "report.doc", [b"text, AutoOpen macro, text"])
    plain.acme.export()
    (one,) = plain.acme.config.folders.outbox.iterdir()
    cleaned = one.read_bytes().replace(b"AutoOpen macro", b"[removed here]")
    assert cleaned != one.read_bytes()
    for _ in range(2):
        put(plain.globex, one.name, cleaned)
        told = only(plain.globex.import_(), Damaged)
        assert f"{one.name} cannot be taken (BAD_HASH): data/blobs/" in told
        assert "If it comes so again, a guard or virus scanner on the way changes it" in told
        assert plain.globex.desk.list() == ()
    deliver(plain.globex, one)
    assert plain.globex.import_().bundles == 1
    plain.assert_in_step()


def test_f24_a_block_of_zeros_is_damage(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    content = bytearray(one.read_bytes())
    at = content.index(b"\x28\xb5\x2f\xfd") // 512 * 512
    content[at : at + 512] = bytes(512)
    put(plain.globex, one.name, bytes(content))
    assert "(BAD_HASH): data/changes.ndjson.zst: " in only(plain.globex.import_(), Damaged)


def test_f25_an_empty_file_is_arriving_and_later_damaged(patient: World) -> None:
    put(patient.globex, "fs1_x.tar", b"")
    assert "its head has not arrived" in only(patient.globex.import_(), Arriving)
    patient.clock.advance(minutes=11)
    assert "fs1_x.tar cannot be taken (MISSING_FILE)" in only(patient.globex.import_(), Damaged)


def test_f26_f27_a_slow_copy_is_never_applied_in_part_nor_refused_and_old_times_mean_nothing(patient: World) -> None:
    (one,) = sent(patient, ["Pump"])
    content = one.read_bytes()
    for part in (1_000, 2_000, 3_000, len(content) - 1):
        path = put(patient.globex, one.name, content[:part])
        os.utime(path, (946_684_800, 946_684_800))  # copied with its old time, as many tools do
        for _ in range(2):
            done = patient.globex.import_()
            assert (done.bundles, quarantined(patient.globex)) == (0, [])
            patient.clock.advance(minutes=4)
    put(patient.globex, one.name, content)
    assert patient.globex.import_().bundles == 1


def test_f29_what_a_carrier_is_still_writing_is_not_looked_at(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    for name in (f".{one.name}.Xa3f9K", f"{one.name}.part", f"{one.name}.filepart"):
        put(plain.globex, name, one.read_bytes())
    assert plain.globex.import_().events == ()
    assert len(list(plain.globex.config.folders.inbox.glob("*.*part"))) == 2


def test_f31_a_text_mode_transfer_is_guessed(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    put(plain.globex, one.name, one.read_bytes().replace(b"\n", b"\r\n"))
    assert "Text-mode transfer? Line ends were rewritten" in only(plain.globex.import_(), Damaged)


def test_f34_a_stub_in_place_of_a_bundle_is_shown_escaped(plain: World) -> None:
    put(plain.globex, "fs1_x.tar", f"Your attachment {ESCAPE} was removed\n".encode() * 40)
    told = only(plain.globex.import_(), Damaged)
    assert "fs1_x.tar cannot be taken (NOT_A_BUNDLE)" in told
    assert "Your attachment \\x1b[31mred" in told
    assert "ask the carrier" in told


def test_f75_a_name_that_is_no_text_is_judged_remembered_and_shown(plain: World, terminal: Terminal) -> None:
    change_settings(plain.globex, settle="10m", inbox_policy="keep")
    (one,) = sent(plain, ["Pump"])
    folder = os.fsencode(plain.globex.config.folders.inbox)
    for name, content in ((b"fs1_\xff\xfe.tar", one.read_bytes()), (b"\xe9t\xe9 %41.tar", b"half")):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(content)
    assert plain.globex.import_().bundles == 1
    assert plain.globex.import_().events == (), "both are remembered"
    status, out, _ = terminal(plain.globex, "status")
    assert (status, "\\udce9t\\udce9 %41.tar" in out, "fs1_\\udcff\\udcfe.tar" in out) == (ExitCode.WORK_LEFT, True, True)
    for verb in ("status", "log"):
        assert terminal(plain.globex, verb, "--json")[0] in {ExitCode.DONE, ExitCode.WORK_LEFT}
    for path in inbox(plain.globex):
        path.unlink()
    plain.globex.import_()
    assert "arriving" not in terminal(plain.globex, "status")[1], "and forgotten when they are gone"


def test_f78_what_is_no_file_is_told_once_and_never_opened(plain: World) -> None:
    os.mkfifo(plain.globex.config.folders.inbox / "fs1_x.tar")
    told = only(plain.globex.import_(), Damaged)
    assert "fs1_x.tar cannot be taken (NOT_REGULAR)" in told
    assert "It was left where it is. Nothing was read. Take it out of the folder, and ask the carrier" in told
    assert plain.globex.import_().events == ()


# ── for somebody else ───────────────────────────────────────────────────────────────────────────────────────────


def test_f54_f73_two_sites_on_one_inbox_take_each_its_own(plain: World) -> None:
    shared = plain.acme.folder.with_name("shared")
    shared.mkdir()
    for side in plain.sides:
        change_settings(side, inbox="../shared", inbox_policy="delete")
    plain.acme.desk.create("Bug", "of acme")
    plain.globex.desk.create("Bug", "of globex")
    for side in plain.sides:
        side.export()
    for side in plain.sides:
        plain.carry(to=side)
    assert len(list(shared.glob("fs1_*"))) == 2
    for side in plain.sides:
        done = side.import_()
        assert done.bundles == 1
    assert list(shared.glob("fs1_*")) == []
    assert summaries(plain.acme) == summaries(plain.globex) == {"of acme", "of globex"}


def test_f54_f73_a_damaged_file_of_another_stream_is_left_to_whom_it_is_for(plain: World) -> None:
    for name in ("fs1_00c0ffee_g0001_0000000001_deadbeef.tar", "FS1_00C0FFEE_G0001_0000000002_DEADBEEF.TAR.AGE"):
        put(plain.globex, name, b"rotten" * 300)
    done = plain.globex.import_()
    assert only(done, Foreign) == "2 files for other sites ignored"
    assert (len(inbox(plain.globex)), quarantined(plain.globex)) == (2, [])
    assert plain.globex.import_().events == ()


def test_f87_a_bundle_for_another_site_is_left_alone_and_counted(plain: World) -> None:
    third = Party(SiteId("33333333-3333-4333-8333-333333333333"), "third")
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, to=third))
    assert only(plain.globex.import_(), Foreign) == "1 file for other sites ignored"
    assert len(inbox(plain.globex)) == 1


def test_f88_our_own_bundle_that_comes_back_is_left_and_the_wiring_is_doubted(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["Pump"])
    deliver(plain.acme, one)
    told = only(plain.acme.import_(), Warned)
    assert told.startswith(f"OWN_BUNDLE {one.name}: ")
    assert "is the outbox wired to the inbox? It was left there." in told
    assert len(inbox(plain.acme)) == 1
    assert plain.acme.import_().events == ()
    assert "OWN_BUNDLE: 1 file in the inbox is our own: is the outbox wired to the inbox?" in terminal(plain.acme, "status")[1]
    inbox(plain.acme)[0].unlink()
    plain.acme.import_()
    assert "OWN_BUNDLE" not in terminal(plain.acme, "status")[1]
