"""What the two sides call the same issue: told where the contract says so, shown where a mapping does, and never an edit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from filesync.agent.asked.why import why
from filesync.agent.events import NotShown
from filesync.agent.rehearsal.rehearse import rehearse_import
from filesync.agent.rehearsal.written import Edit
from filesync.ledger import streams
from filesync.ledger.streams import Direction
from filesync.model.change import Set
from filesync.model.issue import About
from filesync.rules.partner import is_usual
from tests.merge.scene import contract, crash, events, failing, only, refuse, refuse_create, refuse_nothing, row, value
from tests.support.forged import forge
from tests.support.two_sites import EXCHANGE, Side, World, two_sites

FIELD = "customer_reference"
_AT_HOME = (f"  {FIELD}: {{kind: text}}\n", "")
KEYS = contract(_AT_HOME, ("# keys: true ", "keys: true "))
NO_KEYS = contract(_AT_HOME)
SHOWS = f'partner: {{fields: {{{FIELD}: "at the partner\'s: {{key}}"}}}}\n'


def made(world: World) -> None:
    """An issue of each side, called differently there and here, with both in step."""
    world.globex.desk.create("Bug", "another, which takes the first number")
    world.acme.desk.create("Bug", "of acme")
    world.globex.desk.create("Bug", "of globex")
    world.settle()


def says(side: Side, summary: str) -> object:
    (found,) = [one for one in side.desk.list() if one.fields["summary"] == summary]
    return found.fields.get(FIELD)


def key(side: Side, summary: str) -> str:
    (found,) = [one for one in side.desk.list() if one.fields["summary"] == summary]
    return found.key


def test_issues_of_both_sides_show_the_partners_key_and_nothing_of_that_is_told() -> None:
    with two_sites(contract=KEYS, mappings=(SHOWS, SHOWS)) as world:
        made(world)
        for summary in ("of acme", "of globex"):
            for side in world.sides:
                assert says(side, summary) == f"at the partner's: {key(world.other(side), summary)}"
        assert key(world.acme, "of acme") != key(world.globex, "of acme")
        for side in world.sides:
            side.faults.forbid_writes = True
        world.settle()
        assert [side.export().changes for side in world.sides] == [0, 0]
        found = why(world.acme.site, key(world.acme, "of acme")).exchanges
        assert [one.theirs for one in found] == [key(world.globex, "of acme")]
        world.assert_in_step()


def test_without_the_contract_only_what_came_shows_the_partners_key_and_no_bundle_more_is_sent() -> None:
    with two_sites(contract=NO_KEYS, mappings=(SHOWS, "")) as world:
        made(world)
        assert says(world.acme, "of globex") == f"at the partner's: {key(world.globex, 'of globex')}"
        assert says(world.acme, "of acme") is None
        assert says(world.globex, "of acme") is None
        assert [side.exchange().out_seq for side in world.sides] == [1, 1]


def test_a_mapping_that_wants_it_later_has_it_shown_on_what_is_here_already_and_another_text_too() -> None:
    with two_sites(contract=KEYS) as world:
        made(world)
        for shows in (SHOWS, SHOWS.replace("at the partner's", "there")):
            (world.globex.folder / "mapping.yaml").write_text(shows)
            world.globex.reopen()
            world.settle()
            said = "there" if "there" in shows else "at the partner's"
            for summary in ("of acme", "of globex"):
                assert says(world.globex, summary) == f"{said}: {key(world.acme, summary)}"
        world.assert_in_step()


def test_on_an_exchange_that_only_receives_what_came_before_anybody_wanted_to_know_shows_it_too() -> None:
    with two_sites(contract=NO_KEYS) as world:
        for side, direction in ((world.acme, Direction.SEND), (world.globex, Direction.RECEIVE)):
            with side.site.ledger.begin() as conn:
                streams.update_exchange(conn, streams.exchange_named(conn, EXCHANGE).id, direction=direction)  # type: ignore[union-attr]  # it is there
        world.globex.desk.create("Bug", "another, which takes the first number")
        for n in (1, 2):
            world.acme.desk.create("Bug", f"early {n}")
        world.send(world.acme)
        for n, shows in enumerate((SHOWS, "", SHOWS), 3):  # what comes while nobody wants it is shown once somebody does
            (world.globex.folder / "mapping.yaml").write_text(shows)
            world.globex.reopen()
            world.acme.desk.create("Bug", f"later {n}")
            world.send(world.acme)
        for one in world.acme.desk.list():
            assert says(world.globex, str(one.fields["summary"])) == f"at the partner's: {one.key}"
        world.globex.faults.forbid_writes = True
        world.globex.import_()


def test_what_was_cut_off_is_shown_by_the_next_run_and_what_is_refused_holds_up_nothing() -> None:
    with two_sites(contract=KEYS, mappings=(SHOWS, SHOWS)) as world:
        world.globex.desk.create("Bug", "of globex")
        world.globex.export()
        world.carry(to=world.acme)
        with crash(world.acme, "after apply"):
            world.acme.import_()
        world.acme.import_()
        assert says(world.acme, "of globex") == f"at the partner's: {key(world.globex, 'of globex')}"
        refuse(world.globex, FIELD)
        done = world.send(world.acme)
        assert "not today" in only(events(done, NotShown)).sentence()
        assert world.globex.stuck() == []
        assert value(world.globex, key(world.globex, "of globex"), FIELD) is None
        world.assert_in_step()


def test_what_many_issues_fail_to_show_is_told_by_their_keys_and_holds_up_nothing() -> None:
    with two_sites(contract=KEYS, mappings=(SHOWS, "")) as world:
        for n in range(12):
            world.acme.desk.create("Bug", f"bug {n}")
        world.send(world.acme)
        world.globex.export()
        world.carry(to=world.acme)
        world.acme.faults.strike = failing("before apply")
        done = world.acme.import_()
        assert done.bundles == 1
        keys = [one.key for one in events(done, NotShown)]
        assert len(keys) == 10
        assert all(is_usual(one) for one in keys)
        assert len([one for one in world.acme.export().events if isinstance(one, NotShown)]) == 10
        world.settle()
        assert says(world.acme, "bug 11") == f"at the partner's: {key(world.globex, 'bug 11')}"


def test_a_key_that_is_told_again_is_not_forgotten_for_an_older_edit_that_waited() -> None:
    with two_sites(contract=KEYS, mappings=("", SHOWS)) as world:
        made(world)
        refuse(world.globex, "priority")
        world.acme.desk.edit(key(world.acme, "of globex"), {"priority": "High"})
        world.send(world.acme)
        moves(world)
        refuse_nothing(world.globex)
        world.globex.retry()
        world.globex.import_()
        assert world.globex.queued() == []
        assert says(world.globex, "of globex") == "at the partner's: NEW-7"


def test_a_key_that_is_told_says_nothing_of_a_write_that_may_have_been_done() -> None:
    with two_sites(contract=KEYS) as world:
        made(world)
        world.acme.desk.edit(key(world.acme, "of globex"), {"priority": "High"})
        world.globex.faults.strike = failing("after apply")
        world.send(world.acme)
        world.globex.faults.strike = lambda _place: None
        moves(world)
        assert value(world.globex, key(world.globex, "of globex"), "priority") == "High"
        assert world.globex.export().changes == 0


def test_an_issue_that_is_closed_to_partners_is_asked_for_once_and_shows_it_when_it_is_open() -> None:
    shows = f'partner: {{fields: {{{FIELD}: "{{key}}: {{state}}"}}, state: true}}\n'
    with two_sites(contract=KEYS, mappings=("", shows)) as world:
        asked: list[str] = []
        closed: set[str] = set()

        def shut(issues: Sequence[str]) -> Collection[str]:
            asked.extend(issues)
            return closed.intersection(issues)

        world.globex.desk.create("Bug", "of globex")
        world.globex.desk.create("Bug", "left alone")
        closed.update(("1", "2"))
        world.globex.site.tracker.shut = shut  # type: ignore[method-assign]
        world.settle()
        asked.clear()
        world.settle()
        assert (asked, says(world.globex, "of globex")) == ([], None)
        closed.clear()
        world.globex.desk.edit("ABC-1", {"priority": "High"})
        world.globex.export()
        assert (says(world.globex, "of globex"), says(world.globex, "left alone")) == ("ABC-1: sent", None)
        world.clock.advance(days=2)
        world.globex.import_()
        assert says(world.globex, "left alone") == "ABC-2: in step"


def moves(world: World, *, to: str = "NEW-7") -> None:
    """acme tells another key of the issue of globex."""
    gid = row(world.globex, key(world.globex, "of globex")).gid
    said = Set(n=1, gid=gid, fields={}, about=About(key=to))
    forge(world.acme, world.globex.config.folders.inbox, changes=[said])
    world.globex.import_()


def test_an_issue_that_is_moved_is_called_as_it_was_told_last() -> None:
    with two_sites(contract=KEYS) as world:
        made(world)
        gid = row(world.acme, key(world.acme, "of globex")).gid
        said = Set(n=1, gid=gid, fields={}, about=About(key="NEW-7"))
        forge(world.globex, world.acme.config.folders.inbox, changes=[said])
        world.acme.import_()
        assert [one.theirs for one in why(world.acme.site, key(world.acme, "of globex")).exchanges] == ["NEW-7"]


def test_an_issue_shows_how_far_it_is_with_the_partner_where_that_is_wanted() -> None:
    with two_sites(contract=KEYS, mappings=(f'partner: {{fields: {{{FIELD}: "{{state}}"}}, state: true}}\n', "")) as world:
        acme, globex = world.sides
        ours = acme.desk.create("Bug", "of acme")
        acme.export()
        assert value(acme, ours, FIELD) == "sent"
        world.settle()
        assert value(acme, ours, FIELD) == "in step"
        theirs = key(globex, "of acme")
        refuse(acme, "summary")
        globex.desk.edit(theirs, {"summary": "of both"})
        world.send(globex)
        assert value(acme, ours, FIELD) == "refused"
        refuse_nothing(acme)
        world.settle()
        assert value(acme, ours, FIELD) == "in step"
        refuse_create(acme, "unborn")
        globex.desk.link(theirs, "blocks", globex.desk.create("Bug", "unborn"))
        world.send(globex)
        assert value(acme, ours, FIELD) == "waiting"
        world.settle()
        assert {says(acme, "of both"), says(acme, "unborn")} == {"in step"}
        world.assert_in_step()
        globex.desk.delete(theirs)
        world.settle()
        assert (value(acme, ours, FIELD), says(acme, "unborn")) == ("apart", "in step")
        world.assert_in_step()


def test_what_our_tracker_refuses_to_show_of_a_stuck_change_is_not_tried_by_each_run() -> None:
    with two_sites(mappings=(f'partner: {{fields: {{{FIELD}: "{{state}}"}}, state: true}}\n', ""), contract=KEYS) as world:
        made(world)
        world.acme.faults.refuse = lambda call, _what: {FIELD: "no", "summary": "no"} if call == "apply" else None
        world.globex.desk.edit(key(world.globex, "of acme"), {"summary": "of both"})
        assert len(events(world.send(world.globex), NotShown)) == 1
        assert (len(world.acme.stuck()), events(world.acme.import_(), NotShown)) == (1, [])


def test_a_claim_that_is_no_key_is_not_shown() -> None:
    assert is_usual("ABC-1")
    assert not any(is_usual(one) for one in ("", "abc-1", "ABC-1\n", "ABC-01", "{key}", "=cmd()", "A" * 40 + "-1"))
    with two_sites(contract=KEYS, mappings=("", SHOWS)) as world:
        made(world)
        moves(world, to="=cmd()")
        assert says(world.globex, "of globex") == f"at the partner's: {key(world.acme, 'of globex')}"


def test_a_preview_shows_what_would_be_shown_and_writes_nothing() -> None:
    with two_sites(contract=KEYS, mappings=("", SHOWS)) as world:
        world.acme.desk.create("Bug", "of acme")
        world.acme.export()
        world.carry(to=world.globex)
        with rehearse_import(world.globex.config, EXCHANGE, clock=world.clock) as done:
            (entry,) = done.written
        assert Edit(FIELD, "at the partner's: ABC-1") in entry.edits
        assert list(world.globex.desk.list()) == []
