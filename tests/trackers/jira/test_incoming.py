"""Which issues of a Jira partners may change: those that meet `incoming`, asked of Jira before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.events import Stuck
from filesync.agent.incoming.importer import Imports
from filesync.errors import Unavailable
from tests.support.jira.records import Issue
from tests.support.jira.site import CLOUD, DC10, Flavour
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, two_trackers, writes
from tests.support.two_sites import Side, World


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """acme with a Jira in which partners change what is labelled so, globex with an embedded tracker."""
    flavour: Flavour = request.param
    with two_trackers((flavour, EMBEDDED), settings="incoming: labels = open") as world:
        yield world


def jira_of(world: World) -> JiraSide:
    assert isinstance(world.acme, JiraSide)
    return world.acme


def from_globex(world: World) -> Imports:
    """What acme made of what globex has to tell, and the requests of that alone."""
    world.globex.export()
    world.carry(to=world.acme)
    jira_of(world).jira.forget_requests()
    return Side.import_(world.acme)


def here(world: World) -> list[Issue]:
    """The issues of the Jira, by their summaries."""
    return sorted(jira_of(world).jira.store.issues.values(), key=lambda issue: str(issue.values["summary"]))


def test_what_comes_for_an_issue_outside_waits_until_it_is_inside(world: World) -> None:
    acme, desk = jira_of(world), world.globex.desk
    keys = [desk.create("Bug", name) for name in ("one", "two")]
    for key in keys:
        desk.comment(key, "hello")
    assert from_globex(world).queued == 0, "a new issue is made, with what comes with it"
    one, two = here(world)
    assert [len(issue.comments) for issue in (one, two)] == [1, 1]
    acme.desk.edit(one.id, {"labels:open": True})
    world.clock.advance(minutes=5)
    for key in keys:
        desk.edit(key, {"description": "edited"})
        desk.comment(key, "once more")
    done = from_globex(world)
    assert [issue.values.get("description") for issue in (one, two)] == ["edited", None]
    assert [len(issue.comments) for issue in (one, two)] == [2, 1]
    assert not [what for what in writes(acme) if f"/{two.id}" in what]
    told = [event for event in done.events if isinstance(event, Stuck)]
    assert len(told) == done.queued == 2
    assert "takes nothing from partners as it is now, says tracker.settings.incoming" in told[0].sentence()
    again = from_globex(world)
    assert (again.queued, [event for event in again.events if isinstance(event, Stuck)]) == (2, []), "it is told once"
    assert writes(acme) == []
    acme.desk.edit(two.id, {"labels:open": True})
    world.clock.advance(minutes=5)
    assert from_globex(world).queued == 0
    assert (two.values.get("description"), len(two.comments)) == ("edited", 2)
    calm(world)
    world.assert_in_step()


def test_what_is_asked_costs_two_requests_more_in_cloud_however_many_changes_there_are() -> None:
    with two_trackers((CLOUD, EMBEDDED), settings="incoming: labels = open") as world:
        desk = world.globex.desk
        keys = [desk.create("Bug", f"{n}") for n in range(10)]
        from_globex(world)
        for key in keys:
            desk.edit(key, {"description": "edited"})
        from_globex(world)
        asking = [one.path.rpartition("/")[2] for one in jira_of(world).jira.requests() if one.method == "POST"]
        assert asking == ["bulkfetch", "jql"]


def test_a_text_is_not_written_once_more_while_its_issue_takes_nothing() -> None:
    with two_trackers((CLOUD, EMBEDDED), settings="incoming: labels = open") as world:
        acme, desk = jira_of(world), world.globex.desk
        desk.create("Bug", "one", {"description": "as ABC-2 says"})
        from_globex(world)
        (one,) = here(world)
        before = one.values.get("description")
        desk.create("Bug", "two", {"description": "see !pump.png!"})
        desk.attach("ABC-2", "pump.png", iter([b"12 bar"]))
        from_globex(world)
        assert [what for what in writes(acme) if f"/{one.id}" in what] == []
        two = next(issue for issue in here(world) if issue is not one)
        assert [what for what in writes(acme) if "properties" not in what][-1].endswith(f"/{two.id}"), "it made that one itself"
        acme.desk.edit(one.id, {"labels:open": True})
        world.clock.advance(minutes=5)
        from_globex(world)
        assert one.values.get("description") == f"as {two.key} says" != before
        calm(world)
        world.assert_in_step()


def test_where_the_index_lies_behind_nothing_is_written() -> None:
    with two_trackers((DC10, EMBEDDED), settings="incoming: labels = open") as world:
        acme, desk = jira_of(world), world.globex.desk
        key = desk.create("Bug", "one")
        from_globex(world)
        (one,) = here(world)
        acme.desk.edit(one.id, {"labels:open": True})
        world.clock.advance(minutes=5)
        acme.jira.faults.index_held = True
        acme.desk.edit(one.id, {"labels:open": None})
        desk.edit(key, {"description": "edited"})
        assert from_globex(world).queued == 1, "the index has the label still"
        acme.jira.faults.index_held = False
        assert from_globex(world).queued == 1
        assert writes(acme) == []


def test_a_query_that_jira_does_not_take_stops_the_import_in_words() -> None:
    with two_trackers((DC10, EMBEDDED), settings="incoming: nothing = open") as world:
        key = world.globex.desk.create("Bug", "one")
        from_globex(world)
        world.globex.desk.edit(key, {"description": "edited"})
        with pytest.raises(Unavailable) as caught:
            from_globex(world)
        assert "tracker.settings.scope and incoming" in caught.value.hint
        assert writes(jira_of(world)) == []


def test_a_change_that_waits_can_be_skipped(world: World) -> None:
    desk = world.globex.desk
    key = desk.create("Bug", "one", {"description": "as it was"})
    from_globex(world)
    desk.edit(key, {"description": "edited"})
    assert from_globex(world).queued == 1
    (left,) = world.acme.queued()
    world.acme.skip(left.mark)
    calm(world)
    assert [issue.values.get("description") for issue in here(world)] == ["as it was"]
    world.assert_in_step()
