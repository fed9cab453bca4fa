"""Our marks: written, read again, and believed only on what is ours."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.ids import Gid, Kind
from filesync.model.values import digest
from filesync.trackers.jira.translate.markers import (
    PARTS,
    Marker,
    Part,
    believed,
    born_digests,
    marker_json,
    part_name,
    read_marker,
    read_parts,
    with_part,
)
from filesync.trackers.jira.translate.shapes import epoch_ms

SITE = "00000000-0000-4000-8000-00000000000a"
AT = "2026-11-23T10:00:00.000Z"
CREATED, HOUR = epoch_ms(AT), 3_600_000


def gid(kind: Kind, n: int = 1) -> Gid:
    return Gid(f"{SITE}/{kind}/{n}/1764000000000")


def mark(kind: Kind = Kind.ISSUE) -> Marker:
    return Marker(origin=gid(kind), at=AT, born={"summary": digest("x"), "labels:a": digest(True)}, head="_Anna:_")


@pytest.mark.parametrize("kind", Kind)
def test_what_is_written_is_read_again(kind: Kind) -> None:
    value = msgspec.json.decode(msgspec.json.encode(marker_json(mark(kind))))
    assert read_marker(kind, value) == mark(kind)
    assert believed(kind, value, ours=True, created=CREATED) == mark(kind)


def test_trap18_the_digests_of_what_was_sent_tell_what_was_born() -> None:
    assert born_digests({"summary": "x", "labels:a": True}) == mark().born


@pytest.mark.parametrize("apart", [-HOUR - 1, HOUR + 1])
def test_a_mark_that_was_copied_to_a_clone_is_not_believed(apart: int) -> None:
    assert believed(Kind.ISSUE, marker_json(mark()), ours=True, created=CREATED + apart) is None
    assert believed(Kind.ISSUE, marker_json(mark()), ours=True, created=CREATED + HOUR) is not None


def test_a_mark_on_what_somebody_else_made_is_not_believed() -> None:
    assert believed(Kind.ISSUE, marker_json(mark()), ours=False, created=CREATED) is None


GOOD = marker_json(mark())


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {**GOOD, "origin": "../../etc"},
        {**GOOD, "origin": gid(Kind.COMMENT)},
        {**GOOD, "origin": 7},
        {**GOOD, "at": 7},
        {**GOOD, "at": None},
        {**GOOD, "at": "yesterday"},
        {**GOOD, "at": "2026-11-23T10:00:00"},
    ],
    ids=str,
)
def test_trap39_what_we_did_not_write_is_no_mark(value: object) -> None:
    assert believed(Kind.ISSUE, value, ours=True, created=CREATED) is None


@pytest.mark.parametrize("odd", [None, 7, [], {"a": 1, "b": None}, "x"])
def test_of_a_mark_with_strange_parts_the_rest_stands(odd: object) -> None:
    found = read_marker(Kind.ISSUE, {**GOOD, "born": odd, "head": odd if odd != "x" else "two\nlines"})
    assert found is not None
    assert (found.origin, found.born, found.head) == (gid(Kind.ISSUE), {}, "")


def test_a_mark_of_very_many_fields_still_has_room() -> None:
    born = {f"labels:{'x' * 200}{n}": digest(True) for n in range(1_000)}
    value = marker_json(Marker(origin=gid(Kind.ISSUE), at=AT, born=born, head="_Anna:_"))
    assert len(msgspec.json.encode(value)) < 32_768
    assert value["head"] == "_Anna:_"
    assert 50 < len(value["born"]) < 1_000
    assert value["born"].items() <= born.items()


def test_parts_are_written_and_read() -> None:
    wanted = {
        part_name(Kind.ATTACHMENT, "10001"): Part(gid(Kind.ATTACHMENT)),
        part_name(Kind.WORKLOG, "103"): Part(gid(Kind.WORKLOG), head="_Anna:_"),
    }
    held: dict[str, object] = {"filesync": GOOD, "else": 1}
    for name, part in wanted.items():
        written = with_part(held, name, part)
        assert written is not None
        held[written[0]] = written[1]
    assert read_parts(held) == wanted
    assert held.keys() == {"filesync", "else", PARTS[0]}


def test_many_parts_go_on_in_further_properties_until_there_is_no_room() -> None:
    held: dict[str, object] = {}
    count = 0
    while (
        written := with_part(held, part_name(Kind.ATTACHMENT, str(10_000 + count)), Part(gid(Kind.ATTACHMENT, count)))
    ) is not None:
        held[written[0]] = written[1]
        count += 1
        if count % 50:
            continue
        assert len(msgspec.json.encode(written[1])) < 32_768
    assert tuple(held) == PARTS
    assert count == len(read_parts(held)) > 1_000
    full = with_part(held, part_name(Kind.ATTACHMENT, "10000"), Part(gid(Kind.ATTACHMENT, 0)))
    assert full is not None
    assert full[0] == PARTS[0]  # said again where it stands


said = st.none() | st.text() | st.integers() | st.dictionaries(st.sampled_from(["origin", "head"]), st.none() | st.text())


@given(st.dictionaries(st.sampled_from(PARTS), st.none() | st.text() | st.dictionaries(st.text(), said)))
def test_trap39_hostile_parts_are_passed_over(held: dict[str, object]) -> None:
    assert read_parts(held) == {}


def test_a_part_does_not_speak_for_another_kind() -> None:
    assert read_parts({PARTS[0]: {"attachment/1": gid(Kind.WORKLOG), "worklog/1": gid(Kind.ISSUE)}}) == {}
