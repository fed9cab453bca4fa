"""What a bundle of kind `keys` says: which key signs from the next bundle on, and which one opens (docs/format.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from filesync.bundle import canonical
from filesync.bundle.changes import CHANGES, checked_lines
from filesync.bundle.limits import Limits
from filesync.bundle.verdict import Code, bad


class Introduction(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="key", omit_defaults=True):
    """The one line of such a bundle. `recipient` absent: the one that is known stays."""

    n: int
    key: str  # "ssh-ed25519 AAAA…": signs every bundle after this one
    recipient: str | None = None  # "age1…": what is sent to this site from now on is encrypted for it


_typed: Final = msgspec.json.Decoder(Introduction)


def encode_introduction(one: Introduction) -> bytes:
    """One canonical line, with its LF."""
    return canonical.encode(one)


def read_introduction(chunks: Iterable[bytes], *, declared: int, limits: Limits) -> Introduction:
    """The line of a compressed file that holds just one. Raises BadBundle."""
    found = [_typed.decode(line) for line in checked_lines(chunks, "keys", declared=declared, limits=limits)]
    if len(found) != 1:
        raise bad(Code.BAD_SCHEMA, CHANGES, f"{len(found)} lines; a bundle of kind keys has one")
    return found[0]
