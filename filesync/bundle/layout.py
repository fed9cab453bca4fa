"""Which files a bundle holds, in which order, and the short texts among them (a BagIt 1.0 bag, RFC 8493)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from filesync.bundle.changes import CHANGES
from filesync.bundle.header import BundleKind, FileEntry, Header, folder_name, report_of
from filesync.errors import Problem

NAMESPACE: Final = "filesync-bundle-v1@filesync"  # of the signature over TAGMANIFEST
SIGNATURE: Final = "tagmanifest-sha256.txt.sig"
TAGMANIFEST: Final = "tagmanifest-sha256.txt"
HEADER: Final = "bundle.json"
MANIFEST: Final = "manifest-sha256.txt"
BAGIT: Final = "bagit.txt"
INFO: Final = "bag-info.txt"
TAGGED: Final = (HEADER, MANIFEST, BAGIT, INFO)  # what the signed list names
HEAD: Final = (SIGNATURE, TAGMANIFEST, *TAGGED)  # what stands before the data
REPORT: Final = "data/report.json"
CHUNK: Final = "data/chunk"
BLOBS: Final = "data/blobs/"

BAGIT_TEXT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
ARMOR: Final = b"-----BEGIN SSH SIGNATURE-----\n"
ARMOR_END: Final = b"-----END SSH SIGNATURE-----\n"

FOLDER: Final = re.compile(r"fs1_g[0-9]{4}_([0-9]{10}|r[0-9]{10}|b[0-9a-f]{16})")
NEWER_FOLDER: Final = re.compile(r"fs[0-9]{1,6}_")
DATA: Final = re.compile(r"data/(changes\.ndjson\.zst|report\.json|chunk|blobs/[0-9a-f]{64})")
_TAGLINE: Final = re.compile(rb"([0-9a-f]{64})  ([a-z0-9.-]+)\n")


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def hash_list(hashes: Sequence[tuple[str, str]]) -> bytes:
    """(path, sha256) as `sha256sum` writes and checks it."""
    return "".join(f"{digest}  {path}\n" for path, digest in hashes).encode("ascii")


def manifest_text(files: Sequence[FileEntry]) -> bytes:
    """`manifest-sha256.txt`: every data file."""
    return hash_list([(entry.path, entry.sha256) for entry in files])


def read_tagmanifest(raw: bytes) -> Mapping[str, str] | None:
    """The hash of each tag file by its name; None where the text is not exactly what a writer makes."""
    lines = _TAGLINE.findall(raw)
    if b"".join(b"%s  %s\n" % line for line in lines) != raw or [name.decode() for _, name in lines] != list(TAGGED):
        return None
    return {name.decode(): digest.decode() for digest, name in lines}


def info_text(header: Header) -> bytes:
    """`bag-info.txt`: the header's gist for people, and the total that BagIt tools check."""
    octets = sum(entry.size for entry in header.files)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(header.counts.items()))
    lines = [
        f"External-Identifier: {folder_name(header)}",
        f"Bagging-Date: {header.created_at[:10]}",
        f"Payload-Oxum: {octets}.{len(header.files)}",
        f"Filesync-From: {header.from_.name} ({header.from_.site})",
        f"Filesync-To: {header.to.name} ({header.to.site})",
        f"Filesync-Kind: {header.kind}",
        f"Filesync-Sequence: {header.seq} of generation {header.generation.n}",
        f"Filesync-Counts: {counts or 'none'}",
    ]
    return ("\n".join(lines) + "\n").encode()


def wrong_files(header: Header, header_bytes: bytes) -> list[Problem]:
    """What is wrong with the header's list of data files: the set and order that its kind asks for, hashes, sizes."""
    found = []
    paths = [entry.path for entry in header.files]
    match header.kind:
        case BundleKind.REPORT:
            expected = paths == [REPORT]
        case BundleKind.CHUNK:
            expected = paths == [CHUNK]
        case _:
            blobs = paths[1:]
            expected = paths[:1] == [CHANGES] and all(p.startswith(BLOBS) for p in blobs) and blobs == sorted(set(blobs))
    if not expected:
        found.append(Problem(f"{HEADER} files", f"not the files of a bundle of kind {header.kind}, in their order"))
    for i, entry in enumerate(header.files):
        where = f"{HEADER} files[{i}]"
        if entry.path.startswith(BLOBS) and entry.path != BLOBS + entry.sha256:
            found.append(Problem(where, "a blob is named after its SHA-256"))
        if entry.path != CHANGES and entry.size != entry.content_size:
            found.append(Problem(where, "only the changes are compressed: size and content_size must be equal"))
    if header.kind is BundleKind.REPORT and expected and header.files[0].sha256 != sha256(report_of(header_bytes)):
        found.append(Problem(f"{HEADER} report", f"differs from {REPORT}"))
    return found
