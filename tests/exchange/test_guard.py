"""The guard file: what was sent last, outside the ledger."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from filesync.errors import DiskProblem
from filesync.exchange.guard import Guard, guard_path, read_guard, write_guard
from filesync.model.ids import BundleId, Generation, StreamId

STREAM = StreamId("5a" * 16)
GUARD = Guard(stream=STREAM, generation=Generation(2, "c0" * 16), seq=417, id=BundleId("9d" * 32), partner_generation=1)


def test_what_is_written_is_read_back_and_only_the_last_counts(tmp_path: Path) -> None:
    assert read_guard(tmp_path, STREAM) is None
    for seq in (416, 417):
        write_guard(tmp_path, msgspec.structs.replace(GUARD, seq=seq))
    assert read_guard(tmp_path, STREAM) == GUARD
    assert [path.name for path in tmp_path.iterdir()] == ["5a5a5a5a.json"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"stream": "x"}', b"\xff"])
def test_a_damaged_guard_is_never_no_guard(tmp_path: Path, raw: bytes) -> None:
    guard_path(tmp_path, STREAM).write_bytes(raw)
    with pytest.raises(DiskProblem, match="is damaged") as caught:
        read_guard(tmp_path, STREAM)
    assert "Nothing more is sent on this stream" in caught.value.hint


def test_every_cut_of_a_guard_is_damage(tmp_path: Path) -> None:
    write_guard(tmp_path, GUARD)
    path = guard_path(tmp_path, STREAM)
    whole = path.read_bytes()
    for size in range(len(whole) - 2):
        path.write_bytes(whole[:size])
        with pytest.raises(DiskProblem, match="is damaged"):
            read_guard(tmp_path, STREAM)


def test_f65_a_missing_guard_folder_is_never_no_guard(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match="No such file") as caught:
        read_guard(tmp_path / "none", STREAM)
    assert "restore" in caught.value.hint


def test_f62_a_guard_that_may_not_be_read_is_never_no_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_guard(tmp_path, GUARD)
    monkeypatch.setattr(os, "listdir", scandir)
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DiskProblem, match="may not read"):
        read_guard(tmp_path, STREAM)


def test_another_streams_guard_under_our_name_is_told(tmp_path: Path) -> None:
    write_guard(tmp_path, msgspec.structs.replace(GUARD, stream=StreamId("5a5a5a5a" + "00" * 12)))
    with pytest.raises(DiskProblem, match="not of ours"):
        read_guard(tmp_path, STREAM)
