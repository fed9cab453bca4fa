"""Making a bundle: everything that is signed is computed first; the file itself is then a stream of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from filesync.bundle import layout, ustar
from filesync.bundle.changes import CHANGES, Compressed
from filesync.bundle.header import FileEntry, Header, encode_header, folder_name
from filesync.errors import StorageFailure
from filesync.model.ids import BundleId

NAMESPACE: Final = layout.NAMESPACE


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file below `data/`. `chunks` gives its bytes, as often as it is called."""

    path: str
    size: int  # bytes as stored
    content_size: int  # bytes when decompressed
    sha256: str  # of the stored bytes
    chunks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Bag:
    """A bundle but for its signature. What is to be signed is `tagmanifest`, under NAMESPACE."""

    header: Header  # with `files` filled in
    bundle_id: BundleId
    tagmanifest: bytes
    folder: str
    tags: tuple[tuple[str, bytes], ...]  # the files that the tagmanifest names, in their order
    data: tuple[DataFile, ...]


def data_bytes(path: str, data: bytes) -> DataFile:
    """A data file of bytes at hand, stored as they are."""
    return DataFile(path, len(data), len(data), layout.sha256(data), lambda: (data,))


def changes_file(packed: Compressed) -> DataFile:
    """The data file of compressed change lines."""
    return DataFile(CHANGES, len(packed.data), packed.content_size, layout.sha256(packed.data), lambda: (packed.data,))


def pack(header: Header, data: Sequence[DataFile]) -> Bag:
    """Compute everything that will be signed. The same header and data give the same bytes and id.

    `header.files` is filled in here. Raises ValueError when the data files are not those of the header's kind.
    """
    files = [FileEntry(path=d.path, size=d.size, content_size=d.content_size, sha256=d.sha256) for d in data]
    header = msgspec.structs.replace(header, files=files)
    if wrong := layout.wrong_files(header, encode_header(header)):
        raise ValueError("; ".join(map(str, wrong)))
    texts = (encode_header(header), layout.manifest_text(files), layout.BAGIT_TEXT, layout.info_text(header))
    tags = tuple(zip(layout.TAGGED, texts, strict=True))
    tagmanifest = layout.hash_list([(name, layout.sha256(text)) for name, text in tags])
    bundle_id = BundleId(layout.sha256(tagmanifest))
    return Bag(header, bundle_id, tagmanifest, folder_name(header), tags, tuple(data))


def tar(bag: Bag, signature: bytes) -> Iterator[bytes]:
    """The whole file. `signature` is the armored SSHSIG over `bag.tagmanifest`.

    Raises StorageFailure when a data file gives more or fewer bytes than it declared.
    """
    for name, text in ((layout.SIGNATURE, signature), (layout.TAGMANIFEST, bag.tagmanifest), *bag.tags):
        yield ustar.block(f"{bag.folder}/{name}", len(text)) + text + bytes(ustar.padding(len(text)))
    for file in bag.data:
        yield ustar.block(f"{bag.folder}/{file.path}", file.size)
        left = file.size
        for chunk in file.chunks():
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
        if left:
            raise StorageFailure(
                f"{file.path}: {file.size - left} bytes read instead of {file.size}: it changed while the bundle was written",
                hint="The bundle was not published and its number is kept: run filesync export again",
            )
        yield bytes(ustar.padding(file.size))
    yield ustar.END
