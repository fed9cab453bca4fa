"""What the work costs without filesync: the same bytes through the same libraries; nothing is decided, signed, remembered.

One thread, as filesync has.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import tarfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import jsonschema_rs
import msgspec
import zstandard

from filesync.bundle import schema
from filesync.model.change import Change

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_CHANGES: Final = "changes.ndjson.zst"


def connect(path: Path) -> sqlite3.Connection:
    """As safe as filesync's ledger: every commit is on the disk."""
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        conn.execute(f"PRAGMA {pragma}")
    return conn


def keep_records(conn: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """What `export` reads: one record a row."""
    conn.execute("create table record (n integer primary key, body blob)")
    conn.execute("begin")
    conn.executemany("insert into record values (?, ?)", ((one.n, _ENCODER.encode(one)) for one in changes))
    conn.execute("commit")


def export(conn: sqlite3.Connection, folder: Path, *, each: int, level: int) -> list[Path]:
    """SQLite read, typed decode, encode, zstd, SHA-256, tar, fsync, rename, fsync of the folder; `each` records a file."""
    decode = msgspec.json.Decoder(Change).decode
    packer = zstandard.ZstdCompressor(level=level, write_checksum=True)
    rows: Iterator[tuple[bytes]] = iter(conn.execute("select body from record order by n"))
    files: list[Path] = []
    while lines := [_ENCODER.encode(decode(body)) for (body,) in islice(rows, each)]:
        packed = packer.compress(b"\n".join(lines) + b"\n")
        path = folder / f"{len(files):06}.tar"
        with path.with_suffix(".tmp").open("xb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for name, content in ((_CHANGES, packed), ("sha256", hashlib.sha256(packed).hexdigest().encode())):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
            raw.flush()
            os.fsync(raw.fileno())
        path.with_suffix(".tmp").rename(path)
        _fsync(folder)
        files.append(path)
    return files


def take(conn: sqlite3.Connection, files: Iterable[Path]) -> int:
    """SHA-256, unzstd, schema check, typed decode, one commit a file. Returns the records."""
    conn.execute("create table taken (file integer, n integer, gid text, primary key (file, n)) without rowid")
    judge = jsonschema_rs.validator_for(schema.schema("change"))
    decode = msgspec.json.Decoder(Change).decode
    records = 0
    for place, path in enumerate(files):
        with tarfile.open(path) as archive:
            packed, said = (_content(archive, name) for name in (_CHANGES, "sha256"))
        assert hashlib.sha256(packed).hexdigest().encode() == said
        rows = []
        for line in zstandard.ZstdDecompressor().decompress(packed).splitlines():
            assert judge.is_valid(msgspec.json.decode(line))
            change = decode(line)
            rows.append((place, change.n, change.gid))
        conn.execute("begin")
        conn.executemany("insert into taken values (?, ?, ?)", rows)
        conn.execute("commit")
        records += len(rows)
    return records


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
