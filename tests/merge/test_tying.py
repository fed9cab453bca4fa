"""Issues that both sites had before they exchanged anything are tied, so that none is made twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from filesync.agent.contract.propose import propose
from filesync.agent.upkeep import tying
from filesync.agent.upkeep.matches import ByField, ByKey, ByTable, Match
from filesync.agent.upkeep.tying import Stands, Ties, tie_issues
from tests.merge.scene import comments, contract, crashes_anywhere, keys, only, value
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

GLOBEX_WINS = contract(("winner: first ", "winner: globex "))


def tie(side: Side, match: Match, stands: Stands, *, apply: bool = True) -> Ties:
    return tie_issues(side.site, EXCHANGE, match, stands=stands, tie=apply)


def filled(side: Side, priority: str) -> None:
    """Three issues with a comment, a worklog, an attachment and a link, as both sites have them."""
    desk = side.desk
    for number in (1, 2, 3):
        desk.create("Bug", f"Pump {number}", {"customer_reference": f"R-{number}", "priority": priority})
    desk.comment("ABC-1", "See ABC-2,  and call.")
    desk.log_work("ABC-1", 3600, started="2026-02-03T09:00:00Z", text=f"at {side.name}")
    desk.attach("ABC-1", "a.txt", [b"the same"])
    desk.link("ABC-1", "blocks", "ABC-2")


@contextmanager
def both_filled(agreed: str = "") -> Iterator[World]:
    """acme's issues lie in globex's inbox, and nothing was imported."""
    with two_sites(contract=agreed) as world:
        filled(world.acme, "High")
        world.globex.desk.create("Task", "Only here")  # so that keys differ
        for number in (3, 2, 1):
            world.globex.desk.create("Bug", f"Pump {number}", {"customer_reference": f"R-{number}", "priority": "Low"})
        world.globex.desk.comment("ABC-4", "See ABC-3, and call.")
        world.globex.desk.log_work("ABC-4", 3600, started="2026-02-03T09:00:00Z")
        world.globex.desk.attach("ABC-4", "a.txt", [b"the same"])
        world.globex.desk.comment("ABC-4", "Said at globex.")
        world.acme.export()
        world.carry(to=world.globex)
        yield world


BY_REFERENCE = ByField(name="customer_reference")
TABLE = ByTable(keys={"ABC-4": "ABC-1", "ABC-3": "ABC-2", "ABC-2": "ABC-3"})


@pytest.mark.parametrize("match", [BY_REFERENCE, TABLE], ids=["field", "table"])
@pytest.mark.parametrize("stands", list(Stands))
def test_what_both_sites_have_is_made_by_neither_again(match: Match, stands: Stands) -> None:
    with both_filled(GLOBEX_WINS) as world:
        found = tie(world.globex, match, stands)
        assert {(one.ours, one.theirs, one.below) for one in found.ties} == {
            ("ABC-4", "ABC-1", 3),
            ("ABC-3", "ABC-2", 0),
            ("ABC-2", "ABC-3", 0),
        }
        assert all("priority" in one.differs for one in found.ties)
        assert (found.alone, found.unclear) == (0, {})
        world.globex.import_()
        world.settle()
        world.assert_in_step()
        stood = "High" if stands is Stands.THEIRS else "Low"
        assert [value(world.acme, key, "priority") for key in ("ABC-1", "ABC-2", "ABC-3")] == [stood] * 3
        assert len(keys(world.acme)) == len(keys(world.globex)) == 4
        said = comments(world.globex, "ABC-4")
        assert len(said) == 2
        assert said[1] == "Said at globex."
        assert said[0] == "See ABC-3,  and call."
        page = world.globex.desk.show("ABC-4")
        assert (len(page.attachments), len(page.worklogs), len(page.links)) == (1, 1, 1)
        assert world.globex.conflicts() == [] or stands is Stands.CONTRACT


def test_attachments_of_one_name_and_size_are_two_where_their_bytes_differ_and_large_ones_are_counted() -> None:
    with two_sites() as world:
        for side, small in ((world.acme, b"said here"), (world.globex, b"and there")):
            side.desk.create("Bug", "Pump", {"customer_reference": "R-1"})
            side.desk.attach("ABC-1", "a.txt", [small])
            side.desk.attach("ABC-1", "b.txt", [b"the same"])
            side.desk.attach("ABC-1", "large.txt", [b"x" * (world.globex.config.limits.inline + 1)])
        world.acme.export()
        world.carry(to=world.globex)
        [one] = tie(world.globex, BY_REFERENCE, Stands.OURS).ties
        assert (one.below, one.unread) == (2, 1)
        world.globex.import_()
        world.settle()
        world.assert_in_step()
        assert [one.fields["name"] for one in world.globex.desk.show("ABC-1").attachments].count("a.txt") == 2


def test_a_look_changes_nothing_and_may_be_followed_by_another_choice() -> None:
    with both_filled() as world:
        before = tie(world.globex, BY_REFERENCE, Stands.OURS, apply=False)
        assert not before.tied
        assert world.globex.exchange().in_seq == 0
        tie(world.globex, BY_REFERENCE, Stands.OURS)
        again = tie(world.globex, BY_REFERENCE, Stands.THEIRS)
        assert [one.ours for one in again.ties] == [one.ours for one in before.ties]
        world.globex.import_()
        world.settle()
        world.assert_in_step()
        assert value(world.acme, "ABC-1", "priority") == value(world.globex, "ABC-4", "priority") == "High"


def test_by_key_and_what_is_filled_at_one_side_alone_is_emptied_by_nobody_by_the_contract() -> None:
    with two_sites() as world:
        world.acme.desk.create("Bug", "Pump", {"labels:hot": True})
        world.globex.desk.create("Bug", "Pump", {"environment": "Hall 3"})
        world.acme.export()
        world.carry(to=world.globex)
        assert only(tie(world.globex, ByKey(), Stands.CONTRACT).ties).differs == ("environment", "labels")
        world.globex.import_()
        world.settle()
        world.assert_in_step()
        assert value(world.acme, "ABC-1", "environment") == "Hall 3"
        assert value(world.globex, "ABC-1", "labels:hot") is True


def test_of_what_is_not_clear_nothing_is_tied_and_what_only_they_have_is_made() -> None:
    with two_sites() as world:
        for summary, reference in (("one", "R-1"), ("two", "R-2"), ("two again", "R-2"), ("three", "R-3")):
            world.acme.desk.create("Bug", summary, {"customer_reference": reference})
        for summary, reference in (("one", "R-1"), ("one again", "R-1"), ("two", "R-2")):
            world.globex.desk.create("Bug", summary, {"customer_reference": reference})
        world.acme.export()
        world.carry(to=world.globex)
        found = tie(world.globex, BY_REFERENCE, Stands.THEIRS)
        assert found.ties == []
        assert (found.alone, found.several) == (4, 3)
        assert found.unclear == {
            "ABC-1": "we have several of R-1 (ABC-1 at the partner)",
            "ABC-2": "we have several of R-1 (ABC-1 at the partner)",
            "ABC-3": "the partner has several of R-2 (ABC-2, ABC-3 at the partner)",
        }


def test_an_issue_that_was_told_already_is_named_and_not_tied() -> None:
    with two_sites() as world:
        world.globex.desk.create("Bug", "Pump")
        world.globex.export()
        world.acme.desk.create("Bug", "Pump")
        world.acme.export()
        world.carry(to=world.globex)
        assert tie(world.globex, ByKey(), Stands.OURS).unclear == {"ABC-1": "it is exchanged already, or came from a partner"}


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.prove)])
def test_cut_off_anywhere_it_is_done_again_and_nothing_is_made_twice(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(tying, "_CHUNK", 2)
    for nth in itertools.count(1, step):
        with both_filled() as world:
            cut_off = crashes_anywhere(world.globex, nth, lambda: tie(world.globex, BY_REFERENCE, Stands.THEIRS))
            tie(world.globex, BY_REFERENCE, Stands.THEIRS)
            world.globex.import_()
            world.round()
            world.assert_in_step()
            assert len(keys(world.globex)) == 4
            assert len(comments(world.acme, "ABC-1")) == 2
        if not cut_off:
            break
    assert nth > 20


def test_trap32_what_few_may_see_here_is_not_taken_for_what_all_may_see_there() -> None:
    agreed = contract(("worklogs: true\n", "worklogs: true\nvisibilities: [internal]\n"))
    with two_sites(contract=agreed) as world:
        for side, few in ((world.acme, ""), (world.globex, "internal")):
            side.desk.create("Bug", "Pump")
            side.desk.comment("ABC-1", "Said.", visible_to=few)
        world.acme.export()
        world.carry(to=world.globex)
        assert only(tie(world.globex, ByKey(), Stands.THEIRS).ties).below == 0
        world.globex.import_()
        world.settle()
        world.assert_in_step()
        seen = [one.fields.get("visibility") for one in world.acme.desk.show("ABC-1").comments]
        assert sorted(map(str, seen)) == ["None", "internal"]


def test_a_contract_that_lies_among_what_came_is_no_issue() -> None:
    with both_filled() as world:
        text = (world.acme.folder / "contract.yaml").read_text().replace("version: 1 ", "version: 2 ")
        (world.acme.folder / "new.yaml").write_text(text)
        propose(world.acme.site, EXCHANGE, world.acme.folder / "new.yaml", mapping=None, message="")
        world.carry(to=world.globex)
        assert len(tie(world.globex, BY_REFERENCE, Stands.OURS).ties) == 3
