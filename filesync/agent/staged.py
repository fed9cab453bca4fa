"""Reading a bundle file that stands in a private folder: the whole of it verified first, then its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from filesync.agent.members import member_chunks
from filesync.bundle.agreement import Agreement, read_agreement
from filesync.bundle.changes import CHANGES, checked_changes, read_changes
from filesync.bundle.introduction import Introduction, read_introduction
from filesync.bundle.limits import Limits
from filesync.bundle.read import Bundle, Head, Reader
from filesync.bundle.verdict import BadBundle, Code, Incomplete, bad
from filesync.bundle.write import NAMESPACE
from filesync.errors import Problem, StorageFailure
from filesync.exchange import files
from filesync.keys import sshsig
from filesync.keys.sshsig import BadSignature, PublicKey
from filesync.model.change import Change
from filesync.model.ids import BundleId

LIMITS = Limits()


class OtherSigner(BadBundle):
    """The signature is right, and made by a key that is not the expected one."""


def read_whole(path: Path, *, check: Callable[[Head], None]) -> Bundle | Incomplete:
    """Read every byte. `check` is asked about the head before anything behind it is read.

    Raises BadBundle, DiskProblem, and what `check` raises.
    """
    reader = Reader(LIMITS)
    asked = False
    for chunk in files.read(path):
        reader.feed(chunk)
        if reader.head is not None and not asked:
            check(reader.head)
            asked = True
    return reader.close()


def check_signature(head: Head, keys: Iterable[PublicKey], *, signer: str) -> PublicKey:
    """Who signed it, of these keys. Raises BadBundle (BAD_SIGNATURE); OtherSigner where the signature itself is right."""
    allowed = list(keys)
    try:
        key = sshsig.verify(head.tagmanifest, head.signature, namespace=NAMESPACE)
    except BadSignature as error:
        raise bad(Code.BAD_SIGNATURE, "tagmanifest-sha256.txt.sig", str(error), hint=error.hint) from None
    if key not in allowed:
        expected = ", ".join(one.fingerprint() for one in allowed) or "no key at all"
        what = f"signed by {key.fingerprint()}; expected of {signer}: {expected}"
        raise OtherSigner(
            Code.BAD_SIGNATURE,
            [Problem("tagmanifest-sha256.txt.sig", what)],
            hint=f"Nothing of it was applied. Did {signer} change its key? Ask there; a new key comes in a new pairing file.",
        )
    return key


def check_own(path: Path, bundle_id: BundleId, key: PublicKey) -> None:
    """Read a bundle of ours back before it leaves (X7). Raises StorageFailure."""
    whole = read_whole(path, check=lambda head: _signed_by(head, key))
    if isinstance(whole, Incomplete) or whole.head.bundle_id != bundle_id:
        raise StorageFailure(
            f"{path.name} reads back as another file than was written",
            hint="It was not published and its number is kept. Check the disk, then run filesync export again.",
        )


def _signed_by(head: Head, key: PublicKey) -> None:
    check_signature(head, [key], signer="this site")


def introduction(path: Path, bundle: Bundle) -> Introduction:
    """What a verified bundle of kind keys says. Raises BadBundle, DiskProblem."""
    declared = next(one.content_size for one in bundle.head.header.files if one.path == CHANGES)
    return read_introduction(member_chunks(path, bundle.members[CHANGES]), declared=declared, limits=LIMITS)


def agreement(path: Path, bundle: Bundle) -> Agreement:
    """What a verified bundle of kind contract says. Raises BadBundle, DiskProblem."""
    declared = next(one.content_size for one in bundle.head.header.files if one.path == CHANGES)
    return read_agreement(member_chunks(path, bundle.members[CHANGES]), declared=declared, limits=LIMITS)


class Changes:
    """The changes of a verified bundle; iterating reads them from the file again, each line checked."""

    _KEPT: Final = 8 << 20  # bytes of lines that are kept decoded between being checked and being applied

    def __init__(self, path: Path, bundle: Bundle) -> None:
        self._path = path
        self._member = bundle.members[CHANGES]
        self._declared = next(one.content_size for one in bundle.head.header.files if one.path == CHANGES)

    def __iter__(self) -> Iterator[Change]:
        chunks = member_chunks(self._path, self._member)
        return read_changes(chunks, declared=self._declared, limits=LIMITS)

    def checked(self) -> tuple[int, Iterable[Change]]:
        """Every line checked: how many there are, and the changes. Raises BadBundle, DiskProblem.

        Those of an ordinary bundle are kept from this reading; of a large one they are read once more, not checked again.
        """
        if self._declared <= self._KEPT:
            kept = list(self)
            return len(kept), kept
        return sum(1 for _ in self), checked_changes(member_chunks(self._path, self._member), limits=LIMITS)
