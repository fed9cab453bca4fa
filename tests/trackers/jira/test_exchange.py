"""Two whole sites, one or both with a Jira: what people do at one is at the other, and one more round writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from filesync.agent.upkeep.by_hand import say
from filesync.config import template
from filesync.ledger.journal import STOPPED
from filesync.model.by_hand import Hand
from filesync.model.ids import Gid, Kind
from filesync.model.values import Flat, Value
from tests.support.jira.site import CLOUD, DC9, DC10
from tests.support.jira_sides import EMBEDDED, End, JiraSide, accounts, calm, two_trackers, writes
from tests.support.two_sites import Side, World

PAIRS: list[tuple[End, End]] = [(EMBEDDED, DC10), (DC9, CLOUD), (CLOUD, CLOUD)]


def _named(pair: tuple[End, End]) -> str:
    return " and ".join("embedded" if end is EMBEDDED else end.name for end in pair)


@pytest.fixture(params=PAIRS, ids=_named)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with two_trackers(request.param) as world:
        yield world


# every kind of field there is: set at birth, set to something else, emptied or taken out
AT_BIRTH: Mapping[str, Value] = {
    "description": "h1. Was geschah\n\n{code}x < y{code} * fett* 密封 🔧",
    "priority": "High",
    "labels:share": True,
    "labels:überdruck": True,
    "assignee": "w.chen",
    "components:Firmware": True,
    "fix_versions:1.0": True,
    "affects_versions:0.9": True,
    "due_date": "2026-12-01",
    "environment": "lab\nsecond line",
    "severity": "Major",
    "story_points": "2.5",
    "cost_estimate": "1000000",
    "occurred_at": "2026-11-23T10:00:00.000Z",
    "customer_reference": "P-7",
    "location": ["Pump", "Impeller"],
    "reviewers:w.chen": True,
    "reviewers:j.becker": True,
    "platforms:HPC-200": True,
    "serial_numbers:7": True,
    "target_version": "2.0",
}
LATER: Flat = {
    "summary": "Pump stalls, again",
    "description": "shorter",
    "priority": "Low",
    "labels:share": None,
    "labels:new": True,
    "assignee": "j.becker",
    "components:Hydraulics": True,
    "fix_versions:1.0": None,
    "fix_versions:2.0": True,
    "due_date": "2027-01-31",
    "severity": "Minor",
    "story_points": "3",
    "location": ["Hydraulics"],
    "reviewers:w.chen": None,
    "platforms:Simulator": True,
    "target_version": "1.1",
}
EMPTIED: Flat = {
    "description": None,
    "assignee": None,
    "due_date": None,
    "environment": None,
    "severity": None,
    "story_points": None,
    "occurred_at": None,
    "customer_reference": None,
    "location": None,
    "target_version": None,
    "reviewers:j.becker": None,
    "platforms:HPC-200": None,
    "serial_numbers:7": None,
    "affects_versions:0.9": None,
}


def in_step(world: World) -> None:
    """Both show the same, nothing is stuck, and a whole round more asks no Jira to change anything."""
    calm(world)
    world.assert_in_step()
    for side in world.sides:
        if isinstance(side, JiraSide):
            side.jira.forget_requests()
    assert world.round() == 0
    assert [one for side in world.sides for one in writes(side)] == []


def there(world: World, gid: Gid) -> dict[str, Value]:
    """The fields of an issue, in the contract's words, after both are in step."""
    in_step(world)
    fields = world.globex.shown()[gid]["fields"]
    assert isinstance(fields, dict)
    return fields


def gid_of(side: Side, key: str) -> Gid:
    return next(side.gid(one) for one in side.issues() if side.key(one.ref.local) == key)


def key_of(side: Side, gid: Gid) -> str:
    return next(side.key(one.ref.local) for one in side.issues() if side.gid(one) == gid)


def entries(side: Side, gid: Gid, kind: Kind) -> dict[str, str]:
    """Comments, worklogs or attachments of an issue: local ids by text."""
    local = next(one.ref.local for one in side.issues() if side.gid(one) == gid)
    names = {Kind.COMMENT: "body", Kind.WORKLOG: "body", Kind.ATTACHMENT: "name"}
    return {str(one.fields[names[kind]]): one.ref.local for one in side.below(local, kind)}


def test_every_kind_of_field_goes_both_ways(world: World) -> None:
    for side in world.sides:
        key = side.desk.create("Bug", f"at {side.name}", AT_BIRTH)
        gid = gid_of(side, key)
        assert AT_BIRTH.items() <= there(world, gid).items()
        other = world.other(side)
        other.desk.edit(key_of(other, gid), LATER)
        now = there(world, gid)
        assert {name: now.get(name) for name in LATER} == LATER
        side.desk.edit(key, EMPTIED)
        assert not EMPTIED.keys() & there(world, gid).keys()


def called(side: Side, gid: Gid) -> str:
    """What texts call an issue."""
    return next(side.called(one.ref.local) for one in side.issues() if side.gid(one) == gid)


def mention(side: Side, name: str) -> str:
    """How a text mentions a person."""
    account = accounts(side.jira.flavour)[name] if isinstance(side, JiraSide) else name
    return f"[~accountid:{account}]" if account != name else f"[~{name}]"


def description(side: Side, gid: Gid) -> object:
    return next(one.fields["description"] for one in side.issues() if side.gid(one) == gid)


def test_trap09_a_text_names_issues_and_people_as_they_are_called_where_it_is_shown(world: World) -> None:
    acme, globex = world.sides
    for summary in ("own", "own too"):
        globex.desk.create("Task", summary)  # so its keys are others
    first = gid_of(acme, acme.desk.create("Bug", "first"))
    text = f"h1. Like {called(acme, first)}\n\n{mention(acme, 'w.chen')}: {{code}}ABC-1{{code}} not ABC-999, !pump.png!"
    key = acme.desk.create("Bug", "second", {"description": text})
    second = gid_of(acme, key)
    for _ in range(2):
        world.clock.advance(minutes=5)
        world.round()
    shown = (
        f"h1. Like {called(globex, first)}\n\n{mention(globex, 'w.chen')}: {{code}}ABC-1{{code}} not ABC-999@acme, !pump.png!"
    )
    assert called(globex, first) != called(acme, first)
    assert description(globex, second) == shown
    globex.desk.edit(key_of(globex, second), {"description": f"{shown}, is it?"})
    in_step(world)
    assert description(acme, second) == f"{text}, is it?"


def test_a_status_is_reached_in_several_steps_and_goes_back(world: World) -> None:
    acme, globex = world.sides
    key = acme.desk.create("Bug", "far")
    gid = gid_of(acme, key)
    there(world, gid)
    for to in ("In Progress", "In Review", "Done"):
        acme.desk.transition(key, to)
    assert there(world, gid)["status"] == "Done"
    globex.desk.transition(key_of(globex, gid), "To Do")
    assert there(world, gid)["status"] == "To Do"


def test_comments_worklogs_and_files_are_made_edited_and_deleted(world: World) -> None:
    acme, globex = world.sides
    key = acme.desk.create("Task", "talked about")
    gid = gid_of(acme, key)
    there(world, gid)
    for side in world.sides:
        own = key_of(side, gid)
        comment = side.desk.comment(own, f"said at {side.name}\n* and *more*")
        side.desk.log_work(own, 3600, text=f"done at {side.name}")
        side.desk.attach(own, f"of {side.name}.txt", [b"bytes of ", side.name.encode()])
        side.desk.edit_comment(own, comment, f"edited at {side.name}")
    there(world, gid)
    for side in world.sides:
        both = {"acme", "globex"}
        assert entries(side, gid, Kind.COMMENT).keys() == {f"edited at {name}" for name in both}
        assert entries(side, gid, Kind.WORKLOG).keys() == {f"done at {name}" for name in both}
        assert entries(side, gid, Kind.ATTACHMENT).keys() == {f"of {name}.txt" for name in both}
    other = key_of(globex, gid)
    globex.desk.edit_comment(other, entries(globex, gid, Kind.COMMENT)["edited at acme"], "edited by the other")
    globex.desk.edit_worklog(other, entries(globex, gid, Kind.WORKLOG)["done at acme"], {"seconds": "5400"})
    acme.desk.delete_comment(key, entries(acme, gid, Kind.COMMENT)["edited at globex"])
    acme.desk.delete_worklog(key, entries(acme, gid, Kind.WORKLOG)["done at globex"])
    acme.desk.delete_attachment(key, entries(acme, gid, Kind.ATTACHMENT)["of globex.txt"])
    there(world, gid)
    for side in world.sides:
        assert entries(side, gid, Kind.COMMENT).keys() == {"edited by the other"}
        assert entries(side, gid, Kind.WORKLOG).keys() == {"done at acme"}
        assert entries(side, gid, Kind.ATTACHMENT).keys() == {"of acme.txt"}


def test_parents_and_links_name_the_same_issues_on_both_sides(world: World) -> None:
    acme, globex = world.sides
    epic = acme.desk.create("Epic", "all of it")
    story = acme.desk.create("Story", "a part", {"parent": epic})
    part = acme.desk.create("Sub-task", "a small part", {"parent": story})
    bug = acme.desk.create("Bug", "in the way")
    acme.desk.link(bug, "blocks", story)
    gids = {key: gid_of(acme, key) for key in (epic, story, part, bug)}
    in_step(world)
    shown = globex.shown()
    assert shown[gids[story]]["fields"]["parent"] == gids[epic]
    assert shown[gids[part]]["fields"]["parent"] == gids[story]
    assert f"link:blocks:{gids[story]}" in shown[gids[bug]]["fields"]
    there_bug, there_story = key_of(globex, gids[bug]), key_of(globex, gids[story])
    globex.desk.unlink(there_bug, "blocks", there_story)
    globex.desk.link(there_story, "relates", there_bug)
    globex.desk.edit(there_story, {"parent": None})
    in_step(world)
    shown = acme.shown()
    assert "parent" not in shown[gids[story]]["fields"]
    assert f"link:relates:{gids[bug]}" in shown[gids[story]]["fields"]
    assert f"link:blocks:{gids[story]}" not in shown[gids[bug]]["fields"]


def test_what_both_edit_at_once_ends_as_one(world: World) -> None:
    acme, globex = world.sides
    key = acme.desk.create("Bug", "quarrel")
    gid = gid_of(acme, key)
    there(world, gid)
    acme.desk.edit(key, {"priority": "High", "labels:a": True, "environment": "lab"})
    globex.desk.edit(key_of(globex, gid), {"priority": "Low", "labels:b": True, "due_date": "2026-12-01"})
    now = there(world, gid)
    assert now["priority"] == "High"
    assert {"labels:a": True, "labels:b": True, "environment": "lab", "due_date": "2026-12-01"}.items() <= now.items()


def test_trap31_a_text_that_is_too_long_for_one_side_loses_nothing_at_the_other() -> None:
    long = "Es rinnt.\n\n" * 500
    with two_trackers((DC9, CLOUD), settings="text_limit: 2000") as world:
        acme, globex = world.sides
        key = acme.desk.create("Bug", "long", {"description": long})
        comment = acme.desk.comment(key, long)
        gid = gid_of(acme, key)
        assert there(world, gid)["description"] == long  # and nothing is told back
        with globex.site.ledger.begin() as conn:
            told = list(conn.exec_driver_sql("select detail from event where kind = 'Spilled' order by row").scalars())
            counted = (
                conn.exec_driver_sql("select field from shortfall where cause = 'attached' order by field").scalars().all()
            )
        assert [b'"description"' in one for one in told] == [True, False]
        assert counted == ["comment.body", "description"]
        assert isinstance(globex, JiraSide)
        issue = globex.jira.store.issues[key_of(globex, gid)]
        stands = str(issue.values["description"])
        assert (len(stands) <= 2_000, len(issue.attachments)) == (True, 2)
        globex.desk.edit(issue.id, {"description": stands.replace("Es rinnt.", "Es tropft.", 1)})
        assert there(world, gid)["description"] == long.replace("Es rinnt.", "Es tropft.", 1)
        acme.desk.edit(key, {"description": "short", "summary": "short"})
        acme.desk.delete_comment(key, comment)
        assert there(world, gid)["description"] == "short"
        assert issue.attachments == []
        with globex.site.ledger.begin() as conn:
            assert conn.exec_driver_sql("select item, field, cause from shortfall where not sent").all() == []


def test_a_picture_is_there_before_the_text_that_shows_it_and_texts_go_to_the_letter() -> None:
    wiki = "h1. Was\n\n||a||b||\n|1|{color:red}2{color}|\n{code:java}x *y*{code}\n!pump.png|thumbnail! [^pump.png]\n----\n\\\\ [a|http://b.c/#d]"
    with two_trackers((DC9, CLOUD)) as world:
        acme, globex = world.sides
        key = acme.desk.create("Bug", "to be seen")
        gid = gid_of(acme, key)
        there(world, gid)
        acme.desk.edit(key, {"description": wiki})
        acme.desk.comment(key, wiki)
        acme.desk.attach(key, "pump.png", [b"a picture"])
        assert isinstance(globex, JiraSide)
        globex.jira.forget_requests()
        calm(world)
        asked = [f"{one.partition(' ')[0]} {one.rpartition('/')[2]}" for one in writes(globex)]
        local = key_of(globex, gid)
        assert there(world, gid)["description"] == wiki
        assert asked.index("POST attachments") < asked.index(f"PUT {local}") < asked.index("POST comment")
        assert entries(globex, gid, Kind.COMMENT).keys() == {wiki}


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_of_ours_that_is_set_while_we_work_makes_nothing_double(world: World, hours: int) -> None:
    acme = world.acme
    gid = gid_of(acme, acme.desk.create("Bug", "before"))
    in_step(world)
    world.clock.advance(hours=hours)
    acme.desk.comment(key_of(acme, gid), "after")
    acme.desk.create("Bug", "after")
    in_step(world)
    for side in world.sides:
        assert sorted(str(one.fields["summary"]) for one in side.issues()) == ["after", "before"]
        assert entries(side, gid, Kind.COMMENT).keys() == {"after"}


@pytest.mark.parametrize("pair", PAIRS, ids=_named)
@pytest.mark.parametrize("by", ["acme", "globex"])
def test_a_deletion_is_carried_out_where_the_contract_says_so(pair: tuple[End, End], by: str) -> None:
    with two_trackers(pair, text=_contract("mirror")) as world:
        side = next(one for one in world.sides if one.name == by)
        gids = [gid_of(one, one.desk.create("Bug", f"made at {one.name}")) for one in world.sides]
        kept = gid_of(side, side.desk.create("Bug", "stays"))
        in_step(world)
        for gid in gids:
            side.desk.delete(key_of(side, gid))
        in_step(world)
        assert [one.shown().keys() for one in world.sides] == [{kept}, {kept}]


@pytest.mark.parametrize("pair", PAIRS, ids=_named)
@pytest.mark.parametrize("by", ["acme", "globex"])
def test_a_deletion_is_marked_where_the_contract_says_so_and_the_mark_is_told_to_nobody(pair: tuple[End, End], by: str) -> None:
    with two_trackers(pair) as world:
        side = next(one for one in world.sides if one.name == by)
        gid = gid_of(side, side.desk.create("Bug", "gone here"))
        in_step(world)
        side.desk.delete(key_of(side, gid))
        in_step(world)
        other = world.other(side)
        assert [other.gid(one) for one in other.issues()] == [gid]
        assert side.issues() == []
        if isinstance(other, JiraSide):
            (issue,) = other.jira.store.issues.values()
            (mark,) = issue.comments
            assert side.name in mark.body


@pytest.mark.parametrize("end", [DC9, CLOUD], ids=["dc9", "cloud"])
def test_an_issue_of_a_jira_is_closed_where_the_mapping_says_so_and_that_is_told_to_nobody(end: End) -> None:
    with two_trackers((EMBEDDED, end), mappings=("", "deletes: {issue: {close: Done, resolution: Duplicate}}\n")) as world:
        acme, globex = world.sides
        gid = gid_of(acme, acme.desk.create("Bug", "gone here"))
        in_step(world)
        acme.desk.delete(key_of(acme, gid))
        in_step(world)
        assert isinstance(globex, JiraSide)
        (issue,) = globex.jira.store.issues.values()
        (mark,) = issue.comments
        assert "acme" in mark.body
        assert (globex.jira.store.statuses[issue.status].name, acme.issues()) == ("Done", [])
        assert next(one.name for one in globex.jira.store.resolutions if one.id == issue.values["resolution"]) == "Duplicate"


@pytest.mark.parametrize("end", [DC9, CLOUD], ids=["dc9", "cloud"])
def test_an_issue_of_a_jira_shows_the_partners_key_in_a_link_and_a_property_that_travel_nowhere(end: End) -> None:
    text = template("contract.yaml").replace("# keys: true ", "keys: true ") + "  web_links: {kind: text, many: true}\n"
    shows = "partner: {link: 'https://acme.example/browse/{key}', property: true, state: true}\n"
    with two_trackers((DC10, end), text=text, settings="web_links: true", mappings=("", shows)) as world:
        acme, globex = world.sides
        gids = [gid_of(acme, acme.desk.create("Bug", "of acme")), gid_of(globex, globex.desk.create("Bug", "of globex"))]
        in_step(world)
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        for gid in gids:
            key = acme.jira.store.issues[key_of(acme, gid)].key
            issue = globex.jira.store.issues[key_of(globex, gid)]
            assert issue.properties["filesync.partner.acme"] == {"partner": "acme", "key": key, "state": "in step"}
            assert [one.body["object"]["url"] for one in issue.remote_links] == [f"https://acme.example/browse/{key}"]
            assert not any(name.startswith("web_links") for name in globex.shown()[gid]["fields"])


def test_what_leaves_the_scope_of_a_jira_or_its_project_is_told_and_said_until_it_is_back() -> None:
    leaving = "leaving: {out: tell, in: mark}\n"
    with two_trackers((DC9, CLOUD), scope="labels = shared", mappings=(leaving, leaving)) as world:
        acme, globex = world.sides
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        gid = gid_of(acme, acme.desk.create("Bug", "one", {"labels:shared": True}))
        in_step(world)
        (local,), (issue,) = acme.jira.store.issues, globex.jira.store.issues.values()
        acme.desk.edit(key_of(acme, gid), {"labels:shared": None, "priority": "High"})
        for _ in range(3):
            calm(world)
        (notice,) = issue.comments
        assert notice.body.startswith("_acme has let go of this issue: ")
        acme.desk.edit(key_of(acme, gid), {"labels:shared": True})
        in_step(world)
        assert issue.comments == []
        acme.jira.person("admin").move(local, "XYZ")
        for _ in range(3):
            calm(world)
        (notice,) = issue.comments
        assert notice.body.startswith("_acme has moved its own of this issue to another project: ")


def test_an_issue_that_the_scope_of_a_jira_does_not_hold_is_started_by_hand_and_stopped_again() -> None:
    with two_trackers((DC9, EMBEDDED), scope="labels = shared") as world:
        acme, globex = world.sides
        gid = gid_of(acme, acme.desk.create("Bug", "one"))
        world.round()
        assert globex.issues() == []
        for hand, summary in ((Hand.STARTED, "one"), (Hand.STARTED, "edited"), (Hand.STOPPED, "edited")):
            say(acme.site, acme.exchange(), [gid], hand, apply=True)
            world.clock.advance(minutes=5)
            world.round()
            assert [one.fields["summary"] for one in globex.issues()] == [summary]
            # named by the poll, which knows of no scope
            acme.desk.edit(key_of(acme, gid), {"summary": "edited" if hand is Hand.STARTED else "kept here"})
        globex.desk.edit(key_of(globex, gid), {"priority": "High"})
        world.clock.advance(minutes=5)
        world.round()
        assert [one.fields["summary"] for one in globex.issues()] == ["edited"]
        assert [row.waits_for for row in acme.queued()] == [STOPPED]


def _contract(deletes: str) -> str:
    return template("contract.yaml").replace("  issue: mark ", f"  issue: {deletes} ")
