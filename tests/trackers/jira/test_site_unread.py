"""What a Jira does not show holds up nothing that it shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.events import Stuck
from filesync.agent.incoming.importer import Imports
from filesync.agent.outgoing.departures import NotRead
from filesync.errors import Unavailable
from tests.support.jira.site import CLOUD, DC10, Flavour
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, two_trackers
from tests.support.two_sites import Side, World


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """acme with a Jira, globex with an embedded tracker."""
    flavour: Flavour = request.param
    with two_trackers((flavour, EMBEDDED)) as world:
        yield world


def jira_of(world: World) -> JiraSide:
    assert isinstance(world.acme, JiraSide)
    return world.acme


def told(world: World) -> list[str]:
    """What is at globex, once it has taken what there is."""
    world.carry(to=world.globex)
    world.globex.import_()
    return sorted(str(one.fields["summary"]) for one in world.globex.issues())


def break_(side: JiraSide, local: str) -> None:
    """From now on Jira fails where it should show this issue, by itself or among others."""
    side.jira.faults.refuse(500, times=10_000, path=f"/issue/{local}")
    side.jira.faults.refuse(500, times=10_000, path="/issue/bulkfetch")


def test_trap37_an_issue_at_which_jira_fails_holds_up_no_other_and_is_told_once_it_does_not(world: World) -> None:
    acme = jira_of(world)
    locals_ = {name: acme.desk.create("Bug", name) for name in ("one", "two", "three")}
    acme.export()
    assert told(world) == ["one", "three", "two"]
    acme.clock.advance(minutes=5)
    for name, local in locals_.items():
        acme.desk.edit(local, {"summary": f"{name}, edited"})
    break_(acme, locals_["two"])
    for _ in range(2):  # it does not stay away for good, and the next export is as good
        done = Side.export(acme)
        assert [event.issue for event in done.events if isinstance(event, NotRead)] == [locals_["two"]]
        assert told(world) == ["one, edited", "three, edited", "two"]
    acme.jira.faults.disarm()
    acme.export()
    assert told(world) == ["one, edited", "three, edited", "two, edited"]


def test_where_jira_fails_at_every_issue_nothing_is_told_and_one_message_says_so(world: World) -> None:
    acme = jira_of(world)
    for n in range(6):
        acme.desk.create("Bug", f"{n}")
    acme.jira.faults.refuse(500, times=10_000, path="/search|/issue")
    with pytest.raises(Unavailable):
        Side.export(acme)
    acme.jira.faults.disarm()
    acme.export()
    assert told(world) == [f"{n}" for n in range(6)]


def test_trap08_what_was_edited_is_told_though_so_many_issues_are_missing_that_a_person_must_look(world: World) -> None:
    acme = jira_of(world)
    path = acme.folder / "filesync.yaml"
    path.write_text(path.read_text().replace("census_limit: 100000", "census_limit: 2").replace("sweep: 2", "sweep: 1"))
    acme.reopen()
    locals_ = [acme.desk.create("Bug", f"{n}") for n in range(10)]
    calm(world)
    acme.jira.faults.hidden.update(locals_[3:])
    acme.desk.edit(locals_[0], {"summary": "edited"})
    with pytest.raises(Unavailable, match="all at once"):
        Side.export(acme)
    assert told(world) == ["1", "2", *(f"{n}" for n in range(3, 10)), "edited"]
    acme.desk.edit(locals_[1], {"summary": "edited, too"})
    with pytest.raises(Unavailable, match="all at once"):
        Side.export(acme)
    assert told(world) == ["2", *(f"{n}" for n in range(3, 10)), "edited", "edited, too"]
    acme.jira.faults.hidden.clear()
    calm(world)
    world.assert_in_step()


def from_globex(world: World) -> Imports:
    """What acme made of what globex has to tell."""
    world.globex.export()
    world.carry(to=world.acme)
    return Side.import_(world.acme)


def test_trap37_an_import_goes_on_without_an_issue_at_which_jira_fails_and_comes_back_to_it(world: World) -> None:
    acme, desk = jira_of(world), world.globex.desk
    first, second = (desk.create("Bug", name) for name in ("one", "two"))
    assert from_globex(world).counts.applied == 2
    one, two = sorted(acme.jira.store.issues.values(), key=lambda issue: str(issue.values["summary"]))
    desk.edit(first, {"summary": "one, edited"})
    desk.edit(second, {"summary": "two, edited"})
    desk.comment(first, "on one")
    desk.comment(second, "on two")
    acme.jira.faults.refuse(500, times=10_000, path=f"/issue/{two.id}")
    acme.jira.faults.refuse(500, times=10_000, path="/issue/bulkfetch")
    done = from_globex(world)
    assert (one.values["summary"], [comment.body[-6:] for comment in one.comments]) == ("one, edited", ["on one"])
    told = [event for event in done.events if isinstance(event, Stuck)]
    assert [event.again for event in told] == [True, True]
    assert "It is tried again by itself." in told[0].sentence()
    desk.edit(second, {"summary": "two, edited again"})
    desk.edit(first, {"summary": "one, edited again"})
    assert from_globex(world).queued == 3, "what comes later waits behind it"
    assert (one.values["summary"], two.values["summary"], two.comments) == ("one, edited again", "two", [])
    acme.jira.faults.disarm()
    assert from_globex(world).queued == 0
    assert (two.values["summary"], [comment.body[-6:] for comment in two.comments]) == ("two, edited again", ["on two"])
    calm(world)
    world.assert_in_step()


def test_where_many_issues_cannot_be_read_an_import_stops_and_the_next_one_comes_further(world: World) -> None:
    acme, desk = jira_of(world), world.globex.desk
    keys = [desk.create("Bug", f"{n}") for n in range(12)]
    last = desk.create("Bug", "last")
    from_globex(world)
    shown = next(issue for issue in acme.jira.store.issues.values() if issue.values["summary"] == "last")
    for key in (*keys, last):
        desk.edit(key, {"summary": "edited"})
    acme.jira.faults.refuse(403, times=10_000, path=rf"/issue/(?!{shown.id})\d+")
    acme.jira.faults.refuse(500, times=10_000, path="/issue/bulkfetch")
    with pytest.raises(Unavailable, match="11 issues cannot be read, all at once"):
        from_globex(world)
    assert from_globex(world).queued == 12, "those that were not read before are known"
    assert shown.values["summary"] == "edited"
    acme.jira.faults.disarm()
    from_globex(world)
    assert {issue.values["summary"] for issue in acme.jira.store.issues.values()} == {"edited"}
