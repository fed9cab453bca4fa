"""Files damaged, cut off, rewritten, hostile, or for somebody else: what a person is told, and where the file ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from filesync.agent.arrivals import Arriving, Damaged, Foreign, NewerFormat, Outside
from filesync.agent.events import Warned
from filesync.bundle import ustar
from filesync.bundle.header import Party
from filesync.bundle.verdict import BadBundle
from filesync.errors import ExitCode
from filesync.keys import age
from filesync.keys.sshsig import FileSigner, make_key
from filesync.model.change import Create
from filesync.model.ids import Kind, SiteId, make_gid
from filesync.model.issue import About
from filesync.model.values import Value
from tests.faults.scene import (
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
from tests.support.forged import a_bug, forge
from tests.support.two_sites import World, two_sites

ESCAPE = "\x1b[31mred\x1b]0;title\x07\u202e"


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
    assert "It was left where it is." in told
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


def test_f88_our_own_bundle_that_comes_back_is_left_and_the_wiring_is_doubted(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    deliver(plain.acme, one)
    told = only(plain.acme.import_(), Warned)
    assert told.startswith(f"OWN_BUNDLE {one.name}: ")
    assert "is the outbox wired to the inbox?" in told
    assert len(inbox(plain.acme)) == 1
    assert plain.acme.import_().events == ()


# ── forged, unsigned, unreadable ────────────────────────────────────────────────────────────────────────────────


def test_f84_a_file_that_the_header_does_not_name_is_refused_however_well_the_rest_is_signed(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    content = one.read_bytes()
    folder = content[:100].split(b"/", 1)[0].decode()
    extra = ustar.block(f"{folder}/data/blobs/{'ab' * 32}", 5) + b"extra".ljust(512, b"\0")
    put(plain.globex, one.name, content[:-1_024] + extra + content[-1_024:])
    assert "cannot be taken (UNDECLARED_FILE): " in only(plain.globex.import_(), Damaged)
    assert plain.globex.desk.list() == ()


def test_f85_a_key_that_is_not_the_partners_is_named_and_the_one_expected(plain: World, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger", comment="")
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, signer=FileSigner(tmp_path / "stranger")))
    told = only(plain.globex.import_(), Damaged)
    ours = plain.acme.site.signer().public.fingerprint()
    assert f"(BAD_SIGNATURE): tagmanifest-sha256.txt.sig: signed by {stranger.fingerprint()}; expected of acme: {ours}" in told
    assert "Did acme change its key?" in told


def test_f93_an_unsigned_bundle_is_refused_and_nothing_of_it_is_applied(plain: World) -> None:
    (one,) = sent(plain, ["Pump"])
    content = one.read_bytes()
    at, end = content.index(b"-----BEGIN SSH"), content.index(b"-----END SSH")
    armor = content[at:end].split(b"\n", 1)[0] + b"\n"
    put(plain.globex, one.name, content[:at] + armor + b"A" * (end - at - len(armor) - 1) + b"\n" + content[end:])
    assert "cannot be taken (BAD_SIGNATURE): tagmanifest-sha256.txt.sig: " in only(plain.globex.import_(), Damaged)
    assert plain.globex.desk.list() == ()


def test_f89_f90_what_cannot_be_opened_says_for_which_key_we_wait() -> None:
    with two_sites(encrypt=True) as world:
        (one,) = sent(world, ["Pump"])
        put(world.globex, one.name, one.read_bytes()[:-40])
        told = only(world.globex.import_(), Damaged)
        assert "(CANNOT_DECRYPT): damaged or cut off: not all of it is authentic" in told
        identity = world.globex.config.keys.age
        kept = identity.read_bytes()
        identity.unlink()
        recipient = age.make_identity(identity)
        put(world.globex, one.name, one.read_bytes())
        told = only(world.globex.import_(), Damaged)
        assert "(CANNOT_DECRYPT): encrypted for another key (rotated?)" in told
        assert f"Our recipient is {recipient}. Ask the sender to send it again for that one" in told
        identity.write_bytes(kept)
        deliver(world.globex, one)
        assert world.globex.import_().bundles == 1


def test_f92_what_is_held_is_refused_when_its_key_is_no_longer_trusted(plain: World) -> None:
    files = sent(plain, ["one", "two"])
    deliver(plain.globex, files[1])
    assert plain.globex.import_().held == 1
    signers = plain.globex.config.keys.allowed_signers
    own, theirs = signers.read_text().splitlines(keepends=True)
    signers.write_text(own)
    deliver(plain.globex, files[0])
    told = only(plain.globex.import_(), Damaged)
    assert "expected of acme: no key at all" in told
    signers.write_text(own + theirs)
    deliver(plain.globex, files[0])
    assert plain.globex.import_().bundles == 2


def test_f92_a_key_distrusted_after_a_bundle_was_stored_stops_it_before_the_first_change(plain: World) -> None:
    files = sent(plain, ["one", "two", "three"])
    deliver(plain.globex, files[0], files[2])
    assert plain.globex.import_().held == 1
    deliver(plain.globex, files[1])
    signers = plain.globex.config.keys.allowed_signers
    trusted = signers.read_text()
    own = trusted.splitlines(keepends=True)[0]

    def distrust(step: str) -> None:
        if step == "I11":
            signers.write_text(own)

    plain.globex.site.step = distrust
    with pytest.raises(BadBundle, match="BAD_SIGNATURE"):
        plain.globex.import_()
    assert summaries(plain.globex) == {"one"}
    signers.write_text(trusted)
    plain.globex.reopen()
    assert plain.globex.import_().bundles == 2


def test_f95_a_newer_format_is_held_where_it_is_and_says_so(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["Pump"])
    newer = forge(plain.acme, one.parent, features=["time-travel"], seq=2, prev=plain.acme.exchange().out_id)
    deliver(plain.globex, one, newer)
    done = plain.globex.import_()
    assert done.bundles == 1
    assert "made by a newer filesync: this one must be upgraded to read it" in only(done, Outside)
    deliver(plain.globex, forge(plain.acme, one.parent, format="fs2", seq=3, prev=plain.acme.exchange().out_id))
    told = only(plain.globex.import_(), NewerFormat)
    assert "partner uses a newer format (" in told
    assert "filesync 0.1.0" in told
    assert "It is held where it is; upgrade filesync here." in told
    assert quarantined(plain.globex) == []
    assert terminal(plain.globex, "import")[0] == ExitCode.WORK_LEFT


# ── a partner's words are data ──────────────────────────────────────────────────────────────────────────────────


def test_f96_f97_escape_codes_and_claims_never_reach_a_terminal_as_they_are(plain: World, terminal: Terminal) -> None:
    fields: dict[str, Value] = {"summary": f"Pump {ESCAPE}", "type": "Bug", "description": f"line\n{ESCAPE}" + "x" * 300}
    about = About(key=f"EVIL-1{ESCAPE}", author=f"root{ESCAPE}", at="2026-11-23T10:00:00.000Z")
    gid = make_gid(plain.acme.config.site, Kind.ISSUE, "900", "1763892000000")
    bug = Create(n=1, gid=gid, kind=Kind.ISSUE, fields=fields, about=about)
    orphan = Create(
        n=2,
        gid=make_gid(plain.acme.config.site, Kind.COMMENT, "901", "1763892000000"),
        kind=Kind.COMMENT,
        parent=make_gid(plain.acme.config.site, Kind.ISSUE, "999", "1763892000000"),
        fields={"body": ESCAPE},
        about=about,
    )
    wrong = Create(
        n=3,
        gid=make_gid(plain.acme.config.site, Kind.ISSUE, "902", "1763892000000"),
        kind=Kind.ISSUE,
        fields={"summary": ESCAPE, "type": f"No{ESCAPE}"},
        about=about,
    )
    path = forge(plain.acme, plain.acme.folder, changes=[bug, orphan, wrong], agent=f"evil{ESCAPE}", counts={"create": 3})
    deliver(plain.globex, path)
    (key,) = [one.key for one in plain.globex.desk.list()] or ["ABC-1"]
    printed = ""
    for words in (
        ("import",),
        ("status",),
        ("log",),
        ("stuck", "list"),
        ("conflicts",),
        ("issue", "list"),
        ("issue", "show", key),
        ("verify", str(path)),
        ("show", "--changes", str(path)),
    ):
        _, out, err = terminal(plain.globex, *words)
        printed += out + err
    assert "Pump \\x1b[31mred" in printed
    assert "EVIL-1\\x1b[31m" in printed
    assert "root\\x1b[31m" in printed
    for character in ("\x1b", "\x07", "\u202e"):
        assert character not in printed
    claimed = terminal(plain.globex, "show", "--changes", str(path))[1]
    assert "(claimed by acme: EVIL-1\\x1b[31m" in claimed


def test_f97_a_very_long_name_is_cut_where_it_is_shown(plain: World) -> None:
    put(plain.globex, "a" * 250 + ".tar", b"no bundle " * 200)
    told = only(plain.globex.import_(), Damaged)
    assert "a" * 80 + "… cannot be taken" in told


def test_a_bug_of_the_partners_is_no_reason_for_more_than_one_issue(plain: World) -> None:
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, changes=[a_bug(plain.acme)]))
    assert plain.globex.import_().bundles == 1
    assert summaries(plain.globex) == {"forged"}
