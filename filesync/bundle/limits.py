"""How much of anything a reader takes from a partner. Each is checked before memory is taken."""

from __future__ import annotations

from typing import Final

import msgspec

FORMAT: Final = "fs1"  # what is limited here, and how the names of its files begin
KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

SIGNATURE: Final = 16 * KIB  # bytes of an armored signature; Ed25519 takes 294
TAG_TEXT: Final = 64 * KIB  # bytes of bagit.txt, bag-info.txt and the tag manifest, each
SMALLEST_CHUNK: Final = 1 * KIB  # bytes of a piece of an attachment or text; only the last one may have fewer
PLACE: Final = 200  # bytes of one line of manifest-sha256.txt: 64 + 2 + a path of at most 99 + LF


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one bundle may hold. The defaults take everything that a sender with default settings makes."""

    header: int = 1 * MIB  # bytes of bundle.json
    bundle: int = 256 * MIB  # bytes of the whole file, decrypted
    files: int = 4_096  # data files
    line: int = 4 * MIB  # bytes of one change line, with its LF
    content: int = 1 * GIB  # decompressed bytes of one data file
    chunks: int = 20_000  # pieces of one attachment: a change line has room for so many
    texts: int = 128 * MIB  # bytes of the texts beside one line, together: they are in memory while it is decided
    depth: int = 32  # arrays and objects inside one another, in JSON
    changes: int = 100_000  # change lines
    window_log: int = 27  # zstd window: 2**27 bytes (128 MiB), the most that plain `zstd -d` takes
