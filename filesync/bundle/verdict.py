"""What an arriving file can be, other than a bundle: one list of codes, for the reader of bytes and for the judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filesync.errors import PartnerError, Problem


class Code(StrEnum):
    """Why a file is not taken. Codes travel in reports; they are never renamed."""

    # the bytes: damage on the way, or not ours at all
    NOT_A_BUNDLE = "NOT_A_BUNDLE"  # something else under a bundle's name
    BAD_HASH = "BAD_HASH"  # a file inside differs from what the signed list says
    TAR_AMBIGUOUS = "TAR_AMBIGUOUS"  # the tar framing is not exactly what the format prescribes
    MISSING_FILE = "MISSING_FILE"  # a declared file is not there
    UNDECLARED_FILE = "UNDECLARED_FILE"  # a file that the header does not name
    BAD_ENTRY_NAME = "BAD_ENTRY_NAME"  # a name outside the grammar
    TOO_LARGE = "TOO_LARGE"  # beyond a limit, or more than was declared
    BAD_SIGNATURE = "BAD_SIGNATURE"  # unsigned, signed by another, or for another purpose
    CANNOT_DECRYPT = "CANNOT_DECRYPT"  # encrypted for another key
    NOT_REGULAR = "NOT_REGULAR"  # a link, folder or device under a bundle's name
    # the content
    BAD_JSON = "BAD_JSON"  # not JSON in the one canonical form
    BAD_SCHEMA = "BAD_SCHEMA"  # JSON, but not what the schema says
    BAD_HEADER = "BAD_HEADER"  # parts of the head contradict each other
    NEWER_FORMAT = "NEWER_FORMAT"  # made by a newer filesync: held, not refused
    # who and when: the judge's
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    OWN_BUNDLE = "OWN_BUNDLE"
    UNKNOWN_PARTNER = "UNKNOWN_PARTNER"
    DOWNGRADE = "DOWNGRADE"  # unsigned, or weaker than seen before
    SEQ_IMPLAUSIBLE = "SEQ_IMPLAUSIBLE"  # far beyond the window
    STALE_GENERATION = "STALE_GENERATION"
    FORK = "FORK"  # two histories under one number
    CONTRACT_DIFFERS = "CONTRACT_DIFFERS"  # held until both sites agree


_DAMAGED: Final = "Nothing of it was applied. Copy it again, or ask the sender to run: filesync resend"
_FORGED: Final = "Nothing of it was applied. No filesync writes this: keep the file and ask the sender how it was made"
HINTS: Final[Mapping[Code, str]] = {
    Code.NOT_A_BUNDLE: "Nothing of it was applied. Something on the way put other text in place of the file; ask the carrier",
    Code.BAD_HASH: f"{_DAMAGED}. If it comes so again, a guard or virus scanner on the way changes it: let these files pass "
    "there",
    Code.TAR_AMBIGUOUS: _DAMAGED,
    Code.MISSING_FILE: _DAMAGED,
    Code.UNDECLARED_FILE: _FORGED,
    Code.BAD_ENTRY_NAME: _FORGED,
    Code.TOO_LARGE: "Nothing of it was applied. Ask the sender for smaller bundles, or raise the limit here",
    Code.BAD_SIGNATURE: _DAMAGED,
    Code.BAD_JSON: _FORGED,
    Code.BAD_SCHEMA: _FORGED,
    Code.BAD_HEADER: _FORGED,
    Code.NOT_REGULAR: "Nothing was read. Take it out of the folder, and ask the carrier who put it there",
    Code.STALE_GENERATION: "Nothing of it was applied. Drop it (filesync quarantine drop), or ask the sender why it came",
    Code.SEQ_IMPLAUSIBLE: "Nothing of it was applied. Where so many bundles are on their way, raise limits.window and run: "
    "filesync quarantine retry. Else ask the sender how it was made",
    Code.NEWER_FORMAT: "Held, not refused. Upgrade filesync here to at least the sender's version",
}
TEXT_MODE: Final = "Text-mode transfer? Line ends were rewritten (LF became CRLF); have it carried as binary"


class BadBundle(PartnerError):
    """A file that is not, and with more bytes cannot become, a bundle. `problems` names all that is wrong with it."""

    def __init__(self, code: Code, problems: Iterable[Problem], *, hint: str = "") -> None:
        self.code = code
        self.problems = tuple(problems)
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        first = str(self.problems[0]) if self.problems else "unusable"
        super().__init__(f"{code}: {first}{more}", hint=hint or HINTS.get(code, ""))


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Every byte so far is right, and some are missing: still arriving, or cut short."""

    have: int  # bytes
    need: int | None  # bytes of the whole file; None while its head has not arrived
    what: str  # the member that the bytes end in


def bad(code: Code, where: str, what: str, *, hint: str = "") -> BadBundle:
    """A BadBundle with one problem."""
    return BadBundle(code, (Problem(where, what),), hint=hint)


def shown(text: str | bytes, *, limit: int = 80) -> str:
    """A partner's text for a person: escaped, so that no control code reaches a terminal, and cut."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    cut = text[:limit]
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in cut)
    return safe + "…" if len(text) > limit else safe
