"""SSH signatures over bytes, the kind that `ssh-keygen -Y verify` checks: Ed25519 and SHA-512, nothing else.

The format is OpenSSH's PROTOCOL.sshsig, key and signature encodings are RFC 8709's and, for security keys,
PROTOCOL.u2f's. Whatever is not, byte for byte, how it would be written here is refused: no bit of a signature
file can change and the signature still be taken.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from filesync.errors import KeyProblem, PartnerError
from filesync.keys import keyfile

ED25519 = "ssh-ed25519"
SECURITY_KEY = "sk-ssh-ed25519@openssh.com"
PUBLIC = "{public}"  # in a signing command: a file with the public half of the key that is to sign
MAX_SIGNATURE = 4_096  # bytes of armored text; a real one has about 300

_MAGIC = b"SSHSIG"
_VERSION = 1
_HASH = b"sha512"
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_WIDTH = 70  # characters in a line of armor, as ssh-keygen writes them
_RAW_KEY, _RAW_SIGNATURE = 32, 64  # bytes, RFC 8032
_SIGNING_TIMEOUT = 120.0  # seconds: a security key waits for a touch


class BadSignature(PartnerError):
    """The signature is damaged, of a kind we do not take, or not over these bytes."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as OpenSSH writes it. `blob` is what stands behind the base64, well-formed once `parse` made it."""

    kind: str
    blob: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read `ssh-ed25519 AAAA…`, a comment may follow. Raises KeyProblem."""
        words = text.split()
        if len(words) < 2:  # noqa: PLR2004 - kind and key
            raise KeyProblem(f"not a public key: {keyfile.quoted(text)}", hint="It looks like: ssh-ed25519 AAAAC3Nza…")
        try:
            blob = base64.b64decode(words[1], validate=True)
            key = _public_key(blob)
        except (ValueError, UnicodeEncodeError):
            raise KeyProblem(
                f"not an Ed25519 public key: {keyfile.quoted(words[0])} and more",
                hint=f"Taken are {ED25519} and {SECURITY_KEY}. Make one with: ssh-keygen -t ed25519",
            ) from None
        if key.text() != f"{words[0]} {words[1]}":
            raise KeyProblem(
                f"a public key that says two different kinds: {keyfile.quoted(words[0])} and {keyfile.quoted(key.kind)}"
            )
        return key

    def text(self) -> str:
        """`ssh-ed25519 AAAA…`, as in a .pub file, without the comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class Signer(Protocol):
    """Whoever signs what we send."""

    @property
    def public(self) -> PublicKey:
        """The key that the signatures verify with."""
        ...

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        """The armored signature over the message. Raises KeyProblem."""
        ...


class FileSigner:
    """Signs with an OpenSSH private key file. Raises KeyProblem when it is not an Ed25519 key that is ours alone."""

    def __init__(self, path: Path) -> None:
        data = keyfile.read_private(path)
        try:
            key = serialization.load_ssh_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyProblem(
                f"cannot use {str(path)!r}: not an OpenSSH private key, or it has a passphrase",
                hint="For a key with a passphrase name a signing command (ssh-agent) in the configuration.",
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyProblem(f"cannot use {str(path)!r}: not an Ed25519 key", hint="Make one with: ssh-keygen -t ed25519")
        self._key = key
        self.public = PublicKey(ED25519, _raw_blob(key.public_key()))

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        """The armored signature over the message."""
        raw = self._key.sign(_signed_data(namespace, message))
        return _armor(self.public.blob, namespace.encode(), _string(ED25519.encode()) + _string(raw))


class CommandSigner:
    """Signs with a command of the operator's: `ssh-keygen -Y sign -f KEY` with an agent or a security key, an HSM's tool.

    `-n NAMESPACE` is appended; the message is its standard input, the armored signature its standard output. `{public}` in
    its words stands for a file with the public half of the key that is to sign: so one command signs with any of several.
    """

    def __init__(self, command: Sequence[str], *, public: PublicKey, timeout: float = _SIGNING_TIMEOUT) -> None:
        self.public = public
        self._command = tuple(command)
        self._timeout = timeout

    def sign(self, message: bytes, *, namespace: str) -> bytes:
        """The armored signature, verified. Raises KeyProblem: the command fails, takes too long, or signs something else."""
        name = self._command[0]
        try:
            with self._words() as words:
                argv = [*words, "-n", namespace]
                done = subprocess.run(argv, input=message, capture_output=True, timeout=self._timeout, check=False)
        except subprocess.TimeoutExpired:
            raise KeyProblem(
                f"the signing command {name!r} gave no signature within {self._timeout:.0f} s",
                hint="Does a security key wait for a touch, or the command for a passphrase?",
            ) from None
        except OSError as error:
            raise KeyProblem(f"the signing command {name!r} cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip()[-200:]
            raise KeyProblem(f"the signing command {name!r} ended with {done.returncode}: {told!r}")
        try:
            signed_by = verify(message, done.stdout, namespace=namespace)
        except BadSignature as error:
            raise KeyProblem(f"the signing command {name!r} made no usable signature: {error}") from error
        if signed_by != self.public:
            raise KeyProblem(
                f"the signing command {name!r} signed with {signed_by.fingerprint()}, expected {self.public.fingerprint()}",
                hint="Nothing was sent. Let it sign with that key; where the key was changed for good, see docs/keys.md.",
            )
        return done.stdout

    @contextmanager
    def _words(self) -> Iterator[list[str]]:
        """The command's words, with a file for the key where they name one."""
        if not chooses(self._command):
            yield list(self._command)
            return
        with tempfile.TemporaryDirectory(prefix="filesync-") as folder:
            file = Path(folder) / "signing.pub"
            file.write_text(f"{self.public.text()}\n")
            yield [word.replace(PUBLIC, str(file)) for word in self._command]


def chooses(command: Sequence[str]) -> bool:
    """Whether a signing command can be told which key to sign with."""
    return any(PUBLIC in word for word in command)


def verify(message: bytes, signature: bytes, *, namespace: str) -> PublicKey:
    """Who signed these bytes in this namespace. Whether that key may is asked of the allowed signers. Raises BadSignature."""
    key, inner = _open(signature, namespace)
    data = _signed_data(namespace, message)
    raw, tail = _take(inner, len(key.kind) + 4)
    if key.kind == SECURITY_KEY:
        # PROTOCOL.u2f: the authenticator signs hash(application), its flags and counter, hash(data). A touch is not asked
        # for: that is the key owner's own setting, and an agent signs at night.
        application = _fields(key.blob, 3)[2]
        data = hashlib.sha256(application).digest() + tail + hashlib.sha256(data).digest()
    try:
        Ed25519PublicKey.from_public_bytes(_fields(key.blob, 2)[1]).verify(raw, data)
    except (InvalidSignature, ValueError):
        raise BadSignature(
            f"the signature of {key.fingerprint()} is not over these bytes",
            hint="The file was changed after it was signed. Ask the sender to send it again.",
        ) from None
    return key


def make_key(path: Path, *, comment: str) -> PublicKey:
    """A new Ed25519 key: the private one in `path` (OpenSSH, 0600), the public one beside it in `path`.pub.

    The comment stands in the .pub file, for people. Raises KeyProblem where either file exists, DiskProblem.
    """
    key = Ed25519PrivateKey.generate()
    public = PublicKey(ED25519, _raw_blob(key.public_key()))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    keyfile.create(path, private)
    one_line = "".join(letter if letter.isprintable() else " " for letter in comment)
    keyfile.create(Path(f"{os.fspath(path)}.pub"), f"{public.text()} {one_line}\n".encode(), mode=0o644)
    return public


def _string(data: bytes) -> bytes:
    """An SSH string: four bytes of length, then the bytes (RFC 4251)."""
    return struct.pack(">I", len(data)) + data


def _fields(data: bytes, count: int) -> list[bytes]:
    """The first SSH strings. Raises ValueError where the bytes end early."""
    found, at = [], 0
    for _ in range(count):
        if len(data) < at + 4:
            raise ValueError("short")
        (size,) = struct.unpack_from(">I", data, at)
        at += 4 + size
        if len(data) < at:
            raise ValueError("short")
        found.append(data[at - size : at])
    return found


def _raw_blob(key: Ed25519PublicKey) -> bytes:
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _string(ED25519.encode()) + _string(raw)


def _public_key(blob: bytes) -> PublicKey:
    """The key in a blob that is exactly one Ed25519 key. Raises ValueError."""
    kind = _fields(blob, 1)[0]
    if kind not in {ED25519.encode(), SECURITY_KEY.encode()}:
        raise ValueError("kind")
    parts = _fields(blob, 2 if kind == ED25519.encode() else 3)
    if len(parts[1]) != _RAW_KEY or b"".join(map(_string, parts)) != blob:
        raise ValueError("key")
    return PublicKey(kind.decode(), blob)


def _signed_data(namespace: str, message: bytes) -> bytes:
    digest = hashlib.sha512(message).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(_HASH) + _string(digest)


def _armor(key: bytes, namespace: bytes, inner: bytes) -> bytes:
    version = struct.pack(">I", _VERSION)
    blob = _MAGIC + version + _string(key) + _string(namespace) + _string(b"") + _string(_HASH) + _string(inner)
    text = base64.b64encode(blob)
    lines = b"".join(text[at : at + _WIDTH] + b"\n" for at in range(0, len(text), _WIDTH))
    return _BEGIN + lines + _END


def _take(inner: bytes, at: int) -> tuple[bytes, bytes]:
    """The raw signature that stands behind the kind's name, and what follows it."""
    end = at + 4 + _RAW_SIGNATURE
    return inner[at + 4 : end], inner[end:]


def _open(signature: bytes, namespace: str) -> tuple[PublicKey, bytes]:
    """The key and the inner signature of an armored one. Raises BadSignature."""
    if len(signature) > MAX_SIGNATURE:
        raise BadSignature(f"a signature of {len(signature)} bytes is none of ours")
    try:
        key, told, inner = _parse(signature)
    except ValueError:
        raise BadSignature(
            "not an SSH signature of the kind we take (Ed25519, SHA-512), or it is damaged",
            hint="Ask the sender to send the file again.",
        ) from None
    if told != namespace.encode():
        raise BadSignature(
            f"signed for another purpose: {told[:60].decode(errors='replace')!r}, expected {namespace!r}",
            hint="A signature made for something else counts for nothing here. Tell the sender.",
        )
    return key, inner


def _parse(signature: bytes) -> tuple[PublicKey, bytes, bytes]:
    """The key, the namespace and the inner signature. Raises ValueError for any text that would not be written here."""
    blob = base64.b64decode(signature[len(_BEGIN) : -len(_END)])
    key_blob, namespace, _, _, inner = _fields(blob[len(_MAGIC) + 4 :], 5)
    key = _public_key(key_blob)
    raw, tail = _take(inner, len(key.kind) + 4)
    flags = 5 if key.kind == SECURITY_KEY else 0  # one byte of flags, four of a counter
    if len(raw) != _RAW_SIGNATURE or len(tail) != flags or inner != _string(key.kind.encode()) + _string(raw) + tail:
        raise ValueError("inner signature")
    # Written again it must be the same text: no other armor, base64, version, hash, nor a byte too many is taken.
    if _armor(key_blob, namespace, inner) != signature:
        raise ValueError("form")
    return key, namespace, inner
