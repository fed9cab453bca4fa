"""The files of our signing keys, brought to what the ledger says after a rotation, wherever that was cut off."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filesync.bundle.write import NAMESPACE
from filesync.config import Config
from filesync.errors import KeyProblem, disk_problem
from filesync.keys import keyfile
from filesync.keys.signers import AllowedSigner, lead
from filesync.keys.sshsig import PUBLIC, CommandSigner, FileSigner, PublicKey, chooses, make_key
from filesync.ledger import streams
from filesync.ledger.stream_keys import unsigned

_NEW: Final = ".new"  # beside the signing key: the next one, until it signs
_OLD: Final = ".old-"  # and the start of its fingerprint: one before, until all that it signs is signed
SIGNING: Final = "signing key"  # the site's fact: the public key that signs what is numbered from now on
TURNED: Final = "signing key of the command"  # the same where a command signs, until allowed_signers says so, too


def others(signing: Path) -> list[Path]:
    """The files of the signing keys before, and of the next."""
    return [*_before(signing), *([new] if (new := _beside(signing, _NEW)).exists() else [])]


def _beside(signing: Path, suffix: str) -> Path:
    return signing.with_name(f"{signing.name}{suffix}")


def _before(signing: Path) -> list[Path]:
    return sorted(signing.parent.glob(f"{signing.name}{_OLD}*"))


def next_key(config: Config, public: Path | None = None) -> PublicKey:
    """The key that a rotation turns to, made now unless an earlier attempt made it.

    `public`: where a command signs, the file with the public half of the one that was made there. Raises KeyProblem,
    DiskProblem.
    """
    if config.keys.signing is None:
        return _of_command(config, public)
    if public is not None:
        raise KeyProblem(
            f"the signing key is the file {str(config.keys.signing)!r}, so the new one is made here",
            hint="Leave out --public: it is for a key that a command keeps.",
        )
    path = _beside(config.keys.signing, _NEW)
    draft = _beside(config.keys.signing, ".draft")  # written there: under the other name it is whole
    try:
        if not path.exists():
            for left in (draft, draft.with_name(f"{draft.name}.pub")):  # of an attempt that was cut off
                left.unlink(missing_ok=True)
            make_key(draft, comment=config.name)
            draft.replace(path)
            keyfile.fsync_folder(path.parent)
        draft.with_name(f"{draft.name}.pub").unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
    return FileSigner(path).public


def _of_command(config: Config, public: Path | None) -> PublicKey:
    """A key that the signing command has, besides the one before. Raises KeyProblem, DiskProblem."""
    command = config.keys.command
    if not chooses(command):
        raise KeyProblem(
            f"the signing command in {config.path} knows one key only, so it cannot sign the bundle that introduces another",
            hint=f"Write {PUBLIC} where it names its key, which stands for a file with the public half of the one that is to "
            "sign. Where it cannot choose: docs/keys.md, a command that knows one key.",
        )
    if public is None:
        raise KeyProblem(
            "the signing key is kept by the command in the configuration, which filesync cannot make a new one with",
            hint="Make a new one there, and give its public half: filesync keys rotate --public FILE",
        )
    try:
        key = PublicKey.parse(public.read_text())
    except OSError as error:
        raise disk_problem(error, public, doing="read") from error
    except (KeyProblem, UnicodeDecodeError) as error:  # not quoted: it may be the private half
        hint = error.hint if isinstance(error, KeyProblem) else ""
        raise KeyProblem(f"{str(public)!r} is not the public half of an Ed25519 key", hint=hint) from None
    CommandSigner(command, public=key).sign(b"can this key sign?", namespace=NAMESPACE)  # before anything is numbered for it
    return key


def settle(conn: sa.Connection, config: Config) -> None:
    """Put the key that the ledger says signs in its place, and remove those before when nothing waits for them.

    Raises KeyProblem, ConfigError, DiskProblem.
    """
    signing = config.keys.signing
    if signing is None:
        if (turned := streams.site_fact(conn, TURNED)) is not None:
            lead(config.keys.allowed_signers, AllowedSigner(config.name, PublicKey.parse(turned), (NAMESPACE,)))
            streams.drop_site_fact(conn, TURNED)
        return
    new = _beside(signing, _NEW)
    try:
        if new.exists() and (public := FileSigner(new).public).text() == streams.site_fact(conn, SIGNING):
            lead(config.keys.allowed_signers, AllowedSigner(config.name, public, (NAMESPACE,)))
            now = FileSigner(signing).public
            with suppress(FileExistsError):  # of an attempt that was cut off
                os.link(signing, _beside(signing, f"{_OLD}{hashlib.sha256(now.blob).hexdigest()[:8]}"))
            keyfile.replace(Path(f"{signing}.pub"), f"{public.text()} filesync {config.name}\n".encode(), mode=0o644)
            new.replace(signing)
            keyfile.fsync_folder(signing.parent)
        if (before := _before(signing)) and not new.exists() and not unsigned(conn):
            for path in before:
                path.unlink()
    except OSError as error:
        raise disk_problem(error, signing.parent) from error
