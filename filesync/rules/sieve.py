"""Which attachments this site sends and takes: by size, name and type. What a name says of a type is all that is asked."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final

from filesync.settings import size

UNKNOWN: Final = "application/octet-stream"  # the type of a name that says none
_LARGER, _NAME, _TYPE = "larger_than", "name", "type"
# what Python's own table, which differs between its versions, may not have
_ALSO: Final = {
    ".7z": "application/x-7z-compressed",
    ".bz2": "application/x-bzip2",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".zst": "application/zstd",
}


@dataclass(frozen=True, slots=True)
class Sort:
    """Attachments of one sort: all that is said of them holds. `words`: as it stands in the mapping, for people."""

    larger_than: int | None  # bytes
    name: str | None  # a pattern, in which letter case does not matter
    type: str | None  # a pattern too: image/*
    words: str

    def holds(self, name: str, size: int) -> bool:
        """Whether an attachment of this name and size (bytes) is of this sort."""
        return (
            (self.larger_than is None or size > self.larger_than)
            and (self.name is None or fnmatchcase(name.casefold(), self.name.casefold()))
            and (self.type is None or fnmatchcase(type_of(name), self.type.casefold()))
        )


@dataclass(frozen=True, slots=True)
class Sieve:
    """What goes through in one direction: one of `only`, where that says anything, and none of `leave_out`."""

    at: str = ""  # where it stands in the mapping: attachments.out
    only: Sequence[Sort] = ()
    leave_out: Sequence[Sort] = ()

    def stops(self, name: str, size: int) -> str:
        """The rule, in words, by which an attachment does not go through; "" for one that does."""
        for one in self.leave_out:
            if one.holds(name, size):
                return f"{self.at}.leave_out: {one.words}"
        if self.only and not any(one.holds(name, size) for one in self.only):
            return f"{self.at}.only: {', or '.join(one.words for one in self.only)}"
        return ""


@dataclass(frozen=True, slots=True)
class Sieves:
    """Both directions, seen from this site."""

    out: Sieve = field(default_factory=Sieve)
    into: Sieve = field(default_factory=Sieve)


ALL_THROUGH: Final = Sieves()


def make_sieves(said: Mapping[str, Any]) -> Sieves:
    """What `attachments` of a mapping, which fits the schema, says."""
    return Sieves(out=_sieve("out", said), into=_sieve("in", said))


def type_of(name: str) -> str:
    """The type that a file's name says, `image/png`."""
    return _types().get(PurePosixPath(name.casefold()).suffix, UNKNOWN)


@cache
def _types() -> Mapping[str, str]:
    """By the end of a name. Not what the machine's own files add: two machines of a site would tell apart."""
    return {**_ALSO, **mimetypes.MimeTypes().types_map[True]}


def _sieve(direction: str, said: Mapping[str, Any]) -> Sieve:
    given = said.get(direction, {})
    return Sieve(f"attachments.{direction}", tuple(_sorts(given.get("only", ()))), tuple(_sorts(given.get("leave_out", ()))))


def _sorts(given: Sequence[Mapping[str, str]]) -> Iterator[Sort]:
    for one in given:
        larger = one.get(_LARGER)
        words = ", ".join(f"{name} {value}" for name, value in one.items())
        yield Sort(None if larger is None else size(larger), one.get(_NAME), one.get(_TYPE), words)
