"""Files that somebody who means harm, or a broken tool, could make: bundles with one thing wrong, and consistent otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from filesync.bundle import canonical, layout, ustar
from filesync.bundle.header import encode_header
from tests.support.bundles import UNSIGNED, bag


@dataclass(frozen=True)
class Member:
    path: str  # below the folder
    content: bytes
    block: bytes

    @property
    def raw(self) -> bytes:
        return self.block + self.content + bytes(-len(self.content) % 512)


FOLDER = bag().folder


def checksummed(block: bytes) -> bytes:
    """The block with its sum put right, as an attacker would."""
    total = sum(block) - sum(block[148:156]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def patched(block: bytes, at: int, value: bytes) -> bytes:
    """Some bytes of a tar header changed, the sum right."""
    return checksummed(block[:at] + value + block[at + len(value) :])


def raw_name(name: bytes, size: int) -> bytes:
    """A tar header with any name at all."""
    return patched(ustar.block("x", size), 0, name.ljust(100, b"\0"))


def member(path: str, content: bytes) -> Member:
    return Member(path, content, ustar.block(f"{FOLDER}/{path}", len(content)))


def sample(blobs: Sequence[bytes] = (b"one", b"two")) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """An honest header as a document, and its data files."""
    one = bag(blobs=blobs)
    return msgspec.json.decode(encode_header(one.header)), [(d.path, b"".join(d.chunks())) for d in one.data]


def forge(
    *,
    edit: Callable[[dict[str, Any]], object] | None = None,
    header: bytes | None = None,
    data: Sequence[tuple[str, bytes]] | None = None,
    texts: dict[str, bytes] | None = None,
    members: Callable[[list[Member]], list[Member]] | None = None,
    tail: bytes = ustar.END,
) -> bytes:
    """A bundle with something changed, and all hashes right after it.

    `edit` changes the header's document, `header` replaces its bytes, `data` replaces the data members (the
    header still declares the honest ones), `texts` replaces tag files, `members` rearranges the archive.
    """
    document, honest = sample()
    if edit:
        edit(document)
    raw = header if header is not None else canonical.encode(document)
    manifest = layout.hash_list([(file["path"], file["sha256"]) for file in document["files"]])
    tags = {layout.HEADER: raw, layout.MANIFEST: manifest, layout.BAGIT: layout.BAGIT_TEXT, layout.INFO: b"Contact-Name: M\n"}
    tags |= {name: text for name, text in (texts or {}).items() if name in tags}
    tagmanifest = (texts or {}).get(
        layout.TAGMANIFEST, layout.hash_list([(name, layout.sha256(text)) for name, text in tags.items()])
    )
    signature = (texts or {}).get(layout.SIGNATURE, UNSIGNED)
    inside = [(layout.SIGNATURE, signature), (layout.TAGMANIFEST, tagmanifest), *tags.items(), *(data or honest)]
    archive = [member(path, content) for path, content in inside]
    return b"".join(one.raw for one in (members(archive) if members else archive)) + tail


def with_block(index: int, at: int, value: bytes) -> bytes:
    """The honest bundle, with bytes of one member's tar header changed."""

    def change(members: list[Member]) -> list[Member]:
        members[index] = replace(members[index], block=patched(members[index].block, at, value))
        return members

    return forge(members=change)
