"""A new issue is there before its files: where Jira looks for these when a text is written, it is written once more."""

from __future__ import annotations

import pytest

from filesync.agent.events import FilesNotShown
from filesync.agent.incoming.importer import Imports
from filesync.config import template
from filesync.model.manner import files_shown
from filesync.trackers.registry import manner
from tests.support.jira.faults import Fault, Kind
from tests.support.jira.site import CLOUD
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, two_trackers, writes
from tests.support.two_sites import Side, World

TEXT = "It leaks, see !pump.png|thumbnail!, [^log.txt] and !never.png! Read this!"


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (TEXT, ("pump.png", "log.txt", "never.png")),
        ("!a.png! !a.png! [the drawing^b c.pdf]", ("a.png", "b c.pdf")),
        ("!https://x.example/a.png! Stop! See v1.2! [^no]", ()),
    ],
)
def test_a_text_shows_files_by_their_names(text: str, files: tuple[str, ...]) -> None:
    assert files_shown(text) == files


def brought(world: World) -> tuple[str, str, Imports]:
    """An issue of acme's whose text shows two files of its own: as acme and globex call it, and what the import said."""
    desk = world.acme.desk
    key = desk.create("Bug", "one", {"description": TEXT})
    for name in ("pump.png", "log.txt"):
        desk.attach(key, name, iter([name.encode()]))
    world.acme.export()
    world.carry(to=world.globex)
    done = Side.import_(world.globex)
    (there,) = world.globex.issues()
    return key, there.ref.local, done


def edits(world: World) -> list[str]:
    """What was written of the issue after it was made with its defaults."""
    return [one for one in writes(world.globex) if one.startswith("PUT") and "properties" not in one][1:]


def waiting(world: World) -> list[int]:
    """Of the texts that wait for files: 1 where the next import looks at one."""
    with world.globex.site.ledger.begin() as conn:
        return list(conn.exec_driver_sql("select due from unfiled").scalars())


def test_a_new_issues_text_is_written_once_more_when_its_files_are_there() -> None:
    with two_trackers((EMBEDDED, CLOUD)) as world:
        key, local, _ = brought(world)
        last = [one.rpartition("/")[2] for one in writes(world.globex) if f"/issue/{local}" in one][-3:]
        assert last == ["attachments", "filesync.parts", local]
        assert len(edits(world)) == 1
        assert waiting(world) == [0], "it is looked at when the next file comes, and not by every import"
        world.acme.desk.attach(key, "never.png", iter([b"late"]))
        calm(world)
        assert waiting(world) == []
        assert len(edits(world)) == 2, "one that comes later, too, and no more than once"
        world.assert_in_step()
    assert not manner("jira-dc", project="ABC").files_first, "Data Center looks for them when it shows the text"


def test_a_comment_that_came_before_its_file_is_written_once_more_and_one_that_came_with_it_is_not() -> None:
    with two_trackers((EMBEDDED, CLOUD)) as world:
        assert isinstance(world.globex, JiraSide)
        key = world.acme.desk.create("Bug", "one")
        world.acme.desk.comment(key, "early: !pump.png|thumbnail!")
        world.send(world.acme)
        world.acme.desk.attach(key, "pump.png", iter([b"12 bar"]))
        world.acme.desk.comment(key, "with it: !pump.png!")
        world.globex.jira.forget_requests()
        world.send(world.acme)
        (there,) = world.globex.jira.store.issues.values()
        early = there.comments[0]
        puts = [one for one in writes(world.globex) if one.startswith("PUT") and "/comment/" in one]
        assert puts == [f"PUT /rest/api/2/issue/{there.id}/comment/{early.id}"]
        assert early.body.endswith("UTC:_\nearly: !pump.png|thumbnail!")
        assert waiting(world) == []
        calm(world)
        world.assert_in_step()


def test_where_no_files_come_no_text_waits_for_them() -> None:
    contract = template("contract.yaml").replace("attachments: true", "attachments: {from: globex}")
    with two_trackers((EMBEDDED, CLOUD), text=contract) as world:
        brought(world)
        assert waiting(world) == []


def test_a_text_that_jira_refuses_or_somebody_edited_is_left_alone() -> None:
    with two_trackers((EMBEDDED, CLOUD)) as world:
        assert isinstance(world.globex, JiraSide)
        no = '{"errorMessages": ["no"]}'
        path = r"/issue/\d+(\?|$)"
        world.globex.jira.faults.arm(Fault(Kind.STATUS, 1, method="PUT", path=path, status=400, body=no, skip=1))
        _, _, done = brought(world)
        assert ["no" in one.why for one in done.events if isinstance(one, FilesNotShown)] == [True]
        assert Side.import_(world.globex).events == ()
    with two_trackers((EMBEDDED, CLOUD)) as world:
        key, local, _ = brought(world)
        world.globex.desk.edit(local, {"description": "mine, !pump.png!"})
        world.acme.desk.attach(key, "never.png", iter([b"late"]))
        world.send(world.acme)
        assert len(edits(world)) == 1
        assert [one.fields["description"] for one in world.globex.issues()] == ["mine, !pump.png!"]
