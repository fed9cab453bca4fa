"""Encryption with age (X25519), file to file in constant memory: what `age -r` and `age -d` write and read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyrage

from filesync.errors import DiskProblem, KeyProblem, PartnerError, disk_problem
from filesync.keys import keyfile

_MAGIC = b"age-encryption.org/v1\n"
_OTHER_KEY = "No matching keys"  # how pyrage says that no identity fits; a test watches it
_AGAIN = "It is damaged or cut off: copy it again, or ask the sender to send it again."


class CannotDecrypt(PartnerError):
    """The file is for another key, or it is damaged or cut off. Nothing of it was kept."""


class ForAnotherKey(CannotDecrypt):
    """The header is whole, and none of our identities opens it."""


def make_identity(path: Path) -> str:
    """A new identity in `path` (0600, as age-keygen writes it); its recipient, `age1…`. Raises KeyProblem, DiskProblem."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    keyfile.create(path, f"# public key: {recipient}\n{identity}\n".encode())
    return recipient


def turn_identity(path: Path) -> str:
    """A new identity before those in the file, which still open what was encrypted for them; its recipient.

    Raises KeyProblem, DiskProblem.
    """
    before = keyfile.read_private(path)
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    keyfile.replace(path, f"# public key: {recipient}\n{identity}\n".encode() + before, mode=0o600)
    return recipient


def recipient_of(path: Path) -> str:
    """The recipient, `age1…`, of the first identity in the file: the one that partners encrypt to. Raises KeyProblem."""
    return str(_identities(path)[0].to_public())


def parse_recipient(text: str) -> str:
    """The recipient, checked. Raises KeyProblem."""
    try:
        return str(pyrage.x25519.Recipient.from_str(text))
    except (pyrage.RecipientError, UnicodeEncodeError):
        raise KeyProblem(
            f"not an age recipient: {keyfile.quoted(text)}",
            hint="It starts with age1 and has 62 letters and digits; is one mistyped?",
        ) from None


def encrypt(source: Path, target: Path, *, recipients: Sequence[str]) -> None:
    """Encrypt to all recipients; give our own too, or we could not read it again. Raises KeyProblem, DiskProblem."""
    keys = [pyrage.x25519.Recipient.from_str(parse_recipient(text)) for text in recipients]
    with _files(source, target) as (reader, writer):
        pyrage.encrypt_io(reader, writer, keys)


def decrypt(source: Path, target: Path, *, identity: Path) -> None:
    """Decrypt with any identity of the file. `target` appears when the last byte was authenticated, or not at all.

    Raises CannotDecrypt, KeyProblem, DiskProblem.
    """
    keys = _identities(identity)
    with _opened(source) as file:
        if not is_age(file.read(len(_MAGIC))):
            raise CannotDecrypt("not an age file, or its start is missing", hint=_AGAIN)
    try:
        with _files(source, target) as (reader, writer):
            pyrage.decrypt_io(reader, writer, keys)
    except pyrage.DecryptError as error:
        if _OTHER_KEY not in str(error):
            raise CannotDecrypt("the age header is not whole", hint=_AGAIN) from None
        raise ForAnotherKey(
            "encrypted for another key (rotated?)",
            hint=f"Our recipient is {keys[0].to_public()}. If this file was made for an older one of ours, "
            "add the old identity as a line to the identity file; else ask the sender for whom it was made.",
        ) from None


def is_age(first_bytes: bytes) -> bool:
    """Whether a file that starts like this is an age file (binary; armor is for mail, not for us)."""
    return first_bytes.startswith(_MAGIC)


def _identities(path: Path) -> list[pyrage.x25519.Identity]:
    """The identities of an age-keygen file; the first is the current one. Raises KeyProblem."""
    lines = [line.strip() for line in keyfile.read_private(path).split(b"\n")]
    try:
        found = [pyrage.x25519.Identity.from_str(line.decode()) for line in lines if line and not line.startswith(b"#")]
    except (pyrage.IdentityError, UnicodeDecodeError):
        found = []
    if not found:
        raise KeyProblem(f"not an age identity file: {str(path)!r}", hint="Make one with: age-keygen -o FILE")
    return found


class _Watched:
    """A file whose own failure is remembered: pyrage turns it into an error that no longer says what happened."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self.problem: DiskProblem | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.problem = disk_problem(error, self._path, doing="read")
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.problem = disk_problem(error, self._path)
            raise

    def flush(self) -> None:
        """Pyrage asks for it; what counts is the fsync that follows."""


@contextmanager
def _files(source: Path, target: Path) -> Iterator[tuple[_Watched, _Watched]]:
    """Both files open. The target gets its name when all went well, on disk; else nothing is left. Raises DiskProblem."""
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with _opened(source) as file, _new(temporary) as made:
            reader, writer = _Watched(file, source), _Watched(made, target)
            try:
                yield reader, writer
            except (OSError, pyrage.EncryptError, pyrage.DecryptError) as error:
                if problem := writer.problem or reader.problem:
                    raise problem from error
                raise
            made.flush()
            os.fsync(made.fileno())
        temporary.replace(target)
        keyfile.fsync_folder(target.parent)
    except OSError as error:
        if error.errno is None:  # pyrage's word for a chunk that is not authentic or not there
            raise CannotDecrypt("not all of it is authentic", hint=_AGAIN) from None
        raise disk_problem(error, target) from error
    finally:
        with suppress(OSError):  # the disk that failed was told of already; the next attempt removes it
            temporary.unlink(missing_ok=True)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
