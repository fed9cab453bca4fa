"""`bundle.json`, the header of every bundle, and the position report that travels inside it (docs/format.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from filesync.bundle import canonical, schema
from filesync.bundle.limits import FORMAT, Limits
from filesync.bundle.verdict import BadBundle, Code, bad, shown
from filesync.errors import Problem
from filesync.model.ids import NEVER, NO_BUNDLE, BundleId, Mark, SiteId, StreamId
from filesync.model.prepare import prepare

FEATURES: Final[frozenset[str]] = frozenset()  # additions to fs1 that this version understands
WHERE: Final = "bundle.json"
_SHORT: Final = 8  # digits of an id that a file name shows
_LONG: Final = 16  # the same for chunks, which have no number


class BundleKind(StrEnum):
    """What a bundle brings. All but `report` and `chunk` have a place in the stream: a seq and a predecessor."""

    CHANGES = "changes"
    SNAPSHOT = "snapshot"
    RESET = "reset"
    CONTRACT = "contract"
    KEYS = "keys"
    DIGEST = "digest"
    REPORT = "report"
    CHUNK = "chunk"

    @property
    def sequenced(self) -> bool:
        """Whether bundles of this kind are numbered and chained."""
        return self not in {BundleKind.REPORT, BundleKind.CHUNK}


class Party(msgspec.Struct, frozen=True):
    """A site, as a header names it. `name` is for people."""

    site: SiteId
    name: str


class Place(msgspec.Struct, frozen=True):
    """A generation: `n` orders, `id` (32 hex digits) tells two clones apart."""

    n: int
    id: str


class Follows(msgspec.Struct, frozen=True):
    """The last bundle of the generation before: named by the first of a new one."""

    generation: Place
    seq: int
    id: BundleId


class FileEntry(msgspec.Struct, frozen=True):
    """A data file of the bundle."""

    path: str
    size: int  # bytes as stored
    content_size: int  # bytes when decompressed; the same where nothing is compressed
    sha256: str  # of the stored bytes


class InChunks(msgspec.Struct, frozen=True):
    """An attachment that the changes refer to, and whose bytes come in chunks."""

    sha256: str
    size: int  # bytes
    chunks: int  # how many


class Refused(msgspec.Struct, frozen=True):
    """A bundle that the reporting site will not take. `code` is text: a newer partner may know more codes than we do."""

    seq: int
    code: str


class Items(msgspec.Struct, frozen=True):
    """How many changes of the reported stream came to which end, since its beginning."""

    ok: int = 0
    conflict: int = 0
    failed: int = 0
    deferred: int = 0


class Short(msgspec.Struct, frozen=True):
    """How many items of the reported stream are not there as they were sent. Names and codes alone, no value."""

    field: str
    cause: str  # text: a newer partner may know more causes than we do
    items: int


class Position(msgspec.Struct, frozen=True):
    """How far the reporting site's own stream has come."""

    generation: Place
    seq: int
    id: BundleId


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a site has of its partner's stream, and how far its own has come. Cumulative: losing one is harmless."""

    no: int  # counts this site's reports on this stream, from 1
    of_stream: StreamId
    generation: Place
    received_to: int  # contiguous, verified and stored
    applied_to: int  # contiguous and applied
    applied_id: BundleId  # of bundle `applied_to`; NO_BUNDLE before the first
    blobs_to: int = 0  # contiguous and applied with all attachments
    held: list[int] = []  # seqs that wait for one before them
    want: list[int] = []  # seqs asked for again
    want_blobs: list[str] = []  # chunk ids asked for
    refused: list[Refused] = []
    items: Items = Items()
    short: list[Short] = []  # the most first
    own: Position | None = None
    max_format: str = FORMAT


class Header(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Everything about a bundle but its changes. Every field is always written."""

    format: str = FORMAT
    features: list[str] = []  # additions a reader must understand, else it holds the bundle
    agent: str  # "filesync 0.1.0", for people
    kind: BundleKind
    stream: StreamId
    from_: Party
    to: Party
    generation: Place
    seq: int  # 1, 2, 3 …; 0 for a report and a chunk
    prev: BundleId = NO_BUNDLE  # of seq - 1
    follows: Follows | None = None
    seen: Mark = NEVER  # the partner's last mark before which everything is decided here
    part: int = 1  # of a snapshot that takes several bundles
    last: bool = True  # whether this is its last part
    files: list[FileEntry] = []  # in the order in which they stand in the file
    counts: dict[str, int] = {}  # {"create": 3}, for people
    blobs: list[InChunks] = []  # big attachments that the changes refer to
    contract: str = ""  # digest of the contract the changes were made under
    created_at: str  # UTC, for people
    nonce: str  # 32 hex digits, random: no id tells what is inside
    report: Report | None = None


prepare(Header, Short)


def encode_header(header: Header) -> bytes:
    """`bundle.json`: one canonical line."""
    return canonical.encode(header)


def encode_report(report: Report) -> bytes:
    """`data/report.json` of a report bundle: the header's report once more, as one canonical line."""
    return canonical.encode(report)


def report_of(raw: bytes) -> bytes:
    """The report as it stands in a header that was read: from the bytes, for a newer site's may hold fields we do not know."""
    return canonical.encode(msgspec.json.decode(raw)["report"])


def decode_header(raw: bytes, *, limits: Limits | None = None) -> Header:
    """Read `bundle.json`. Fields we do not know are let through.

    Raises BadBundle: BAD_JSON, BAD_SCHEMA, BAD_HEADER, TOO_LARGE, NEWER_FORMAT.
    """
    limits = limits or Limits()
    if len(raw) > limits.header:
        raise bad(Code.TOO_LARGE, WHERE, f"{len(raw)} bytes; the limit is {limits.header}")
    document = canonical.decode(raw, where=WHERE, depth=limits.depth)
    if not canonical.integers_fit(document):
        raise bad(Code.BAD_JSON, WHERE, "a number beyond 2**53 - 1")
    _known_format(document)
    wrong = schema.problems("header", document)
    if isinstance(document, dict) and isinstance(document.get("report"), dict):
        wrong += tuple(
            Problem(f"report.{p.where}" if p.where else "report", p.what) for p in schema.problems("report", document["report"])
        )
    if wrong:
        raise BadBundle(Code.BAD_SCHEMA, (Problem(f"{WHERE} {p.where}".rstrip(), p.what) for p in wrong))
    header = msgspec.convert(document, Header)
    if contradictions := _contradictions(header):
        raise BadBundle(Code.BAD_HEADER, contradictions)
    return header


def unknown_fields(raw: bytes) -> list[str]:
    """Fields of a header, and of the report in it, that this version does not know. They stay in the stored bundle."""
    document = msgspec.json.decode(raw, type=dict[str, Any])
    report = document.get("report") or {}
    strange = report.keys() - set(Report.__struct_encode_fields__)
    return sorted({*document.keys() - set(Header.__struct_encode_fields__), *(f"report.{name}" for name in strange)})


def unknown_features(header: Header) -> list[str]:
    """Features that this version does not understand: with any, the bundle is held (NEWER_FORMAT)."""
    return sorted(set(header.features) - FEATURES)


def file_name(header: Header, bundle_id: BundleId, *, encrypted: bool) -> str:
    """The name under which a bundle is offered. Fixed width, so that `ls` sorts in apply order; only a hint to a reader."""
    ident = bundle_id[:_LONG] if header.kind is BundleKind.CHUNK else bundle_id[:_SHORT]
    where = f"{_number(header)}{ident}" if header.kind is BundleKind.CHUNK else f"{_number(header)}_{ident}"
    return f"fs1_{header.stream[:_SHORT]}_g{header.generation.n:04}_{where}.tar{'.age' if encrypted else ''}"


def folder_name(header: Header) -> str:
    """The folder inside the tar. A chunk's is told by its nonce, for the bundle id is not known yet."""
    ident = header.nonce[:_LONG] if header.kind is BundleKind.CHUNK else ""
    return f"fs1_g{header.generation.n:04}_{_number(header)}{ident}"


def _number(header: Header) -> str:
    match header.kind:
        case BundleKind.CHUNK:
            return "b"
        case BundleKind.REPORT:
            return f"r{header.report.no if header.report else 0:010}"
        case _:
            return f"{header.seq:010}"


def _known_format(document: object) -> None:
    if isinstance(document, dict) and isinstance(made := document.get("format"), str) and made != FORMAT:
        raise newer(f"format {shown(made, limit=20)}, made by {shown(str(document.get('agent')), limit=40)}; we read {FORMAT}")
    if isinstance(document, dict) and isinstance(kind := document.get("kind"), str) and kind not in list(BundleKind):
        raise newer(f"a bundle of kind {shown(kind, limit=20)}, made by {shown(str(document.get('agent')), limit=40)}")


def newer(what: str) -> BadBundle:
    """The verdict on a bundle that a newer version made."""
    return bad(Code.NEWER_FORMAT, WHERE, what)


def _contradictions(header: Header) -> list[Problem]:
    """What the schema cannot say: fields that do not go together."""
    found = []

    def wrong(field: str, what: str) -> None:
        found.append(Problem(f"{WHERE} {field}", what))

    if header.kind.sequenced != (header.seq > 0):
        wrong("seq", f"{header.seq} does not go with kind {header.kind}")
    elif (header.seq <= 1) != (header.prev == NO_BUNDLE):
        wrong("prev", "64 zeros stand in the first bundle of a generation, and only there")
    if header.follows is not None and header.seq != 1:
        wrong("follows", "only the first bundle of a generation names the one before it")
    if header.follows is not None and header.follows.generation.n >= header.generation.n:
        wrong("follows", "names a generation that is not older")
    if header.kind is BundleKind.REPORT and header.report is None:
        wrong("report", "missing in a report")
    if header.from_.site == header.to.site:
        wrong("to", "is the site it comes from")
    return found
