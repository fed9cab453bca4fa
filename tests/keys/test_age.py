"""Encryption: the real age reads ours, we read the real age's, and a cut file leaves nothing behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from filesync.errors import DiskProblem, ExitCode, KeyProblem, StorageFailure
from filesync.keys import age, keyfile
from filesync.keys.age import CannotDecrypt
from tests.support.disk import failing, small_disk
from tests.support.programs import need

CONTENT = os.urandom(300_000)  # some of age's chunks of 64 KiB

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recipient(tmp_path: Path) -> str:
    (tmp_path / "plain").write_bytes(CONTENT)
    return age.make_identity(tmp_path / "identity")


@pytest.fixture
def encrypted(tmp_path: Path, recipient: str) -> Path:
    age.encrypt(tmp_path / "plain", tmp_path / "b.tar.age", recipients=[recipient])
    return tmp_path / "b.tar.age"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_real_age_decrypts_ours_for_each_recipient(tmp_path: Path, recipient: str) -> None:
    other = age.make_identity(tmp_path / "other")
    age.encrypt(tmp_path / "plain", tmp_path / "both.age", recipients=[recipient, other])
    for identity in ("identity", "other"):
        done = subprocess.run(
            [need("age"), "-d", "-i", tmp_path / identity, tmp_path / "both.age"], capture_output=True, check=True
        )
        assert done.stdout == CONTENT


def test_we_decrypt_what_the_real_age_encrypted(tmp_path: Path, recipient: str) -> None:
    subprocess.run([need("age"), "-r", recipient, "-o", tmp_path / "x.age", tmp_path / "plain"], check=True)
    age.decrypt(tmp_path / "x.age", tmp_path / "out", identity=tmp_path / "identity")
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_identities_are_those_of_age_keygen(tmp_path: Path, recipient: str) -> None:
    done = subprocess.run([need("age-keygen"), "-y", tmp_path / "identity"], capture_output=True, check=True)
    assert done.stdout.decode().strip() == recipient == age.recipient_of(tmp_path / "identity")
    subprocess.run([need("age-keygen"), "-o", tmp_path / "theirs"], capture_output=True, check=True)
    assert age.recipient_of(tmp_path / "theirs") in (tmp_path / "theirs").read_text()
    assert (tmp_path / "identity").stat().st_mode & 0o777 == 0o600


def test_f89_encrypted_for_another_key_says_so_and_names_ours(tmp_path: Path, encrypted: Path) -> None:
    new = age.make_identity(tmp_path / "new")
    with pytest.raises(CannotDecrypt, match=r"encrypted for another key \(rotated\?\)") as caught:
        age.decrypt(encrypted, tmp_path / "out", identity=tmp_path / "new")
    assert new in caught.value.hint
    assert "add the old identity" in caught.value.hint
    assert caught.value.exit_code is ExitCode.PARTNER


def test_f91_an_old_identity_kept_in_the_file_still_opens_old_files(tmp_path: Path, encrypted: Path) -> None:
    new = age.make_identity(tmp_path / "new")
    with (tmp_path / "new").open("ab") as file:
        file.write((tmp_path / "identity").read_bytes())
    age.decrypt(encrypted, tmp_path / "out", identity=tmp_path / "new")
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert age.recipient_of(tmp_path / "new") == new


def test_f90_a_cut_age_file_leaves_nothing_behind(tmp_path: Path, encrypted: Path) -> None:
    whole = encrypted.read_bytes()
    before = names(tmp_path)
    for size in [*range(0, 400, 7), 65_536, 65_800, 200_000, len(whole) - 16, len(whole) - 1]:
        encrypted.write_bytes(whole[:size])
        with pytest.raises(CannotDecrypt):
            age.decrypt(encrypted, tmp_path / "out", identity=tmp_path / "identity")
        assert names(tmp_path) == before


def test_f23_a_flipped_bit_of_an_age_file_leaves_nothing_behind(tmp_path: Path, encrypted: Path) -> None:
    whole = encrypted.read_bytes()
    before = names(tmp_path)
    for at in [*range(0, 240, 3), 1000, 70_000, len(whole) - 1]:
        flipped = bytearray(whole)
        flipped[at] ^= 1
        encrypted.write_bytes(flipped)
        with pytest.raises(CannotDecrypt):
            age.decrypt(encrypted, tmp_path / "out", identity=tmp_path / "identity")
        assert names(tmp_path) == before


def test_f90_a_cut_within_the_header_is_not_taken_for_another_key(tmp_path: Path, encrypted: Path) -> None:
    encrypted.write_bytes(encrypted.read_bytes()[:100])
    with pytest.raises(CannotDecrypt, match="the age header is not whole"):
        age.decrypt(encrypted, tmp_path / "out", identity=tmp_path / "identity")


def test_a_file_that_is_not_encrypted_is_told_from_a_damaged_one(tmp_path: Path, encrypted: Path) -> None:
    assert age.is_age(encrypted.read_bytes()[:512])
    assert not age.is_age(b"")
    assert not age.is_age(b"fs1_g0001_0000000417/")
    with pytest.raises(CannotDecrypt, match="not an age file"):
        age.decrypt(tmp_path / "plain", tmp_path / "out", identity=tmp_path / "identity")


def test_f60_memory_does_not_grow_with_the_file(tmp_path: Path, recipient: str) -> None:
    size = 192 << 20
    with (tmp_path / "big").open("wb") as file:
        file.truncate(size)
    program = (
        "import sys; from pathlib import Path; from filesync.keys import age; from tests.support.memory import from_now\n"
        "folder, recipient = Path(sys.argv[1]), sys.argv[2]\n"
        "age.encrypt(folder / 'plain', folder / 'warm', recipients=[recipient])\n"
        "age.decrypt(folder / 'warm', folder / 'warm2', identity=folder / 'identity')\n"
        "most = from_now()\n"
        "age.encrypt(folder / 'big', folder / 'big.age', recipients=[recipient])\n"
        "age.decrypt(folder / 'big.age', folder / 'big2', identity=folder / 'identity')\n"
        "print(most())\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path, recipient], cwd=ROOT, capture_output=True, check=True)
    assert (tmp_path / "big2").stat().st_size == size
    assert int(done.stdout) * 1024 < size / 8


def test_f44_a_full_disk_is_told_and_nothing_is_left_on_it(tmp_path: Path, recipient: str) -> None:
    with small_disk(tmp_path / "small", kilobytes=128) as small:
        with pytest.raises(DiskProblem, match="no space on the disk of") as caught:
            age.encrypt(tmp_path / "plain", small / "b.tar.age", recipients=[recipient])
        assert caught.value.exit_code is ExitCode.DISK
        assert names(small) == set()
        age.encrypt(tmp_path / "plain", tmp_path / "b.tar.age", recipients=[recipient])
        with pytest.raises(DiskProblem, match="no space on the disk of"):
            age.decrypt(tmp_path / "b.tar.age", small / "b.tar", identity=tmp_path / "identity")
        assert names(small) == set()


def test_f47_a_failing_fsync_is_a_storage_failure(tmp_path: Path, recipient: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(tmp_path)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StorageFailure, match="the disk failed"):
        age.encrypt(tmp_path / "plain", tmp_path / "b.tar.age", recipients=[recipient])
    with pytest.raises(StorageFailure):
        keyfile.create(tmp_path / "new", b"x")
    assert names(tmp_path) == before


def test_a_read_error_is_told_as_such_not_as_a_damaged_file(tmp_path: Path, recipient: str) -> None:
    """The first page of a process' memory can be opened but not read: the failure comes up within pyrage."""
    with pytest.raises(StorageFailure, match="cannot read '/proc/self/mem'"):
        age.encrypt(Path("/proc/self/mem"), tmp_path / "b.tar.age", recipients=[recipient])
    with pytest.raises(DiskProblem, match="No such file"):
        age.decrypt(tmp_path / "none", tmp_path / "out", identity=tmp_path / "identity")


def test_recipients_and_identities_that_are_none_are_refused_without_telling_secrets(tmp_path: Path, recipient: str) -> None:
    with pytest.raises(KeyProblem, match="not an age recipient"):
        age.encrypt(tmp_path / "plain", tmp_path / "x", recipients=[recipient[:-1] + ("q" if recipient[-1] != "q" else "p")])
    secret = (tmp_path / "identity").read_text().splitlines()[1]
    (tmp_path / "bad").write_text(secret[:-1])
    (tmp_path / "bad").chmod(0o600)
    with pytest.raises(KeyProblem, match="not an age identity file") as caught:
        age.recipient_of(tmp_path / "bad")
    assert secret[20:40] not in str(caught.value) + caught.value.hint
    (tmp_path / "identity").chmod(0o644)
    with pytest.raises(KeyProblem, match="others may use the private key"):
        age.recipient_of(tmp_path / "identity")
    with pytest.raises(KeyProblem, match="never overwritten"):
        age.make_identity(tmp_path / "identity")
