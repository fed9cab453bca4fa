"""What a bundle of kind `contract` says: a contract is proposed, withdrawn, accepted or declined (docs/format.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from filesync.bundle import canonical
from filesync.bundle.changes import CHANGES, checked_lines
from filesync.bundle.limits import Limits
from filesync.bundle.verdict import Code, bad


class Says(StrEnum):
    """The first two come from one side, one of the others from the other side."""

    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"  # unless it was answered before this is read
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Agreement(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="contract", omit_defaults=True):
    """The one line of such a bundle. `digest` is the contract's that is spoken of; `text`, of a proposal, its contract.yaml."""

    n: int
    says: Says
    version: int
    digest: str
    text: str = ""
    message: str = ""  # of a person, for the person at the other side
    # of who proposes or accepts: the fields of this contract that the sender keeps, each with the name that it had their values
    # under in the contract before; "": it had none
    origins: Mapping[str, str] = {}


_typed: Final = msgspec.json.Decoder(Agreement)


def encode_agreement(one: Agreement) -> bytes:
    """One canonical line, with its LF."""
    return canonical.encode(one)


def read_agreement(chunks: Iterable[bytes], *, declared: int, limits: Limits) -> Agreement:
    """The line of a compressed file that holds just one. Raises BadBundle."""
    found = [_typed.decode(line) for line in checked_lines(chunks, "agreement", declared=declared, limits=limits)]
    if len(found) != 1:
        raise bad(Code.BAD_SCHEMA, CHANGES, f"{len(found)} lines; a bundle of kind contract has one")
    return found[0]
