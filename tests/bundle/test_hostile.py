"""Files that harm, or try to: each is refused with its code and a line for a person, before anything is unpacked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from filesync.bundle import layout, ustar
from filesync.bundle.canonical import encode
from filesync.bundle.header import encode_header, unknown_features, unknown_fields
from filesync.bundle.limits import Limits
from filesync.bundle.read import Bundle, Reader
from filesync.bundle.verdict import TEXT_MODE, BadBundle, Code, Incomplete, shown
from filesync.bundle.write import data_bytes, pack
from tests.support.bundles import GLOBEX, bag, packed, read, report_bag
from tests.support.hostile import FOLDER, Member, forge, member, patched, raw_name, sample, with_block

HEAD = len(layout.HEAD)
HONEST = forge()
BLOB = sample()[1][1][0]


def refused(raw: bytes, limits: Limits | None = None) -> BadBundle:
    with pytest.raises(BadBundle) as caught:
        read(raw, limits)
    error = caught.value
    assert error.problems
    assert error.hint
    assert str(error).isprintable()
    return error


def test_what_the_forger_leaves_alone_is_a_bundle() -> None:
    assert isinstance(read(HONEST), Bundle)


HOSTILE_NAMES = [
    b"../../x",
    b"/etc/passwd",
    b"C:\\x",
    b"data/../../x",
    b"data/x:ads",
    b"caf\xe9",
    b"\x1b[2J",
    b"..",
    b"x" * 100,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_f81_a_name_outside_the_grammar_is_refused_wherever_it_stands(name: bytes) -> None:
    first = raw_name(name, 10) + bytes(1024)
    assert refused(first).code is Code.BAD_ENTRY_NAME
    inside = raw_name(f"{FOLDER}/".encode() + name, 3)[:512]

    def smuggle(members: list[Member]) -> list[Member]:
        return [*members[:HEAD], Member("", b"abc", inside), *members[HEAD:]]

    assert refused(forge(members=smuggle)).code is Code.BAD_ENTRY_NAME


def test_f81_a_name_that_continues_after_a_nul_is_refused() -> None:
    assert refused(with_block(HEAD + 1, 98, b"\0x")).code is Code.TAR_AMBIGUOUS


@pytest.mark.parametrize(
    ("what", "at", "value"),
    [
        ("mode", 100, b"0000755\0"),
        ("owner", 108, b"0000001\0"),
        ("time", 136, b"00000000001\0"),
        ("link name", 157, b"../../x"),
        ("symlink", 156, b"2"),
        ("hard link", 156, b"1"),
        ("folder", 156, b"5"),
        ("fifo", 156, b"6"),
        ("old regular", 156, b"\0"),
        ("pax header", 156, b"x"),
        ("GNU long name", 156, b"L"),
        ("sparse", 156, b"S"),
        ("prefix", 345, b"../.."),
        ("owner name", 265, b"root"),
        ("base-256 size", 124, b"\x80" + bytes(10) + b"\x05"),
        ("size ended by a blank", 124, b"00000000003 "),
        ("old GNU magic", 257, b"ustar  \0"),
    ],
)
def test_f83_a_tar_header_outside_the_strict_profile_is_ambiguous(what: str, at: int, value: bytes) -> None:
    for index in (1, HEAD + 1):
        assert refused(with_block(index, at, value)).code is Code.TAR_AMBIGUOUS, what


def test_f83_a_wrong_header_sum_is_ambiguous() -> None:
    def spoil(members: list[Member]) -> list[Member]:
        block = members[3].block
        return [*members[:3], replace(members[3], block=block[:148] + b"000000\0 " + block[156:]), *members[4:]]

    assert refused(forge(members=spoil)).code is Code.TAR_AMBIGUOUS


def test_f82_f83_members_that_overlap_by_a_wrong_size_are_ambiguous() -> None:
    honest = ustar.block("x", 3)[124:136]
    assert honest != ustar.block("x", 600)[124:136]
    error = refused(with_block(HEAD + 1, 124, ustar.block("x", 600)[124:136]))
    assert (error.code, error.problems[0].what) == (Code.TAR_AMBIGUOUS, "its tar header says 600 bytes, 3 are declared")


@pytest.mark.parametrize("index", [0, 2, HEAD, HEAD + 1])
def test_f83_a_file_that_stands_twice_is_ambiguous(index: int) -> None:
    error = refused(forge(members=lambda members: [*members[: index + 1], members[index], *members[index + 1 :]]))
    assert error.code is Code.TAR_AMBIGUOUS
    assert "twice" in str(error)
    at_the_end = refused(forge(members=lambda members: [*members, members[index]]))
    assert at_the_end.code is Code.TAR_AMBIGUOUS


def test_f83_padding_that_is_not_zero_is_ambiguous() -> None:
    for path in (layout.SIGNATURE, layout.HEADER, BLOB):
        raw = bytearray(HONEST)
        at = raw.index(f"{FOLDER}/{path}\0".encode())
        size = int(raw[at + 124 : at + 135], 8)
        raw[at + 512 + size] = 1
        error = refused(bytes(raw))
        assert (error.code, error.problems[0].where) == (Code.TAR_AMBIGUOUS, path)


def test_f83_bytes_after_the_end_are_ambiguous() -> None:
    for extra in (b"\0", bytes(512), b"PK", HONEST):
        assert refused(HONEST + extra).code is Code.TAR_AMBIGUOUS


def test_f83_an_end_of_one_block_is_ambiguous() -> None:
    assert refused(forge(tail=bytes(512) + b"\1" * 512)).code is Code.TAR_AMBIGUOUS
    assert isinstance(read(forge(tail=bytes(512))), Incomplete)


@pytest.mark.parametrize("at", [HEAD, HEAD + 1, HEAD + 3])
def test_f84_a_file_that_the_header_does_not_name_is_undeclared(at: int) -> None:
    extra = member("data/blobs/" + "0" * 64, b"surprise")
    error = refused(forge(members=lambda members: [*members[:at], extra, *members[at:]]))
    assert (error.code, error.problems[0].where) == (Code.UNDECLARED_FILE, extra.path)


@pytest.mark.parametrize("index", range(HEAD + 3))
def test_f33_a_file_that_is_left_out_is_named(index: int) -> None:
    error = refused(forge(members=lambda members: [*members[:index], *members[index + 1 :]]))
    last = index == HEAD + 2
    assert error.code is Code.MISSING_FILE
    assert error.problems[0].where == (
        sample()[1][-1][0] if last else [*layout.HEAD, *(path for path, _ in sample()[1])][index]
    )


def test_f23_every_damaged_data_file_is_named_at_once() -> None:
    honest = sample()[1]
    error = refused(forge(data=[(path, bytes(len(content))) for path, content in honest]))
    assert error.code is Code.BAD_HASH
    assert [problem.where for problem in error.problems] == [path for path, _ in honest]


def test_f23_damage_before_broken_framing_is_named_too() -> None:
    honest = sample()[1]
    raw = forge(data=[(honest[0][0], bytes(len(honest[0][1]))), *honest[1:]], tail=b"\1" * 1024)
    error = refused(raw)
    assert error.code is Code.TAR_AMBIGUOUS
    assert honest[0][0] in [problem.where for problem in error.problems]


@pytest.mark.parametrize("name", layout.TAGGED)
def test_f23_a_damaged_tag_file_is_named(name: str) -> None:
    raw = bytearray(HONEST)
    raw[raw.index(f"{FOLDER}/{name}\0".encode()) + 512] ^= 1
    error = refused(bytes(raw))
    assert (error.code, error.problems[0].where) == (Code.BAD_HASH, name)


def test_f24_a_block_of_zeros_is_noticed_wherever_it_stands() -> None:
    assert refused(bytes(len(HONEST))).code is Code.NOT_A_BUNDLE
    raw = packed(bag(blobs=[b"x" * 2000]))
    for at in range(0, len(raw) - 1024, 512):
        if raw[at : at + 512].strip(b"\0"):
            assert refused(raw[:at] + bytes(512) + raw[at + 512 :]).problems


def test_f25_an_empty_file_is_arriving() -> None:
    assert read(b"") == Incomplete(0, None, layout.SIGNATURE)


def test_f31_grown_line_ends_are_told_from_other_damage() -> None:
    error = refused(packed(bag()).replace(b"\n", b"\r\n"))
    assert error.hint == TEXT_MODE


@pytest.mark.parametrize(
    "text",
    [
        b"Your attachment was removed by the mail gateway.\r\nReason: unknown type\r\n",
        b"<!DOCTYPE html>" + b"x" * 3000,
        b"PK\x03\x04" + bytes(600),
        b"age-encryption.org/v1\n" + b"x" * 600,
        b"fs1_quarantined",
        b"\x1b]0;owned\x07\n",
    ],
)
def test_f34_a_stub_in_place_of_a_bundle_shows_its_first_line_escaped(text: bytes) -> None:
    error = refused(text)
    assert error.code is Code.NOT_A_BUNDLE
    assert shown(text.partition(b"\n")[0][:512]) in str(error)


def test_f34_the_pieces_a_stub_arrives_in_make_no_difference() -> None:
    reader = Reader(Limits())
    for byte in b"See the portal":
        reader.feed(bytes([byte]))
    with pytest.raises(BadBundle, match="begins with: See the portal"):
        reader.close()


def test_a_reader_that_refused_keeps_refusing() -> None:
    reader = Reader(Limits())
    for again in (reader.feed, reader.feed, lambda _: reader.close()):
        with pytest.raises(BadBundle, match="NOT_A_BUNDLE"):
            again(b"x" * 512)


LIMITS = Limits()


@pytest.mark.parametrize(
    ("limits", "where"),
    [
        (msgspec.structs.replace(LIMITS, header=100), layout.HEADER),
        (msgspec.structs.replace(LIMITS, files=2), layout.HEADER),
        (msgspec.structs.replace(LIMITS, bundle=9_000), layout.HEADER),
        (msgspec.structs.replace(LIMITS, content=10), "data/changes.ndjson.zst"),
    ],
)
def test_f82_what_goes_beyond_a_limit_is_refused_by_what_it_declares(limits: Limits, where: str) -> None:
    error = refused(HONEST, limits)
    assert (error.code, error.problems[0].where) == (Code.TOO_LARGE, where)


@pytest.mark.parametrize("index", range(HEAD))
def test_f82_a_huge_file_in_the_head_is_refused_before_its_bytes_are_taken(index: int) -> None:
    size = b"77777777777\0"

    def huge(members: list[Member]) -> list[Member]:
        return [
            *members[:index],
            replace(members[index], block=patched(members[index].block, 124, size)),
            *members[index + 1 :],
        ]

    assert refused(forge(members=huge)).code is Code.TOO_LARGE


def set_(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(changes)


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (set_(seq=2), "prev"),
        (set_(prev="1" * 64), "prev"),
        (set_(seq=0), "seq"),
        (set_(kind="chunk"), "seq"),
        (set_(kind="report", seq=0), "report"),
        (set_(to={"site": "11111111-1111-4111-8111-111111111111", "name": "acme"}), "to"),
        (set_(seq=2, prev="1" * 64, follows={"generation": {"n": 1, "id": "0" * 32}, "seq": 1, "id": "0" * 64}), "follows"),
        (set_(follows={"generation": {"n": 1, "id": "0" * 32}, "seq": 1, "id": "0" * 64}), "follows"),
        (lambda d: d["files"].reverse(), "files"),
        (lambda d: d["files"].append(d["files"][1]), "files"),
        (lambda d: d["files"][0].update(path="data/chunk"), "files"),
        (lambda d: d["files"][1].update(path="data/blobs/" + "0" * 64), "files[1]"),
        (lambda d: d["files"][1].update(content_size=4), "files[1]"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(edit: Callable[[dict[str, Any]], None], where: str) -> None:
    error = refused(forge(edit=edit))
    assert error.code is Code.BAD_HEADER
    assert f"bundle.json {where}" in [problem.where for problem in error.problems]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (layout.MANIFEST, layout.hash_list([("data/changes.ndjson.zst", "0" * 64)])),
        (layout.BAGIT, b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"),
        (layout.TAGMANIFEST, b"0" * 64 + b"  bundle.json\n"),
        (layout.TAGMANIFEST, b"\n"),
    ],
)
def test_a_head_whose_parts_contradict_each_other_is_refused(name: str, text: bytes) -> None:
    error = refused(forge(texts={name: text}))
    assert (error.code, error.problems[0].where) == (Code.BAD_HEADER, name)


def test_the_folder_must_be_the_headers() -> None:
    error = refused(forge(edit=set_(generation={"n": 7, "id": "0" * 32})))
    assert (error.code, error.problems[0].where) == (Code.BAD_HEADER, FOLDER)


def test_an_empty_file_in_the_head_is_refused() -> None:
    assert refused(forge(texts={layout.INFO: b""})).code is Code.BAD_HEADER


def test_f85_an_unsigned_bundle_is_refused() -> None:
    for text in (b"none\n", b"-----BEGIN PGP SIGNATURE-----\n", layout.ARMOR):
        assert refused(forge(texts={layout.SIGNATURE: text})).code is Code.BAD_SIGNATURE


def test_a_report_whose_copies_differ_is_refused() -> None:
    honest = report_bag()
    raw = packed(honest)
    assert isinstance(read(raw), Bundle)
    other = data_bytes(layout.REPORT, encode({"no": 2}))
    with pytest.raises(ValueError, match="differs from data/report"):
        pack(honest.header, [other])
    document = msgspec.json.decode(encode_header(honest.header))
    document["files"][0].update(size=other.size, content_size=other.size, sha256=other.sha256)
    error = refused(
        forge(header=encode(document), edit=set_(files=document["files"]), data=[(layout.REPORT, encode({"no": 2}))])
    )
    assert error.code is Code.BAD_HEADER
    assert "bundle.json report" in [problem.where for problem in error.problems]


@pytest.mark.parametrize(
    "raw",
    [
        forge(edit=set_(format="fs2")),
        forge(edit=set_(format="fs2", seq="later")),
        forge(edit=set_(kind="telepathy")),
        HONEST.replace(b"fs1_g", b"fs2_g", 1),
    ],
)
def test_f95_a_newer_format_is_told_from_a_bad_one(raw: bytes) -> None:
    error = refused(raw)
    assert error.code is Code.NEWER_FORMAT
    assert "Upgrade" in error.hint


def test_f97_hostile_text_in_a_message_is_escaped_and_cut() -> None:
    error = refused(forge(edit=set_(agent="\x1b[2J" * 1000, seq="\x1b]0;x\x07\u202e" + "x" * 5000)))
    assert error.code is Code.BAD_SCHEMA
    assert "\x1b" not in "".join(map(str, error.problems))
    assert all(len(str(problem)) < 300 for problem in error.problems)
    assert {problem.where for problem in error.problems} == {"bundle.json agent", "bundle.json seq"}


def test_a_newer_partners_fields_are_let_through() -> None:
    raw = forge(edit=set_(mood="good", features=["blobs"], report=None))
    bundle = read(raw)
    assert isinstance(bundle, Bundle)
    assert unknown_fields(bundle.head.header_bytes) == ["mood"]
    assert unknown_features(bundle.head.header) == ["blobs"]
    assert bundle.head.header.to.site == GLOBEX
