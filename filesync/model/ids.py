"""Identifiers: text with a fixed grammar, so that what arrives can be checked and what is stored sorts.

They are plain `str` at run time (they travel in JSON and stand in the ledger as they are); the types keep them apart.
"""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NewType, TypeGuard

import msgspec

SiteId = NewType("SiteId", str)  # a UUID, lower case with dashes
StreamId = NewType("StreamId", str)  # 32 lower-case hex digits, made by the sending site, one per partner
BundleId = NewType("BundleId", str)  # SHA-256 of tagmanifest-sha256.txt, 64 lower-case hex digits
Gid = NewType("Gid", str)  # an entity, everywhere and for ever: <site>/<kind>/<local id>/<creation stamp>
Mark = NewType("Mark", str)  # the place of one change: gggg.ssssssssss.nnnnnn (generation, seq, n); sorts as it is ordered

NO_BUNDLE = BundleId("0" * 64)  # `prev` of the first bundle of a generation
NEVER = Mark("0000.0000000000.000000")  # before every mark
MAX_GENERATION, MAX_SEQ, MAX_N = 9_999, 9_999_999_999, 999_999
LONGEST_GID = 145  # characters
FIRST = "first"  # the name of no site: a contract says so for the one whose name sorts first
ASK = "ask"  # the name of no site either: a contract says so where neither wins until a person decides

_SITE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX32 = re.compile(r"[0-9a-f]{32}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"([0-9]{4})\.([0-9]{10})\.([0-9]{6})")
_GID = re.compile(
    rf"({_SITE.pattern})/(issue|comment|attachment|worklog|project|version)/([A-Za-z0-9_-]{{1,64}})/([0-9A-Za-z]{{1,32}})"
)


class Kind(StrEnum):
    """What has a never re-used id of its own. Links, labels and their like are fields, not entities."""

    __hash__ = str.__hash__  # as the text that it equals: Enum's own is a call of Python's, and each change is asked for often

    ISSUE = "issue"
    COMMENT = "comment"
    ATTACHMENT = "attachment"
    WORKLOG = "worklog"
    PROJECT = "project"  # what holds the versions; nothing is told of it itself
    VERSION = "version"


class Generation(msgspec.Struct, frozen=True, order=True):
    """One unbroken numbering of a stream: `n` orders, `id` (32 hex digits) tells two clones apart that chose the same `n`."""

    n: int
    id: str


def _parse(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        msg = f"not a {what}: {text[:80]!r}"
        raise ValueError(msg)
    return text


def parse_stream(text: str) -> StreamId:
    """Read a stream id. Raises ValueError."""
    return StreamId(_parse(_HEX32, text, "stream id"))


def parse_bundle_id(text: str) -> BundleId:
    """Read a bundle id. Raises ValueError."""
    return BundleId(_parse(_HEX64, text, "bundle id"))


def make_mark(generation: int, seq: int, n: int) -> Mark:
    """Name the n-th change of a bundle. Raises ValueError when a number has no room in the fixed width."""
    if not (0 <= generation <= MAX_GENERATION and 0 <= seq <= MAX_SEQ and 0 <= n <= MAX_N):
        msg = f"no mark for generation {generation}, seq {seq}, change {n}"
        raise ValueError(msg)
    return Mark(f"{_place(generation, seq)}{n:06}")


@functools.lru_cache(maxsize=16)  # all changes of a bundle have the same
def _place(generation: int, seq: int) -> str:
    return f"{generation:04}.{seq:010}."


def parse_mark(text: str) -> tuple[int, int, int]:
    """Read a mark as (generation, seq, n). Raises ValueError."""
    found = _MARK.fullmatch(text)
    if found is None:
        msg = f"not a mark: {text[:80]!r}"
        raise ValueError(msg)
    return int(found[1]), int(found[2]), int(found[3])


@functools.lru_cache(maxsize=10_000)  # an export asks for the gid of one item several times
def make_gid(site: SiteId, kind: Kind, local: str, stamp: str) -> Gid:
    """Name an entity born in the tracker of `site`. Raises ValueError where the id or stamp has other letters."""
    return parse_gid(f"{site}/{kind!s}/{local}/{stamp}")


def parse_gid(text: str) -> Gid:
    """Read a gid. Raises ValueError."""
    return Gid(_parse(_GID, text, "gid"))


def is_gid(value: object) -> TypeGuard[str]:
    """Whether it has the form of a gid."""
    return isinstance(value, str) and len(value) <= LONGEST_GID and _GID.fullmatch(value) is not None


def home(gid: Gid) -> SiteId:
    """The site in whose tracker the entity was born."""
    return SiteId(gid.split("/", 1)[0])


def kind_of(gid: Gid) -> Kind:
    """What the entity is."""
    return Kind(gid.split("/", 2)[1])
