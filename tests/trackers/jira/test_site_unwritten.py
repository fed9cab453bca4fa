"""A write that goes wrong, where Jira answers else, holds up nothing but itself, and is never done twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.events import Stuck
from filesync.agent.incoming.importer import Imports
from filesync.errors import Unavailable
from tests.support.jira.faults import Fault, Kind
from tests.support.jira.site import CLOUD
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, two_trackers
from tests.support.two_sites import Side, World


@pytest.fixture
def world() -> Iterator[World]:
    """acme with an embedded tracker, globex with a Jira."""
    with two_trackers((EMBEDDED, CLOUD)) as world:
        yield world


def jira_of(world: World) -> JiraSide:
    assert isinstance(world.globex, JiraSide)
    return world.globex


def import_(world: World) -> Imports:
    """What globex makes of what acme has to tell, in one import that does not come again by itself."""
    world.acme.export()
    world.carry(to=world.globex)
    return Side.import_(world.globex)


def there(world: World) -> list[tuple[str, list[str]]]:
    """Summaries and comments in globex's Jira."""
    issues = jira_of(world).jira.store.issues.values()
    return sorted((str(one.values["summary"]), [said.body[-5:] for said in one.comments]) for one in issues)


def test_f118_trap37_a_write_at_which_jira_fails_holds_up_no_other_and_is_tried_again_after_longer_and_longer(
    world: World,
) -> None:
    jira, desk = jira_of(world).jira, world.acme.desk
    first, second = (desk.create("Bug", name) for name in ("one", "two"))
    import_(world)
    local = next(one.id for one in jira.store.issues.values() if one.values["summary"] == "one")
    for name, issue in (("one", first), ("two", second)):
        desk.edit(issue, {"summary": f"{name}, edited"})
        desk.edit(issue, {"status": "In Progress"})
        desk.comment(issue, f"on {name[:2]}")
    jira.faults.refuse(
        500, times=10_000, method="PUT", path=f"/issue/{local}(\\?|$)", body='{"errorMessages": ["a listener failed"]}'
    )
    done = import_(world)
    assert there(world) == [("one", ["on on"]), ("two, edited", ["on tw"])]
    assert {str(one.fields["status"]) for one in world.globex.issues()} == {"In Progress"}, "what can land does"
    (told,) = (event for event in done.events if isinstance(event, Stuck))
    assert "500, a listener failed" in told.sentence()
    assert "It is tried again by itself." in told.sentence()
    tries = []
    for _ in range(12):
        world.clock.advance(minutes=1)
        jira.forget_requests()
        assert import_(world).queued == 1
        tries.append(any(one.method == "PUT" for one in jira.requests()))
    at = [minute for minute, tried in enumerate(tries) if tried]
    assert at == [0, 2, 6], tries
    jira.faults.disarm()
    assert import_(world).queued == 1, "its time has not come"
    world.globex.retry()
    assert there(world)[0] == ("one, edited", ["on on"])
    calm(world)
    world.assert_in_step()


def test_trap18_an_issue_that_jira_fails_to_make_holds_up_no_other_and_is_looked_for_since_the_last_try(world: World) -> None:
    jira, desk = jira_of(world).jira, world.acme.desk
    keys = {name: desk.create("Bug", name) for name in ("one", "two", "three")}
    for name, key in keys.items():
        desk.comment(key, f"on {name}")
    jira.faults.refuse(500, method="POST", path="/issue/bulk$")  # the first is tried alone
    assert import_(world).queued == 2
    made = [name for name, _ in there(world)]
    assert len(made) == 2
    (left,) = keys.keys() - made
    assert import_(world).queued == 2, "whether it was made cannot be told yet"
    jira.faults.index_held = True
    jira.faults.lose_answer(method="POST", path="/issue$")
    world.clock.advance(minutes=5)
    assert import_(world).queued == 2
    assert [name for name, said in there(world) if not said] == [left], "it was made, and nobody said so"
    for _ in range(2):
        world.clock.advance(minutes=1)
        world.globex.retry()
        assert len(there(world)) == 3, "the search may lie behind the last call, whenever the first one was"
    jira.faults.index_held = False
    calm(world)
    assert [name for name, _ in there(world)] == ["one", "three", "two"]
    assert all(said for _, said in there(world))
    world.assert_in_step()


def test_a_status_is_no_less_open_where_jira_fails_after_the_first_step_there(world: World) -> None:
    jira, desk = jira_of(world).jira, world.acme.desk
    key = desk.create("Bug", "one")
    import_(world)
    for status in ("In Progress", "In Review", "Done"):
        desk.edit(key, {"status": status})
    jira.faults.arm(Fault(Kind.STATUS, 100, method="POST", path="/transitions$", status=500, skip=1))
    assert import_(world).queued == 1
    assert [one.fields["status"] for one in world.globex.issues()] == ["In Progress"]
    jira.faults.disarm()
    world.globex.retry()
    assert [one.fields["status"] for one in world.globex.issues()] == ["Done"]


def test_an_issue_in_doubt_of_which_jira_refuses_a_field_is_made_without_it(world: World) -> None:
    jira, desk = jira_of(world).jira, world.acme.desk
    desk.create("Bug", "one", {"due_date": "2026-12-01"})
    jira.faults.refuse(500, method="POST", path="/issue$")
    assert import_(world).queued == 1
    no = '{"errorMessages": [], "errors": {"duedate": "not on Sundays"}}'
    jira.faults.arm(Fault(Kind.STATUS, 1, method="POST", path="/issue$", status=400, body=no))
    world.clock.advance(minutes=5)
    import_(world)
    assert [name for name, _ in there(world)] == ["one"]


def test_where_writes_to_many_issues_go_wrong_an_import_stops(world: World) -> None:
    jira, desk = jira_of(world).jira, world.acme.desk
    keys = [desk.create("Bug", f"{n}") for n in range(13)]
    import_(world)
    for key in keys:
        desk.edit(key, {"summary": "edited"})
    jira.faults.refuse(500, times=10_000, method="PUT", path=r"/issue/\d+(\?|$)")
    with pytest.raises(Unavailable, match="writes to 11 issues go wrong, all at once"):
        import_(world)
    assert import_(world).queued == 13, "those that are known are left alone for now"
    jira.faults.disarm()
    world.globex.retry()
    assert {name for name, _ in there(world)} == {"edited"}
