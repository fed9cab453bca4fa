"""The strict tar profile: one way to write a 512-byte header, so that reading is comparing.

Source of the format: POSIX.1-1988 ustar, as `tar --format=ustar` writes it for a regular file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
MAX_NAME: Final = 99  # bytes; the 100th is NUL, as old readers want it
MAX_SIZE: Final = 8**11 - 1  # bytes, what 11 octal digits hold
_OWNER: Final = b"0000000\0"  # user, group and device numbers: nobody's
_SUM_AT: Final = slice(148, 156)
_TAIL: Final = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + _OWNER + _OWNER + bytes(167)  # what follows the sum
_TAIL_SUM: Final = sum(_TAIL) + 8 * ord(" ")  # the sum counts its own place as blanks


def block(name: str, size: int) -> bytes:
    """The header of a regular file, mode 0644, owned by 0, of time 0. Raises ValueError where name or size do not fit."""
    raw = name.encode("ascii")
    if not 0 < len(raw) <= MAX_NAME or not 0 <= size <= MAX_SIZE:
        msg = f"does not fit a tar header: {name[:100]!r}, {size} bytes"
        raise ValueError(msg)
    head = raw.ljust(100, b"\0") + b"0000644\0" + _OWNER + _OWNER + b"%011o\0" % size + b"%011o\0" % 0
    return head + b"%06o\0 " % (sum(head) + _TAIL_SUM) + _TAIL


def padding(size: int) -> int:
    """How many zero bytes follow a file of this size."""
    return -size % BLOCK


def padded(size: int) -> int:
    """What a file of this size takes, without its header."""
    return size + padding(size)


def whole(sizes: Iterator[int]) -> int:
    """Bytes of a tar file with members of these sizes."""
    return sum(BLOCK + padded(size) for size in sizes) + len(END)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a header block of any making says, read without belief: for a verdict, not for use."""

    raw: bytes

    @property
    def name(self) -> str:
        """As latin-1, so that every byte shows."""
        return self.raw[:100].partition(b"\0")[0].decode("latin-1")

    @property
    def size(self) -> int | None:
        """Bytes; None where there are not 11 octal digits and a NUL."""
        digits, end = self.raw[124:135], self.raw[135:136]
        return int(digits, 8) if digits.isdigit() and end == b"\0" and not set(digits) & set(b"89") else None

    @property
    def tar(self) -> bool:
        """Whether it looks like a tar header at all."""
        return self.raw[257:262] == b"ustar"

    @property
    def regular(self) -> bool:
        """Whether it stands for a file with content, and no link, folder or extension."""
        return self.raw[156:157] in {b"0", b"\0"}

    @property
    def sum_right(self) -> bool:
        """Whether its sum is the sum of its bytes."""
        right = sum(self.raw) - sum(self.raw[_SUM_AT]) + 8 * ord(" ")
        return self.raw[_SUM_AT].startswith(b"%06o" % right)
