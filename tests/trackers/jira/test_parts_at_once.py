"""Several who attach to one issue at the same time: each keeps what the issue says of the others' parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from filesync.errors import Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.trackers.base import Draft
from filesync.trackers.jira.rest.http import Http
from tests.support.jira import faults
from tests.support.jira.faults import Fault
from tests.support.jira.site import CLOUD, DC10, Flavour
from tests.support.jira_sides import EMBEDDED, JiraSide, two_trackers
from tests.support.two_sites import Side
from tests.trackers.bench import gid
from tests.trackers.jira import scene
from tests.trackers.jira.scene import Opened

NAME = "filesync.parts"
OTHER = {"attachment/999": gid(Kind.ATTACHMENT, 99)}


def file(local: str, n: int) -> Draft:
    content = f"{n}".encode()
    fields = {"name": f"{n}.txt", "size": str(len(content))}
    return Draft(kind=Kind.ATTACHMENT, issue=local, fields=fields, about=About(), content=lambda: iter([content]))


def said(opened: Opened, local: str) -> dict[str, object]:
    return dict(opened.site.store.issues[local].properties[NAME])


def write_over(opened: Opened, local: str, value: Mapping[str, str]) -> Callable[[], None]:
    """What somebody else does who had read the property before us."""
    return lambda: opened.site.store.issues[local].properties.update({NAME: dict(value)})


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda one: one.name)
def test_two_trackers_of_one_process_lose_nothing_of_each_other(flavour: Flavour, tmp_path: Path) -> None:
    with scene.jira(flavour, tmp_path) as opened:
        local = opened.site.person("j.becker").create({"type": "Bug", "summary": "Pump stalls"})
        trackers = [opened.open(), opened.open()]

        def attach(first: int) -> None:
            for n in range(first, 8, 2):
                trackers[first].create(gid(Kind.ATTACHMENT, n), file(local, n))

        threads = [Thread(target=attach, args=(first,)) for first in (0, 1)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(map(str, said(opened, local).values())) == sorted(gid(Kind.ATTACHMENT, n) for n in range(8))


def test_what_was_written_since_it_was_read_is_kept_and_what_is_written_over_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = count(step=2)
    monkeypatch.setattr(Http, "elapsed", lambda _: float(next(moments)))  # a file takes its time
    with scene.jira(DC10, tmp_path) as opened:
        local = opened.site.person("j.becker").create({"type": "Bug", "summary": "Pump stalls"})
        tracker, other = opened.open(), write_over(opened, local, OTHER)
        opened.site.faults.meanwhile(other, method="POST", path="/attachments$")
        first = tracker.create(gid(Kind.ATTACHMENT, 1), file(local, 1))
        one = {f"attachment/{first.item.ref.local}": gid(Kind.ATTACHMENT, 1)}
        assert said(opened, local) == OTHER | one
        # it is read before the file is sent, before it is written, and afterwards
        opened.site.faults.arm(Fault(faults.Kind.MEANWHILE, 1, "GET", "properties=", action=other, skip=2))
        second = tracker.create(gid(Kind.ATTACHMENT, 2), file(local, 2))
        assert said(opened, local) == OTHER | {f"attachment/{second.item.ref.local}": gid(Kind.ATTACHMENT, 2)}


def test_whoever_writes_over_it_again_and_again_is_told_of(tmp_path: Path) -> None:
    with scene.jira(DC10, tmp_path) as opened:
        local = opened.site.person("j.becker").create({"type": "Bug", "summary": "Pump stalls"})
        tracker, other = opened.open(), write_over(opened, local, OTHER)
        opened.site.faults.meanwhile(other, times=100, method="GET", path="properties=")
        with pytest.raises(Unavailable, match="somebody else writes over it, again and again"):
            tracker.create(gid(Kind.ATTACHMENT, 1), file(local, 1))
        assert len(opened.site.store.issues[local].attachments) == 1


def test_a_mark_that_another_process_wrote_over_is_nobodys_new_attachment_and_comes_back() -> None:
    with two_trackers((EMBEDDED, DC10)) as world:
        assert isinstance(world.globex, JiraSide)
        key = world.acme.desk.create("Bug", "one")
        for name in ("a.txt", "b.txt"):
            world.acme.desk.attach(key, name, iter([name.encode()]))
        world.send(world.acme)
        world.send(world.globex)
        (issue,) = world.globex.jira.store.issues.values()
        marks = dict(issue.properties[NAME])
        world.globex.clock.advance(minutes=5)
        issue.properties[NAME] = dict(list(marks.items())[:1])
        world.globex.desk.attach(issue.id, "mine.txt", [b"mine"])
        world.globex.jira.faults.refuse(500, times=10_000, method="PUT", path="filesync.parts")
        assert Side.export(world.globex).changes == 1, "that of ours alone"
        assert issue.properties[NAME] != marks
        world.globex.jira.faults.disarm()
        assert Side.export(world.globex).changes == 0
        assert issue.properties[NAME] == marks, "it is tried again"
        world.carry(to=world.acme)
        world.acme.import_()
        assert len(world.acme.below(world.acme.issues()[0].ref.local, Kind.ATTACHMENT)) == 3
