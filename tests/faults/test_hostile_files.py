"""Files that are forged, unsigned, locked for another key, or full of a partner's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.agent.incoming.arrivals import Damaged, Mistrusted, MoreSaid, NewerFormat, Outside, UnknownStream
from filesync.bundle import ustar
from filesync.bundle.verdict import BadBundle
from filesync.errors import ExitCode
from filesync.keys import age
from filesync.keys.sshsig import FileSigner, make_key
from filesync.ledger import streams
from filesync.model.change import Create
from filesync.model.ids import Generation, Kind, StreamId, make_gid
from filesync.model.issue import About
from filesync.model.values import Value
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
from tests.support.forged import a_bug, forge, head_of, newer
from tests.support.two_sites import World, two_sites


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


def test_f85_a_forgery_is_told_at_once_and_once_and_stays_until_it_has_settled(plain: World, tmp_path: Path) -> None:
    change_settings(plain.globex, settle="10m")
    stranger = make_key(tmp_path / "stranger", comment="")
    forged = forge(plain.acme, plain.acme.folder, signer=FileSigner(tmp_path / "stranger"))
    deliver(plain.globex, forged)
    told = only(plain.globex.import_(), Mistrusted)
    assert stranger.fingerprint() in told
    assert plain.acme.site.signer().public.fingerprint() in told
    assert plain.globex.import_().events == ()
    assert [path.name for path in inbox(plain.globex)] == [forged.name]
    plain.clock.advance(minutes=11)
    assert "(BAD_SIGNATURE)" in only(plain.globex.import_(), Damaged)
    assert (inbox(plain.globex), len(quarantined(plain.globex))) == ([], 1)


def test_a_forgery_that_the_honest_file_takes_the_place_of_is_forgotten(plain: World, tmp_path: Path) -> None:
    change_settings(plain.globex, settle="10m")
    make_key(tmp_path / "stranger", comment="")
    forged = forge(plain.acme, plain.acme.folder, signer=FileSigner(tmp_path / "stranger"))
    (honest,) = sent(plain, ["Pump"])
    put(plain.globex, honest.name, forged.read_bytes())
    only(plain.globex.import_(), Mistrusted)
    deliver(plain.globex, honest)
    assert plain.globex.import_().bundles == 1
    assert quarantined(plain.globex) == []


def test_the_partners_bundle_on_a_stream_we_do_not_know_is_told_and_left(plain: World) -> None:
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, stream=StreamId("5a" * 16)))
    told = only(plain.globex.import_(), UnknownStream)
    assert "from acme, but on a stream (5a5a5a5a) that we are not paired on" in told
    assert len(inbox(plain.globex)) == 1
    assert plain.globex.import_().events == ()
    with plain.globex.site.ledger.begin() as conn:
        streams.add_exchange(conn, "second", stream=StreamId("77" * 16), generation=Generation(1, "77" * 16))
        second = streams.exchange_named(conn, "second")
        assert second is not None
        streams.update_exchange(conn, second.id, in_stream="5a" * 16, partner_name="acme")
    (file,) = inbox(plain.globex)
    file.rename(file.with_name("renamed.tar"))
    assert plain.globex.import_().events == (), "it is left to the exchange that has it"


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
        assert "(CANNOT_DECRYPT): not all of it is authentic. It is in quarantine. It is damaged or cut off: copy" in told
        identity = world.globex.config.keys.age
        kept = identity.read_bytes()
        identity.unlink()
        recipient = age.make_identity(identity)
        put(world.globex, one.name, one.read_bytes())
        told = only(world.globex.import_(), Damaged)
        assert "(CANNOT_DECRYPT): encrypted for another key (rotated?)" in told
        assert f"Our recipient is {recipient}. If this file was made for an older one of ours" in told
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


def test_f95_fields_that_only_a_newer_partner_knows_are_told_once_and_the_bundle_is_applied(plain: World) -> None:
    first_one = forge(plain.acme, plain.acme.folder, dress=newer)
    deliver(plain.globex, first_one)
    done = plain.globex.import_()
    assert done.bundles == 1
    told = only(done, MoreSaid)
    assert "acme uses a newer filesync (filesync 0.1.0), whose bundles also say: mood, weather." in told
    (kept,) = plain.globex.config.folders.store.glob("*.tar")
    assert kept.read_bytes() == first_one.read_bytes()
    prev = head_of(kept, plain.globex).bundle_id
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, dress=newer, seq=2, prev=prev, changes=[]))
    done = plain.globex.import_()
    assert done.bundles == 1
    assert not [event for event in done.events if isinstance(event, MoreSaid)]


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
