"""A site with an embedded tracker and one with a Jira, whole: what is said at one comes to the other, once, and then it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filesync.agent.outgoing.departures import NotRead
from filesync.errors import Unavailable
from tests.support.jira.person import Person
from tests.support.jira.site import CLOUD, DC10, FLAVOURS, Flavour, JiraSite
from tests.support.two_sites import Clock, FaultyTracker, World, two_sites
from tests.trackers.jira.scene import Opened

CONTRACT = """
version: 1
winner: first
deletes: {issue: mark, comment: mirror, attachment: mirror, worklog: mirror}
types: [Epic, Story, Bug, Task, Sub-task]
statuses: [To Do, In Progress, In Review, Blocked, Done, Won't Do]
users: any
comments: true
attachments: true
worklogs: true
links: [blocks, relates]
fields:
  summary: {kind: text}
  description: {kind: text}
  parent: {kind: parent}
  priority: {kind: option, options: [Highest, High, Medium, Low, Lowest]}
  labels: {kind: label, many: true}
  components: {kind: component, many: true}
  fix_versions: {kind: version, many: true}
  due: {kind: date}
  severity: {kind: option, options: [Critical, Major, Minor, Cosmetic]}
  story_points: {kind: number}
  occurred_at: {kind: datetime}
  location: {kind: cascade, options: [Pump, Pump/Impeller, Pump/Shaft seal, Pump/Bearing, Pump/Housing]}
"""
ACME = "fields: {due_date: due}\n"
GLOBEX = """
fields:
  Severity: severity
  Story Points: story_points
  Occurred At: occurred_at
  Location: location
links: {Blocks: blocks, Relates: relates}
"""


class JiraClock:
    """The two sites' clock, as a Jira looks at it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> int:
        return int(self._clock.now.timestamp() * 1000)

    def next(self) -> int:
        self._clock.advance(seconds=1)
        return self.now()


@dataclass(frozen=True, slots=True)
class Scene:
    world: World
    site: JiraSite
    person: Person
    opened: Opened

    def reopen(self) -> None:
        """As after a crash of the site with the Jira."""
        self.world.globex.reopen()
        self.use_jira()

    def use_jira(self) -> None:
        tracker = self.opened.open(clock=self.world.clock, sweep=1, census=1)
        faulty = self.world.globex.site.tracker
        assert isinstance(faulty, FaultyTracker)
        faulty.real.close()
        faulty.real = tracker

    def to_jira(self) -> None:
        assert self.world.send(self.world.acme).queued == 0

    def to_acme(self) -> None:
        self.world.clock.advance(minutes=5)
        assert self.world.send(self.world.globex).queued == 0

    def both_ways(self) -> None:
        self.to_jira()
        self.to_acme()

    def local(self, key: str) -> str:
        """The Jira's id of what has this key there."""
        return next(issue.id for issue in self.site.store.issues.values() if issue.key == key)


@contextmanager
def scene(flavour: Flavour, folder: Path) -> Iterator[Scene]:
    with (
        two_sites(contract=CONTRACT, mappings=(ACME, GLOBEX)) as world,
        JiraSite(flavour, clock=JiraClock(world.clock)) as site,
    ):
        found = Scene(world, site, site.person("j.becker"), Opened(site, folder))
        found.use_jira()
        yield found
        found.opened.close()


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with scene(request.param, tmp_path) as found:
        yield found


def test_f117_an_issue_with_all_that_belongs_to_it_comes_to_jira_and_then_it_is_quiet(there: Scene) -> None:
    desk = there.world.acme.desk
    epic = desk.create("Epic", "Pumps of the second series")
    key = desk.create(
        "Bug",
        "Pump stalls at 40 bar",
        {
            "description": "It hums.\\n\\n* and stops",
            "priority": "High",
            "severity": "Major",
            "labels:share": True,
            "labels:b": True,
            "components:Firmware": True,
            "fix_versions:1.0": True,
            "story_points": "2.5",
            "due_date": "2026-12-24",
            "occurred_at": "2026-11-20T08:00:00.000Z",
            "location": ["Pump", "Shaft seal"],
            "parent": epic,
        },
    )
    desk.comment(key, "who has the drawings?")
    desk.log_work(key, 5400)
    desk.attach(key, "a drawing.txt", [b"lines"])
    below = desk.create("Sub-task", "seal", {"parent": key})
    desk.link(key, "blocks", epic)
    for status in ("In Progress", "In Review", "Done"):
        desk.transition(key, status)
    there.to_jira()
    made = there.site.store.issues
    assert {issue.values["summary"] for issue in made.values()} == {
        "Pumps of the second series",
        "Pump stalls at 40 bar",
        "seal",
    }
    there.to_acme()
    there.world.assert_in_step()
    assert len(made) == 3
    assert below


def test_what_people_do_in_jira_comes_to_the_partner_and_back_comes_nothing(there: Scene) -> None:
    person, world = there.person, there.world
    local = person.create({"type": "Bug", "summary": "Valve leaks", "priority": "Low", "labels:x": True})
    comment = person.comment(local, "since when?")
    person.log_work(local, 3600, "looked at it")
    person.attach(local, "photo.bin", b"\\x00\\xff" * 50)
    other = person.create({"type": "Story", "summary": "New valve"})
    person.link(local, "Blocks", other)
    person.transition(local, "In Progress")
    there.to_acme()
    there.to_jira()
    world.assert_in_step()
    person.edit_comment(local, comment, "since Monday?")
    person.edit(local, {"summary": "Valve leaks badly", "labels:x": None, "labels:y": True})
    person.unlink(local, "Blocks", other)
    there.both_ways()
    there.to_acme()
    world.assert_in_step()


def test_trap17_both_edit_and_it_comes_out_the_same_and_is_quiet(there: Scene) -> None:
    desk, world = there.world.acme.desk, there.world
    key = desk.create("Bug", "Pump stalls")
    there.both_ways()
    ((local, _),) = there.site.store.issues.items()
    desk.edit(key, {"summary": "acme's", "priority": "High", "labels:a": True})
    there.person.edit(local, {"summary": "globex's", "environment": "lab", "labels:b": True})
    there.person.transition(local, "In Progress")
    for _ in range(3):
        there.both_ways()
    world.assert_in_step()
    assert there.site.store.issues[local].values["summary"] == "acme's"
    there.person.edit(local, {"description": "two lines  \r\nas a browser sends them\r\n"})
    there.both_ways()
    updated = there.site.store.issues[local].updated
    assert world.round() == 0
    assert there.site.store.issues[local].updated == updated


@pytest.mark.parametrize("there", [DC10], ids=lambda flavour: flavour.name, indirect=True)
def test_trap25_a_link_waits_for_the_issue_at_its_other_end(there: Scene) -> None:
    desk, world = there.world.acme.desk, there.world
    key = desk.create("Bug", "Pump stalls")
    there.to_jira()
    ((local, first),) = there.site.store.issues.items()
    there.site.faults.refuse(400, method="POST", path="/issue$", body='{"errors": {"summary": "Not today."}}')
    late = desk.create("Bug", "Seal leaks")
    desk.link(key, "blocks", late)
    desk.edit(key, {"description": "with a link"})
    world.send(world.acme)
    assert first.values["description"] == "with a link", "the other fields do not wait"
    assert there.site.store.links_of(local) == []
    world.globex.retry()
    ((_, other),) = [one for one in there.site.store.issues.items() if one[0] != local]
    assert [(link.source, link.target) for link in there.site.store.links_of(local)] == [(local, other.id)]
    there.to_acme()
    world.assert_in_step()


@pytest.mark.parametrize("there", [DC10, CLOUD], ids=lambda flavour: flavour.name, indirect=True)
@pytest.mark.parametrize("known", [False, True])
def test_trap37_one_issue_that_cannot_be_read_holds_up_no_other(there: Scene, known: bool) -> None:
    person, world = there.person, there.world
    broken, below, other = (person.create({"type": "Bug", "summary": f"issue {n}"}) for n in range(3))
    if known:
        there.to_acme()
    person.log_work(broken, 3600)
    held: Any = there.site.store.issues[broken].worklogs[0]
    held.seconds = 0.5  # nothing that a Jira says
    person.link(below, "Blocks", broken)
    person.edit(other, {"summary": "goes on"})
    for _ in range(2):  # told each time
        there.world.clock.advance(minutes=5)
        told = [event for event in world.globex.export().events if isinstance(event, NotRead)]
        assert [event.issue for event in told] == [broken]
        assert "cannot be read" in told[0].sentence()
        world.carry(to=world.acme)
        world.acme.import_()
        assert "goes on" in {one.fields["summary"] for one in world.acme.issues()}
    held.seconds = 1800
    for _ in range(2):
        there.both_ways()
    world.assert_in_step()


def test_what_is_deleted_here_or_there(there: Scene) -> None:
    desk, world = there.world.acme.desk, there.world
    keys = [desk.create("Bug", f"issue {n}") for n in range(3)]
    comment = desk.comment(keys[2], "for a while")
    there.both_ways()
    issues = {str(issue.values["summary"]): issue for issue in there.site.store.issues.values()}
    desk.delete(keys[0])
    desk.delete_comment(keys[2], comment)
    there.person.delete(issues["issue 1"].id)
    for _ in range(4):
        there.both_ways()
    assert not issues["issue 2"].comments
    assert [one.body for one in issues["issue 0"].comments] == ["_acme has deleted its own of this issue._"]
    assert desk.show(keys[1]).issue.deleted_by == "globex"
    world.assert_in_step()


@pytest.mark.parametrize("there", [DC10, CLOUD], ids=lambda flavour: flavour.name, indirect=True)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/{what}($|\\?)") for what in ("issue", "comment", "worklog", "attachments", "transitions", "issueLink")),
        ("PUT", ""),
    ],
)
def test_f110_answers_that_are_lost_double_nothing(there: Scene, method: str, path: str) -> None:
    desk, world = there.world.acme.desk, there.world
    for n in range(2):
        key = desk.create("Bug", f"issue {n}", {"priority": "High"})
        desk.comment(key, "hello")
        desk.log_work(key, 5400)
        desk.attach(key, "A.txt", [b"lines"])
        desk.transition(key, "In Progress")
    desk.link("ABC-1", "blocks", "ABC-2")
    faults = there.site.faults
    faults.lose_answer(method=method, path=path)
    world.acme.export()
    world.carry(to=world.globex)
    for _ in range(4):
        with suppress(Unavailable):
            world.globex.import_()
        there.world.clock.advance(minutes=10)
        there.reopen()
    assert faults.struck["lose answer"] == 1
    there.to_acme()
    world.assert_in_step()
    for issue in there.site.store.issues.values():
        assert [len(issue.comments), len(issue.worklogs), len(issue.attachments)] == [1, 1, 1]
    assert len(there.site.store.issues) == 2
