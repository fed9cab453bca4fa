"""The header: written in one way, read with every problem named, and the names that are made from it."""

from __future__ import annotations

import json

import msgspec
import pytest

from filesync.bundle.canonical import encode
from filesync.bundle.header import (
    BundleKind,
    Follows,
    Header,
    Place,
    Report,
    decode_header,
    encode_header,
    encode_report,
    file_name,
    folder_name,
    unknown_features,
    unknown_fields,
)
from filesync.bundle.layout import FOLDER
from filesync.bundle.limits import Limits
from filesync.bundle.schema import valid
from filesync.bundle.verdict import BadBundle, Code
from filesync.model.ids import BundleId
from tests.support.bundles import BACK, GENERATION, HEADER, REPORT_1

ID = BundleId("0123456789abcdef" * 4)
LATER = msgspec.structs.replace(
    HEADER,
    generation=Place(2, "d0" * 16),
    kind=BundleKind.RESET,
    follows=Follows(GENERATION, 9, ID),
    report=REPORT_1,
    features=["x"],
)


@pytest.mark.parametrize("header", [HEADER, LATER, msgspec.structs.replace(HEADER, seq=7, prev=ID, part=2, last=False)])
def test_what_is_written_is_read_again(header: Header) -> None:
    raw = encode_header(header)
    assert decode_header(raw) == header
    assert encode_header(decode_header(raw)) == raw
    assert raw.decode() == json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def test_every_field_is_always_written() -> None:
    assert sorted(json.loads(encode_header(HEADER))) == sorted(Header.__struct_encode_fields__)
    report = json.loads(
        encode_report(Report(no=1, of_stream=BACK, generation=GENERATION, received_to=0, applied_to=0, applied_id=ID))
    )
    assert sorted(report) == sorted(Report.__struct_encode_fields__)
    assert valid("report", report)


def refused(raw: bytes) -> BadBundle:
    with pytest.raises(BadBundle) as caught:
        decode_header(raw)
    return caught.value


def test_f94_a_header_that_is_not_canonical_is_refused() -> None:
    raw = encode_header(HEADER)
    for other in (
        raw.replace(b'"seq":1', b'"seq":1,"seq":1'),
        raw.replace(b'"seq":1', b'"seq": 1'),
        raw.replace(b'"seq":1', b'"seq":1.0'),
        raw.replace(b'"seq":1', b'"seq":%d' % 2**70),
        raw.replace(b'"seq":1', b'"seq":NaN'),
        raw.replace(b'"seq":1', b'"seq":' + b"[" * 40 + b"]" * 40),
        raw.replace(b"acme", rb"acm\u0065"),
        raw[:-1],
        raw + b"\n",
        raw.replace(b"\n", b"\r\n"),
        b"\xff" + raw,
        b"",
    ):
        assert refused(other).code is Code.BAD_JSON


def test_every_problem_of_a_header_is_named_at_once() -> None:
    document = json.loads(encode_header(LATER))
    document["to"]["site"] = "globex"
    document["files"] = [{"path": "../x", "size": -1, "content_size": 0, "sha256": "0" * 64}]
    document["report"]["held"] = [1, "two"]
    del document["nonce"]
    error = refused(encode(document))
    assert error.code is Code.BAD_SCHEMA
    assert {problem.where for problem in error.problems} == {
        "bundle.json",
        "bundle.json to.site",
        "bundle.json files[0].path",
        "bundle.json files[0].size",
        "bundle.json report.held[1]",
    }
    assert str(error).endswith("(and 4 more)")


def test_a_header_that_is_no_object_is_refused() -> None:
    documents: list[object] = [[], "fs1", 1, None, {}]
    for document in documents:
        assert refused(encode(document)).code is Code.BAD_SCHEMA


def test_f82_a_header_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(BadBundle, match="TOO_LARGE"):
        decode_header(encode_header(HEADER), limits=Limits(header=100))


def test_f95_a_newer_format_or_kind_is_told_with_its_maker() -> None:
    raw = encode_header(HEADER)
    for other, what in (
        (raw.replace(b'"fs1"', b'"fs2"'), "format fs2, made by filesync 0.1.0; we read fs1"),
        (raw.replace(b'"changes"', b'"dreams"'), "a bundle of kind dreams, made by filesync 0.1.0"),
    ):
        error = refused(other)
        assert (error.code, error.problems[0].what) == (Code.NEWER_FORMAT, what)


def test_f95_what_a_newer_partner_adds_is_told_apart() -> None:
    raw = encode(json.loads(encode_header(LATER)) | {"colour": "red"})
    assert unknown_fields(raw) == ["colour"]
    assert unknown_features(decode_header(raw)) == ["x"]
    assert unknown_fields(encode_header(HEADER)) == unknown_features(HEADER) == []


def test_names_are_told_by_the_header() -> None:
    report = msgspec.structs.replace(HEADER, kind=BundleKind.REPORT, seq=0, report=REPORT_1)
    chunk = msgspec.structs.replace(HEADER, kind=BundleKind.CHUNK, seq=0)
    assert file_name(HEADER, ID, encrypted=False) == "fs1_5a5a5a5a_g0001_0000000001_01234567.tar"
    assert file_name(HEADER, ID, encrypted=True) == "fs1_5a5a5a5a_g0001_0000000001_01234567.tar.age"
    assert file_name(report, ID, encrypted=False) == "fs1_5a5a5a5a_g0001_r0000000001_01234567.tar"
    assert file_name(chunk, ID, encrypted=False) == "fs1_5a5a5a5a_g0001_b0123456789abcdef.tar"
    assert folder_name(HEADER) == "fs1_g0001_0000000001"
    assert folder_name(report) == "fs1_g0001_r0000000001"
    assert folder_name(chunk) == "fs1_g0001_b9f9f9f9f9f9f9f9f"
    assert all(FOLDER.fullmatch(folder_name(header)) for header in (HEADER, report, chunk))


def test_names_sort_in_the_order_in_which_bundles_are_applied() -> None:
    places = [(1, 1), (1, 2), (1, 10), (1, 9_999_999_999), (2, 1), (10, 3)]
    names = [
        file_name(msgspec.structs.replace(HEADER, generation=Place(n, "0" * 32), seq=seq), ID, encrypted=True)
        for n, seq in places
    ]
    assert sorted(names) == names
    assert len({len(name) for name in names}) == 1
