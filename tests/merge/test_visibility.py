"""Who alone may see a comment or worklog, where the contract has words for them: carried, edited, and never lost on the way."""

from __future__ import annotations

import pytest

from filesync.agent.asked.fit import fit, wanted
from filesync.agent.outgoing.departures import Withheld
from filesync.ledger.journal import Wait
from filesync.rules.contract import load_contract
from tests.merge.scene import comments, contract, cross, only, refuse, refuse_nothing, shared
from tests.support.two_sites import EXCHANGE, Side, two_sites

CONTRACT = contract(("worklogs: true\n", "worklogs: true\nvisibilities: [partners]\n"))
WORD = "visibilities: {internal: partners}\n"
NOBODY = "visibilities: {somebody else: partners}\n"  # the tracker has no such visibility


def seen(side: Side, key: str) -> list[tuple[object, object]]:
    return [(one.fields["body"], one.fields.get("visibility")) for one in side.desk.show(key).comments]


def mapping(side: Side, text: str) -> None:
    (side.folder / "mapping.yaml").write_text(text)
    side.reopen()


def test_trap32_who_alone_may_see_a_comment_travels_by_the_contracts_word() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, "visibilities: {management: partners}\n")) as world:
        key = shared(world)
        world.acme.desk.comment(key, "for few", visible_to="internal")
        world.acme.desk.comment(key, "for all")
        work = world.acme.desk.log_work(key, 600)
        world.acme.desk.edit_worklog(key, work, {"visibility": "internal"})
        world.send(world.acme)
        assert seen(world.globex, key) == [("for few", "management"), ("for all", None)]
        assert only(world.globex.desk.show(key).worklogs).fields["visibility"] == "management"
        world.assert_in_step()


def test_trap32_a_change_of_who_may_see_it_travels_as_an_edit_from_either_side() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, WORD)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "x")
        world.send(world.acme)
        for source, few in ((world.acme, "internal"), (world.globex, ""), (world.globex, "internal"), (world.acme, "")):
            source.desk.edit_comment(key, "1", f"for {few or 'all'}", visible_to=few)
            world.send(source)
            assert seen(world.acme, key) == seen(world.globex, key) == [(f"for {few or 'all'}", few or None)]
        world.assert_in_step()


def test_trap32_what_has_no_word_stays_at_home_and_is_named() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, WORD)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "for management", visible_to="management")
        assert [one.key for one in world.acme.export().events if isinstance(one, Withheld)] == [key]
        world.carry(to=world.globex)
        world.globex.import_()
        assert comments(world.globex, key) == []


def test_trap32_for_whom_nobody_here_stands_it_is_parked_and_comes_once_somebody_does() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, NOBODY)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "for few", visible_to="internal")
        world.send(world.acme)
        assert comments(world.globex, key) == []
        stuck = only(world.globex.stuck())
        assert "it is not made, for all would see it" in stuck.reason
        world.acme.desk.edit_comment(key, "1", "for few, edited")
        world.send(world.acme)
        assert (comments(world.globex, key), [one.state for one in world.globex.queued()]) == ([], [Wait.STUCK, Wait.BEHIND])
        mapping(world.globex, WORD)
        world.globex.retry()
        world.globex.import_()
        assert seen(world.globex, key) == [("for few, edited", "internal")]
        world.assert_in_step()


@pytest.mark.parametrize("refused_by", ["mapping", "tracker"])
def test_trap32_an_edit_for_few_is_not_written_where_all_would_see_it(refused_by: str) -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, NOBODY if refused_by == "mapping" else WORD)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "for all")
        world.send(world.acme)
        if refused_by == "tracker":
            refuse(world.globex, "visibility")
        world.acme.desk.edit_comment(key, "1", "a secret", visible_to="internal")
        world.send(world.acme)
        assert seen(world.globex, key) == [("for all", None)]
        assert "nothing of this change is written" in only(world.globex.stuck()).reason
        refuse_nothing(world.globex)
        mapping(world.globex, WORD)
        world.globex.retry()
        assert seen(world.globex, key) == [("a secret", "internal")]
        world.assert_in_step()


def test_trap32_one_that_is_skipped_shows_the_partners_comment_to_nobody_else() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, NOBODY)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "for all")
        world.send(world.acme)
        world.acme.desk.edit_comment(key, "1", "a secret", visible_to="internal")
        world.send(world.acme)
        world.globex.skip(only(world.globex.stuck()).mark)
        world.send(world.globex)
        world.acme.desk.edit_comment(key, "1", "another secret")
        world.send(world.acme)
        assert seen(world.acme, key) == [("another secret", "internal")]
        assert seen(world.globex, key) == [("for all", None)]


def test_trap32_what_few_may_see_here_without_a_word_is_not_widened_by_the_partner() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, WORD)) as world:
        key = shared(world)
        world.acme.desk.comment(key, "x")
        world.send(world.acme)
        cross(
            world,
            acme=lambda: world.acme.desk.edit_comment(key, "1", "x", visible_to="management"),
            globex=lambda: world.globex.desk.edit_comment(key, "1", "y", visible_to="internal"),
        )
        assert seen(world.acme, key) == [("y", "management")]
        world.acme.desk.edit_comment(key, "1", "y", visible_to="")
        world.settle()
        assert seen(world.acme, key) == seen(world.globex, key) == [("y", None)]
        world.assert_in_step()


def test_a_contract_without_visibilities_has_the_digest_it_had() -> None:
    with two_sites() as world:
        path = world.acme.folder / "contract.yaml"
        text, before = path.read_text(), load_contract(path).digest
        path.write_text(text + "visibilities: []\n")
        assert load_contract(path).digest == before
        path.write_text(text + "visibilities: [internal]\n")
        assert load_contract(path).digest != before


def test_check_says_beforehand_that_nothing_can_be_kept_to_those_of_a_word() -> None:
    with two_sites(contract=CONTRACT, mappings=(WORD, "")) as world:
        refused = {}
        for side in world.sides:
            rules, tracker = side.site.paired(EXCHANGE).rules, side.site.tracker
            seen_there = tracker.inspect(*wanted(rules, tracker.describe()))
            found = fit(rules, tracker.describe(), seen_there, us=side.name, receives=True, sends=True)
            refused[side.name] = [str(one) for one in found.refused]
    assert refused == {
        "acme": [],
        "globex": ['visibilities: "partners": there is no visibility "partners"; there are: internal, management'],
    }
