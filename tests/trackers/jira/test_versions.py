"""The versions of a project, with their days, between a Data Center and a Cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from filesync.config import template
from filesync.ledger import journal
from tests.support.jira import described
from tests.support.jira.records import Version
from tests.support.jira.site import CLOUD, DC10
from tests.support.jira_sides import JiraSide, calm, contract, two_trackers, writes
from tests.support.two_sites import Crash, World

TEXT = contract(template("contract.yaml") + "\nversions: true\n")


@pytest.fixture
def world() -> Iterator[World]:
    with two_trackers((DC10, CLOUD), text=TEXT) as world:
        yield world
        for side in world.sides:
            assert isinstance(side, JiraSide)
            described.check(side.jira.flavour, side.jira.requests())


def jira(world: World, name: str) -> JiraSide:
    side = next(one for one in world.sides if one.name == name)
    assert isinstance(side, JiraSide)
    return side


def versions(side: JiraSide) -> dict[str, Version]:
    """The versions of its project, by name, and none twice."""
    project = side.jira.store.project("ABC")
    assert project is not None
    found = list(project.versions.values())
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def add(side: JiraSide, version: Version) -> Version:
    """As people do: the id is the next one."""
    project = side.jira.store.project("ABC")
    assert project is not None
    made = replace(version, id=side.jira.store.next_id(), project=project.id)
    project.versions[made.id] = made
    return made


def said(side: JiraSide) -> dict[str, tuple[object, ...]]:
    return {
        name: (one.description, one.start_date, one.release_date, one.released, one.archived)
        for name, one in versions(side).items()
    }


def quiet(world: World) -> None:
    """Both say the same, and one more round asks no Jira to change anything, and for the list once an export."""
    calm(world)
    acme, globex = jira(world, "acme"), jira(world, "globex")
    assert said(acme) == said(globex)
    for side in (acme, globex):
        assert not side.stuck()
        side.jira.forget_requests()
        side.export()
        assert writes(side) == []
        assert sum(one.path.endswith("/versions") for one in side.jira.requests()) == 1
    assert world.round() == 0


SHIPPED = Version("", "3.0", "", "the third\nline two", True, False, "2026-12-01", "2027-01-15")


def test_versions_travel_with_description_days_and_marks_and_come_before_the_issues_that_name_them(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, SHIPPED)
    key = acme.desk.create("Bug", "for the third", {"fix_versions:3.0": True})
    add(globex, Version("", "old", "", archived=True))
    quiet(world)
    assert said(globex)["3.0"] == ("the third\nline two", "2026-12-01", "2027-01-15", True, False)
    assert said(acme)["old"] == ("", None, None, False, True)
    (issue,) = (one for one in globex.issues() if "fix_versions:3.0" in one.fields)
    assert acme.gid(next(one for one in acme.issues() if one.ref.local == key)) == globex.gid(issue)
    version = versions(globex)["3.0"]
    version.start_date, version.release_date, version.description, version.released = None, "2027-02-28", "", False
    versions(acme)["3.0"].archived = True
    quiet(world)
    assert said(acme)["3.0"] == ("", None, "2027-02-28", False, True)


def test_what_both_sides_have_is_one_and_of_a_part_that_differs_one_stands(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, Version("", "3.0", "", "acme's", release_date="2027-01-15"))
    add(globex, Version("", "3.0", "", "globex's", start_date="2026-12-01"))
    for side in (acme, globex):
        side.export()  # both are under way before either arrives
    quiet(world)
    assert said(acme)["3.0"] == ("acme's", "2026-12-01", "2027-01-15", False, False)
    assert [(one.field, one.key, one.winner) for one in globex.conflicts()] == [("version-description", "3.0", "acme")]


def test_a_renamed_version_is_a_new_one_and_what_is_deleted_stays_at_the_partner(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    kept, gone = add(acme, SHIPPED), add(acme, replace(SHIPPED, name="4.0"))
    calm(world)
    kept.name = "3.1"
    project = acme.jira.store.project("ABC")
    assert project is not None
    del project.versions[gone.id]
    calm(world)
    assert {"3.0", "3.1", "4.0"} <= said(globex).keys()
    assert said(globex)["3.1"] == said(globex)["4.0"] == said(acme)["3.1"]
    versions(globex)["4.0"].description = "still there"
    calm(world)
    assert not {"3.0", "4.0"} & said(acme).keys()
    add(acme, Version("", "4.0", ""))  # again, and bare: it empties nothing
    calm(world)
    assert said(globex)["4.0"] == said(acme)["4.0"] == ("still there", "2026-12-01", "2027-01-15", True, False)


def test_a_version_that_is_refused_waits_alone(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    for name in ("n" * 256, "two\nlines", " padded", "5.0"):
        add(acme, replace(SHIPPED, name=name))
    acme.desk.create("Bug", "goes on")
    calm(world)
    assert {"5.0"} == said(globex).keys() - said(acme).keys() | {"5.0"} & said(globex).keys()
    assert any(one.fields["summary"] == "goes on" for one in globex.issues())
    assert sorted(one.state for one in globex.stuck()) == [journal.Wait.STUCK] * 3
    globex.faults.refuse = lambda call, what: "May not." if call == "apply" and of_version(what) else None
    versions(acme)["5.0"].description = "new"
    versions(acme)["1.0"].description = "new"
    calm(world)
    assert len(globex.stuck()) == 5
    globex.faults.refuse = lambda _call, _what: None
    globex.retry()
    assert said(globex)["5.0"][0] == said(globex)["1.0"][0] == "new"


def of_version(what: object) -> bool:
    return any(name.startswith("version-") for name in getattr(what, "fields", {}))


def test_one_that_was_made_and_not_recorded_is_not_made_again(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, SHIPPED)
    acme.export()
    world.carry(to=globex)

    def dies(place: str) -> None:
        if place == "after create":
            raise Crash

    globex.faults.strike = dies
    with pytest.raises(Crash):
        globex.import_()
    assert "3.0" in said(globex)
    globex.faults.strike = lambda _place: None
    globex.reopen()
    quiet(world)
