"""Short words for attachments: small limits, so that a few kilobytes travel in chunks."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tests.support.two_sites import Side, World

INLINE, CHUNK = 1 << 10, 4 << 10


def bytes_of(size: int, what: str = "") -> bytes:
    """So many bytes, always the same for one word."""
    return hashlib.shake_256(what.encode()).digest(size)


def set_limits(side: Side, **settings: str) -> None:
    """Limits of filesync.yaml."""
    path = side.folder / "filesync.yaml"
    text = path.read_text()
    for name, value in settings.items():
        text, found = re.subn(rf"(?m)^(  {name}:) [^#\n]*", rf"\1 {value}  ", text)
        assert found == 1, name
    path.write_text(text)
    side.reopen()


def small_limits(world: World) -> None:
    """Inline up to 1 KiB, chunks of 4 KiB."""
    for side in world.sides:
        set_limits(side, inline_blob="1 KiB", chunk="4 KiB")


def attached(side: Side, key: str) -> list[tuple[str, bytes]]:
    """What an issue has attached, as people see it: names and bytes, oldest first."""
    found = []
    for one in side.desk.show(key).attachments:
        name, content = side.desk.attachment(key, one.id)
        found.append((name, b"".join(content)))
    return found


def chunk_files(folder: Path) -> list[Path]:
    """The chunks that lie in a folder, by name."""
    return sorted(folder.glob("fs1_*_b????????????????.tar*"))


def take_chunks(world: World, *, of: Side) -> list[Path]:
    """Take the chunks out of a side's outbox into a folder of the carrier's."""
    bag = of.folder.parent / "carrier"
    bag.mkdir(exist_ok=True)
    return [file.rename(bag / file.name) for file in chunk_files(of.config.folders.outbox)]


def bring(side: Side, *files: Path) -> None:
    """Into the inbox, as copies."""
    for file in files:
        (side.config.folders.inbox / file.name).write_bytes(file.read_bytes())
