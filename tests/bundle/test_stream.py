"""Bundles are streams: what is written and read is never held whole."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import msgspec
import pytest

from filesync.bundle import ustar
from filesync.bundle.header import BundleKind
from filesync.bundle.layout import BLOBS, CHUNK
from filesync.bundle.limits import MIB, Limits
from filesync.bundle.read import Bundle, Reader
from filesync.bundle.write import DataFile, data_bytes, pack, tar
from filesync.errors import StorageFailure
from tests.support.bundles import CHANGES, HEADER, UNSIGNED, bag, blob, changes_of, packed, read, report_bag

SIZE = 200 * MIB


def big() -> Iterator[bytes]:
    piece = bytes(range(256)) * (MIB // 256)
    for _ in range(SIZE // MIB):
        yield piece


def test_f60_memory_stays_flat_on_a_200_mib_file() -> None:
    digest = hashlib.sha256()
    for piece in big():
        digest.update(piece)
    name = digest.hexdigest()
    file = DataFile(BLOBS + name, SIZE, SIZE, name, big)
    reader = Reader(Limits(bundle=SIZE + MIB))
    tracemalloc.start()
    for piece in tar(pack(HEADER, [changes_of(CHANGES), file]), UNSIGNED):
        reader.feed(piece)
    bundle = reader.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(bundle, Bundle)
    assert bundle.members[file.path].size == SIZE
    assert reader.have == bundle.head.size
    assert peak < 4 * MIB


@pytest.mark.parametrize("contents", [[], [b""], [b"x"], [b"x" * 511, b"y" * 512, b"z" * 513]])
def test_members_are_found_where_they_stand(contents: list[bytes]) -> None:
    raw = packed(bag(blobs=contents))
    bundle = read(raw)
    assert isinstance(bundle, Bundle)
    found = {raw[m.offset : m.offset + m.size] for path, m in bundle.members.items() if path.startswith(BLOBS)}
    assert found == set(contents)
    assert list(bundle.members) == [entry.path for entry in bundle.head.header.files]


def test_the_head_is_known_before_the_data() -> None:
    raw = packed(bag(blobs=[b"x" * 5000]))
    reader = Reader(Limits())
    fed = 0
    while reader.head is None:
        reader.feed(raw[fed : fed + 1])
        fed += 1
    assert fed < raw.index(b"/data/changes")
    assert (reader.head.size, reader.head.header.files[1].size) == (len(raw), 5000)


def test_a_chunk_is_a_bundle_of_its_own() -> None:
    chunk = msgspec.structs.replace(HEADER, kind=BundleKind.CHUNK, seq=0, counts={})
    bundle = read(packed(pack(chunk, [data_bytes(CHUNK, b"a piece of a film")])))
    assert isinstance(bundle, Bundle)
    assert bundle.head.folder == "fs1_g0001_b9f9f9f9f9f9f9f9f"
    assert list(bundle.members) == [CHUNK]


def test_packing_is_the_same_every_time_and_the_id_does_not_know_the_signature() -> None:
    assert packed(bag()) == packed(bag())
    other = read(packed(bag(), UNSIGNED.replace(b"AAAA", b"BBBB")))
    assert isinstance(other, Bundle)
    assert other.head.bundle_id == bag().bundle_id


def test_a_file_that_changed_while_it_was_written_stops_the_writing() -> None:
    honest = blob(b"four")
    for now in (b"fou", b"fours", b""):
        one = pack(HEADER, [changes_of(CHANGES), replace(honest, chunks=partial(tuple, [now]))])
        with pytest.raises(StorageFailure, match="changed while"):
            packed(one)


def test_data_that_does_not_go_with_the_kind_is_not_packed() -> None:
    changes, one, two = changes_of(CHANGES), *sorted((blob(b"1"), blob(b"2")), key=lambda file: file.path)
    for data in ([], [one], [changes, two, one], [changes, one, one], [changes, changes], list(report_bag().data)):
        with pytest.raises(ValueError, match="not the files of a bundle"):
            pack(HEADER, data)


@pytest.mark.parametrize(("name", "size"), [("", 1), ("x" * 100, 1), ("x", -1), ("x", 8**11)])
def test_what_does_not_fit_a_tar_header_is_not_written(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        ustar.block(name, size)


def test_a_tar_header_takes_the_longest_name_and_the_largest_size() -> None:
    entry = ustar.Entry(ustar.block("x" * 99, 8**11 - 1))
    assert (entry.name, entry.size, entry.tar, entry.regular, entry.sum_right) == ("x" * 99, 8**11 - 1, True, True, True)
