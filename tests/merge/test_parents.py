"""A field that names another issue: it waits, is dropped, or is not told."""

import pytest

from filesync.agent.outgoing import gather
from tests.faults.scene import change_settings
from tests.merge.scene import (
    MIRROR,
    crash,
    keys,
    only,
    refuse_create,
    refuse_nothing,
    shared,
    value,
)
from tests.support.two_sites import Side, two_sites


def _parent_of(side: Side, summary: str) -> object:
    by_summary = {issue.fields["summary"]: issue for issue in side.desk.list()}
    return by_summary[summary].fields.get("parent")


def test_a_sub_task_waits_for_its_parent() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "above")
        above = world.acme.desk.create("Story", "above")
        world.acme.desk.create("Sub-task", "below", {"parent": above})
        world.send(world.acme)
        assert keys(world.globex) == []
        assert [row.state for row in world.globex.queued()] == ["stuck", "waits"]
        refuse_nothing(world.globex)
        world.globex.retry()
        assert _parent_of(world.globex, "below") == above
        world.assert_in_step()


def test_a_new_parent_that_is_stuck_holds_up_no_other_field() -> None:
    with two_sites() as world:
        key = shared(world, "below")
        refuse_create(world.globex, "above")
        above = world.acme.desk.create("Epic", "above")
        world.acme.desk.edit(key, {"parent": above, "description": "with a parent"})
        world.send(world.acme)
        assert value(world.globex, key, "description") == "with a parent"
        assert _parent_of(world.globex, "below") is None
        assert world.globex.export().changes == 0
        refuse_nothing(world.globex)
        world.globex.retry()
        assert _parent_of(world.globex, "below") is not None
        world.assert_in_step()


def test_a_parent_that_is_apart_is_neither_told_nor_waited_for() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "above")
        above = world.acme.desk.create("Epic", "above")
        world.acme.desk.create("Story", "below", {"parent": above})
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        world.globex.skip(stuck.mark)
        refuse_nothing(world.globex)
        assert _parent_of(world.globex, "below") is None
        assert world.globex.queued() == []
        assert world.globex.export().changes == world.acme.export().changes == 0


def test_a_parent_out_of_scope_is_told_when_it_comes_into_it() -> None:
    with two_sites(scopes=("{labels: [shared]}", "")) as world:
        above = world.acme.desk.create("Epic", "above")
        world.acme.desk.create("Story", "below", {"parent": above, "labels:shared": True})
        world.send(world.acme)
        assert [issue.fields["summary"] for issue in world.globex.desk.list()] == ["below"]
        assert world.globex.export().changes == 0
        world.acme.desk.edit(above, {"labels:shared": True})
        world.settle()
        assert _parent_of(world.globex, "below") is not None
        world.assert_in_step()


def test_a_parent_is_deleted_after_what_was_below_it_has_left() -> None:
    with two_sites(contract=MIRROR) as world:
        above = world.acme.desk.create("Story", "above")
        below = world.acme.desk.create("Sub-task", "below", {"parent": above})
        world.send(world.acme)
        world.acme.desk.edit(below, {"parent": None})
        world.acme.desk.delete(above)
        world.acme.desk.edit(below, {"summary": "alone"})  # the last thing that happened, so the feed names it last
        world.send(world.acme)
        assert world.globex.queued() == []
        assert keys(world.globex) == [below]
        world.assert_in_step()


def test_a_parent_is_deleted_after_what_was_below_it_has_left_however_many_bundles_lie_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "_CHUNK", 1)
    with two_sites(contract=MIRROR) as world:
        change_settings(world.acme, max_changes="1")
        above = world.acme.desk.create("Story", "above")
        below = world.acme.desk.create("Sub-task", "below", {"parent": above})
        world.send(world.acme)
        world.acme.desk.edit(below, {"parent": None})
        world.acme.desk.delete(above)
        between = world.acme.desk.create("Bug", "between")
        world.acme.desk.edit(below, {"summary": "alone"})
        assert world.send(world.acme).bundles == 3
        assert world.globex.queued() == []
        assert set(keys(world.globex)) == {below, between}
        world.assert_in_step()


def test_a_deletion_that_waits_for_the_end_is_told_by_the_next_run_when_this_one_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "_CHUNK", 1)
    with two_sites(contract=MIRROR) as world:
        change_settings(world.acme, max_changes="1")
        key = world.acme.desk.create("Bug", "goes")
        world.send(world.acme)
        world.acme.desk.delete(key)
        stays = world.acme.desk.create("Bug", "stays")
        with crash(world.acme, "after X12"):  # the first bundle is out, the deletion was only read
            world.acme.export()
        world.send(world.acme)
        assert keys(world.globex) == [stays]
        world.assert_in_step()


def test_a_parent_that_was_deleted_meanwhile_is_dropped_from_an_edit() -> None:
    with two_sites() as world:
        above, below = world.acme.desk.create("Epic", "above"), world.acme.desk.create("Story", "below")
        world.settle()
        world.globex.desk.delete(above)  # and not told yet
        world.acme.desk.edit(below, {"parent": above, "description": "with a parent"})
        world.send(world.acme)
        assert value(world.globex, below, "description") == "with a parent"
        assert _parent_of(world.globex, "below") is None
        assert world.globex.queued() == []
        world.send(world.globex)
        assert world.acme.desk.show(above).issue.deleted_by == "globex"
        assert value(world.acme, below, "parent") == above
        world.assert_in_step()
