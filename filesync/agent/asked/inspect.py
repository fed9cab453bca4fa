"""Look into a bundle file, ours or a partner's, wherever it lies: everything is checked and nothing is applied."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from filesync.agent.asked.reading import reading
from filesync.agent.partners.trust import believed, partner_of
from filesync.agent.staged import LIMITS, Changes, agreement, introduction
from filesync.bundle.agreement import Agreement
from filesync.bundle.changes import CHANGES
from filesync.bundle.header import BundleKind, Header
from filesync.bundle.introduction import Introduction
from filesync.bundle.layout import NAMESPACE, SIGNATURE
from filesync.bundle.read import Bundle, Head, Reader
from filesync.bundle.verdict import BadBundle, Code, Incomplete
from filesync.config import Config
from filesync.errors import Problem, disk_problem
from filesync.exchange.files import read
from filesync.keys.age import CannotDecrypt, decrypt, is_age
from filesync.keys.signers import AllowedSigner, read_signers
from filesync.keys.sshsig import BadSignature, PublicKey, verify
from filesync.ledger import streams
from filesync.model.change import Change

_INCOMPLETE: Final = "Nothing of it was applied. If it is not still being copied, copy it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a file turned out to be. It is good where `code` is empty; else `problems` names all that could be found."""

    path: Path
    encrypted: bool = False
    head: Head | None = None  # as far as it could be read; believe it only where the file is good
    signer: str = ""  # the site whose key signed, as our allowed signers have it
    key: PublicKey | None = None
    code: str = ""  # a `Code`, or INCOMPLETE
    problems: tuple[Problem, ...] = ()
    hint: str = ""
    plain: Path | None = field(default=None, repr=False)  # what can be read of it, while it is open
    bundle: Bundle | None = field(default=None, repr=False)  # when every hash fits

    @property
    def good(self) -> bool:
        """Whether every byte, the signature and every line are as they should be."""
        return not self.code

    def changes(self) -> Iterator[Change]:
        """The changes of a good bundle, while it is open. Raises DiskProblem."""
        if not self.good or self.plain is None or self.bundle is None or CHANGES not in self.bundle.members:
            return
        if self.bundle.head.header.kind not in {BundleKind.KEYS, BundleKind.CONTRACT}:
            yield from Changes(self.plain, self.bundle)

    def introduction(self) -> Introduction | None:
        """What a good bundle of kind keys says, while it is open. Raises DiskProblem."""
        if self.good and self.plain is not None and self.bundle is not None:
            return introduction(self.plain, self.bundle) if self.bundle.head.header.kind is BundleKind.KEYS else None
        return None

    def agreement(self) -> Agreement | None:
        """What a good bundle of kind contract says, while it is open. Raises DiskProblem."""
        if self.good and self.plain is not None and self.bundle is not None:
            return agreement(self.plain, self.bundle) if self.bundle.head.header.kind is BundleKind.CONTRACT else None
        return None


@contextmanager
def inspected(path: Path, config: Config) -> Iterator[Inspected]:
    """Check a file against the site's keys. An encrypted one is opened into the state folder and gone when the block ends.

    A partner is believed by the key that its exchange is bound to, anyone else by the allowed signers alone. Raises
    ConfigError and KeyProblem where our own keys cannot be read, DiskProblem; a bad file is an answer.
    """
    trusted = _trusted(config)
    found = Inspected(path=path)
    with _private_folder(config.folders.state) as folder:
        try:
            found = replace(found, encrypted=is_age(_first_bytes(path)))
            plain = Path(folder) / "plain.tar" if found.encrypted else path
            if found.encrypted:
                decrypt(path, plain, identity=config.keys.age)
            found = _checked(replace(found, plain=plain), trusted)
        except BadBundle as error:
            found = _bad(found, error)
        except CannotDecrypt as error:
            found = replace(found, code=Code.CANNOT_DECRYPT, problems=(Problem("", str(error)),), hint=error.hint)
        yield found


_Trusted: TypeAlias = Callable[[Header], list[AllowedSigner]]  # those that may have signed what has this header


def _trusted(config: Config) -> _Trusted:
    """The allowed signers, without what stands there for a partner besides the key that signs at that place."""
    signers = read_signers(config.keys.allowed_signers)
    if not config.folders.ledger.exists():
        return lambda _: list(signers)  # nobody is a partner yet
    with reading(config) as conn:
        partners = [partner_of(conn, one) for one in streams.exchanges(conn) if one.partner_key]
    return partial(believed, signers, partners)


@contextmanager
def _private_folder(state: Path) -> Iterator[str]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="inspect-", dir=state)
    except OSError as error:
        raise disk_problem(error, state) from error
    with folder as name:
        yield name


def _bad(found: Inspected, error: BadBundle) -> Inspected:
    return replace(
        found, code=found.code or error.code, problems=(*found.problems, *error.problems), hint=found.hint or error.hint
    )


def _first_bytes(path: Path) -> bytes:
    """The start of a regular file; nothing else is opened, for a pipe would never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadBundle(Code.NOT_REGULAR, [Problem("", "a folder, pipe or device, not a file")])
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error


def _checked(found: Inspected, trusted: _Trusted) -> Inspected:
    assert found.plain is not None
    reader = Reader(LIMITS)
    whole: Bundle | Incomplete | None = None
    try:
        for chunk in read(found.plain):
            reader.feed(chunk)
        whole = reader.close()
    except BadBundle as error:
        found = _bad(found, error)
    found = replace(found, head=reader.head)
    if reader.head is not None:
        found = _signed(found, reader.head, trusted(reader.head.header))
    if isinstance(whole, Incomplete):
        of = f" of {whole.need}" if whole.need is not None else ""
        problem = Problem(whole.what, f"the file ends here, after {whole.have}{of} bytes")
        found = replace(
            found, code=found.code or "INCOMPLETE", problems=(*found.problems, problem), hint=found.hint or _INCOMPLETE
        )
    if isinstance(whole, Bundle):
        found = replace(found, bundle=whole)
        try:
            found.introduction()
            found.agreement()
            for _ in found.changes():  # decompressed only when the signature and every hash were right
                pass
        except BadBundle as error:
            found = _bad(found, error)
    return found


def _signed(found: Inspected, head: Head, signers: list[AllowedSigner]) -> Inspected:
    """Who signed, and whether that is who the header says it is from."""
    try:
        key = verify(head.tagmanifest, head.signature, namespace=NAMESPACE)
    except BadSignature as error:
        return _bad(found, BadBundle(Code.BAD_SIGNATURE, [Problem(SIGNATURE, str(error))], hint=error.hint))
    # by name: whoever signed as a name that is a partner's must have signed with the partner's key, whatever site it claims
    sender = head.header.from_.name
    names = [one.principal for one in signers if one.key == key and one.may_sign(NAMESPACE)]
    found = replace(found, key=key, signer=names[0] if names else "")
    if sender in names:
        return found
    expected = [one.key.fingerprint() for one in signers if one.principal == sender and one.may_sign(NAMESPACE)]
    who = f"the key of {names[0]}" if names else "a key that is not among the allowed signers"
    what = f"signed by {key.fingerprint()}, {who}; expected for {sender}: {' or '.join(expected) or 'no key is known'}"
    return _bad(found, BadBundle(Code.BAD_SIGNATURE, [Problem(SIGNATURE, what)], hint="Ask the sender which key it signs with"))
