"""Reading what one member of a bundle file holds, where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from filesync.bundle.read import Member
from filesync.errors import disk_problem
from filesync.exchange import files


def member_chunks(path: Path, member: Member) -> Iterator[bytes]:
    """The bytes of one member. Raises DiskProblem."""
    left = member.size
    try:
        with path.open("rb") as file:
            file.seek(member.offset)
            while left and (chunk := file.read(min(left, files.BLOCK))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error
