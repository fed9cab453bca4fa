"""Signatures: ours for ssh-keygen, ssh-keygen's for us, and nothing that was changed for either."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from filesync.errors import ExitCode, KeyProblem
from filesync.keys import sshsig
from filesync.keys.sshsig import BadSignature, CommandSigner, FileSigner, PublicKey, make_key, verify
from tests.support.programs import need

NAMESPACE = "filesync-bundle-v1@filesync"
MESSAGE = b"9d2e  bundle.json\n"
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the Ed25519 group, RFC 8032


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def armored(blob: bytes) -> bytes:
    text = base64.b64encode(blob).decode()
    lines = "\n".join(text[at : at + 70] for at in range(0, len(text), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n".encode()


def opened(signature: bytes) -> bytes:
    return base64.b64decode(b"".join(signature.splitlines()[1:-1]))


def keygen(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([need("ssh-keygen"), *map(str, arguments)], input=stdin, capture_output=True, check=False)


def says_good(
    folder: Path, key: PublicKey, signature: bytes, *, message: bytes = MESSAGE, namespace: str = NAMESPACE, site: str = "acme"
) -> bool:
    """Whether the real ssh-keygen finds the signature good, for a file of allowed signers with this key for acme."""
    (folder / "allowed").write_text(f"acme {key.text()}\n")
    (folder / "sig").write_bytes(signature)
    arguments: list[str | Path] = ["-f", folder / "allowed", "-I", site, "-n", namespace, "-s", folder / "sig"]
    return keygen("-Y", "verify", *arguments, stdin=message).returncode == 0


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    make_key(tmp_path / "key", comment="acme")
    return FileSigner(tmp_path / "key")


@pytest.fixture
def signature(signer: FileSigner) -> bytes:
    return signer.sign(MESSAGE, namespace=NAMESPACE)


def test_ssh_keygen_verifies_ours_and_refuses_other_data_namespace_identity_and_key(
    tmp_path: Path, signer: FileSigner, signature: bytes
) -> None:
    assert says_good(tmp_path, signer.public, signature)
    assert not says_good(tmp_path, signer.public, signature, message=MESSAGE + b"x")
    assert not says_good(tmp_path, signer.public, signature, namespace="file")
    assert not says_good(tmp_path, signer.public, signature, site="globex")
    assert not says_good(tmp_path, make_key(tmp_path / "other", comment=""), signature)


def test_ssh_keygen_and_we_write_the_same_bytes(tmp_path: Path, signature: bytes) -> None:
    done = keygen("-Y", "sign", "-f", tmp_path / "key", "-n", NAMESPACE, stdin=MESSAGE)
    assert done.stdout == signature


def test_we_verify_what_ssh_keygen_signed_with_its_own_key(tmp_path: Path) -> None:
    assert keygen("-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "theirs").returncode == 0
    signed = keygen("-Y", "sign", "-f", tmp_path / "theirs", "-n", NAMESPACE, stdin=MESSAGE).stdout
    public = PublicKey.parse((tmp_path / "theirs.pub").read_text())
    assert verify(MESSAGE, signed, namespace=NAMESPACE) == public
    assert FileSigner(tmp_path / "theirs").public == public


def test_f85_a_changed_message_is_refused_and_names_the_key(signer: FileSigner, signature: bytes) -> None:
    with pytest.raises(BadSignature, match="not over these bytes") as caught:
        verify(MESSAGE + b"x", signature, namespace=NAMESPACE)
    assert signer.public.fingerprint() in str(caught.value)
    assert caught.value.exit_code is ExitCode.PARTNER


def test_f86_another_namespace_is_refused_by_name(signer: FileSigner) -> None:
    elsewhere = signer.sign(MESSAGE, namespace="git")
    with pytest.raises(BadSignature, match="another purpose: 'git'"):
        verify(MESSAGE, elsewhere, namespace=NAMESPACE)


def test_f23_no_flipped_bit_of_a_signature_passes(signature: bytes) -> None:
    for at in range(len(signature)):
        for bit in range(8):
            flipped = bytearray(signature)
            flipped[at] ^= 1 << bit
            with pytest.raises(BadSignature):
                verify(MESSAGE, bytes(flipped), namespace=NAMESPACE)


def test_f22_no_cut_signature_passes(signature: bytes) -> None:
    for size in range(len(signature)):
        with pytest.raises(BadSignature):
            verify(MESSAGE, signature[:size], namespace=NAMESPACE)


@pytest.mark.parametrize(
    "other",
    [
        lambda s: s.replace(b"\n", b"\r\n"),
        lambda s: s + b"\n",
        lambda s: b"\n" + s,
        lambda s: s.replace(b"\n", b"\n ", 1),
        lambda s: armored(opened(s) + b"\0"),
        lambda s: s * 20,
        lambda s: b"",
    ],
    ids=["crlf", "line after", "line before", "blank inside", "byte after the blob", "long", "empty"],
)
def test_the_same_signature_in_another_dress_is_refused(signature: bytes, other: object) -> None:
    assert callable(other)
    with pytest.raises(BadSignature):
        verify(MESSAGE, other(signature), namespace=NAMESPACE)


def test_a_signature_with_another_hash_is_refused(tmp_path: Path, signer: FileSigner) -> None:
    arguments: list[str | Path] = ["-Y", "sign", "-f", tmp_path / "key", "-n", NAMESPACE, "-O", "hashalg=sha256"]
    signed = keygen(*arguments, stdin=MESSAGE)
    assert b"BEGIN SSH SIGNATURE" in signed.stdout
    with pytest.raises(BadSignature, match="not an SSH signature of the kind we take"):
        verify(MESSAGE, signed.stdout, namespace=NAMESPACE)


def test_an_rsa_signature_is_refused(tmp_path: Path) -> None:
    assert keygen("-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "rsa").returncode == 0
    signed = keygen("-Y", "sign", "-f", tmp_path / "rsa", "-n", NAMESPACE, stdin=MESSAGE).stdout
    with pytest.raises(BadSignature):
        verify(MESSAGE, signed, namespace=NAMESPACE)


def test_a_second_number_for_the_same_signature_is_refused(signature: bytes) -> None:
    """S and S + order solve the same equation; RFC 8032 takes only the smaller."""
    blob = opened(signature)
    s = int.from_bytes(blob[-32:], "little") + ORDER
    with pytest.raises(BadSignature, match="not over these bytes"):
        verify(MESSAGE, armored(blob[:-32] + s.to_bytes(32, "little")), namespace=NAMESPACE)


# ── security keys: made here by the book, since none is plugged in; the real ssh-keygen is the referee ───────────


def security_key_signature(*, flags: int = 1) -> tuple[PublicKey, bytes]:
    private = Ed25519PrivateKey.generate()
    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"
    key = string(kind) + string(private.public_key().public_bytes_raw()) + string(application)
    inside = b"SSHSIG" + string(NAMESPACE.encode()) + string(b"") + string(b"sha512")
    data = inside + string(hashlib.sha512(MESSAGE).digest())
    tail = bytes([flags]) + struct.pack(">I", 7)
    raw = private.sign(hashlib.sha256(application).digest() + tail + hashlib.sha256(data).digest())
    inner = string(kind) + string(raw) + tail
    blob = b"SSHSIG" + struct.pack(">I", 1) + string(key) + string(NAMESPACE.encode()) + string(b"") + string(b"sha512")
    return PublicKey.parse(f"{kind.decode()} {base64.b64encode(key).decode()}"), armored(blob + string(inner))


def test_a_security_keys_signature_is_taken_as_ssh_keygen_takes_it(tmp_path: Path) -> None:
    public, signature = security_key_signature()
    assert says_good(tmp_path, public, signature)
    assert verify(MESSAGE, signature, namespace=NAMESPACE) == public
    with pytest.raises(BadSignature):
        verify(MESSAGE + b"x", signature, namespace=NAMESPACE)


def test_f23_no_flipped_bit_of_a_security_keys_signature_passes() -> None:
    _, signature = security_key_signature()
    for at in range(len(signature)):
        for bit in range(8):
            flipped = bytearray(signature)
            flipped[at] ^= 1 << bit
            with pytest.raises(BadSignature):
                verify(MESSAGE, bytes(flipped), namespace=NAMESPACE)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_key_is_one_that_openssh_reads_and_only_we_may(tmp_path: Path) -> None:
    public = make_key(tmp_path / "key", comment="acme\n\x1b[31m")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert keygen("-y", "-f", tmp_path / "key").stdout.decode().strip() == public.text()
    assert (tmp_path / "key.pub").read_text() == f"{public.text()} acme  [31m\n"
    assert public.fingerprint() in keygen("-l", "-f", tmp_path / "key.pub").stdout.decode()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    make_key(tmp_path / "key", comment="")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(KeyProblem, match="there already"):
        make_key(tmp_path / "key", comment="")
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_private_key_that_others_may_use_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "our key"
    make_key(key, comment="")
    key.chmod(mode)
    with pytest.raises(KeyProblem, match=f"its mode is {mode:04o}") as caught:
        FileSigner(key)
    command = caught.value.hint.removeprefix("Run: ").partition(". ")[0]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert FileSigner(key).public


def test_other_private_keys_are_refused_and_no_secret_is_told(tmp_path: Path) -> None:
    keygen("-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "rsa")
    keygen("-q", "-t", "ed25519", "-N", "open sesame", "-f", tmp_path / "locked")
    (tmp_path / "junk").write_bytes(b"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n")
    (tmp_path / "long").write_bytes(b"x" * 70_000)
    for name in ("junk", "long"):
        (tmp_path / name).chmod(0o600)
    said = {}
    for name in ("rsa", "locked", "junk", "long", "missing"):
        with pytest.raises(KeyProblem) as caught:
            FileSigner(tmp_path / name)
        said[name] = str(caught.value)
        assert "c2VjcmV0" not in said[name]
        assert caught.value.exit_code is ExitCode.CONFIG
    assert "not an Ed25519 key" in said["rsa"]
    assert "passphrase" in said["locked"]
    assert "longer than" in said["long"]
    assert "no key file" in said["missing"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 é",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==",
        "ssh-ed25519 " + base64.b64encode(string(b"ssh-ed25519") + string(b"x" * 31)).decode(),
        "ssh-ed25519 " + base64.b64encode(string(b"ssh-ed25519") + string(b"x" * 32) + b"more").decode(),
        "ssh-rsa " + base64.b64encode(string(b"ssh-ed25519") + string(b"x" * 32)).decode(),
        "ssh-ed25519 " + base64.b64encode(string(b"ssh-ed25519") + b"\xff\xff\xff\xff").decode(),
        "ssh-other " + base64.b64encode(string(b"ssh-other") + string(b"x" * 32) + string(b"ssh:")).decode(),
    ],
)
def test_what_is_no_ed25519_public_key_is_refused(text: str) -> None:
    with pytest.raises(KeyProblem):
        PublicKey.parse(text)


# ── signing commands ────────────────────────────────────────────────────────────────────────────────────────────


def test_ssh_keygen_as_signing_command(tmp_path: Path, signer: FileSigner, signature: bytes) -> None:
    by_command = CommandSigner([need("ssh-keygen"), "-Y", "sign", "-f", str(tmp_path / "key")], public=signer.public)
    assert by_command.sign(MESSAGE, namespace=NAMESPACE) == signature


def test_a_command_that_signs_with_another_key_is_refused(tmp_path: Path, signer: FileSigner) -> None:
    make_key(tmp_path / "other", comment="")
    by_command = CommandSigner([need("ssh-keygen"), "-Y", "sign", "-f", str(tmp_path / "other")], public=signer.public)
    with pytest.raises(KeyProblem, match=re.escape(f"expected {signer.public.fingerprint()}")):
        by_command.sign(MESSAGE, namespace=NAMESPACE)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("cat", "no usable signature"),
        ("echo 'agent refused operation' >&2; exit 3", "ended with 3: 'agent refused operation'"),
    ],
)
def test_a_command_that_fails_is_told_with_its_own_words(signer: FileSigner, script: str, said: str) -> None:
    with pytest.raises(KeyProblem, match=said):
        CommandSigner(["/bin/sh", "-c", script], public=signer.public).sign(MESSAGE, namespace=NAMESPACE)


def test_a_command_that_is_missing_or_never_ends_is_told(tmp_path: Path, signer: FileSigner) -> None:
    with pytest.raises(KeyProblem, match="cannot be run"):
        CommandSigner([os.fspath(tmp_path / "none")], public=signer.public).sign(MESSAGE, namespace=NAMESPACE)
    with pytest.raises(KeyProblem, match="gave no signature within"):
        CommandSigner(["/bin/sh", "-c", "exec sleep 600"], public=signer.public, timeout=0.1).sign(MESSAGE, namespace=NAMESPACE)


def test_the_limit_on_signatures_is_asked_before_anything_is_decoded() -> None:
    with pytest.raises(BadSignature, match="none of ours"):
        verify(MESSAGE, b"A" * (sshsig.MAX_SIGNATURE + 1), namespace=NAMESPACE)
