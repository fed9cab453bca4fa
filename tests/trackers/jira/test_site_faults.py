"""What goes wrong between a whole site and its Jira, and what a person then sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filesync.agent.events import Stuck
from filesync.agent.incoming.bundles import BundleApplied
from filesync.agent.incoming.importer import Imports
from filesync.errors import Unavailable
from filesync.ledger import shadows
from filesync.model.ids import Gid, Kind
from filesync.trackers.jira.write.births import AT_ONCE
from tests.support.jira.site import CLOUD, DC10, Flavour
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, two_trackers, writes
from tests.support.two_sites import Side, World


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """acme with an embedded tracker, globex with a Jira."""
    flavour: Flavour = request.param
    with two_trackers((EMBEDDED, flavour)) as world:
        yield world


def jira_of(world: World) -> JiraSide:
    assert isinstance(world.globex, JiraSide)
    return world.globex


def bring(world: World, *summaries: str) -> list[Gid]:
    """New issues of acme's, as far as globex's inbox."""
    acme = world.acme
    for summary in summaries:
        acme.desk.create("Bug", summary)
    acme.export()
    world.carry(to=world.globex)
    return [acme.gid(one) for one in acme.issues()]


def import_once(side: JiraSide) -> Imports:
    """One import, which does not come again by itself."""
    return Side.import_(side)


def summaries(side: Side) -> list[str]:
    return sorted(str(one.fields["summary"]) for one in side.issues())


def test_f110_an_import_whose_answer_was_lost_ends_with_one_of_each(world: World) -> None:
    globex = jira_of(world)
    bring(world, "one", "two")
    globex.jira.faults.lose_answer(method="POST", path="/issue/bulk$")
    with pytest.raises(Unavailable, match="did not say whether it did POST"):
        import_once(globex)
    globex.import_()
    calm(world)
    world.assert_in_step()
    assert [summaries(side) for side in world.sides] == [["one", "two"], ["one", "two"]]


def test_f110_where_one_call_for_many_issues_is_lost_the_others_are_finished_and_nothing_is_double(world: World) -> None:
    globex = jira_of(world)
    many = [f"number {n:02}" for n in range(50)]
    bring(world, "first", "second")
    globex.import_()
    bring(world, *many)
    globex.jira.faults.lose_answer(method="POST", path="/issue/bulk$")
    with pytest.raises(Unavailable, match="did not say whether it did POST"):
        import_once(globex)
    exchange = globex.site.paired("main").exchange
    with globex.site.ledger.begin() as conn:
        doubted = shadows.doubts(conn, exchange.id)
    assert len(doubted) == AT_ONCE, "of the lost call alone nobody knows"
    globex.import_()
    calm(world)
    world.assert_in_step()
    assert summaries(globex) == sorted([*many, "first", "second"])


@pytest.mark.parametrize("hours", [-3, 3])
def test_f110_a_clock_that_is_set_after_a_lost_answer_doubles_nothing(world: World, hours: int) -> None:
    globex = jira_of(world)
    bring(world, "one")
    globex.jira.faults.lose_answer(method="POST", path="/issue$")
    with pytest.raises(Unavailable, match="did not say whether it did POST"):
        import_once(globex)
    world.clock.advance(hours=hours)
    calm(world)
    world.assert_in_step()
    assert [summaries(side) for side in world.sides] == [["one"], ["one"]]


def test_f112_f122_what_jira_refuses_is_stuck_with_its_words_the_rest_goes_on_and_all_is_counted(world: World) -> None:
    globex = jira_of(world)
    globex.jira.deactivate("w.chen")
    world.acme.desk.create("Bug", "one", {"assignee": "w.chen", "labels:a": True})
    bring(world, "two")
    done = globex.import_()
    assert summaries(globex) == ["one", "two"]
    (stuck,) = [one for one in done.events if isinstance(one, Stuck)]
    assert "assignee" in stuck.sentence()
    (applied,) = [one for one in done.events if isinstance(one, BundleApplied)]
    assert applied.read == applied.applied + applied.skipped + applied.refused + applied.waiting == 2
    assert applied.refused == 1 == len(globex.stuck())


def test_f113_an_edit_of_an_issue_that_was_deleted_in_jira_makes_nothing_and_is_told(world: World) -> None:
    globex = jira_of(world)
    (gid,) = bring(world, "one")
    globex.import_()
    calm(world)
    acme = world.acme
    (issue,) = globex.issues()
    globex.desk.delete(globex.key(issue.ref.local))
    acme.desk.edit(acme.key(acme.issues()[0].ref.local), {"summary": "edited"})
    acme.export()
    world.carry(to=globex)
    globex.jira.forget_requests()
    told = [one.sentence() for one in globex.import_().events]
    assert any("was deleted here; our deletion goes out" in one for one in told)
    assert [one for one in writes(globex) if "/properties/" not in one] == []
    calm(world)
    assert gid not in globex.shown()
    assert globex.queued() == acme.queued() == []


def test_f117_two_sites_are_quiet_after_two_rounds(world: World) -> None:
    globex = jira_of(world)
    bring(world, "one", "two")
    globex.import_()
    globex.desk.create("Bug", "three")
    world.round()
    world.round()
    globex.jira.forget_requests()
    for _ in range(10):
        world.clock.advance(minutes=5)
        assert world.round() == 0
    assert writes(globex) == []


def test_f118_a_jira_that_is_down_is_waited_for_and_the_bundle_stays(world: World) -> None:
    globex = jira_of(world)
    bring(world, "one")
    globex.jira.faults.refuse(503, times=10_000)
    with pytest.raises(Unavailable, match=r"503.*") as caught:
        import_once(globex)
    assert "The next export or import tries again" in caught.value.hint
    globex.jira.faults.disarm()
    globex.jira.faults.refuse(429, retry_after="5", times=3)
    assert import_once(globex).counts.applied == 1
    assert summaries(globex) == ["one"]


def test_f121_a_right_that_was_lost_is_one_message_for_the_whole_import(world: World) -> None:
    globex = jira_of(world)
    bring(world, *(f"n{number}" for number in range(20)))
    globex.jira.deny("CREATE_ISSUES")
    with pytest.raises(Unavailable, match="our account has lost a right in the project ABC: CREATE_ISSUES"):
        import_once(globex)
    assert globex.stuck() == []
    project = globex.jira.store.project("ABC")
    assert project is not None
    project.denied.clear()
    assert globex.import_().counts.applied == 20


def test_f113_an_issue_that_was_moved_to_another_project_is_written_to_there_and_nothing_of_it_goes_out(world: World) -> None:
    globex, acme = jira_of(world), world.acme
    (gid,) = bring(world, "one")
    globex.import_()
    calm(world)
    (moved,) = globex.jira.store.issues
    globex.jira.person("admin").move(moved, "XYZ")
    globex.desk.comment(moved, "said after it was moved")
    calm(world)
    (kept,) = acme.issues()
    assert acme.gid(kept) == gid
    assert acme.below(kept.ref.local, Kind.COMMENT) == []
    acme.desk.edit(acme.key(kept.ref.local), {"summary": "edited"})
    calm(world)
    assert globex.jira.store.issues[moved].values["summary"] == "edited"
    assert globex.queued() == []
