"""What of a Jira is told deleted, and what is not; what a run does with what Jira does not tell at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import Unavailable
from filesync.model.issue import Issue, Scope
from filesync.trackers.jira.read.cursor import OVERLAP, read_cursor
from tests.support.jira.flavours import DC9, DC10, FLAVOURS, Flavour
from tests.trackers.jira.feed_bench import Jira, make, settled


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    assert isinstance(request.param, Flavour)
    return request.param


@pytest.fixture
def many(flavour: Flavour, tmp_path: Path) -> Jira:
    """Forty issues that are known, and a census in every run."""
    jira = make(flavour, tmp_path, census=1)
    for n in range(40):
        jira.create(str(n))
    settled(jira)
    return jira


def some_of(jira: Jira, count: int) -> list[str]:
    return sorted(jira.copy)[:count]


def runs(jira: Jira, count: int) -> Iterator[list[str]]:
    for _ in range(count):
        jira.forward()
        yield jira.follow()


def test_trap08_deleted_is_told_in_the_second_run(many: Jira) -> None:
    (lost,) = some_of(many, 1)
    many.delete(lost)
    first, second = runs(many, 2)
    assert lost not in first
    assert lost in second
    assert lost not in many.copy
    assert len(many.copy) == 39


def test_trap08_a_deletion_is_found_by_the_sweep_between_two_censuses(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path, sweep=4, census=1_000_000)
    made = [jira.create(str(n)) for n in range(8)]
    settled(jira)
    jira.delete(made[3])
    for _ in runs(jira, 6):
        pass
    assert made[3] not in jira.copy


def test_trap08_what_is_hidden_for_a_moment_is_not_told_deleted(many: Jira) -> None:
    (hidden,) = some_of(many, 1)
    many.faults.hidden.add(hidden)
    next(runs(many, 1))
    many.faults.hidden.clear()
    for _ in runs(many, 60):
        assert hidden in many.copy


def test_f121_a_lost_permission_is_one_message_and_no_deletion(many: Jira) -> None:
    before = dict(many.copy)
    many.faults.hidden.update(some_of(many, 20))
    for _ in range(3):
        with pytest.raises(Unavailable, match="20 of 40 issues") as caught:
            next(runs(many, 1))
        assert "census_limit to 20" in caught.value.hint
    assert many.copy == before
    many.faults.hidden.clear()
    next(runs(many, 1))
    assert many.copy.keys() == before.keys()


def test_f121_a_project_that_is_hidden_altogether_is_no_empty_project(many: Jira) -> None:
    before = dict(many.copy)
    many.faults.project_hidden = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            next(runs(many, 1))
    assert many.copy == before


def test_f121_hidden_issues_that_are_asked_for_by_name_are_no_deletions_either(many: Jira) -> None:
    many.faults.hidden.update(some_of(many, 20))
    found: dict[str, Issue | None] = {}
    with pytest.raises(Unavailable, match="20 of 40 issues"):
        found.update(many.reading.get_all(list(many.copy)))
    assert None not in found.values()


def test_many_deletions_go_through_once_a_person_said_so(many: Jira) -> None:
    lost = some_of(many, 20)
    for local in lost:
        many.delete(local)
    with pytest.raises(Unavailable, match="20 of 40"):
        next(runs(many, 1))
    many.limit = 20
    many.reading = many.new_reading()
    for _ in runs(many, 2):
        pass
    assert len(many.copy) == 20


def test_trap08_an_archived_issue_is_not_deleted(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path, census=1)
    made = [jira.create(str(n)) for n in range(5)]
    settled(jira)
    jira.work("admin").archive(jira.kept(made[2]))
    for _ in runs(jira, 5):
        assert made[2] in jira.copy


def test_trap09_a_moved_issue_is_out_of_scope_and_keeps_its_id(many: Jira) -> None:
    (moved,) = some_of(many, 1)
    key = many.copy[moved].key
    other = many.store.project("XYZ")
    assert other is not None
    many.work("admin").move(many.kept(moved), other)
    for _ in runs(many, 60):
        assert moved in many.copy
    assert many.copy[moved].key != key
    assert many.copy[moved].scope is Scope.MOVED


@pytest.mark.parametrize("flavour", [DC9, DC10], ids=lambda flavour: flavour.name)
def test_an_index_that_is_being_built_anew_tells_no_deletion_and_stops(many: Jira) -> None:
    before = dict(many.copy)
    entries = many.store.index._entries
    for local in some_of(many, 30):
        del entries[local]
    with pytest.raises(Unavailable, match="does not show 30 issues"):
        next(runs(many, 1))
    assert many.copy == before


def test_the_only_issue_there_is_is_told_deleted_too(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path)
    only = jira.create()
    settled(jira)
    jira.delete(only)
    for _ in runs(jira, 2):
        pass
    assert jira.copy == {}


# ── what Jira does not tell ─────────────────────────────────────────────────────────────────────────────────────


def test_trap13_a_change_that_moves_no_updated_is_found_by_the_sweep(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path, sweep=5)
    made = [jira.create(str(n)) for n in range(10)]
    settled(jira)
    jira.store.put(jira.kept(made[4]), {"summary": "by a migration"})
    comment = jira.comment(made[7])
    settled(jira)
    jira.faults.comment_edit_silent = True
    jira.threads().edit_comment(jira.kept(made[7]), jira.kept(made[7]).comments[0], {"body": "edited in silence"})
    for _ in runs(jira, 5):
        pass
    assert jira.copy[made[4]].item.fields["summary"] == "by a migration"
    (child,) = jira.copy[made[7]].children
    assert (child.ref.local, child.fields["body"]) == (comment, "edited in silence")


def test_a_run_names_an_issue_once(many: Jira) -> None:
    many.edit(min(many.copy), summary="x")
    for told in runs(many, 60):
        assert len(told) == len(set(told))
        assert told, "every run names something, or its cursor would not be kept"


def test_unavailable_at_any_step_leaves_the_cursor_where_it_was(many: Jira) -> None:
    (lost,) = some_of(many, 1)
    many.delete(lost)
    for place in range(8):
        many.forward()
        many.edit(sorted(many.copy)[5], summary=f"turn {place}")
        steps = iter(range(100))

        def fails(_: str, steps: Any = steps, place: int = place) -> None:
            if next(steps) == place:
                raise Unavailable("Jira is down", hint="Wait.")

        cursor, many.http.before = many.cursor, fails
        try:
            many.follow()
        except Unavailable:
            assert many.cursor == cursor
        many.http.before = lambda _: None
    for _ in runs(many, 2):
        pass
    assert lost not in many.copy
    assert many.copy[sorted(many.copy)[4]].item.fields["summary"] == "turn 7"


def test_a_jira_that_does_not_say_the_time_is_unavailable(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path)
    jira.create()
    real = jira.http.get
    jira.http.get = lambda path, **more: {} if path.endswith("serverInfo") else real(path, **more)  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="what time it is"):
        jira.follow()


def test_the_overlap_is_that_of_the_settings(tmp_path: Path) -> None:
    jira = make(DC9, tmp_path, lag=3_600_000)
    jira.create()
    jira.follow()
    cursor = read_cursor(jira.cursor)
    assert cursor is not None
    assert cursor.at == jira.clock.now() - OVERLAP - 3_600_000
