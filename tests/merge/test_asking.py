"""A winner that is a person: each side keeps its own until one decides, here or at the partner's."""

from __future__ import annotations

import pytest

from filesync.agent.contract.propose import accept, propose
from filesync.agent.events import Decided, MetOpen
from filesync.agent.upkeep.by_hand import say
from filesync.agent.upkeep.matches import ByField
from filesync.agent.upkeep.resync import resync
from filesync.agent.upkeep.settling import Choice, Settled, settle
from filesync.agent.upkeep.tying import Stands, tie_issues
from filesync.errors import ExitCode, NotHere
from filesync.ledger import open_conflicts
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.by_hand import Hand
from tests.merge.scene import (
    contract,
    crash,
    cross,
    events,
    only,
    refuse,
    refuse_nothing,
    shared,
    value,
)
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

ASK = contract(
    ("  summary: {kind: text}", "  summary: {kind: text, winner: ask}"),
    ("Minor, Cosmetic]}", "Minor, Cosmetic], winner: ask}"),
)
USERS = ("users: {j.becker: gone}\n", "users_by: name\nusers_default: none\n")


def edit(side: Side, key: str, text: str) -> None:
    side.desk.edit(key, {"summary": text})


def open_at(side: Side) -> list[OpenConflict]:
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        return open_conflicts.open_conflicts(conn, x)


def decide(side: Side, key: str, choice: Choice, field: str = "summary") -> Settled:
    return settle(side.site, key, field, choice)


def met(world: World, ours: str = "y", theirs: str = "z") -> str:
    """An issue of which acme's summary is `ours` and globex's `theirs`, told by both before either heard."""
    key = shared(world, "x")
    cross(world, acme=lambda: edit(world.acme, key, ours), globex=lambda: edit(world.globex, key, theirs))
    return key


def shows(world: World, key: str, *texts: str) -> None:
    assert [value(side, key, "summary") for side in world.sides] == list(texts)


def decided(world: World, key: str, text: str) -> None:
    world.settle()
    shows(world, key, text, text)
    assert [open_at(side) for side in world.sides] == [[], []]
    world.assert_in_step()


def still_open(world: World, key: str, *texts: str) -> None:
    """Both know it, and each what the other shows; nothing more is told."""
    world.settle()
    shows(world, key, *texts)
    assert [only(open_at(side)).told for side in world.sides] == [f'"{text}"'.encode() for text in reversed(texts)]
    assert world.round() == 0


def test_each_side_keeps_its_own_and_says_so_and_the_rest_goes_on() -> None:
    with two_sites(contract=ASK) as world:
        key = shared(world, "x")
        done = cross(
            world,
            acme=lambda: world.acme.desk.edit(key, {"summary": "y", "story_points": "3"}),
            globex=lambda: world.globex.desk.edit(key, {"summary": "z", "due_date": "2027-01-31"}),
        )
        still_open(world, key, "y", "z")
        for side, said, other in zip(world.sides, done, ("globex", "acme"), strict=True):
            told = only(events(said, MetOpen)).sentence()
            assert "each side keeps its own until a person decides. All else of the issue goes on. Both values" in told
            assert f"Decide here or at {other}: filesync settle {key} summary --ours (or --theirs)" in told
            assert (said.open, only(side.conflicts()).winner) == (1, "")
            stand = only(side.status().exchanges)
            assert (stand.open, stand.exit_code) == (1, ExitCode.WORK_LEFT)
            assert stand.open_since is not None
            assert (value(side, key, "story_points"), value(side, key, "due_date")) == ("3", "2027-01-31")


def test_an_edit_that_was_not_told_when_theirs_came_is_told_and_open_on_both_sides() -> None:
    with two_sites(contract=ASK) as world:
        key = shared(world, "x")
        edit(world.acme, key, "y")
        edit(world.globex, key, "z")
        world.send(world.acme)
        shows(world, key, "y", "z")
        assert only(open_at(world.globex)).theirs == "y"
        edit(world.globex, key, "x")  # taken back, and yet its author had not seen acme's
        still_open(world, key, "y", "x")


def test_an_edit_in_the_tracker_has_not_seen_theirs_and_stays_open() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        edit(world.acme, key, "w")
        still_open(world, key, "w", "z")
        assert [(one.ours, one.theirs) for one in map(only, map(open_at, world.sides))] == [("w", "z"), ("z", "w")]


def test_whoever_sets_the_partners_value_in_the_tracker_has_decided() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        edit(world.globex, key, "y")
        decided(world, key, "y")
        edit(world.acme, key, "v")  # written on what both show
        decided(world, key, "v")


def test_both_set_the_same_at_once_and_nobody_is_asked() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world, "y", "y")
        assert [side.conflicts() for side in world.sides] == [[], []]
        decided(world, key, "y")


@pytest.mark.parametrize(("choice", "stands"), [(Choice.OURS, "z"), (Choice.THEIRS, "y")])
def test_a_person_decides_and_both_sides_show_the_same(choice: Choice, stands: str) -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        with pytest.raises(NotHere, match=r"priority of \S+ does not wait for a person"):
            decide(world.globex, key, choice, "priority")
        assert not decide(world.globex, key, choice).refused
        assert open_at(world.globex) == []
        world.globex.export()
        world.carry(to=world.acme)
        assert only(events(world.acme.import_(), Decided)).by == "globex"
        whose = "globex" if choice is Choice.OURS else "acme"
        assert [only(side.conflicts()).winner for side in world.sides] == [whose, whose]
        decided(world, key, stands)


def test_two_who_decide_otherwise_at_once_find_it_open_again() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        decide(world.acme, key, Choice.THEIRS)
        decide(world.globex, key, Choice.THEIRS)
        shows(world, key, "z", "y")
        still_open(world, key, "z", "y")
        assert [len(side.conflicts()) for side in world.sides] == [2, 2]  # and it is said again
        decide(world.acme, key, Choice.OURS)
        decide(world.globex, key, Choice.THEIRS)  # of one mind
        decided(world, key, "z")


def test_an_edit_that_crosses_the_decision_is_open_again() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        cross(world, acme=lambda: decide(world.acme, key, Choice.OURS), globex=lambda: edit(world.globex, key, "w"))
        still_open(world, key, "y", "w")


def test_theirs_that_our_tracker_refuses_is_stuck_and_stays_open() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        refuse(world.acme, "summary", "z")
        assert decide(world.acme, key, Choice.THEIRS).refused
        assert "not today" in only(world.acme.stuck()).reason
        assert len(open_at(world.acme)) == 1
        with pytest.raises(NotHere, match=r"a change of \S+ waits here, or is refused"):
            decide(world.acme, key, Choice.THEIRS)
        refuse_nothing(world.acme)
        world.acme.retry()
        decided(world, key, "z")


def test_theirs_is_not_written_to_an_issue_that_is_stopped_by_hand() -> None:
    with two_sites(contract=ASK) as world:
        acme, key = world.acme, met(world)
        say(acme.site, acme.exchange(), [key], Hand.STOPPED, apply=True)
        with pytest.raises(NotHere, match=f"{key} is stopped here by hand") as told:
            decide(acme, key, Choice.THEIRS)
        assert f"filesync start-issues {key} " in told.value.hint
        say(acme.site, acme.exchange(), [key], Hand.STARTED, apply=True)
        decide(acme, key, Choice.THEIRS)
        decided(world, key, "z")


def test_a_decision_that_is_cut_off_goes_on_by_itself() -> None:
    with two_sites(contract=ASK) as world:
        for place in ("before apply", "after apply"):
            key = met(world)
            with crash(world.acme, place):
                decide(world.acme, key, Choice.THEIRS)
            decided(world, key, "z")


def test_ours_after_theirs_was_cut_off_is_told_even_if_it_is_what_that_wrote() -> None:
    with two_sites(contract=ASK) as world:
        key = shared(world, "x")
        for side, text in ((world.acme, "y"), (world.globex, "z")):
            edit(side, key, text)
            side.export()
        world.carry(to=world.acme)
        world.acme.import_()
        edit(world.globex, key, "y")
        world.globex.export()
        with crash(world.acme, "after apply"):
            decide(world.acme, key, Choice.THEIRS)
        decide(world.acme, key, Choice.OURS)
        still_open(world, key, "z", "y")


def test_an_issue_that_is_told_once_more_stays_open() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        resync(world.acme.site, EXCHANGE, query="", fields=(), status=False)
        still_open(world, key, "y", "z")


def test_what_is_open_goes_with_its_issue() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        world.acme.desk.delete(key)
        world.settle()
        assert [open_at(side) for side in world.sides] == [[], []]


@pytest.mark.parametrize("told", [True, False])
def test_where_the_contract_names_a_winner_it_decides_what_is_open(told: bool) -> None:
    """`told`: globex has told its own, and acme knows it."""
    with two_sites(contract=ASK) as world:
        key = shared(world, "x")
        edit(world.acme, key, "y")
        edit(world.globex, key, "z")
        if told:
            world.globex.export()
        world.send(world.acme)
        world.carry(to=world.acme)
        world.acme.import_()
        new = world.acme.folder / "new.yaml"
        new.write_text(ASK.replace("version: 1 ", "version: 2 ").replace("text, winner: ask", "text, winner: acme"))
        propose(world.acme.site, EXCHANGE, new, mapping=None, message="")
        world.carry(to=world.globex)
        world.globex.import_()
        accept(world.globex.site, EXCHANGE)
        decided(world, key, "y")


def test_what_is_open_stays_so_under_a_contract_that_asks_too() -> None:
    with two_sites(contract=ASK) as world:
        key = met(world)
        since = [only(open_at(side)).since for side in world.sides]
        new = world.acme.folder / "new.yaml"
        new.write_text(ASK.replace("version: 1 ", "version: 2 ").replace("winner: first ", "winner: globex "))
        propose(world.acme.site, EXCHANGE, new, mapping=None, message="")
        world.carry(to=world.globex)
        world.globex.import_()
        accept(world.globex.site, EXCHANGE)
        still_open(world, key, "y", "z")
        assert [only(open_at(side)).since for side in world.sides] == since


def test_issues_that_both_sites_had_before_are_decided_by_the_key_they_have_here() -> None:
    with two_sites(contract=ASK) as world:
        world.globex.desk.create("Task", "Only here")
        theirs = world.acme.desk.create("Bug", "Pump", {"customer_reference": "R-1"})
        ours = world.globex.desk.create("Bug", "Pumpe", {"customer_reference": "R-1"})
        world.acme.export()
        world.carry(to=world.globex)
        tie_issues(world.globex.site, EXCHANGE, ByField(name="customer_reference"), stands=Stands.CONTRACT, tie=True)
        world.globex.import_()
        world.settle()
        decide(world.globex, ours, Choice.OURS)
        world.settle()
        assert value(world.acme, theirs, "summary") == "Pumpe"
        world.assert_in_step()


def test_what_our_mapping_does_not_take_now_cannot_be_chosen() -> None:
    mapping = "fields: {summary: {field: summary, when: not due_date}}"
    with two_sites(contract=ASK, mappings=(f"{mapping}\n", "")) as world:
        key = met(world)
        world.acme.desk.edit(key, {"due_date": "2027-01-01"})
        with pytest.raises(NotHere, match=r"our mapping takes nothing for summary of \S+, as it stands"):
            decide(world.acme, key, Choice.THEIRS)
        world.acme.desk.edit(key, {"due_date": None})
        still_open(world, key, "y", "z")
        decide(world.acme, key, Choice.THEIRS)
        decided(world, key, "z")


def test_what_has_no_word_here_cannot_be_chosen() -> None:
    with two_sites(contract=ASK.replace("Minor, Cosmetic], winner", "Minor], winner")) as world:
        key = shared(world, "x")
        acme, globex = (side.desk for side in world.sides)
        cross(
            world,
            acme=lambda: acme.edit(key, {"severity": "Major"}),
            globex=lambda: globex.edit(key, {"severity": "Minor"}),
        )
        acme.edit(key, {"severity": "Cosmetic"})
        with pytest.raises(NotHere, match="something in severity that the contract has no word for, so it cannot be told"):
            decide(world.acme, key, Choice.OURS, "severity")
        decide(world.acme, key, Choice.THEIRS, "severity")
        world.settle()
        assert [open_at(side) for side in world.sides] == [[], []]
        assert [value(side, key, "severity") for side in world.sides] == ["Minor", "Minor"]


def test_theirs_that_has_no_word_here_is_chosen_there_alone() -> None:
    """Ours would be told what stands here for any that is not known, and the partner's own be lost."""
    with two_sites(
        contract=ASK.replace("assignee: {kind: user}", "assignee: {kind: user, winner: ask}"), mappings=USERS
    ) as world:
        key = shared(world, "x")
        acme, globex = (side.desk for side in world.sides)
        cross(
            world,
            acme=lambda: acme.edit(key, {"assignee": "j.becker"}),
            globex=lambda: globex.edit(key, {"assignee": "t.weber"}),
        )
        with pytest.raises(NotHere, match=r"what acme has in assignee of \S+ has no word here"):
            decide(world.globex, key, Choice.THEIRS, "assignee")
        decide(world.acme, key, Choice.OURS, "assignee")
        world.settle()
        assert [open_at(side) for side in world.sides] == [[], []]
        assert [value(side, key, "assignee") for side in world.sides] == ["j.becker", None]
