"""The pure parts of the feed: windows of a walk, the cursor, the census. Nothing is asked for here."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.trackers.jira.read.census import Fate, judge, most_missing, share, some
from filesync.trackers.jira.read.cursor import KEPT, MINUTE, OVERLAP, Cursor, Hit, after_poll, in_turn, is_id, read_cursor
from filesync.trackers.jira.read.search import Window, among_versions, following, query, quoted, scoped

START = 1_764_000_000_000
LAG = 60_000

# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────────


def page_of(rows: list[Hit], window: Window, size: int) -> tuple[list[Hit], int]:
    """What Data Center answers: an index of whole minutes, counted pages."""
    found = [
        row
        for row in sorted(rows, key=lambda row: ((row.created or 0) // MINUTE, int(row.id)))
        if (window.start is None or (row.created or 0) // MINUTE * MINUTE >= window.start)
        and (window.end is None or (row.created or 0) // MINUTE * MINUTE < window.end)
    ]
    return found[window.offset : window.offset + size], len(found)


@given(data=st.data(), size=st.integers(2, 7))
def test_trap03_what_stays_is_found_whatever_comes_and_goes_between_two_pages(data: st.DataObject, size: int) -> None:
    moments = data.draw(st.lists(st.integers(0, 6 * MINUTE), max_size=25))
    rows = [Hit(str(n), START + moment) for n, moment in enumerate(moments, start=1)]
    stays = {row.id for row in rows}
    found: set[str] = set()
    window: Window | None = Window()
    pages = 0
    while window is not None:
        hits, total = page_of(rows, window, size)
        found |= {hit.id for hit in hits}
        try:
            window = following(window, hits, total)
        except ValueError:
            return  # told, not left out
        if data.draw(st.booleans()) and rows:
            gone = data.draw(st.sampled_from(rows))
            rows.remove(gone)
            stays.discard(gone.id)
        if data.draw(st.booleans()) and pages < 20:
            rows.append(Hit(str(1000 + pages), START + data.draw(st.integers(0, 6 * MINUTE))))
        pages += 1
        assert pages < 500
    assert stays <= found


def test_trap05_a_walk_counts_through_one_full_minute_and_no_further() -> None:
    rows = [Hit(str(n), START + (n // 40) * MINUTE) for n in range(1, 200)]
    offsets = []
    window: Window | None = Window()
    while window is not None:
        offsets.append(window.offset)
        window = following(window, *page_of(rows, window, 15))
    assert max(offsets) < 40


@pytest.mark.parametrize(
    ("window", "hits", "total"),
    [
        (Window(), [], 3),
        (Window(), [Hit("1", None)], 3),
        (Window(), [Hit("1", START + MINUTE), Hit("2", START)], 3),
        (Window(START, START + MINUTE, 4, last="2", again=3), [Hit("1", START)], 8),
    ],
    ids=["an empty page", "no moment", "not in order", "rows that never stand still"],
)
def test_an_answer_that_is_no_walk_is_told(window: Window, hits: list[Hit], total: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        following(window, hits, total)


# ── words of a query ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ['A"B', "A\\", 'A\\" OR project = "B', "AND", "ümlaut"])
def test_trap39_trap34_a_key_stays_one_value_whatever_it_holds(text: str) -> None:
    assert json.loads(quoted(text)) == text


def test_a_scope_with_or_stays_one_clause() -> None:
    assert query('project = "ABC"', scoped("a = 1 OR b = 2"), "") == 'project = "ABC" AND (a = 1 OR b = 2)'
    assert scoped(" ") == ""


def test_an_index_is_asked_for_the_minute_of_a_version() -> None:
    versions = {"7": START + MINUTE + 59_999, "8": START}
    assert among_versions(versions) == f"(id = 7 AND updated >= {START + MINUTE} OR id = 8 AND updated >= {START})"


@pytest.mark.parametrize("text", ["", "0", "-1", "01", "9" * 19, "x", "1\n", "１", " 1"])
def test_what_is_no_id_is_not_asked_for(text: str) -> None:
    assert not is_id(text)


# ── the cursor ──────────────────────────────────────────────────────────────────────────────────────────────────

moments = st.integers(START - 20 * MINUTE, START)
hits_of = st.dictionaries(st.integers(1, 400), st.none() | moments, max_size=300).map(
    lambda found: [Hit(str(local), START - 30 * MINUTE, updated) for local, updated in found.items()]
)


@given(hits=hits_of, stop=st.integers(0, 300), lag=st.sampled_from([0, LAG]))
def test_whoever_stops_anywhere_is_told_the_rest(hits: list[Hit], stop: int, lag: int) -> None:
    told = list(in_turn(hits, None, start=START, lag=lag))[:stop]
    named = {issue for issue, _ in told}
    cursor = told[-1][1] if told else None
    # what the next poll brings: all from the cursor on, in an index of whole minutes
    again = [hit for hit in hits if cursor is None or (hit.updated or 0) // MINUTE * MINUTE >= cursor.at]
    named |= {issue for issue, _ in in_turn(again, cursor, start=START + MINUTE, lag=lag)}
    assert named >= {hit.id for hit in hits}


@given(hits=hits_of, lag=st.sampled_from([0, LAG]))
def test_a_cursor_is_bounded_and_reads_back(hits: list[Hit], lag: int) -> None:
    missing = tuple(str(n) for n in range(1, KEPT + 1))
    for cursor in [
        *(one for _, one in in_turn(hits, None, start=START, lag=lag)),
        after_poll(hits, None, start=START, lag=lag),
    ]:
        if cursor is not None:
            whole = Cursor(at=cursor.at, seen=cursor.seen, missing=missing, turn=3, runs=2, compared=START, after=1, round=1)
            assert read_cursor(whole.text()) == whole
            assert len(whole.text()) < 12_000


@given(hits=hits_of.filter(lambda hits: len(hits) <= KEPT))
def test_trap02_what_was_told_is_not_told_again_unless_it_was_updated_again(hits: list[Hit]) -> None:
    dated = [hit for hit in hits if hit.updated is not None]
    cursor = after_poll(dated, None, start=START, lag=LAG)
    again = [hit for hit in dated if hit.updated is not None and hit.updated >= cursor.at]
    young = {hit.id for hit in again if hit.updated is not None and hit.updated > START - LAG}
    later = [Hit(hit.id, hit.created, (hit.updated or 0) + 1) for hit in again]
    assert {issue for issue, _ in in_turn(again, cursor, start=START + MINUTE, lag=LAG)} == young
    assert {issue for issue, _ in in_turn(later, cursor, start=START + MINUTE, lag=LAG)} == {hit.id for hit in again}


def test_trap12_an_issue_without_updated_is_told_and_moves_no_cursor() -> None:
    before = Cursor(at=START - 5 * MINUTE)
    hits = [Hit("7", START, START - MINUTE), Hit("8", START, None)]
    assert next(iter(in_turn(hits, before, start=START, lag=0))) == ("8", before)
    assert after_poll(hits, before, start=START, lag=0).at == START - OVERLAP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "17.1764",
        "{}",
        '{"at":-1}',
        '{"at":"1"}',
        '{"at":1,"missing":["../1"]}',
        '{"at":1,"seen":{"x":1}}',
        "[1]",
        "null",
    ],
)
def test_a_cursor_that_is_none_of_ours_is_none(text: str) -> None:
    assert read_cursor(text) is None


# ── the census ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(known=st.sets(st.integers(1, 10_000), max_size=60), parts=st.integers(1, 60), turn=st.integers(0, 100))
def test_trap13_every_known_issue_has_its_turn_within_so_many_runs(known: set[int], parts: int, turn: int) -> None:
    swept: list[int] = []
    for _ in range(parts):
        ids, turn = share(known, parts=parts, turn=turn)
        assert ids or not known
        swept += ids
    assert set(swept) == known


@pytest.mark.parametrize("step", [1, 2, 4, 50, 1000])
def test_the_shares_are_of_one_size_whatever_the_ids(step: int) -> None:
    known = range(10_000, 10_000 + 5000 * step, step)
    sizes = [len(share(known, parts=50, turn=turn)[0]) for turn in range(50)]
    assert sum(sizes) == 5000
    assert max(sizes) <= 130


@given(ids=st.sets(st.integers(1, 1000), max_size=40).map(sorted), room=st.integers(1, 10))
def test_no_suspect_is_passed_over_for_ever(ids: list[int], room: int) -> None:
    asked: set[int] = set()
    after = 0
    for _ in range(len(ids) // room + 2):
        taken, after = some(ids, after=after, room=room)
        assert len(taken) <= room
        asked |= set(taken)
    assert asked == set(ids)


def test_trap08_deleted_is_what_is_missing_in_two_runs() -> None:
    fates = {"1": Fate.MISSING, "2": Fate.MISSING, "3": Fate.THERE, "4": Fate.UNLISTED}
    verdict = judge(fates, before={"1", "3"}, suspects=4, known=100, limit=10)
    assert (verdict.gone, verdict.once, verdict.unlisted, verdict.too_many) == (("1",), ("2",), ("4",), None)


@pytest.mark.parametrize("kind", [Fate.MISSING, Fate.UNLISTED])
def test_f121_more_than_the_limit_or_five_percent_stops_everything(kind: Fate) -> None:
    fates = {str(n): kind for n in range(1, 12)}
    before = set(fates)
    assert judge(fates, before=before, suspects=11, known=100, limit=10).too_many == (kind, 11)
    assert judge(fates, before=before, suspects=11, known=100, limit=11).too_many is None
    assert judge(fates, before=before, suspects=11, known=220, limit=10).too_many is None
    assert judge(fates, before=before, suspects=110, known=1000, limit=10).too_many == (kind, 110), "of ten times as many"
    assert most_missing(1000, 10) == 50
