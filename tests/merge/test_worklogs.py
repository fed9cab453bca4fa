"""Worklogs between two sites: made, edited, deleted; with one winner a field."""

from __future__ import annotations

from tests.merge.scene import (
    MIRROR,
    contract,
    cross,
    keys,
    shared,
)
from tests.support.two_sites import Side, two_sites


def worklogs(side: Side, key: str) -> list[dict[str, object]]:
    return [dict(one.fields) for one in side.desk.show(key).worklogs]


def test_a_worklog_is_made_edited_and_deleted() -> None:
    with two_sites() as world:
        key = shared(world)
        number = world.acme.desk.log_work(key, 5400, started="2026-11-20T09:00:00+01:00", text="seal changed")
        world.send(world.acme)
        made = {"started": "2026-11-20T08:00:00.000Z", "seconds": "5400", "body": "seal changed"}
        assert worklogs(world.globex, key) == [made]
        world.globex.desk.edit_worklog(key, number, {"seconds": "3600", "body": None})
        world.send(world.globex)
        assert worklogs(world.acme, key) == [{"started": "2026-11-20T08:00:00.000Z", "seconds": "3600"}]
        world.acme.desk.delete_worklog(key, number)
        world.send(world.acme)
        assert worklogs(world.globex, key) == []
        world.assert_in_step()


def test_a_worklog_edited_on_both_sides_has_one_winner_a_field() -> None:
    with two_sites() as world:
        key = shared(world)
        number = world.acme.desk.log_work(key, 60)
        world.send(world.acme)
        cross(
            world,
            acme=lambda: world.acme.desk.edit_worklog(key, number, {"seconds": "120"}),
            globex=lambda: world.globex.desk.edit_worklog(key, number, {"seconds": "180", "body": "more"}),
        )
        for side in world.sides:
            assert [(one["seconds"], one.get("body")) for one in worklogs(side, key)] == [("120", "more")]
            assert [met.field for met in side.conflicts()] == ["seconds"]
        world.assert_in_step()


def test_a_worklog_goes_with_its_issue() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        cross(world, acme=lambda: world.acme.desk.delete(key), globex=lambda: world.globex.desk.log_work(key, 60))
        for side in world.sides:
            assert keys(side) == []
            assert side.queued() == []
        world.assert_in_step()


def test_worklogs_stay_at_home_where_the_contract_says_so() -> None:
    with two_sites(contract=contract(("worklogs: true", "worklogs: false"))) as world:
        key = shared(world)
        world.acme.desk.log_work(key, 60)
        assert world.acme.export().changes == 0
        assert worklogs(world.globex, key) == []
