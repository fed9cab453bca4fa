"""Change lines: one way to write them, and nothing else is read."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from filesync.bundle.canonical import MAX_INT
from filesync.bundle.changes import Compressed, compress, encode_change, read_changes
from filesync.bundle.limits import SMALLEST_CHUNK, Limits
from filesync.bundle.verdict import BadBundle, Code
from filesync.model.change import Blob, Change, Chunk, Create, Delete, LongTold, Set, Told
from filesync.model.ids import BundleId, Gid, Kind, Mark
from filesync.model.issue import About
from tests.support.bundles import ACME, CHANGES, COMMENT, ISSUE

LIMITS = Limits()
SET = b'{"about":{},"change":"set","fields":{"summary":{"now":"x"}},"gid":"%s","n":1}\n' % ISSUE.encode()


def packed(*lines: bytes) -> Compressed:
    return compress(lines)


def read(one: Compressed, limits: Limits = LIMITS, *, piece: int = 10_000) -> list[Change]:
    pieces = [one.data[at : at + piece] for at in range(0, len(one.data), piece)]
    return list(read_changes(pieces, declared=one.content_size, limits=limits))


def refused(one: Compressed, limits: Limits = LIMITS) -> BadBundle:
    with pytest.raises(BadBundle) as caught:
        read(one, limits)
    error = caught.value
    assert str(error).isprintable()
    assert all(problem.where.startswith("data/changes.ndjson.zst") for problem in error.problems)
    return error


texts = st.text(st.characters(codec="utf-8"))
names = texts.filter(bool)
values = st.one_of(texts, st.lists(texts, min_size=1, max_size=2), st.just(value=True))
gids = st.builds(
    lambda kind, local, stamp: Gid(f"{ACME}/{kind}/{local}/{stamp}"),
    st.sampled_from(list(Kind)),
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.from_regex(r"[0-9A-Za-z]{1,32}", fullmatch=True),
)
marks = st.builds(
    lambda g, s, n: Mark(f"{g:04}.{s:010}.{n:06}"), st.integers(0, 9999), st.integers(0, 10**10 - 1), st.integers(0, 999999)
)
abouts = st.builds(About, key=texts, author=texts, at=texts)
told = st.one_of(st.builds(Told, now=values, base=marks), st.builds(Told, base=marks))
hashes = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
chunks = st.builds(Chunk, id=hashes.map(BundleId), sha256=hashes, size=st.integers(1, 2**53 - 1))
creates = st.builds(
    Create,
    n=st.just(1),
    gid=gids,
    kind=st.sampled_from([one for one in Kind if one is not Kind.PROJECT]),  # that one is never told
    parent=gids,
    blob=st.builds(
        Blob,
        sha256=hashes,
        size=st.integers(3 * SMALLEST_CHUNK, 2**53 - 1),
        chunks=st.lists(chunks, max_size=3, unique_by=lambda one: one.id),
    ),
    fields=st.dictionaries(names, values),
    about=abouts,
)
long_texts = st.builds(Blob, sha256=hashes, size=st.integers(0, LIMITS.texts // 4))
sets = st.builds(
    Set,
    n=st.just(1),
    gid=gids,
    fields=st.dictionaries(names.map("a".__add__), told),
    texts=st.dictionaries(names.map("b".__add__), st.builds(LongTold, now=long_texts, base=marks), max_size=3),
    about=abouts,
)
deletes = st.builds(Delete, n=st.just(1), gid=gids, about=abouts)


@given(st.lists(st.one_of(creates, sets, deletes), max_size=4), st.integers(1, 200))
def test_what_is_written_is_read_again(changes: list[Change], piece: int) -> None:
    numbered = [msgspec.structs.replace(change, n=n) for n, change in enumerate(changes, start=1)]
    assert read(packed(*map(encode_change, numbered)), piece=piece) == numbered


@given(st.one_of(creates, sets, deletes))
def test_a_line_is_what_any_json_writer_makes_that_sorts_and_leaves_no_blanks(change: Change) -> None:
    line = encode_change(change)
    by_the_book = json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert line.decode() == by_the_book


def test_the_same_changes_give_the_same_bytes() -> None:
    lines = [encode_change(change) for change in CHANGES]
    assert packed(*lines) == packed(*lines)


def test_a_text_that_is_not_unicode_is_not_written() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        encode_change(Set(n=1, gid=ISSUE, fields={"summary": Told(now="\ud800")}))


def test_no_changes_are_a_frame_of_nothing() -> None:
    assert read(packed()) == []


def extra(value: bytes) -> bytes:
    return SET.replace(b'"n":1}', b'"n":1,"x":%s}' % value)


NOT_CANONICAL = {
    "a blank": SET.replace(b'"n":1', b'"n": 1'),
    "unsorted keys": SET.replace(b'"about":{},', b"").replace(b'"n":1', b'"n":1,"about":{}'),
    "a duplicate key": SET.replace(b'"n":1', b'"n":1,"n":1'),
    "a duplicate key inside": SET.replace(b'"now":"x"', b'"now":"y","now":"x"'),
    "an escape that need not be": SET.replace(b'"x"', rb'"\u0078"'),
    "an escaped slash": SET.replace(b'"x"', rb'"\/"'),
    "an escape in capitals": SET.replace(b'"x"', rb'"\u001F"'),
    "a long escape": SET.replace(b'"x"', rb'"\u000a"'),
    "a pair of surrogates": SET.replace(b'"x"', rb'"\ud83d\ude42"'),
    "a lone surrogate": SET.replace(b'"x"', rb'"\ud800"'),
    "a surrogate in UTF-8": SET.replace(b'"x"', b'"\xed\xa0\x80"'),
    "not UTF-8": SET.replace(b'"x"', b'"\xff"'),
    "overlong UTF-8": SET.replace(b'"x"', b'"\xc0\xaf"'),
    "a byte order mark": b"\xef\xbb\xbf" + SET,
    "a bare control character": SET.replace(b'"x"', b'"\x01"'),
    "NaN": extra(b"NaN"),
    "Infinity": extra(b"-Infinity"),
    "a fraction": extra(b"1.5"),
    "a whole number written as a fraction": SET.replace(b'"n":1', b'"n":1.0'),
    "an exponent": extra(b"1e3"),
    "a huge exponent": extra(b"1e400"),
    "minus zero": extra(b"-0"),
    "a leading zero": extra(b"01"),
    "2^70": extra(str(2**70).encode()),
    "2^53": extra(str(2**53).encode()),
    "-2^53": extra(str(-(2**53)).encode()),
    "2^64 deep inside": extra(b'{"y":[[%d]]}' % 2**64),
    "5,000 digits": extra(b"9" * 5000),
    "too deep": extra(b"[" * 32 + b"]" * 32),
    "far too deep": extra(b"[" * 100_000 + b"]" * 100_000),
    "never closed": extra(b"[" * 100_000),
    "CRLF": SET.replace(b"\n", b"\r\n"),
    "an empty line": b"\n",
    "two documents": SET[:-1] + SET,
    "no line end": SET[:-1],
    "a comment": b"// hello\n",
}


@pytest.mark.parametrize("why", NOT_CANONICAL)
def test_f94_a_line_that_is_not_canonical_json_is_refused_and_numbered(why: str) -> None:
    error = refused(packed(SET, NOT_CANONICAL[why]))
    assert error.code is Code.BAD_JSON
    assert error.problems[0].where == "data/changes.ndjson.zst line 2"


def test_integers_up_to_the_bound_and_nesting_up_to_the_limit_are_taken() -> None:
    for value in (b"%d" % MAX_INT, b"%d" % -MAX_INT, b"[" * 31 + b"]" * 31, b'["{[{[{[{[{[{[{[{[{[{[{[{[{[{[{[{[{["]'):
        assert len(read(packed(extra(value)))) == 1


WRONG = {
    "n is not the line's number": SET.replace(b'"n":1', b'"n":2'),
    "n is true": SET.replace(b'"n":1', b'"n":true'),
    "no gid": SET.replace(b'"gid"', b'"gie"'),
    "a gid with a path in it": SET.replace(b"/17/", b"/../"),
    "a gid that ends in a line end": SET.replace(b'2000000"', b'2000000\\n"'),
    "an unknown kind of change": SET.replace(b'"set"', b'"sed"'),
    "no fields": b'{"change":"set","gid":"%s","n":1}\n' % ISSUE.encode(),
    "a number for a value": SET.replace(b'"x"', b"1"),
    "false for a value": SET.replace(b'"x"', b"false"),
    "null for a value": SET.replace(b'"x"', b"null"),
    "a field without a name": SET.replace(b'"summary"', b'""'),
    "an attachment without its bytes": b'{"change":"create","fields":{},"gid":"%s","kind":"attachment","n":1,"parent":"%s"}\n'
    % (COMMENT.encode(), ISSUE.encode()),
    "a comment without its issue": b'{"change":"create","fields":{},"gid":"%s","kind":"comment","n":1}\n' % COMMENT.encode(),
    "not an object": b"[]\n",
    "a word": b'"set"\n',
}


@pytest.mark.parametrize("why", WRONG)
def test_a_line_outside_the_schema_is_refused_and_numbered(why: str) -> None:
    error = refused(packed(WRONG[why]))
    assert error.code is Code.BAD_SCHEMA
    assert error.problems[0].where.startswith("data/changes.ndjson.zst line 1")


def test_what_a_newer_version_adds_is_let_through() -> None:
    line = b'{"about":{"mood":[1,null]},"change":"set","fields":{"s":{"hint":{"a":true},"now":"x"}},"gid":"%s","n":1,"z":-5}\n'
    (change,) = read(packed(line % ISSUE.encode()))
    assert change == Set(n=1, gid=ISSUE, fields={"s": Told(now="x")})


def test_changes_before_a_bad_line_are_given_out_first() -> None:
    one = packed(SET, b"{}\n")
    stream = read_changes([one.data], declared=one.content_size, limits=LIMITS)
    assert next(stream).n == 1
    with pytest.raises(BadBundle, match="line 2"):
        next(stream)


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (replace(LIMITS, line=100), "line longer"),
        (replace(LIMITS, content=100), "limit is 100"),
        (replace(LIMITS, changes=1), "more than 1 changes"),
    ],
)
def test_f82_lines_beyond_the_limits_are_too_large(limits: Limits, what: str) -> None:
    error = refused(packed(SET, SET.replace(b'"n":1', b'"n":2')), limits)
    assert error.code is Code.TOO_LARGE
    assert what in str(error)


def in_chunks(count: int, *, size: int, ids: int) -> Compressed:
    """An attachment of `size` bytes that names so many chunks, of which so many are different ones."""
    named = [Chunk(BundleId(f"{n % ids:064x}"), "0" * 64, 1) for n in range(count)]
    gid = Gid(f"{ACME}/attachment/7/1763892000000")
    made = Create(n=1, gid=gid, kind=Kind.ATTACHMENT, parent=ISSUE, fields={"name": "x"}, blob=Blob("1" * 64, size, named))
    return packed(encode_change(made))


def test_as_many_chunks_as_an_attachments_size_can_be_made_of_are_taken() -> None:
    (change,) = read(in_chunks(LIMITS.chunks, size=LIMITS.chunks << 10, ids=LIMITS.chunks))
    assert isinstance(change, Create)
    assert change.blob is not None
    assert len(change.blob.chunks) == 20_000
    assert read(in_chunks(3, size=(2 << 10) + 1, ids=3))


def test_f82_more_chunks_than_the_size_can_be_made_of_are_too_large() -> None:
    error = refused(in_chunks(20_000, size=20_000, ids=20_000))
    assert error.code is Code.TOO_LARGE
    assert "line 1: 20000 chunks for 20000 bytes; the limit is 20" in str(error)
    assert refused(in_chunks(4, size=3 << 10, ids=4)).code is Code.TOO_LARGE
    assert refused(in_chunks(1, size=0, ids=1)).code is Code.TOO_LARGE
    assert refused(in_chunks(5, size=1 << 40, ids=5), replace(LIMITS, chunks=4)).code is Code.TOO_LARGE


def test_f82_texts_beside_a_line_that_are_more_than_memory_is_kept_for_are_too_large() -> None:
    half = Blob("1" * 64, LIMITS.texts // 2)
    made = Create(n=1, gid=ISSUE, kind=Kind.ISSUE, fields={}, texts={"a": half, "b": half})
    assert read(packed(encode_change(made))) == [made]
    error = refused(packed(encode_change(msgspec.structs.replace(made, texts={**made.texts, "c": Blob("2" * 64, 1)}))))
    assert error.code is Code.TOO_LARGE
    assert "134217729 bytes of texts; the limit is 134217728" in str(error)


@pytest.mark.parametrize(
    "change",
    [
        Set(n=1, gid=ISSUE, fields={"s": Told()}, texts={"s": LongTold(Blob("1" * 64, 1))}),
        Create(n=1, gid=ISSUE, kind=Kind.ISSUE, fields={"s": "x"}, texts={"s": Blob("1" * 64, 1)}),
        Create(
            n=1,
            gid=ISSUE,
            kind=Kind.ATTACHMENT,
            parent=ISSUE,
            fields={},
            blob=Blob("1" * 64, 1),
            texts={"s": Blob("1" * 64, 1)},
        ),
    ],
)
def test_no_field_is_told_twice_and_an_attachment_has_no_long_texts(change: Change) -> None:
    assert refused(packed(encode_change(change))).code is Code.BAD_SCHEMA


def test_more_chunks_than_a_reader_takes_are_outside_the_schema_already() -> None:
    assert refused(in_chunks(LIMITS.chunks + 1, size=1 << 40, ids=LIMITS.chunks + 1)).code is Code.BAD_SCHEMA


def test_an_attachment_that_names_a_chunk_twice_is_refused() -> None:
    error = refused(in_chunks(9_000, size=1 << 40, ids=8_999))
    assert error.code is Code.BAD_SCHEMA
    assert "line 1: names a chunk twice" in str(error)


def test_f82_a_line_that_never_ends_is_refused_before_it_is_whole() -> None:
    assert refused(packed(b"x" * 9_000_000)).code is Code.TOO_LARGE


def claiming(data: bytes, size: int) -> bytes:
    """The frame with another content size in its header (4 bytes of it, at 5 or 6: RFC 8878)."""
    at = 5 if data[4] & 0x20 else 6
    assert data[4] >> 6 == 2
    return data[:at] + size.to_bytes(4, "little") + data[at + 4 :]


@pytest.mark.parametrize("claim", [1_000, 100_000, 20_000_000, 299_000_000])
def test_f82_a_bomb_takes_no_memory_whatever_it_claims(claim: int) -> None:
    bomb = zstandard.ZstdCompressor(level=19, write_checksum=True).compress(bytes(300_000_000))
    assert len(bomb) < 30_000
    tracemalloc.start()
    error = refused(Compressed(claiming(bomb, claim), claim))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.code in {Code.TOO_LARGE, Code.BAD_HEADER}
    assert peak < 40_000_000, "bytes taken; the bomb holds 300 million"


def test_f82_reading_stops_where_more_comes_than_was_declared() -> None:
    lines = [SET.replace(b'"n":1', b'"n":%d' % n) for n in range(1, 30_001)]
    honest = compress(lines, level=1)
    claim = honest.content_size - 500_000
    error = refused(Compressed(claiming(honest.data, claim), claim))
    assert error.code is Code.TOO_LARGE
    assert f"more than the declared {claim} bytes" in str(error)


def test_only_one_whole_frame_that_states_size_and_checksum_is_read() -> None:
    one = packed(SET)
    size = one.content_size
    plain = zstandard.ZstdCompressor(write_checksum=False).compress(SET)
    nameless = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(SET)
    skippable = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"hide"
    flipped = one.data[:-1] + bytes([one.data[-1] ^ 1])
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=28, write_checksum=True, write_content_size=True)
    ).compressobj(size=300_000_000)
    for data, declared in [
        (plain, size),
        (nameless, size),
        (skippable + one.data, size),
        (one.data + skippable, size),
        (one.data + packed().data, size),
        (one.data + b"\0", size),
        (one.data + bytes(2000), size),
        (one.data[:-1], size),
        (one.data[:10], size),
        (one.data, size + 1),
        (one.data, size - 1),
        (flipped, size),
        (b"", 0),
        (b"not zstd at all, not at all", size),
        (wide.compress(SET) + wide.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), 300_000_000),
    ]:
        assert refused(Compressed(data, declared)).code is Code.BAD_HEADER


def test_sixty_megabytes_of_changes_pass_without_being_kept() -> None:
    body = "y" * 60_000

    def lines() -> Iterator[bytes]:
        for n in range(1, 1_001):
            yield encode_change(Set(n=n, gid=ISSUE, fields={"summary": Told(now=f"{n}{body}")}))

    one = compress(lines())
    tracemalloc.start()
    count = sum(1 for _ in read_changes([one.data], declared=one.content_size, limits=LIMITS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1_000
    assert one.content_size > 60_000_000
    assert peak < 20_000_000
