"""One issue that a person stopped or started, whatever the scope says: both directions, both policies, and what meets that."""

import pytest

from filesync.agent.asked.why import why
from filesync.agent.events import Waiting
from filesync.agent.outgoing.departures import ScopeTold
from filesync.agent.rehearsal.rehearse import rehearse_export, rehearse_import
from filesync.agent.rehearsal.written import Deed
from filesync.agent.upkeep.by_hand import Saying, _write, say
from filesync.agent.upkeep.resync import resync
from filesync.errors import NotHere
from filesync.ledger import by_hand
from filesync.ledger.journal import Wait
from filesync.model.by_hand import ByHand, Hand, scope_by_hand
from filesync.model.ids import Gid
from filesync.model.issue import Scope
from tests.merge.scene import MIRROR, comments, contract, crash, events, keys, only, shared, value
from tests.merge.test_agreement import RENAMED, RENAMED_MAPPING, accepts, proposes
from tests.support.two_sites import EXCHANGE, Side, two_sites

ONE = "{labels: [shared]}"
TELL, MARK = "leaving: {out: tell}\n", "leaving: {in: mark}\n"
STOPPED, STARTED, AS_SCOPE = Hand


def _say(side: Side, hand: Hand, *names: str) -> list[Saying]:
    return say(side.site, side.exchange(), names, hand, apply=True)


def _left_by(side: Side, key: str) -> str:
    return side.desk.show(key).issue.left_by


@pytest.mark.parametrize(
    ("scope", "hand", "then"),
    [
        (Scope.IN, STOPPED, Scope.LEFT),
        (Scope.DOUBT, STOPPED, Scope.LEFT),
        (Scope.LEFT, STARTED, Scope.IN),
        (Scope.DOUBT, STARTED, Scope.IN),
        (Scope.MOVED, STARTED, Scope.MOVED),
        (Scope.MOVED, STOPPED, Scope.MOVED),
        (Scope.LEFT, AS_SCOPE, Scope.LEFT),
        (Scope.LEFT, None, Scope.LEFT),
    ],
)
def test_what_was_said_goes_before_the_scope_but_brings_nothing_from_another_project(
    scope: Scope, hand: Hand | None, then: Scope
) -> None:
    said = None if hand is None else ByHand(gid=Gid(""), local="1", hand=hand, called="ABC-1", since=0)
    assert scope_by_hand(scope, said) is then


def test_nothing_goes_out_or_comes_in_of_what_is_stopped_and_what_piled_up_arrives_when_it_goes_on() -> None:
    with two_sites() as world:
        key, other = shared(world), world.acme.desk.create("Bug", "other")
        world.settle()
        _say(world.acme, STOPPED, key)
        world.acme.desk.edit(key, {"priority": "High"})
        world.acme.desk.comment(key, "of acme")
        assert world.acme.export().changes == 0
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.globex.desk.comment(key, "of globex")
        world.globex.desk.edit(other, {"summary": "other goes on"})
        world.globex.export()
        world.carry(to=world.acme)
        held = world.acme.import_()
        assert {event.key for event in events(held, Waiting)} == {f"{key} ({key} at globex)"}
        assert [row.state for row in world.acme.queued()] == [Wait.WAITS, Wait.WAITS]
        assert (value(world.acme, key, "summary"), comments(world.acme, key)) == ("first", ["of acme"])
        assert value(world.acme, other, "summary") == "other goes on"
        world.globex.desk.edit(key, {"summary": "of globex, again"})
        world.send(world.globex)
        assert only(_say(world.acme, STARTED, key)).waiting == 3
        world.settle()
        assert value(world.acme, key, "summary") == "of globex, again"
        assert value(world.globex, key, "priority") == "High"
        assert sorted(map(str, comments(world.globex, key))) == ["of acme", "of globex"]
        assert world.acme.queued() == []
        world.assert_in_step()


def test_the_partner_is_told_at_once_where_leaving_says_so_and_again_when_it_goes_on() -> None:
    with two_sites(mappings=(TELL, MARK)) as world:
        key = shared(world)
        _say(world.acme, STOPPED, key)
        told = world.acme.export()
        assert [event.now for event in told.events if isinstance(event, ScopeTold)] == [Scope.LEFT]
        world.carry(to=world.globex)
        world.globex.import_()
        assert _left_by(world.globex, key) == "acme"
        assert (_say(world.acme, STOPPED, key)[0].changes, world.round()) == (False, 0)
        world.acme.desk.edit(key, {"summary": "second"})
        _say(world.acme, AS_SCOPE, key)
        world.settle()
        assert (_left_by(world.globex, key), value(world.globex, key, "summary")) == ("", "second")
        world.assert_in_step()


def test_what_came_from_the_partner_and_was_never_answered_is_told_to_be_stopped_too() -> None:
    with two_sites(mappings=(MARK, TELL)) as world:
        key = shared(world)
        _say(world.globex, STOPPED, key)
        world.send(world.globex)
        assert _left_by(world.acme, key) == "globex"
        world.acme.desk.edit(key, {"summary": "of acme"})
        world.send(world.acme)
        assert value(world.globex, key, "summary") == "first"
        _say(world.globex, STARTED, key)
        world.settle()
        assert (_left_by(world.acme, key), value(world.globex, key, "summary")) == ("", "of acme")
        world.assert_in_step()


def test_what_was_never_sent_and_is_stopped_is_not_sent() -> None:
    with two_sites() as world:
        key = world.acme.desk.create("Bug", "ours alone")
        assert not only(_say(world.acme, STOPPED, key)).known
        world.settle()
        assert keys(world.globex) == []
        _say(world.acme, AS_SCOPE, key)
        world.settle()
        assert keys(world.globex) == [key]
        x = world.acme.exchange().id
        with world.acme.site.ledger.begin() as conn:
            assert by_hand.said(conn, x) == {}, "the scope says again, and nobody else"


def test_what_is_started_goes_whole_without_a_reading_of_the_others_and_leaves_again_with_the_scope() -> None:
    with two_sites(scopes=(ONE, ""), mappings=(TELL, MARK)) as world:
        key = world.acme.desk.create("Bug", "not shared")
        world.acme.desk.comment(key, "said before")
        for number in range(3):
            world.acme.desk.create("Bug", f"other {number}")
        world.settle()
        assert keys(world.globex) == []
        _say(world.acme, STARTED, key)
        world.acme.faults.calls.clear()
        world.send(world.acme)
        assert world.acme.faults.calls.count("get") == 1, "no other issue is read"
        copy = only(keys(world.globex))
        assert comments(world.globex, copy) == ["said before"]
        world.acme.desk.edit(key, {"summary": "second"})
        world.settle()
        assert value(world.globex, copy, "summary") == "second"
        _say(world.acme, AS_SCOPE, key)
        assert [world.acme.export().changes for _ in range(2)] == [0, 1], "seen twice, as whatever leaves the scope"
        world.carry(to=world.globex)
        world.globex.import_()
        assert _left_by(world.globex, copy) == "acme"


def test_what_is_started_stays_so_when_the_rules_change_and_when_it_is_told_again() -> None:
    with two_sites(contract=contract(("Story, ", "")), scopes=(ONE, "")) as world:
        key = world.acme.desk.create("Story", "of no type that travels")
        _say(world.acme, STARTED, key)
        world.settle()
        assert keys(world.globex) == []
        (world.acme.folder / "mapping.yaml").write_text("types: {Story: Task}\n")
        world.acme.reopen()
        world.settle()
        assert len(keys(world.globex)) == 1
        assert resync(world.acme.site, EXCHANGE, query="", fields=(), status=False) == 1


def test_a_deletion_of_what_is_stopped_is_told_once_it_goes_on() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        world.acme.desk.comment(key, "to be deleted")
        world.settle()
        _say(world.acme, STOPPED, key)
        world.acme.desk.delete(key)
        world.globex.desk.edit(key, {"summary": "of globex"})
        for _ in range(3):
            world.round()
        assert (keys(world.globex), value(world.globex, key, "summary")) == ([key], "of globex")
        assert only(world.acme.status().exchanges).by_hand[0].key == key
        assert why(world.acme.site, only(world.acme.status().exchanges).by_hand[0].gid).exchanges[0].by_hand is STOPPED
        said = only(_say(world.acme, STARTED, key))
        assert (said.scope, said.now) == (None, AS_SCOPE)
        world.settle()
        assert keys(world.globex) == []
        assert only(world.acme.status().exchanges).by_hand == ()
        world.assert_in_step()


def test_of_what_is_kept_apart_it_can_only_be_ended() -> None:
    with two_sites() as world:
        key = shared(world)
        _say(world.globex, STARTED, key)
        world.acme.desk.delete(key)
        world.settle()
        assert only(world.globex.status().exchanges).by_hand == ()
        with pytest.raises(NotHere, match="ABC-1 is not exchanged any more"):
            _say(world.globex, STOPPED, key)
        assert only(_say(world.globex, STARTED, key)).now is AS_SCOPE
        world.globex.export()
        x = world.globex.exchange().id
        with world.globex.site.ledger.begin() as conn:
            assert by_hand.said(conn, x) == {}


def test_a_deletion_by_the_partner_waits_like_an_edit() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        _say(world.acme, STOPPED, key)
        world.globex.desk.delete(key)
        world.round()
        assert keys(world.acme) == [key]
        _say(world.acme, STARTED, key)
        world.settle()
        assert keys(world.acme) == []
        world.assert_in_step()


def test_edits_of_both_sides_that_piled_up_meet_as_any_others() -> None:
    with two_sites() as world:
        key = shared(world)
        _say(world.acme, STOPPED, key)
        world.acme.desk.edit(key, {"summary": "of acme"})
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.round()
        _say(world.acme, STARTED, key)
        world.settle()
        assert value(world.globex, key, "summary") == "of acme", "the site that sorts first wins"
        assert only(world.acme.conflicts()).theirs == "of globex"
        world.assert_in_step()


def test_one_that_is_said_while_an_export_is_at_work_is_seen_by_the_next() -> None:
    with two_sites(mappings=(TELL, MARK)) as world:
        key = shared(world)
        world.acme.desk.edit(key, {"summary": "on its way"})

        def stop_meanwhile(place: str) -> None:
            if place == "after X1":
                world.acme.faults.strike = lambda _: None
                _say(world.acme, STOPPED, key)

        world.acme.faults.strike = stop_meanwhile
        assert world.acme.export().changes == 1
        assert world.acme.export().changes == 1, "that it left"
        world.carry(to=world.globex)
        world.globex.import_()
        assert (value(world.globex, key, "summary"), _left_by(world.globex, key)) == ("on its way", "acme")


def test_what_waits_for_a_stopped_issue_is_said_in_the_words_of_a_new_contract() -> None:
    with two_sites(mappings=("# none\n", "# none\n")) as world:
        key = shared(world)
        _say(world.acme, STOPPED, key)
        world.globex.desk.edit(key, {"summary": "said before"})
        world.acme.desk.edit(key, {"description": "edited before"})
        world.round()
        proposes(world.acme, RENAMED, RENAMED_MAPPING)
        world.carry(to=world.globex)
        world.globex.import_()
        accepts(world.globex, RENAMED_MAPPING)
        world.settle()
        assert value(world.acme, key, "summary") == "first"
        _say(world.acme, STARTED, key)
        world.settle()
        assert value(world.acme, key, "summary") == "said before"
        assert value(world.globex, key, "description") == "edited before"
        world.assert_in_step()


def test_a_preview_shows_what_was_said_and_writes_nothing() -> None:
    with two_sites(mappings=(TELL, MARK)) as world:
        key = shared(world)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.globex.export()
        world.carry(to=world.acme)
        _say(world.acme, STOPPED, key)
        world.acme.faults.forbid_writes = True
        with rehearse_export(world.acme.config, EXCHANGE, clock=world.clock) as there:
            assert [one.deed for one in there.written] == [Deed.OUTSIDE]
        with rehearse_import(world.acme.config, EXCHANGE, clock=world.clock) as there:
            assert list(there.written) == []
            assert [event.waits_for for event in there.events if isinstance(event, Waiting)] == [
                "its issue, which is stopped here by hand"
            ]
        assert world.acme.export().changes == 1


@pytest.mark.parametrize("place", ["before commit", "after commit"])
def test_saying_is_done_or_not_wherever_it_is_cut_off(place: str) -> None:
    with two_sites() as world:
        key = shared(world)
        one, x = world.acme.exchange(), world.acme.exchange().id
        asked = say(world.acme.site, one, [key], STOPPED, apply=False)
        with crash(world.acme, place):
            _write(world.acme.site, world.acme.site.ruled(one), asked)
        with world.acme.site.ledger.begin() as conn:
            done = bool(by_hand.stopped(conn, x))
        assert done is (place == "after commit")
        assert only(_say(world.acme, STOPPED, key)).changes is not done
        world.acme.desk.edit(key, {"summary": "not sent"})
        assert world.acme.export().changes == 0


@pytest.mark.parametrize("place", ["before apply", "after apply"])
def test_a_write_that_was_cut_off_before_it_was_stopped_is_found_out_when_it_goes_on(place: str) -> None:
    with two_sites() as world:
        key = shared(world)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.globex.export()
        world.carry(to=world.acme)
        with crash(world.acme, place):
            world.acme.import_()
        _say(world.acme, STOPPED, key)
        there = value(world.acme, key, "summary")
        world.round()
        assert value(world.acme, key, "summary") == there, "nothing is written to it"
        _say(world.acme, STARTED, key)
        world.settle()
        assert value(world.acme, key, "summary") == "of globex"
        assert world.acme.conflicts() == []
        world.assert_in_step()


def test_what_cannot_be_said_is_named_all_at_once_and_nothing_is_done() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.comment(key, "a comment")
        gone = world.acme.desk.create("Bug", "gone")
        world.settle()
        world.acme.desk.delete(gone)
        world.settle()
        with pytest.raises(NotHere) as told:
            _say(world.acme, STOPPED, key, "XYZ-1", f"{key}#1", gone)
        assert "there is no issue 'XYZ-1' here" in str(told.value)
        assert f"{key}#1 is a comment" in str(told.value)
        assert gone in str(told.value)
        assert only(world.acme.status().exchanges).by_hand == ()
