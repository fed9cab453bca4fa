"""What is decided of writes before Jira is asked, and of histories after it was."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.entries import same_work
from filesync.trackers.jira.translate.markers import PARTS, Part
from filesync.trackers.jira.write import parts
from filesync.trackers.jira.write.uploads import file_name
from tests.trackers.bench import gid

SENT = {"comment": "seal changed", "started": "2026-11-20T08:00:00.000+0000", "timeSpentSeconds": 5400}
SHOWN = {**SENT, "id": "7", "created": "2026-11-23T10:00:00.000+0000", "started": "2026-11-20T09:00:00.000+0100"}
SINCE = 1_795_428_000_000 - 60_000  # a minute before it was made


def test_an_issue_speaks_of_each_of_its_parts() -> None:
    properties: dict[str, object] = {}
    for n in range(1, 400):
        where = markers.with_part(properties, markers.part_name(Kind.ATTACHMENT, str(n)), Part(gid(Kind.ATTACHMENT, n)))
        assert where is not None
        properties[where[0]] = where[1]
    assert len(properties) > 1, "more than one property holds"
    assert all(len(msgspec.json.encode(value)) <= 32_768 for value in properties.values())
    assert [parts.of_origin(properties, gid(Kind.ATTACHMENT, n)) for n in (1, 399, 400)] == ["1", "399", None]


def test_where_no_more_can_be_told_apart_nothing_is_made() -> None:
    full = {name: {f"attachment/{n}": gid(Kind.ATTACHMENT, n) for n in range(400)} for name in PARTS}
    with pytest.raises(Rejected, match="ABC-1 has so many attachments and worklogs from partners"):
        parts.check_room(full, Part(gid(Kind.ATTACHMENT, 1)), "ABC-1")
    parts.check_room({**full, PARTS[-1]: {}}, Part(gid(Kind.ATTACHMENT, 1)), "ABC-1")


def test_work_is_known_again_by_what_it_is_and_when_it_was_logged() -> None:
    assert same_work(SHOWN, SENT, since=SINCE)
    assert same_work({**SHOWN, "timeSpentSeconds": 5400 - 59}, SENT, since=SINCE), "some versions keep whole minutes"
    for other in (
        {"timeSpentSeconds": 5340},
        {"timeSpentSeconds": None},
        {"started": "2026-11-20T08:00:00.000+0100"},
        {"started": None},
        {"comment": "seal"},
        {"comment": None},
    ):
        assert not same_work({**SHOWN, **other}, SENT, since=SINCE), other
    assert not same_work(SHOWN, SENT, since=SINCE + 3_600_000), "made before the call that is looked for"


@given(st.text(min_size=1))
def test_f75_a_files_name_is_one_line_that_leads_nowhere_and_keeps_its_end(name: str) -> None:
    kept = file_name(name)
    assert kept.isprintable()
    assert not set(kept) & {"/", "\\"}
    assert 0 < len(kept) <= 250
    assert kept == name or not name.isprintable() or set(name) & {"/", "\\"} or len(name) > 250


def test_a_long_name_still_says_what_kind_of_file_it_is() -> None:
    assert file_name("x" * 300 + ".drawing.pdf").endswith("x.drawing.pdf")
