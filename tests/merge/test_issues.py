"""Issues: deleted, apart, out of scope, under a parent, found again."""

import shutil

from filesync.agent.events import Dropped, LostEdit
from filesync.model.shadow import Life
from tests.merge.scene import (
    IGNORE,
    MIRROR,
    comments,
    crash,
    cross,
    events,
    keys,
    only,
    refuse,
    refuse_create,
    refuse_nothing,
    row,
    shared,
    value,
)
from tests.support.attachments import attached
from tests.support.two_sites import World, two_sites

SCOPED = ("{labels: [shared]}", "")


def _deleted_there_edited_here(world: World) -> tuple[str, list[list[str]]]:
    key = shared(world)
    known = world.globex.desk.comment(key, "told")
    world.send(world.globex)
    unsent = world.globex.desk.comment(key, "not told")
    assert (known, unsent) == ("1", "2")
    world.globex.desk.edit(key, {"summary": "edited at globex"})
    world.acme.desk.delete(key)
    done = world.send(world.acme)
    return key, [event.what for event in events(done, LostEdit)]


def test_delete_vs_unsent_edit_mirror() -> None:
    with two_sites(contract=MIRROR) as world:
        _, lost = _deleted_there_edited_here(world)
        assert lost == [["summary", "comment 2"]]
        assert keys(world.globex) == keys(world.acme) == []
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_delete_vs_unsent_edit_mark() -> None:
    with two_sites() as world:
        key, lost = _deleted_there_edited_here(world)
        assert lost == []
        issue = world.globex.desk.show(key).issue
        assert issue.deleted_by == "acme"
        assert issue.fields["summary"] == "edited at globex"
        assert row(world.globex, key).state is Life.APART
        assert world.globex.export().changes == 0
        assert keys(world.acme) == []
        world.assert_in_step()


def test_delete_vs_unsent_edit_ignore() -> None:
    with two_sites(contract=IGNORE) as world:
        key, lost = _deleted_there_edited_here(world)
        assert lost == []
        issue = world.globex.desk.show(key).issue
        assert issue.deleted_by == ""
        assert issue.fields["summary"] == "edited at globex"
        assert world.globex.export().changes == 0
        assert keys(world.acme) == []
        world.assert_in_step()


def test_each_site_may_have_its_own_policy_for_deletions() -> None:
    with two_sites(mappings=("deletes: {issue: mirror}\n", "deletes: {issue: ignore}\n")) as world:
        first, second = shared(world, "one"), shared(world, "two")
        world.acme.desk.delete(first)
        world.globex.desk.delete(second)
        world.settle()
        assert keys(world.acme) == []
        assert keys(world.globex) == [first]
        world.assert_in_step()


CLOSES = ("", "deletes: {issue: {close: Done}}\n")


def test_an_issue_that_the_partner_deleted_is_closed_where_our_mapping_says_so_and_nothing_of_it_is_told() -> None:
    with two_sites(mappings=CLOSES) as world:
        key, lost = _deleted_there_edited_here(world)
        assert lost == []
        issue = world.globex.desk.show(key).issue
        assert (issue.fields["status"], issue.deleted_by) == ("Done", "acme")
        assert issue.fields["summary"] == "edited at globex"
        assert world.globex.faults.calls.count("route") == 1
        world.globex.desk.transition(key, "To Do")  # somebody opens it again: it is apart
        assert world.globex.export().changes == 0
        assert keys(world.acme) == []
        world.assert_in_step()


def test_closing_goes_on_where_it_was_cut_off() -> None:
    with two_sites(mappings=CLOSES) as world:
        key = shared(world)
        world.acme.desk.delete(key)
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after apply", nth=2):
            world.globex.import_()
        assert world.globex.export().changes == 0
        world.globex.import_()
        assert world.globex.desk.show(key).issue.fields["status"] == "Done"
        assert row(world.globex, key).state is Life.APART
        world.assert_in_step()


def test_an_issue_that_cannot_be_closed_waits_for_a_person_and_says_that_it_was_deleted() -> None:
    with two_sites(mappings=("", "deletes: {issue: {close: Parked}}\n")) as world:
        key = shared(world)
        world.acme.desk.delete(key)
        world.send(world.acme)
        assert "Parked" in only(world.globex.stuck()).reason
        assert world.globex.desk.show(key).issue.deleted_by == "acme"


def test_where_the_origin_decides_only_what_the_partner_made_is_deleted_with_its_own() -> None:
    with two_sites(mappings=("deletes: {comment: origin, attachment: origin}\n",) * 2) as world:
        key = shared(world)
        for side in world.sides:
            side.desk.comment(key, f"of {side.name}")
            side.desk.attach(key, f"of {side.name}.txt", [b"12 bar"])
            world.send(side)
        shown = world.acme.desk.show(key)
        for comment in shown.comments:
            world.acme.desk.delete_comment(key, comment.id)
        for file in shown.attachments:
            world.acme.desk.delete_attachment(key, file.id)
        world.settle()
        assert (comments(world.globex, key), attached(world.globex, key)) == (["of globex"], [("of globex.txt", b"12 bar")])
        assert (comments(world.acme, key), attached(world.acme, key)) == ([], [])
        world.assert_in_step()


def test_delete_vs_told_edit() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        here, _ = cross(
            world,
            acme=lambda: world.acme.desk.delete(key),
            globex=lambda: world.globex.desk.edit(key, {"summary": "too late"}),
        )
        dropped = only(events(here, Dropped))
        assert "an edit of something deleted" in dropped.sentence()
        assert keys(world.acme) == keys(world.globex) == []
        world.assert_in_step()


def test_a_deletion_passes_a_stuck_edit_of_what_it_deletes() -> None:
    for policy, left in ((MIRROR, []), ("", ["ABC-1"])):
        with two_sites(contract=policy) as world:
            key = shared(world, "x")
            refuse(world.globex, "summary")
            world.acme.desk.edit(key, {"summary": "y"})
            world.send(world.acme)
            assert len(world.globex.stuck()) == 1
            world.acme.desk.delete(key)
            done = world.send(world.acme)
            assert "could not be taken before the partner deleted it" in only(events(done, Dropped)).sentence()
            assert world.globex.queued() == []
            assert keys(world.globex) == left
            world.assert_in_step()


def test_delete_arrives_before_create() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "unborn")
        key = world.acme.desk.create("Bug", "unborn")
        world.acme.desk.comment(key, "of unborn")
        world.send(world.acme)
        assert [row.state for row in world.globex.queued()] == ["stuck", "waits"]
        world.acme.desk.delete(key)
        refuse_nothing(world.globex)
        world.globex.faults.forbid_writes = True
        world.send(world.acme)  # no person had to decide
        assert world.globex.queued() == []
        assert keys(world.globex) == []
        world.assert_in_step()


def test_delete_while_create_in_doubt() -> None:
    with two_sites(contract=MIRROR) as world:
        refuse_create(world.globex, "in doubt")
        key = world.acme.desk.create("Bug", "in doubt")
        world.send(world.acme)
        refuse_nothing(world.globex)
        with crash(world.globex, "after create"):
            world.globex.retry()
        assert len(keys(world.globex)) == 1
        world.acme.desk.delete(key)
        world.send(world.acme)
        assert keys(world.globex) == []
        assert world.globex.queued() == []
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_apart_is_never_told_again() -> None:
    with two_sites() as world:
        key = shared(world)
        world.acme.desk.delete(key)
        world.send(world.acme)
        desk = world.globex.desk
        for work in (
            lambda: desk.edit(key, {"summary": "still used here"}),
            lambda: desk.comment(key, "and talked about"),
            lambda: desk.transition(key, "To Do"),
            lambda: desk.delete(key),
        ):
            work()
            assert world.globex.export().changes == 0
        world.assert_in_step()


def test_a_skipped_create_is_apart() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "never")
        key = world.acme.desk.create("Bug", "never")
        world.acme.desk.comment(key, "of never")
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        world.globex.skip(stuck.mark)
        refuse_nothing(world.globex)
        world.acme.desk.edit(key, {"summary": "later"})
        world.send(world.acme)
        assert keys(world.globex) == []
        assert world.globex.queued() == []
        assert world.globex.export().changes == world.acme.export().changes == 0


def test_a_skipped_delete_keeps_the_issue_apart() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        world.acme.desk.delete(key)
        world.globex.faults.refuse = lambda call, what: "it is locked" if call == "apply" else None
        world.send(world.acme)
        stuck = only(world.globex.stuck())
        world.globex.skip(stuck.mark)
        refuse_nothing(world.globex)
        assert keys(world.globex) == [key]
        world.globex.desk.edit(key, {"summary": "kept"})
        assert world.globex.export().changes == 0
        world.assert_in_step()


def _leave_scope(world: World) -> str:
    key = world.acme.desk.create("Bug", "first", {"labels:shared": True})
    world.send(world.acme)
    assert keys(world.globex) == [key]
    world.acme.desk.edit(key, {"labels:shared": None})
    return key


def test_leaves_scope_is_not_deleted() -> None:
    with two_sites(scopes=SCOPED) as world:
        key = _leave_scope(world)
        assert world.acme.export().changes == 0
        assert keys(world.acme) == keys(world.globex) == [key]
        assert world.globex.desk.show(key).issue.deleted_by == ""
        assert row(world.acme, key).state is Life.LIVE


def test_returns_with_piled_up_edits() -> None:
    with two_sites(scopes=SCOPED) as world:
        key = _leave_scope(world)
        world.acme.desk.edit(key, {"summary": "second"})
        assert world.acme.export().changes == 0
        number = world.acme.desk.comment(key, "meanwhile")
        world.acme.desk.edit_comment(key, number, "meanwhile, twice")
        assert world.acme.export().changes == 0
        assert value(world.globex, key, "summary") == "first"
        world.acme.desk.edit(key, {"labels:shared": True})
        world.send(world.acme)
        assert value(world.globex, key, "summary") == "second"
        assert comments(world.globex, key) == ["meanwhile, twice"]
        world.assert_in_step()


def test_partner_edits_while_out_of_scope() -> None:
    with two_sites(scopes=SCOPED) as world:
        key = _leave_scope(world)
        world.acme.desk.edit(key, {"description": "of acme"})
        world.globex.desk.edit(key, {"summary": "of globex"})
        world.globex.desk.comment(key, "of globex")
        world.send(world.globex)
        assert value(world.acme, key, "summary") == "of globex"
        assert comments(world.acme, key) == ["of globex"]
        assert world.acme.export().changes == 0
        world.acme.desk.edit(key, {"labels:shared": True})
        world.settle()
        assert value(world.globex, key, "description") == "of acme"
        world.assert_in_step()


def test_deleted_while_out_of_scope_is_told() -> None:
    with two_sites(contract=MIRROR, scopes=SCOPED) as world:
        key = _leave_scope(world)
        world.acme.desk.delete(key)
        world.send(world.acme)
        assert keys(world.globex) == []
        world.assert_in_step()


# ── found again ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_found_again_after_the_ledger_was_put_back() -> None:
    """Neither guard nor checkpoint tell that the ledger is old: nothing was ever sent, and the import died before its last step."""
    with two_sites() as world:
        state = world.globex.config.folders.state
        world.globex.site.close()
        kept = world.globex.folder / "kept"
        kept.mkdir()
        for file in state.glob("ledger.db*"):
            shutil.copy(file, kept)
        world.globex.reopen()
        key = world.acme.desk.create("Bug", "x")
        with crash(world.globex, "before write_checkpoint"):
            world.send(world.acme)
        world.globex.desk.edit(key, {"summary": "y"})
        world.globex.site.close()
        for file in state.glob("ledger.db*"):
            file.unlink()
        for file in kept.iterdir():
            shutil.copy(file, state)
        world.globex.reopen()
        assert world.globex.export().changes == 0  # it bears its origin: it is not told as new
        world.bring_again(to=world.globex)
        world.globex.import_()
        assert keys(world.globex) == [key]
        met = only(world.globex.conflicts())  # y is an edit of what it was born with; that x was seen, nobody knows any more
        assert (met.ours, met.theirs, met.winner) == ("y", "x", "acme")
        world.settle()
        assert keys(world.globex) == [key]
        world.assert_in_step()


def test_a_refused_optional_field_of_a_create_is_stuck_alone() -> None:
    with two_sites() as world:
        refuse(world.globex, "severity")
        key = world.acme.desk.create("Bug", "x", {"severity": "Major", "priority": "High"})
        world.acme.desk.comment(key, "goes on")
        world.send(world.acme)
        assert value(world.globex, key, "priority") == "High"
        assert value(world.globex, key, "severity") is None
        assert comments(world.globex, key) == ["goes on"]
        stuck = only(world.globex.stuck())
        assert stuck.reason == "severity: not today"
        assert world.globex.export().changes == 0
        refuse_nothing(world.globex)
        world.globex.retry()
        assert value(world.globex, key, "severity") == "Major"
        world.assert_in_step()


def test_a_refused_required_field_holds_up_the_whole_create_and_says_why() -> None:
    with two_sites(mappings=("", "types: {Task: Bug, Story: Story}\n")) as world:
        key = world.acme.desk.create("Bug", "a bug is a task there")
        odd = world.acme.desk.create("Task", "a task is nothing there")
        world.send(world.acme)
        assert [issue.fields["type"] for issue in world.globex.desk.list()] == ["Task"]
        stuck = only(world.globex.stuck())
        assert 'no type here stands for "Task"' in stuck.reason
        assert keys(world.acme) == [key, odd]
