"""`data/changes.ndjson.zst`: one canonical line a change, in one zstd frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import msgspec
import zstandard

from filesync.bundle import canonical, schema
from filesync.bundle.limits import KIB, MIB, SMALLEST_CHUNK, Limits
from filesync.bundle.verdict import BadBundle, Code, bad, shown
from filesync.errors import Problem
from filesync.model.change import Blob, Change, Create, Set, blobs_of, texts_of

CHANGES: Final = "data/changes.ndjson.zst"
# A block of 4 bytes may stand for 128 KiB, so a bomb fed in slices of this size fills at most 16 MiB at a time.
_SLICE: Final = 512
_BATCH: Final = 256 * KIB  # decompressed bytes that are split into lines at once
_AT_ONCE: Final = 16 * MIB  # a frame that says it holds no more is decompressed at once: it cannot fill more than it says
_HEAD: Final = 18  # bytes of the longest zstd frame header

_typed: Final[msgspec.json.Decoder[Change]] = msgspec.json.Decoder(Change)
_plain: Final = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Compressed:
    """A zstd frame, and how many bytes are in it."""

    data: bytes
    content_size: int


def encode_change(change: Change) -> bytes:
    """One canonical line, with its LF. Raises ValueError for a text that is not Unicode (a lone surrogate)."""
    return canonical.encode(change)


def read_change(line: bytes) -> Change:
    """A line that was checked when it came. Raises what msgspec raises: then it is not the line that was checked."""
    return _typed.decode(line)


def compress(lines: Iterable[bytes], *, level: int = 3) -> Compressed:
    """Lines as one frame that states its content's size and checksum. The same lines give the same bytes."""
    content = b"".join(lines)
    packer = zstandard.ZstdCompressor(level=level, write_content_size=True, write_checksum=True)
    return Compressed(packer.compress(content), len(content))


def read_changes(chunks: Iterable[bytes], *, declared: int, limits: Limits) -> Iterator[Change]:
    """The changes of a compressed file, one by one, each checked; memory stays flat.

    `declared` is the header's content size. Raises BadBundle (TOO_LARGE, BAD_HEADER, BAD_JSON, BAD_SCHEMA)
    naming the line, after the changes before it were yielded.
    """
    first = 1
    for block in _blocks(_inflate(chunks, declared=declared, limits=limits), limits=limits):
        # Nearly every block is right, and a hundred lines are looked at as fast as twenty; what is wrong is found line by line.
        changes = _right(block, first, limits)
        for n, change in enumerate(_one_by_one(block, first, limits) if changes is None else changes, start=first):
            if isinstance(change, Create | Set) and (change.texts or (isinstance(change, Create) and change.blob is not None)):
                _check_beside(change, f"{CHANGES} line {n}", limits)
            yield change
            first = n + 1


def _right(block: bytes, first: int, limits: Limits) -> list[Change] | None:
    """The changes of a block of lines, the first of which has this number; None where one of them has to be looked at."""
    try:
        changes = _typed.decode_lines(block)
        # The same bytes again: they are canonical, and there is nothing in them that we do not know, however deep.
        same = len(block) <= limits.line and canonical.encode_lines(changes) == block
        documents = _plain.decode_lines(block) if same else []
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    right = same and first + len(changes) - 1 <= limits.changes and schema.all_valid("change", documents)
    return changes if right and all(change.n == n for n, change in enumerate(changes, start=first)) else None


def _one_by_one(block: bytes, first: int, limits: Limits) -> Iterator[Change]:
    return map(read_change, _checked(_lines(block, limits), "change", first, limits))


def checked_lines(chunks: Iterable[bytes], name: str, *, declared: int, limits: Limits) -> Iterator[bytes]:
    """The lines of a compressed file, each canonical, numbered, and as the schema `name` has it. Raises as `read_changes`."""
    blocks = _blocks(_inflate(chunks, declared=declared, limits=limits), limits=limits)
    return _checked(chain.from_iterable(_lines(block, limits) for block in blocks), name, 1, limits)


def checked_changes(chunks: Iterable[bytes], *, limits: Limits) -> Iterator[Change]:
    """The changes of a compressed file of which `read_changes` said before that it is right."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << limits.window_log).decompressobj()
    for block in _blocks((unpacker.decompress(piece) for chunk in chunks for piece in _slices((chunk,))), limits=limits):
        yield from _typed.decode_lines(block)


def _checked(lines: Iterable[bytes], name: str, first: int, limits: Limits) -> Iterator[bytes]:
    for n, line in enumerate(lines, start=first):
        if n > limits.changes:
            raise bad(Code.TOO_LARGE, CHANGES, f"more than {limits.changes} changes")
        _check(line, name, n, limits)
        yield line


def _check(line: bytes, name: str, n: int, limits: Limits) -> None:
    where = f"{CHANGES} line {n}"
    document = canonical.decode(line, where=where, depth=limits.depth)
    if not schema.valid(name, document):
        if not canonical.integers_fit(document):
            raise bad(Code.BAD_JSON, where, "a number beyond 2**53 - 1")
        wrong = schema.problems(name, document)
        raise BadBundle(Code.BAD_SCHEMA, (Problem(f"{where} {p.where}".rstrip(), p.what) for p in wrong))
    if document["n"] != n:
        raise bad(Code.BAD_SCHEMA, f"{where} n", f"is {document['n']}; lines are numbered from 1")


def _check_beside(change: Create | Set, where: str, limits: Limits) -> None:
    """What stands beside a line: no field twice, no more texts than memory is kept for, pieces that can be."""
    if twice := sorted(change.texts.keys() & change.fields.keys()):
        raise bad(Code.BAD_SCHEMA, f"{where} texts", f"{shown(twice[0])} is among the fields, too")
    size = sum(one.size for one in texts_of(change).values())
    if size > limits.texts:
        raise bad(Code.TOO_LARGE, f"{where} texts", f"{size} bytes of texts; the limit is {limits.texts}")
    for blob in blobs_of(change):
        _check_chunks(blob, where, limits)


def _check_chunks(blob: Blob, where: str, limits: Limits) -> None:
    """No more pieces than the size can be made of, and each of them once: everything that waits for them counts them."""
    count = len(blob.chunks)
    most = min(limits.chunks, -(-blob.size // SMALLEST_CHUNK))
    if count > most:
        raise bad(Code.TOO_LARGE, where, f"{count} chunks for {blob.size} bytes; the limit is {most}")
    if len({one.id for one in blob.chunks}) != count:
        raise bad(Code.BAD_SCHEMA, where, "names a chunk twice")


def _inflate(chunks: Iterable[bytes], *, declared: int, limits: Limits) -> Iterator[bytes]:
    """The decompressed bytes, in batches; never more than `declared`, nothing before or after the one frame."""
    if declared > limits.content:
        raise bad(Code.TOO_LARGE, CHANGES, f"{declared} bytes of changes; the limit is {limits.content}")
    stream = iter(chunks)
    packed = _first(stream, declared + KIB) if declared <= _AT_ONCE else b""
    if packed and (content := _at_once(packed, declared=declared, limits=limits)) is not None:
        yield from (content[start : start + _BATCH] for start in range(0, declared, _BATCH))
        if next(stream, None) is not None:
            raise bad(Code.BAD_HEADER, CHANGES, "bytes after the end of the zstd frame")
        return
    yield from _inflate_slowly(chain((packed,), stream), declared=declared, limits=limits)


def _inflate_slowly(chunks: Iterable[bytes], *, declared: int, limits: Limits) -> Iterator[bytes]:
    """The same of a large frame; of one that is not right what is wrong with it."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << limits.window_log).decompressobj(write_size=16 * KIB)
    total, batch, waiting = 0, [], 0
    try:
        for piece in _slices(_frame(chunks, declared=declared)):
            if unpacker.eof or unpacker.unused_data:
                raise bad(Code.BAD_HEADER, CHANGES, "bytes after the end of the zstd frame")
            out = unpacker.decompress(piece)
            total += len(out)
            waiting += len(out)
            if total > declared:
                raise bad(Code.TOO_LARGE, CHANGES, f"more than the declared {declared} bytes when decompressed")
            batch.append(out)
            if waiting >= _BATCH:
                yield b"".join(batch)
                batch, waiting = [], 0
    except zstandard.ZstdError as error:
        raise bad(Code.BAD_HEADER, CHANGES, f"not the zstd frame it should be: {error}") from None
    if unpacker.unused_data:
        raise bad(Code.BAD_HEADER, CHANGES, "bytes after the end of the zstd frame")
    if not unpacker.eof or total != declared:
        raise bad(Code.BAD_HEADER, CHANGES, f"{total} bytes when decompressed; {declared} are declared")
    yield b"".join(batch)


def _first(stream: Iterator[bytes], size: int) -> bytes:
    """The first chunks, of so many bytes together or of one chunk more; fewer where there are no more."""
    found = bytearray()
    while len(found) <= size and (chunk := next(stream, None)) is not None:
        found += chunk
    return bytes(found)


def _at_once(packed: bytes, *, declared: int, limits: Limits) -> bytes | None:
    """The content of a frame that is whole, and all that it should be; else None."""
    try:
        frame = zstandard.get_frame_parameters(packed)
        if frame.content_size != declared or not frame.has_checksum or frame.window_size > 1 << limits.window_log:
            return None
        content = zstandard.ZstdDecompressor().decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError:
        return None
    return content if len(content) == declared else None


def _frame(chunks: Iterable[bytes], *, declared: int) -> Iterator[bytes]:
    """The chunks again, after a look at the frame's header: it states the content's size and carries a checksum."""
    stream = iter(chunks)
    head = b""
    while len(head) < _HEAD and (chunk := next(stream, None)) is not None:
        head += chunk
    frame = zstandard.get_frame_parameters(head)
    if frame.content_size != declared or not frame.has_checksum or frame.dict_id:
        raise bad(Code.BAD_HEADER, CHANGES, f"the zstd frame must state {declared} bytes, a checksum and no dictionary")
    yield head
    yield from stream


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            yield chunk[start : start + _SLICE]


def _blocks(batches: Iterable[bytes], *, limits: Limits) -> Iterator[bytes]:
    """The batches cut where lines end; a last line without its LF is the reader's to refuse."""
    rest = b""
    for batch in batches:
        lines, end, rest = (rest + batch).rpartition(b"\n")
        if end:
            yield lines + end
        if len(rest) >= limits.line:
            raise _too_long(limits)
    if rest:
        yield rest


def _lines(block: bytes, limits: Limits) -> Iterator[bytes]:
    """The lines of a block, each with its LF but for a last one that has none."""
    *lines, rest = block.split(b"\n")
    for line in lines:
        if len(line) >= limits.line:
            raise _too_long(limits)
        yield line + b"\n"
    if rest:
        yield rest


def _too_long(limits: Limits) -> BadBundle:
    return bad(Code.TOO_LARGE, CHANGES, f"a line longer than {limits.line} bytes")
