"""The versions of a project, with their days, between a Data Center and a Cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from filesync.agent.asked.fit import fit
from filesync.agent.asked.why import why
from filesync.agent.rehearsal.rehearse import rehearse_export, rehearse_import
from filesync.config import template
from filesync.errors import NotHere
from filesync.ledger import journal
from filesync.model.change import Change, Create, Delete, Set, Told
from filesync.model.ids import Gid, Kind, SiteId, make_gid
from filesync.model.versions import project_gid, version_gid
from tests.support.forged import forge
from tests.support.jira import described
from tests.support.jira.faults import Fault
from tests.support.jira.faults import Kind as Strike
from tests.support.jira.records import Version
from tests.support.jira.site import CLOUD, DC10
from tests.support.jira_sides import EMBEDDED, JiraSide, calm, contract, two_trackers, writes
from tests.support.two_sites import EXCHANGE, Crash, World

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


def instead(side: JiraSide, version: Version) -> None:
    """Another one of its name."""
    project = side.jira.store.project("ABC")
    assert project is not None
    del project.versions[versions(side)[version.name].id]
    add(side, version)


def test_another_one_of_a_name_gets_what_the_partner_has_whoever_told_it_first(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, SHIPPED)
    add(acme, replace(SHIPPED, name="5.0", archived=True))
    add(globex, replace(SHIPPED, name="4.0"))
    calm(world)
    instead(acme, Version("", "3.0", ""))
    instead(acme, Version("", "4.0", ""))
    instead(globex, Version("", "5.0", "", "another", True, True, "2020-01-01", "2020-02-01"))
    versions(globex)["3.0"].description = "newer"
    world.send(globex)  # an edit of the one before comes before anybody was told of the new one
    quiet(world)
    assert said(acme)["3.0"] == ("newer", *said(acme)["4.0"][1:]) == ("newer", "2026-12-01", "2027-01-15", True, False)
    assert said(acme)["5.0"] == ("the third\nline two", "2026-12-01", "2027-01-15", True, True), "acme wins"


def test_a_name_that_jira_takes_for_another_is_refused_with_that_name(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, Version("", "RC  1", ""))
    add(globex, Version("", "rc 1", ""))
    no = '{"errors": {"name": "A version with this name already exists in this project."}}'
    globex.jira.faults.arm(Fault(Strike.STATUS, 1, method="POST", path="/version$", status=400, body=no))
    world.send(acme)
    (stuck,) = globex.stuck()
    assert 'there is "rc 1": rename one of the two' in stuck.reason
    globex.jira.faults.refuse(403, path="/version$", body='{"errorMessages": ["You may not."]}')
    globex.jira.forget_requests()
    globex.retry()
    (stuck,) = globex.stuck()
    assert "You may not." in stuck.reason
    assert sum(one.path.endswith("/versions") for one in globex.jira.requests()) == 1, "what is there is no reason"


def test_what_stands_here_is_put_by_name_once_for_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    asked: list[str] = []

    def counted(one: SiteId, other: SiteId, name: str) -> Gid:
        asked.append(name)
        return version_gid(one, other, name)

    for n in range(50):
        add(acme, Version("", f"v{n}", ""))
    acme.export()
    world.carry(to=globex)
    monkeypatch.setattr("filesync.agent.versions.version_gid", counted)
    globex.import_()
    assert len(asked) < 4 * len(versions(globex)), "and not for each version all of them"


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


def test_a_preview_names_versions_and_makes_none(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    add(acme, SHIPPED)
    with rehearse_export(acme.config, EXCHANGE, clock=world.clock) as done:
        assert ("create", "version", "3.0") in [(one.deed, one.kind, one.key) for one in done.written]
    acme.export()
    world.carry(to=globex)
    globex.jira.forget_requests()
    with rehearse_import(globex.config, EXCHANGE, clock=world.clock) as done:
        (made,) = done.written
    assert (made.deed, made.kind, made.key) == ("create", "version", "3.0")
    assert writes(globex) == []
    quiet(world)


def test_nobody_deletes_a_version_or_names_one_as_another_from_outside(world: World) -> None:
    acme, globex = jira(world, "acme"), jira(world, "globex")
    calm(world)
    ids = acme.site.config.site, globex.site.config.site
    project, there = project_gid(*ids), version_gid(*ids, "1.0")
    other = version_gid(*ids, "9.9")
    lies: list[Change] = [
        Delete(n=1, gid=there),
        Delete(n=2, gid=project),
        Set(n=3, gid=project, fields={"name": Told("x")}),
        Create(n=4, gid=other, kind=Kind.VERSION, parent=project, fields={"name": "8.8"}),
        Create(n=5, gid=make_gid(ids[0], Kind.COMMENT, "1", "1"), kind=Kind.COMMENT, parent=project, fields={"body": "x"}),
        Create(n=6, gid=version_gid(*ids, "7.7"), kind=Kind.COMMENT, parent=project, fields={"name": "7.7"}),
        Set(n=7, gid=there, fields={"name": Told("renamed"), "version-start": Told("soon")}),
    ]
    forge(acme, globex.config.folders.inbox, changes=lies)
    before = said(globex)
    globex.jira.forget_requests()
    globex.import_()
    assert said(globex) == before
    assert all("/properties/" in one for one in writes(globex))  # where the checkpoint is kept
    (stuck,) = globex.stuck()  # all others are dropped
    assert "a version is known by its name" in stuck.reason
    assert "version-start" in stuck.reason
    assert len(globex.queued()) == 1
    with pytest.raises(NotHere, match="a version of the project is no issue"):
        why(globex.site, there)


def test_a_tracker_without_a_list_says_so_and_leaves_versions_out() -> None:
    with two_trackers((EMBEDDED, CLOUD), text=TEXT) as world:
        globex = jira(world, "globex")
        add(globex, SHIPPED)
        calm(world)
        assert not world.acme.stuck()
        assert not world.acme.queued()
        paired = world.acme.site.paired(EXCHANGE)
        found = fit(paired.rules, world.acme.site.tracker.describe(), us="acme", receives=True, sends=True)
        assert "versions" in {one.where for one in found.refused}
