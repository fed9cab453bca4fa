"""Keys of issues and people in texts: each side shows its own, and nothing of that is an edit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.events import LandedDifferently, NotRenamed
from filesync.agent.merge import anew
from filesync.agent.merge.anew import NotAnew
from filesync.errors import Unwritten
from tests.merge.scene import comments, crashes_anywhere, events, failing, refuse, refuse_create, refuse_nothing, value
from tests.support.two_sites import Side, World, two_sites


@pytest.fixture
def world() -> Iterator[World]:
    """Both projects are called ABC, and globex has two issues of its own: its keys are two ahead."""
    with two_sites() as world:
        for summary in ("own", "own too"):
            world.globex.desk.create("Bug", summary)
        yield world


def _key(side: Side, summary: str) -> str:
    (found,) = (one.key for one in side.desk.list() if one.fields["summary"] == summary)
    return found


def _in_step(world: World) -> None:
    world.settle()
    world.assert_in_step()


def _create(world: World, summary: str, description: str = "") -> str:
    return world.acme.desk.create("Bug", summary, {"description": description} if description else {})


def test_a_text_names_the_issue_by_the_key_it_has_where_it_is_shown(world: World) -> None:
    first = _create(world, "first")
    second = _create(world, "second", f"as in {first}, not ABC-77")
    world.acme.desk.comment(second, f"{first}. And [~j.becker]")
    done = world.send(world.acme)
    there, other = _key(world.globex, "first"), _key(world.globex, "second")
    assert (there, other) == ("ABC-3", "ABC-4")
    assert value(world.globex, other, "description") == "as in ABC-3, not ABC-77@acme"
    assert comments(world.globex, other) == ["ABC-3. And [~j.becker]"]
    assert events(done, LandedDifferently) == []
    _in_step(world)


def test_what_is_edited_there_comes_back_with_the_keys_from_here(world: World) -> None:
    first = _create(world, "first")
    second = _create(world, "second", f"{first} and ABC-77")
    world.send(world.acme)
    other = _key(world.globex, "second")
    world.globex.desk.edit(other, {"description": "ABC-3 and ABC-77@acme, then ABC-1, {code}ABC-3{code}"})
    done = world.send(world.globex)
    own = _key(world.acme, "own")
    assert value(world.acme, second, "description") == f"{first} and ABC-77, then {own}, {{code}}ABC-3{{code}}"
    assert events(done, LandedDifferently) == []
    _in_step(world)


def test_a_text_that_came_before_the_issue_it_names_is_written_anew_when_that_comes(world: World) -> None:
    first = _create(world, "first", "ABC-2 is the same; I am ABC-1")
    _create(world, "second", "ABC-1")
    refuse_create(world.globex, "second")
    world.send(world.acme)
    there = _key(world.globex, "first")
    assert value(world.globex, there, "description") == "ABC-2@acme is the same; I am ABC-3"
    world.acme.desk.edit(first, {"priority": "High"})  # what waits elsewhere holds nothing up
    world.send(world.acme)
    assert value(world.globex, there, "priority") == "High"
    refuse_nothing(world.globex)
    world.globex.retry()
    world.globex.import_()
    assert value(world.globex, there, "description") == "ABC-4 is the same; I am ABC-3"
    _in_step(world)


def test_an_edit_that_meets_the_new_key_is_told_with_it(world: World) -> None:
    first = _create(world, "first", "see ABC-2")
    refuse_create(world.globex, "second")
    _create(world, "second")
    world.send(world.acme)
    there = _key(world.globex, "first")
    world.globex.desk.edit(there, {"description": "see ABC-2@acme, urgent"})
    refuse_nothing(world.globex)
    world.globex.retry()
    world.globex.import_()
    assert value(world.globex, there, "description") == "see ABC-4, urgent"
    world.send(world.globex)
    assert value(world.acme, first, "description") == "see ABC-2, urgent"
    _in_step(world)


def test_a_text_that_is_refused_with_the_new_key_stays_and_is_told_once(world: World) -> None:
    _create(world, "first", "see ABC-2")
    refuse_create(world.globex, "second")
    _create(world, "second")
    world.send(world.acme)
    refuse(world.globex, "description")
    world.globex.retry()
    (told,) = events(world.globex.import_(), NotRenamed)
    assert (told.key, told.fields) == (_key(world.globex, "first"), ["description"])
    assert value(world.globex, told.key, "description") == "see ABC-2@acme"
    assert events(world.globex.import_(), NotRenamed) == []


def waiting_for_second(world: World, *summaries: str) -> None:
    """Issues that name one which comes with the next import, and then their texts are written anew."""
    for summary in summaries:
        _create(world, summary, f"{summary}: see ABC-{len(summaries) + 1}")
    refuse_create(world.globex, "second")
    _create(world, "second")
    world.send(world.acme)
    refuse_nothing(world.globex)
    world.globex.retry()


def test_a_text_at_which_the_tracker_fails_is_told_and_written_anew_by_the_next_import(world: World) -> None:
    waiting_for_second(world, "first")
    world.globex.faults.strike = failing("before apply")
    (told,) = events(world.globex.import_(), NotAnew)
    assert told.key == _key(world.globex, "first")
    assert "the tracker fails" in told.sentence()
    world.globex.faults.strike = failing("after apply")  # it was done after all
    assert events(world.globex.import_(), NotAnew) == []
    world.globex.faults.strike = lambda _place: None
    assert str(value(world.globex, told.key, "description")).startswith("first: see ABC-4")
    assert world.globex.export().changes == 2, "its own two issues"
    _in_step(world)


def test_texts_at_which_the_tracker_fails_hold_up_no_others_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anew, "_FAILING", 1)
    waiting_for_second(world, "broken", "first")
    broken = _key(world.globex, "broken")

    def fail(call: str, what: object) -> None:
        if call == "apply" and "broken" in str(what):
            raise Unwritten("no")

    world.globex.faults.refuse = fail
    keys = [one.key for _ in range(3) for one in events(world.globex.import_(), NotAnew)]
    assert keys == [broken] * 3
    assert "see ABC-5" in str(value(world.globex, _key(world.globex, "first"), "description"))


def test_a_conflict_is_shown_with_keys_alone(world: World) -> None:
    first = _create(world, "first", "x")
    world.send(world.acme)
    there = _key(world.globex, "first")
    world.acme.desk.edit(first, {"description": f"{first} here"})
    world.globex.desk.edit(there, {"description": f"{there} there"})
    world.send(world.acme)
    (met,) = world.globex.conflicts()
    assert {met.ours, met.theirs} == {"ABC-1 there", "ABC-1 here"}


@pytest.mark.prove
def test_cut_off_anywhere_texts_name_the_right_issues_in_the_end() -> None:
    nth = 1
    while True:
        with two_sites() as world:
            world.globex.desk.create("Bug", "own")
            _create(world, "first", "see ABC-2")
            _create(world, "second", "see ABC-1")
            world.acme.export()
            world.carry(to=world.globex)
            cut = crashes_anywhere(world.globex, nth, world.globex.import_)
            world.settle()
            first, second = _key(world.globex, "first"), _key(world.globex, "second")
            assert value(world.globex, first, "description") == f"see {second}"
            assert value(world.globex, second, "description") == f"see {first}"
            _in_step(world)
        if not cut:
            return
        nth += 1
