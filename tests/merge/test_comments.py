"""Comments: edited, deleted, doubled, and before their issue."""

from filesync.agent.events import Dropped, Stuck
from filesync.ledger import shadows, streams
from filesync.model.change import Delete, Set, Told
from filesync.model.ids import Kind
from tests.merge.scene import MIRROR, comments, contract, cross, events, keys, only, refuse_create, refuse_nothing, shared
from tests.support.attachments import attached
from tests.support.forged import forge
from tests.support.two_sites import EXCHANGE, World, two_sites


def _with_comment(world: World, text: str = "one") -> tuple[str, str]:
    key = shared(world)
    number = world.acme.desk.comment(key, text)
    world.send(world.acme)
    assert comments(world.globex, key) == [text]
    return key, number  # the first of each tracker: the same number


def test_edit_vs_edit() -> None:
    with two_sites() as world:
        key, number = _with_comment(world)
        cross(
            world,
            acme=lambda: world.acme.desk.edit_comment(key, number, "of acme"),
            globex=lambda: world.globex.desk.edit_comment(key, number, "of globex"),
        )
        for side in world.sides:
            assert comments(side, key) == ["of acme"]
            assert [(met.field, met.winner) for met in side.conflicts()] == [("body", "acme")]
        world.assert_in_step()


def test_edit_vs_delete_deletes_both_ways() -> None:
    for edits, deletes in (("acme", "globex"), ("globex", "acme")):
        with two_sites() as world:
            key, number = _with_comment(world)
            desks = {side.name: side.desk for side in world.sides}
            edit = lambda: desks[edits].edit_comment(key, number, "edited")  # noqa: B023, E731 - called at once
            delete = lambda: desks[deletes].delete_comment(key, number)  # noqa: B023, E731
            here, there = cross(world, acme=edit if edits == "acme" else delete, globex=edit if edits == "globex" else delete)
            for side in world.sides:
                assert comments(side, key) == []
            dropped = only(events(there if deletes == "globex" else here, Dropped))
            assert "an edit of something deleted" in dropped.sentence()
            world.assert_in_step()


def test_delete_vs_delete() -> None:
    with two_sites() as world:
        key, number = _with_comment(world)
        cross(
            world,
            acme=lambda: world.acme.desk.delete_comment(key, number),
            globex=lambda: world.globex.desk.delete_comment(key, number),
        )
        for side in world.sides:
            assert comments(side, key) == []
        world.assert_in_step()


def test_deleted_here_before_the_partners_deletion_comes_tells_nothing() -> None:
    with two_sites() as world:
        key, number = _with_comment(world)
        world.acme.desk.delete_comment(key, number)
        world.globex.desk.delete_comment(key, number)
        world.send(world.acme)
        assert world.globex.export().changes == 0
        world.assert_in_step()


def test_plus_one_twice() -> None:
    with two_sites() as world:
        key = shared(world)
        cross(
            world,
            acme=lambda: world.acme.desk.comment(key, "+1"),
            globex=lambda: world.globex.desk.comment(key, "+1"),
        )
        world.acme.desk.comment(key, "+1")
        world.send(world.acme)
        for side in world.sides:
            assert comments(side, key) == ["+1", "+1", "+1"]
        world.assert_in_step()


def test_comment_on_issue_being_deleted() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        here, _ = cross(
            world,
            acme=lambda: world.acme.desk.delete(key),
            globex=lambda: world.globex.desk.comment(key, "wait!"),
        )
        dropped = only(events(here, Dropped))
        assert "its issue was deleted here" in dropped.sentence()
        for side in world.sides:
            assert keys(side) == []
            assert side.queued() == []
        world.assert_in_step()


def test_edit_arrives_before_stuck_create() -> None:
    with two_sites() as world:
        key = shared(world)
        number = world.acme.desk.comment(key, "one")
        world.acme.desk.comment(key, "two")
        refuse_create(world.globex, "one")
        done = world.send(world.acme)
        assert "not today" in events(done, Stuck)[0].sentence()
        assert comments(world.globex, key) == ["two"]
        world.acme.desk.edit_comment(key, number, "one, edited")
        world.send(world.acme)
        assert comments(world.globex, key) == ["two"]
        assert [row.state for row in world.globex.queued()] == ["stuck", "behind"]
        refuse_nothing(world.globex)
        world.globex.retry()
        assert sorted(map(str, comments(world.globex, key))) == ["one, edited", "two"]
        world.assert_in_step()


def test_a_comment_waits_for_its_issue_that_is_stuck_and_then_comes() -> None:
    with two_sites() as world:
        refuse_create(world.globex, "held")
        held = world.acme.desk.create("Bug", "held")
        world.acme.desk.comment(held, "of held")
        world.acme.desk.create("Bug", "free")
        world.send(world.acme)
        assert [issue.fields["summary"] for issue in world.globex.desk.list()] == ["free"]
        refuse_nothing(world.globex)
        world.globex.retry()
        world.assert_in_step()
        assert world.globex.queued() == []


def test_a_stuck_comment_goes_with_its_issue() -> None:
    with two_sites(contract=MIRROR) as world:
        key = shared(world)
        refuse_create(world.globex, "never")
        world.acme.desk.comment(key, "never")
        world.send(world.acme)
        assert len(world.globex.stuck()) == 1
        world.acme.desk.delete(key)
        world.send(world.acme)
        assert world.globex.queued() == []  # nobody is asked about what is gone
        world.assert_in_step()


def test_a_comment_comes_together_with_the_deletion_of_its_issue() -> None:
    for policy in ("", MIRROR):
        with two_sites(contract=policy) as world:
            key = shared(world)
            world.acme.desk.comment(key, "last words")
            world.acme.export()
            world.acme.desk.delete(key)
            world.send(world.acme)
            assert world.globex.queued() == []
            assert world.globex.export().changes == 0
            world.assert_in_step()


def test_a_skipped_comment_is_never_told_again_and_holds_up_nothing() -> None:
    with two_sites() as world:
        key = shared(world)
        refuse_create(world.globex, "never")
        number = world.acme.desk.comment(key, "never")
        world.send(world.acme)
        row = only(world.globex.stuck())
        world.globex.skip(row.mark)
        refuse_nothing(world.globex)
        world.acme.desk.edit_comment(key, number, "still here")
        world.acme.desk.comment(key, "another")
        world.send(world.acme)
        assert comments(world.globex, key) == ["another"]
        assert comments(world.acme, key) == ["still here", "another"]
        assert world.globex.queued() == []
        assert world.globex.export().changes == world.acme.export().changes == 0


ONE_WAY = contract(
    ("comments: true", "comments: {from: acme}"),
    ("attachments: true", "attachments: {from: acme}"),
    ("worklogs: true", "worklogs: {from: globex}"),
)


def test_what_one_side_alone_tells_comes_and_what_the_other_writes_stays_with_it() -> None:
    with two_sites(contract=ONE_WAY) as world:
        key = shared(world)
        for side in world.sides:
            side.desk.comment(key, f"of {side.name}")
            side.desk.attach(key, f"{side.name}.txt", [b"12 bar"])
            side.desk.log_work(key, 3600, text=f"at {side.name}")
        world.settle()
        shown = [side.desk.show(key) for side in world.sides]
        assert [{one.fields["body"] for one in page.comments} for page in shown] == [{"of acme"}, {"of globex", "of acme"}]
        assert [{one.fields["body"] for one in page.worklogs} for page in shown] == [{"at acme", "at globex"}, {"at globex"}]
        assert attached(world.acme, key) == [("acme.txt", b"12 bar")]
        assert len(attached(world.globex, key)) == 2
        assert [side.export().changes for side in world.sides] == [0, 0]


def test_an_edit_of_what_the_partner_alone_tells_stays_until_its_next_and_a_deletion_is_not_told() -> None:
    with two_sites(contract=ONE_WAY) as world:
        key, first = _with_comment(world)
        world.globex.desk.edit_comment(key, first, "mine")
        assert world.send(world.globex).events == ()
        world.acme.desk.edit_comment(key, first, "two")
        world.settle()
        assert comments(world.globex, key) == ["two"]
        world.globex.desk.delete_comment(key, first)
        assert world.globex.export().changes == 0
        world.acme.desk.edit_comment(key, first, "three")
        dropped = only(events(world.send(world.acme), Dropped))
        assert "was deleted here, which is not told" in dropped.sentence()
        assert (comments(world.acme, key), comments(world.globex, key)) == (["three"], [])
        world.acme.desk.delete_comment(key, first)
        world.settle()
        assert [side.export().changes for side in world.sides] == [0, 0]


def test_what_we_alone_tell_nobody_edits_or_deletes_from_outside() -> None:
    with two_sites(contract=ONE_WAY) as world:
        key, _ = _with_comment(world)
        world.acme.desk.attach(key, "acme.txt", [b"12 bar"])
        world.settle()
        with world.acme.site.ledger.begin() as conn:
            x = streams.exchange_named(conn, EXCHANGE)
            assert x is not None
            issue = shadows.by_local(conn, x.id, Kind.ISSUE, "1")
            assert issue is not None
            below = {one.kind: one for one in shadows.children_of(conn, x.id, [issue.gid])[issue.gid]}
        comment, attachment = below[Kind.COMMENT], below[Kind.ATTACHMENT]
        edit = Set(n=1, gid=comment.gid, fields={"body": Told("mine", base=comment.shadow("body").told)})
        forge(world.globex, world.acme.config.folders.inbox, changes=[edit, Delete(n=2, gid=attachment.gid)])
        dropped = only(events(world.acme.import_(), Dropped))
        assert "no attachment is deleted from outside" in dropped.sentence()
        assert comments(world.acme, key) == ["one"]
        assert attached(world.acme, key) == [("acme.txt", b"12 bar")]
