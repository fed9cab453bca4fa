"""`filesync verify` and `filesync show`: a file looked into, whole, damaged, forged, locked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from filesync.bundle.layout import NAMESPACE
from filesync.cli.main import run
from filesync.errors import ExitCode
from filesync.keys.age import encrypt, make_identity, recipient_of
from filesync.keys.sshsig import FileSigner, make_key
from filesync.model.change import Create
from tests.support.bundles import CHANGES, GOLDEN, bag, packed
from tests.support.hostile import forge

FIRST = GOLDEN / "first.tar"


def verified(config: Path, *files: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = run(["-c", str(config), "verify", "--json", *map(str, files)])
    return status, json.loads(capsys.readouterr().out)


def signed_by(key: Path, raw_bag: object = None) -> bytes:
    one = bag(blobs=[b"one", b"two"])
    return packed(one, FileSigner(key).sign(one.tagmanifest, namespace=NAMESPACE))


# ── good ones ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_bundle_is_good_and_says_who_signed(globex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-c", str(globex), "verify", str(FIRST)]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "first.tar: good. changes 1 of acme for globex, generation 1" in out
    assert "signed by acme (SHA256:" in out
    assert out.endswith("1 good, 0 bad\n")


def test_an_encrypted_bundle_is_opened_and_nothing_of_it_stays(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = tmp_path / "first.tar.age"
    encrypt(FIRST, locked, recipients=[recipient_of(globex.parent / "keys" / "age.txt")])
    status, told = verified(globex, locked, capsys=capsys)
    assert status == ExitCode.DONE
    assert told["files"][0]["encrypted"]
    assert list((globex.parent / "state").iterdir()) == []


# ── bad ones ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_file_is_told_of_and_good_and_bad_are_counted(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.tar"
    other.write_text("<html>\x1b[31mYour attachment was removed")
    status, told = verified(globex, FIRST, tmp_path / "gone.tar", other, tmp_path, capsys=capsys)
    assert status == ExitCode.PARTNER
    assert (told["good"], told["bad"]) == (1, 3)
    assert [file["code"] for file in told["files"]] == ["", "UNREADABLE", "NOT_A_BUNDLE", "NOT_REGULAR"]
    run(["-c", str(globex), "verify", str(other)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "Your attachment was removed" in out


def test_a_pipe_is_not_waited_for(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    _, told = verified(globex, tmp_path / "pipe.tar", capsys=capsys)
    assert told["files"][0]["code"] == "NOT_REGULAR"


def test_f22_a_cut_off_file_says_what_is_missing(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.tar"
    cut.write_bytes(FIRST.read_bytes()[:-700])
    status, told = verified(globex, cut, capsys=capsys)
    assert status == ExitCode.PARTNER
    assert told["files"][0]["code"] == "INCOMPLETE"
    size = FIRST.stat().st_size
    assert f"after {size - 700} of {size} bytes" in told["files"][0]["problems"][0]["what"]


def test_f23_every_damaged_file_inside_is_named(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_key(tmp_path / "stranger", comment="")
    raw = signed_by(tmp_path / "stranger")
    for content in (b"one", b"two"):
        raw = raw.replace(content + bytes(509), content[::-1] + bytes(509))
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(raw)
    _, told = verified(globex, damaged, capsys=capsys)
    where = [problem["where"] for problem in told["files"][0]["problems"]]
    assert told["files"][0]["code"] == "BAD_HASH"
    assert len([place for place in where if place.startswith("data/blobs/")]) == 2
    assert where[-1] == "tagmanifest-sha256.txt.sig", "and the wrong signer is named as well"


def test_f85_a_strange_key_is_named_and_the_expected_one(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = make_key(tmp_path / "stranger", comment="")
    forged = tmp_path / "forged.tar"
    forged.write_bytes(signed_by(tmp_path / "stranger"))
    status, told = verified(globex, forged, capsys=capsys)
    what = told["files"][0]["problems"][0]["what"]
    assert status == ExitCode.PARTNER
    assert told["files"][0]["code"] == "BAD_SIGNATURE"
    assert stranger.fingerprint() in what
    assert "expected for acme: SHA256:" in what


def test_a_key_of_ours_does_not_sign_for_the_partner(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = tmp_path / "forged.tar"
    forged.write_bytes(signed_by(globex.parent / "keys" / "signing"))
    _, told = verified(globex, forged, capsys=capsys)
    assert told["files"][0]["code"] == "BAD_SIGNATURE"
    assert "the key of globex" in told["files"][0]["problems"][0]["what"]


def test_f86_a_signature_for_another_purpose_does_not_count(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = bag()
    forged = tmp_path / "forged.tar"
    signer = FileSigner(globex.parent / "keys" / "signing")
    forged.write_bytes(packed(one, signer.sign(one.tagmanifest, namespace="file")))
    _, told = verified(globex, forged, capsys=capsys)
    assert told["files"][0]["code"] == "BAD_SIGNATURE"


def test_f89_a_bundle_locked_for_another_key_says_so(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = tmp_path / "first.tar.age"
    encrypt(FIRST, locked, recipients=[make_identity(tmp_path / "other.txt")])
    _, told = verified(globex, locked, capsys=capsys)
    assert told["files"][0]["code"] == "CANNOT_DECRYPT"
    assert "encrypted for another key" in told["files"][0]["problems"][0]["what"]


def test_a_well_signed_bundle_with_a_bad_line_names_the_line(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = bag([CHANGES[0], CHANGES[2]])  # the second line says that it is the third
    signers = globex.parent / "keys" / "allowed_signers"
    key = make_key(tmp_path / "acme", comment="")
    signers.write_text(signers.read_text() + f"acme {key.text()}\n")
    odd = tmp_path / "odd.tar"
    odd.write_bytes(packed(one, FileSigner(tmp_path / "acme").sign(one.tagmanifest, namespace=NAMESPACE)))
    _, told = verified(globex, odd, capsys=capsys)
    assert told["files"][0]["problems"][0]["where"].startswith("data/changes.ndjson.zst line 2")


def test_verify_leaves_the_file_as_it_is(globex: Path, tmp_path: Path) -> None:
    copy = tmp_path / "first.tar"
    copy.write_bytes(FIRST.read_bytes())
    before = copy.stat()
    run(["-c", str(globex), "verify", str(copy)])
    after = copy.stat()
    assert (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size)


# ── show ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_show_tells_the_head(globex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-c", str(globex), "show", str(FIRST)]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "bundle      1 of generation 1, kind changes" in out
    assert "from        acme (11111111-" in out
    assert "holds       2 create, 1 delete, 1 set" in out
    assert "Pumpe" not in out


def test_show_changes_tells_every_change_with_its_values_escaped(globex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["-c", str(globex), "show", "--changes", str(FIRST)])
    out = capsys.readouterr().out
    assert "summary: Pumpe läuft heiß" in out
    assert "site: Basel / Halle 3" in out
    assert "(claimed by acme: ACME-17, Ana, 2026-11-23T10:00:00.000Z)" in out
    assert 'body: tab\\there, "quotes",\\nlines, 🙂 and \\x7f' in out
    assert "labels:field: (empty)" in out
    assert "     4  delete " in out


def test_show_as_json_is_the_header_as_it_was_signed_and_the_changes(globex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["-c", str(globex), "show", "--changes", "--json", str(FIRST)])
    told = json.loads(capsys.readouterr().out)
    assert told["header"]["from"]["name"] == "acme"
    assert told["signer"] == "acme"
    assert len(told["changes"]) == len(CHANGES)
    first = CHANGES[0]
    assert isinstance(first, Create)
    assert told["changes"][0]["fields"]["summary"] == first.fields["summary"]


def test_show_refuses_what_verify_calls_bad(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.tar"
    bad.write_bytes(forge())
    assert run(["-c", str(globex), "show", str(bad)]) == ExitCode.PARTNER
    out, err = capsys.readouterr()
    assert out == ""
    assert "filesync verify" in err


def test_our_own_outgoing_bundle_can_be_shown(globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Sent by acme, whose own key is the first of its allowed signers; what it encrypts, it encrypts to itself as well.
    own = tmp_path / "own.tar.age"
    encrypt(FIRST, own, recipients=[make_identity(tmp_path / "theirs.txt"), recipient_of(globex.parent / "keys" / "age.txt")])
    assert run(["-c", str(globex), "show", str(own)]) == ExitCode.DONE
    assert "encrypted   yes" in capsys.readouterr().out


def test_f43_verify_reads_from_the_medium_not_from_memory(
    globex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real = os.posix_fadvise

    def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
        assert (offset, length, advice) == (0, 0, os.POSIX_FADV_DONTNEED)
        done.append(Path("/proc/self/fd", str(descriptor)).readlink().name)
        real(descriptor, offset, length, advice)

    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("1.tar", "2.tar"):
        (stick / name).write_bytes(FIRST.read_bytes())
    monkeypatch.setattr(os, "posix_fadvise", advise)
    status, told = verified(globex, *sorted(stick.iterdir()), capsys=capsys)
    assert (status, told["good"]) == (ExitCode.DONE, 2)
    assert done == ["1.tar", "2.tar"]
