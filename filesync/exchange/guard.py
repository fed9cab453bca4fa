"""The guard file: the last thing each stream sent, kept outside the ledger and its backups. A ledger behind it was restored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from filesync.errors import DiskProblem, disk_problem
from filesync.exchange.files import read, write_whole
from filesync.model.ids import BundleId, Generation, StreamId, parse_bundle_id, parse_stream
from filesync.model.prepare import prepare

_MAX = 65_536  # bytes
_NAME: Final = re.compile(r"[0-9a-f]{8}[.]json")


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The last bundle of a stream, and the highest generation of the partner's that we switched to."""

    stream: StreamId
    generation: Generation
    seq: int
    id: BundleId
    partner_generation: int


prepare(Guard)


def guard_path(folder: Path, stream: StreamId) -> Path:
    """Where the stream's guard stands."""
    return folder / f"{stream[:8]}.json"


def write_guard(folder: Path, guard: Guard) -> None:
    """Remember, on disk when this returns. Raises DiskProblem, StorageFailure."""
    write_whole(guard_path(folder, guard.stream), [msgspec.json.format(msgspec.json.encode(guard)) + b"\n"])


def read_guard(folder: Path, stream: StreamId) -> Guard | None:
    """What was remembered; None where nothing was. Raises DiskProblem, also when the file is damaged or another stream's."""
    path = guard_path(folder, stream)
    try:
        present = path in list(folder.iterdir())  # not exists(): a lost right must not look like "nothing was sent"
    except OSError as error:
        problem = disk_problem(error, folder, doing="read")
        raise DiskProblem(str(problem), hint="Mend that first: without the guard files a restore could not be seen.") from error
    if not present:
        return None
    guard = _read(path)
    if guard.stream != stream:
        raise DiskProblem(
            f"the guard file {str(path)!r} is of stream {guard.stream[:8]}…, not of ours",
            hint="Two sites may not share a guard folder: give each its own in the configuration.",
        )
    return guard


def guards(folder: Path) -> list[Guard]:
    """All that is remembered, of whatever stream. Raises DiskProblem, also when a file is damaged."""
    try:
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError as error:
        raise disk_problem(error, folder, doing="read") from error
    return [_read(path) for path in paths]


def _read(path: Path) -> Guard:
    try:
        guard = msgspec.json.decode(b"".join(read(path))[:_MAX], type=Guard)
        parse_stream(guard.stream)
        parse_bundle_id(guard.id)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DiskProblem(
            f"the guard file {str(path)!r} is damaged ({error}); it says what was sent last",
            hint="Nothing more is sent on this stream. Keep everything as it is: it must be recovered from.",
        ) from None
    return guard
