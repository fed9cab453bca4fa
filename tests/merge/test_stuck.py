"""What the tracker refuses waits for a person, and holds up its own entity only."""

from itertools import permutations

import pytest

from filesync.agent.events import Skipped
from filesync.agent.upkeep import stuck as refusals
from filesync.errors import NotHere
from filesync.ledger import journal
from filesync.model.ids import Mark
from tests.merge.scene import GUARD, comments, crash, events, only, refuse, refuse_nothing, shared, value
from tests.support.two_sites import EXCHANGE, two_sites


def test_others_go_on() -> None:
    with two_sites() as world:
        bad, good = shared(world, "bad"), shared(world, "good")
        refuse(world.globex, "description", "no")
        world.acme.desk.edit(bad, {"description": "no"})
        world.acme.desk.comment(bad, "of bad")
        world.acme.desk.edit(good, {"description": "yes"})
        done = world.send(world.acme)
        assert (done.counts.applied, done.counts.refused, done.counts.read) == (2, 1, 3)
        assert value(world.globex, good, "description") == "yes"
        assert comments(world.globex, bad) == ["of bad"]
        world.settle()
        world.assert_in_step()


def test_same_entity_waits() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        world.acme.desk.edit(key, {"summary": "z"})
        world.send(world.acme)
        assert value(world.globex, key, "summary") == "x"
        assert [row.state for row in world.globex.queued()] == ["stuck", "behind"]
        refuse_nothing(world.globex)
        world.globex.retry()
        assert value(world.globex, key, "summary") == "z"
        world.assert_in_step()


def test_what_lands_is_struck_from_what_is_stuck() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "severity")
        world.acme.desk.edit(key, {"summary": "y", "severity": "Major", "priority": "High"})
        world.send(world.acme)
        assert (value(world.globex, key, "summary"), value(world.globex, key, "priority")) == ("y", "High")
        assert world.globex.export().changes == 0
        world.globex.desk.edit(key, {"summary": "later than y"})
        refuse_nothing(world.globex)
        world.globex.retry()
        assert value(world.globex, key, "summary") == "later than y"  # y was decided: it does not come again
        world.settle()
        assert value(world.acme, key, "summary") == "later than y"
        world.assert_in_step()


def test_export_while_stuck_is_not_seen_as_agreed() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        world.globex.desk.edit(key, {"summary": "z"})  # its author has not seen y
        world.send(world.globex)
        assert value(world.acme, key, "summary") == "y"
        assert [met.winner for met in world.acme.conflicts()] == ["acme"]
        world.settle()
        assert value(world.globex, key, "summary") == "y"
        world.assert_in_step()


def test_retry_becomes_keep() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.acme, "summary", "z")
        world.globex.desk.edit(key, {"summary": "z"})
        world.send(world.globex)
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        refuse_nothing(world.acme)
        world.acme.faults.calls.clear()
        world.acme.retry()
        assert "apply" not in world.acme.faults.calls
        assert world.acme.queued() == []
        assert value(world.acme, key, "summary") == value(world.globex, key, "summary") == "y"
        world.assert_in_step()


def test_retry_becomes_skip() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        world.globex.desk.edit(key, {"summary": "y"})  # a person may do what filesync may not
        world.globex.faults.calls.clear()
        world.globex.retry()
        assert "apply" not in world.globex.faults.calls
        assert world.globex.queued() == []
        world.assert_in_step()


def test_parallel_issues_any_order_same_end() -> None:
    ends = []
    for order in permutations(range(3)):
        with two_sites() as world:
            issues = [shared(world, f"issue {number}") for number in range(3)]
            refuse(world.globex, "description")
            for number, key in enumerate(issues):
                world.acme.desk.edit(key, {"description": f"of acme {number}", "priority": "High"})
            world.acme.export()
            for key in issues:
                world.globex.desk.edit(key, {"description": "of globex", "priority": "Low"})
            world.carry(to=world.globex)
            world.globex.import_()
            marks = [row.mark for row in world.globex.stuck()]
            assert len(marks) == 3
            refuse_nothing(world.globex)
            for number in order:
                refusals.retry(world.globex.site, EXCHANGE, frozenset({marks[number]}))
                world.send(world.globex)
            world.settle()
            world.assert_in_step()
            ends.append([(value(world.globex, key, "description"), value(world.globex, key, "priority")) for key in issues])
    assert ends == [[(f"of acme {number}", "High") for number in range(3)]] * 6


def test_a_skipped_guarded_field_stays_apart_until_the_source_edits_it_again() -> None:
    with two_sites(contract=GUARD) as world:
        key = shared(world)
        refuse(world.globex, "cost_estimate", "10")
        world.acme.desk.edit(key, {"cost_estimate": "10"})
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        world.globex.skip(stuck.mark)
        assert world.globex.export().changes == 0  # the source would only answer with the same
        world.acme.desk.edit(key, {"cost_estimate": "11"})
        world.send(world.acme)
        assert value(world.globex, key, "cost_estimate") == "11"
        world.assert_in_step()


def test_a_skip_is_written_down_with_its_reason() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        world.globex.skip(stuck.mark)
        with world.globex.site.ledger.begin() as conn:
            kinds = {entry.kind: entry.detail for entry in journal.entries(conn)}
        assert b"a test said so" in kinds["Skipped"]


def test_what_is_not_stuck_is_neither_retried_nor_skipped() -> None:
    with two_sites() as world:
        shared(world)
        nothing = Mark("0001.0000000001.000001")
        with pytest.raises(NotHere, match="is not stuck"):
            refusals.skip(world.globex.site, EXCHANGE, nothing, reason="none")
        with pytest.raises(NotHere, match="is not stuck"):
            refusals.retry(world.globex.site, EXCHANGE, frozenset({nothing}))


def test_a_retry_that_is_cut_off_goes_on_by_itself() -> None:
    with two_sites() as world:
        key = shared(world, "x")
        refuse(world.globex, "summary", "y")
        world.acme.desk.edit(key, {"summary": "y"})
        world.send(world.acme)
        refuse_nothing(world.globex)
        with crash(world.globex, "after apply"):
            world.globex.retry()
        assert world.globex.export().changes == 0
        done = world.globex.import_()
        assert done.queued == 0
        assert events(done, Skipped) == []
        assert world.globex.doubts() == {}
        world.assert_in_step()
