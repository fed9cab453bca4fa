"""Bundles to try things on: the values of the golden one, and short ways to others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from filesync.bundle.changes import compress, encode_change
from filesync.bundle.header import BundleKind, Header, Items, Party, Place, Position, Report, encode_report
from filesync.bundle.layout import ARMOR, ARMOR_END, BLOBS, REPORT, sha256
from filesync.bundle.limits import Limits
from filesync.bundle.read import Bundle, Reader
from filesync.bundle.verdict import Incomplete
from filesync.bundle.write import NAMESPACE, Bag, DataFile, changes_file, data_bytes, pack, tar
from filesync.model.change import Change, Create, Delete, Set, Told
from filesync.model.ids import BundleId, Gid, Kind, Mark, SiteId, StreamId
from filesync.model.issue import About

GOLDEN = Path(__file__).parent.parent / "golden"

ACME = SiteId("11111111-1111-4111-8111-111111111111")
GLOBEX = SiteId("22222222-2222-4222-8222-222222222222")
STREAM, BACK = StreamId("5a" * 16), StreamId("b7" * 16)
GENERATION = Place(1, "c0" * 16)
ISSUE = Gid(f"{ACME}/issue/17/1763892000000")
COMMENT = Gid(f"{ACME}/comment/4/1763892060000")
UNSIGNED = ARMOR + b"AAAA\n" + ARMOR_END

CHANGES: tuple[Change, ...] = (
    Create(
        n=1,
        gid=ISSUE,
        kind=Kind.ISSUE,
        fields={"summary": "Pumpe läuft heiß · ポンプ · مضخة", "labels:field": True, "site": ["Basel", "Halle 3"]},
        about=About(key="ACME-17", author="Ana", at="2026-11-23T10:00:00.000Z"),
    ),
    Create(n=2, gid=COMMENT, kind=Kind.COMMENT, parent=ISSUE, fields={"body": 'tab\there, "quotes",\nlines, 🙂 and \x7f'}),
    Set(
        n=3,
        gid=ISSUE,
        fields={"summary": Told(now="Pump runs hot", base=Mark("0001.0000000002.000001")), "labels:field": Told()},
    ),
    Delete(n=4, gid=COMMENT),
)
REPORT_1 = Report(
    no=1,
    of_stream=BACK,
    generation=GENERATION,
    received_to=3,
    applied_to=2,
    applied_id=BundleId("0d" * 32),
    held=[5],
    want=[4],
    items=Items(ok=9),
    own=Position(GENERATION, 1, BundleId("0e" * 32)),
)
HEADER = Header(
    agent="filesync 0.1.0",
    kind=BundleKind.CHANGES,
    stream=STREAM,
    from_=Party(ACME, "acme"),
    to=Party(GLOBEX, "globex"),
    generation=GENERATION,
    seq=1,
    seen=Mark("0001.0000000002.000003"),
    counts={"create": 2, "delete": 1, "set": 1},
    contract="ab" * 16,
    created_at="2026-11-23T10:00:00.000Z",
    nonce="9f" * 16,
)


def changes_of(changes: Iterable[Change]) -> DataFile:
    return changes_file(compress(map(encode_change, changes)))


def blob(content: bytes) -> DataFile:
    return data_bytes(BLOBS + sha256(content), content)


def bag(changes: Sequence[Change] = CHANGES, blobs: Iterable[bytes] = ()) -> Bag:
    return pack(HEADER, [changes_of(changes), *sorted(map(blob, blobs), key=lambda file: file.path)])


def report_bag() -> Bag:
    header = msgspec.structs.replace(HEADER, kind=BundleKind.REPORT, seq=0, counts={}, report=REPORT_1)
    return pack(header, [data_bytes(REPORT, encode_report(REPORT_1))])


def packed(one: Bag, signature: bytes = UNSIGNED) -> bytes:
    return b"".join(tar(one, signature))


def read(raw: bytes, limits: Limits | None = None, *, piece: int = 0) -> Bundle | Incomplete:
    reader = Reader(limits or Limits())
    for start in range(0, len(raw), piece or len(raw) or 1):
        reader.feed(raw[start : start + (piece or len(raw))])
    return reader.close()


def sign(message: bytes, *, ssh_keygen: str, folder: Path, key: Path = GOLDEN / "key", namespace: str = NAMESPACE) -> bytes:
    """Signed as a person would; Ed25519 gives the same signature every time."""
    private = folder / "key-0600"
    shutil.copyfile(key, private)
    private.chmod(0o600)
    done = subprocess.run(
        [ssh_keygen, "-q", "-Y", "sign", "-f", str(private), "-n", namespace], input=message, capture_output=True, check=True
    )
    return done.stdout
