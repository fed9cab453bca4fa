"""Issues that leave what a site sends, where the partner is told: leaving, coming back, and what meets that."""

import pytest

from filesync.agent.events import Dropped, ScopeHeard
from filesync.agent.merge.scope import NotSaid
from filesync.agent.outgoing.departures import ScopeTold
from filesync.ledger.outside import outside_of
from filesync.model.diff import Tell
from filesync.model.ids import Gid, Kind
from filesync.model.issue import About, Scope
from filesync.model.outside import Look, Outside, look
from filesync.model.shadow import Entity
from filesync.trackers.base import MarkScope
from tests.merge.scene import MIRROR, comments, crash, cross, events, keys, only, refuse_nothing, row, value
from tests.support.two_sites import Side, World, two_sites

ONE = "{labels: [shared]}"
SCOPED = (ONE, "")
TELL, MARK = "leaving: {out: tell}\n", "leaving: {in: mark}\n"
BOTH = "leaving: {out: tell, in: mark}\n"
IN, LEFT, MOVED, DOUBT = Scope


def _both_have(world: World) -> str:
    key = world.acme.desk.create("Bug", "first", {"labels:shared": True})
    world.send(world.acme)
    assert keys(world.globex) == [key]
    return key


def _leave(world: World, side: Side, key: str) -> None:
    """Out of the scope, seen so twice, and heard by the partner."""
    side.desk.edit(key, {"labels:shared": None})
    assert side.export().changes == 0
    world.send(side)


def _left_by(side: Side, key: str) -> str:
    return side.desk.show(key).issue.left_by


def _outside(side: Side, key: str) -> Outside:
    gid, x = row(side, key).gid, side.exchange().id
    with side.site.ledger.begin() as conn:
        return outside_of(conn, x, [gid]).get(gid, Outside())


@pytest.mark.parametrize(
    ("before", "now", "tells", "then"),
    [
        (Outside(), LEFT, True, Look(after=Outside(seen=LEFT), again=True)),
        (Outside(seen=LEFT), LEFT, True, Look(after=Outside(told=LEFT), tells=LEFT)),
        (Outside(seen=LEFT), DOUBT, True, Look(after=Outside(seen=LEFT), again=True)),
        (Outside(seen=LEFT), IN, True, Look(after=Outside())),
        (Outside(seen=LEFT), LEFT, False, Look(after=Outside())),
        (Outside(seen=LEFT), MOVED, True, Look(after=Outside(seen=MOVED), again=True)),
        (Outside(told=LEFT), LEFT, True, Look(after=Outside(told=LEFT))),
        (Outside(told=LEFT), DOUBT, True, Look(after=Outside(told=LEFT))),
        (Outside(told=LEFT), MOVED, True, Look(after=Outside(told=LEFT, seen=MOVED), again=True)),
        (Outside(told=LEFT, seen=MOVED), MOVED, True, Look(after=Outside(told=MOVED), tells=MOVED)),
        (Outside(told=LEFT), IN, False, Look(after=Outside(), tells=IN)),
        (Outside(theirs=LEFT, marked=True), IN, True, Look(after=Outside(theirs=LEFT, marked=True))),
    ],
)
def test_that_an_issue_is_outside_counts_once_it_was_seen_twice(before: Outside, now: Scope, tells: bool, then: Look) -> None:
    assert look(before, now, tells=tells) == then


def test_leaving_is_told_and_marked_and_what_piled_up_comes_with_the_return() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        world.acme.desk.edit(key, {"labels:shared": None, "summary": "second"})
        assert world.acme.export().changes == 0, "once is not enough"
        told = world.acme.export()
        assert [event.now for event in told.events if isinstance(event, ScopeTold)] == [LEFT]
        world.carry(to=world.globex)
        heard = only(events(world.globex.import_(), ScopeHeard))
        assert (heard.key, heard.now, heard.marked) == (key, LEFT, True)
        assert (_left_by(world.globex, key), value(world.globex, key, "summary")) == ("acme", "first")
        assert world.round() == 0, "the mark is nobody's edit, and nothing is told twice"
        world.acme.desk.edit(key, {"labels:shared": True})
        world.send(world.acme)
        assert (_left_by(world.globex, key), value(world.globex, key, "summary")) == ("", "second")
        assert _outside(world.acme, key) == _outside(world.globex, key) == Outside()
        world.assert_in_step()


def test_an_issue_that_is_back_before_it_was_seen_twice_never_left() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        world.acme.desk.edit(key, {"labels:shared": None})
        assert world.acme.export().changes == 0
        world.acme.desk.edit(key, {"labels:shared": True})
        assert world.acme.export().changes == 0
        assert _outside(world.acme, key) == Outside()
        world.assert_in_step()


def test_a_parent_that_is_told_first_makes_nobody_forget_what_left() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        _leave(world, world.acme, key)
        desk = world.acme.desk
        above = desk.create("Epic", "above", {"labels:shared": True})
        desk.create("Task", "below", {"labels:shared": True, "parent": above})
        desk.edit(above, {"summary": "above, edited after what is below it"})
        desk.edit(key, {"labels:shared": True})
        world.send(world.acme)
        assert _left_by(world.globex, key) == ""
        world.assert_in_step()


def test_who_does_not_want_to_say_so_knows_it_all_the_same() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, "")) as world:
        key = _both_have(world)
        world.globex.faults.forbid_writes = True
        _leave(world, world.acme, key)
        world.globex.faults.forbid_writes = False
        assert (_left_by(world.globex, key), _outside(world.globex, key)) == ("", Outside(theirs=LEFT))
        world.acme.desk.edit(key, {"labels:shared": True})
        world.send(world.acme)
        assert _outside(world.globex, key) == Outside()
        world.assert_in_step()


def test_what_came_and_was_never_in_our_scope_does_not_leave_it() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        world.globex.desk.create("Bug", "of globex")
        world.send(world.globex)
        assert [world.acme.export().changes for _ in range(3)] == [0, 0, 0]


def test_edits_and_deletions_of_what_left_still_come() -> None:
    with two_sites(contract=MIRROR, scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key, other = _both_have(world), world.acme.desk.create("Bug", "other", {"labels:shared": True})
        world.send(world.acme)
        _leave(world, world.acme, key)
        _leave(world, world.acme, other)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.globex.desk.comment(key, "of globex")
        world.globex.desk.delete(other)
        world.send(world.globex)
        assert (value(world.acme, key, "summary"), comments(world.acme, key)) == ("of globex", ["of globex"])
        assert keys(world.acme) == [key]
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        assert _left_by(world.globex, key) == ""
        world.assert_in_step()


def test_leaving_meets_an_edit_and_a_deletion_on_the_way() -> None:
    with two_sites(contract=MIRROR, scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key, other = _both_have(world), world.acme.desk.create("Bug", "other", {"labels:shared": True})
        world.send(world.acme)
        for one in (key, other):
            world.acme.desk.edit(one, {"labels:shared": None})
        assert world.acme.export().changes == 0
        world.globex.desk.edit(key, {"summary": "of globex"})
        _, there = cross(world, acme=lambda: None, globex=lambda: world.globex.desk.delete(other))
        assert [event.gid for event in events(there, Dropped)] != [], "what is deleted there takes no mark"
        assert (keys(world.acme), keys(world.globex)) == ([key], [key])
        assert (value(world.acme, key, "summary"), _left_by(world.globex, key)) == ("of globex", "acme")
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        world.assert_in_step()


def test_both_sides_may_let_go_of_one_issue_and_take_it_up_again() -> None:
    with two_sites(scopes=(ONE, ONE), mappings=(BOTH, BOTH)) as world:
        key = _both_have(world)
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.send(world.globex)
        world.acme.desk.edit(key, {"labels:shared": None})
        world.globex.desk.edit(key, {"labels:shared": None})
        world.globex.desk.edit(key, {"description": "of globex"})
        for _ in range(3):
            world.round()
        assert (_left_by(world.acme, key), _left_by(world.globex, key)) == ("globex", "acme")
        world.globex.desk.edit(key, {"labels:shared": True})
        world.round()
        assert (_left_by(world.acme, key), _left_by(world.globex, key)) == ("", "acme")
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        assert (_left_by(world.acme, key), _left_by(world.globex, key)) == ("", "")
        world.assert_in_step()


@pytest.mark.parametrize("place", ["before apply", "after apply"])
def test_a_mark_that_was_cut_off_is_made_once(place: str) -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        world.acme.desk.edit(key, {"labels:shared": None})
        assert [world.acme.export().changes for _ in range(2)] == [0, 1]
        world.carry(to=world.globex)
        with crash(world.globex, place):
            world.globex.import_()
        world.globex.import_()
        assert _left_by(world.globex, key) == "acme"
        assert [step.new for step in world.globex.desk.show(key).history if "not sent" in step.field] == ["acme"]
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        world.assert_in_step()


def test_a_mark_that_is_refused_is_told_and_no_edit_waits_for_it() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        refuse_marks(world.globex)
        world.acme.desk.edit(key, {"labels:shared": None})
        assert world.acme.export().changes == 0
        done = world.send(world.acme)
        told = only(events(done, NotSaid))
        assert (told.key, "not today" in told.sentence()) == (key, True)
        assert [one.marked for one in events(done, ScopeHeard)] == [False]
        assert (world.globex.queued(), _outside(world.globex, key)) == ([], Outside(theirs=LEFT))
        world.acme.desk.edit(key, {"labels:shared": True, "summary": "back"})
        world.send(world.acme)
        assert value(world.globex, key, "summary") == "back"
        refuse_nothing(world.globex)
        _leave(world, world.acme, key)
        assert _left_by(world.globex, key) == "acme"
        refuse_marks(world.globex)
        world.acme.desk.edit(key, {"labels:shared": True, "summary": "back again"})
        assert "still says" in only(events(world.send(world.acme), NotSaid)).sentence()
        assert (value(world.globex, key, "summary"), _left_by(world.globex, key)) == ("back again", "acme")
        refuse_nothing(world.globex)
        _leave(world, world.acme, key)
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        assert _left_by(world.globex, key) == ""
        world.assert_in_step()


def refuse_marks(side: Side) -> None:
    side.faults.refuse = lambda _call, what: "not today" if isinstance(what, MarkScope) else None


def test_an_issue_that_is_looked_at_twice_in_one_export_was_seen_once() -> None:
    with two_sites(scopes=SCOPED, mappings=(TELL, MARK)) as world:
        key = _both_have(world)
        other = world.acme.desk.create("Bug", "other", {"labels:shared": True})
        world.acme.desk.link(key, "relates", other)
        world.acme.desk.edit(key, {"labels:shared": None})
        world.acme.desk.edit(other, {"summary": "other, named by the feed after what links to it"})
        assert world.acme.export().changes == 1, "the other one"
        assert _outside(world.acme, key) == Outside(seen=LEFT)
        assert world.acme.export().changes == 1
        assert _outside(world.acme, key) == Outside(told=LEFT)


def test_what_a_moved_issue_is_called_elsewhere_is_told_to_nobody() -> None:
    row = Entity(gid=Gid("11111111-1111-4111-8111-111111111111/issue/17/1763892000000"), kind=Kind.ISSUE)
    about = About(key="SECRET-4", author="j.becker")
    for now, told in ((LEFT, about), (IN, about), (MOVED, About())):
        change = Tell(row=row, fields={}, digests={}, new=False, about=about, scope=now).change(1)
        assert change.about == told
