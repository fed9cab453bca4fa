"""What a project of Jira has: names, kinds, screens, options; and what is left out, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ConfigError, Unavailable
from filesync.model.values import FieldKind
from filesync.rules.load import gaps
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.translate.bodies import create_body
from filesync.trackers.jira.translate.catalogue import read_screen
from tests.rules.build import rules
from tests.trackers.jira.shape import FakeJira, Flavour, NoCreating, catalogue, custom

both = pytest.mark.parametrize("cloud", [False, True], ids=["dc", "cloud"])


@both
def test_the_fields_have_our_names_and_kinds(cloud: bool) -> None:
    specs = {one.name: one for one in catalogue(cloud=cloud).specs}
    assert {"summary", "description", "type", "status", "parent", "fix_versions", "due", "original_estimate"} <= specs.keys()
    assert (specs["Severity"].kind, specs["Severity"].options) == (FieldKind.OPTION, ("Major", "Minor"))
    assert specs["Location"].options == ("Pump", "Pump/Seal", "Pump/Shaft", "Bench")
    assert (specs["Platforms"].kind, specs["Platforms"].many) == (FieldKind.OPTION, True)
    assert specs["components"].options == ("Firmware", "Field bus")
    assert specs["type"].options == ("Bug", "Epic", "Sub-task")
    assert specs["status"].options == ("To Do", "Done")
    assert specs["resolution"].options == ("Fixed",)
    assert specs["security"].options == ("Staff",)
    assert [name for name, one in specs.items() if one.required] == ["summary", "type", "status"]


def test_versions_are_asked_for_once_though_several_fields_take_them() -> None:
    jira = FakeJira(cloud=False)
    found = read_catalogue(jira, Flavour(cloud=False), "ABC")
    assert [one.options for one in found.fields if one.kind is FieldKind.VERSION] == [("1.0", "2.0, rev. C")] * 4
    paged = {path for path in jira.asked if path in jira.pages}
    once = [path for path in jira.asked if path not in paged]
    assert len(once) == len(set(once))


@both
def test_special_kinds_stand_once_each(cloud: bool) -> None:
    kinds = [one.kind for one in catalogue(cloud=cloud).specs]
    assert [kinds.count(kind) for kind in (FieldKind.TYPE, FieldKind.STATUS, FieldKind.PARENT)] == [1, 1, 1]


@both
def test_a_name_that_is_not_unique_or_has_a_colon_or_is_jiras_own_gives_way_to_the_id(cloud: bool) -> None:
    found = catalogue(cloud=cloud)
    names = {one.id: one.name for one in found.fields}
    assert all(names[f"customfield_{n}"] == f"customfield_{n}" for n in (10120, 10121, 10122, 10123, 10126))
    assert len(found.by_name) == len(found.fields)
    assert all(":" not in name for name in found.by_name)


@both
def test_the_settings_name_a_field_and_bring_in_one_that_is_on_no_screen(cloud: bool) -> None:
    found = catalogue(cloud=cloud, names={"customfield_10120": "Severity", "customfield_10125": "elsewhere"})
    names = {one.id: one.name for one in found.fields}
    assert (names["customfield_10120"], names["customfield_10125"]) == ("Severity", "elsewhere")
    assert names["customfield_10108"] == "customfield_10108"  # it would be called so, too


def test_every_wrong_name_in_the_settings_is_told_at_once() -> None:
    wrong = {
        "customfield_1": "gone",
        "summary": "title",
        "customfield_10101": "a:b",
        "customfield_10102": "labels",
        "customfield_10103": "twice",
        "customfield_10104": "twice",
        "customfield_10105": "link",
    }
    with pytest.raises(ConfigError) as caught:
        catalogue(cloud=False, names=wrong)
    assert sorted(one.where.rpartition(".")[2] for one in caught.value.problems) == sorted(wrong)


@both
def test_what_is_left_out_is_listed_with_the_reason(cloud: bool) -> None:
    left_out = catalogue(cloud=cloud).left_out
    assert "com.example.moods:mood" in left_out["Mood"] == left_out["customfield_10124"]
    assert "on no screen" in left_out["Elsewhere"]
    assert "`parent`" in left_out["Epic Link"]
    assert {"Votes", "watches", "Rank"} <= left_out.keys()


def test_a_field_of_another_project_of_the_cloud_is_none_of_ours() -> None:
    jira = FakeJira(cloud=True)
    scope = {"type": "PROJECT", "project": {"id": "99999"}}
    theirs = custom(10999, "Severity", "com.atlassian.jira.plugin.system.customfieldtypes:select", scope=scope)
    jira.answers["rest/api/2/field"].append(theirs)
    found = read_catalogue(jira, Flavour(cloud=True), "ABC")
    assert found.by_name["Severity"].id == "customfield_10108"
    assert not [name for name in found.left_out if "10999" in name]


@both
def test_pages_are_read_to_their_end_in_either_container(cloud: bool) -> None:
    screens = {name: one.screen for name, one in catalogue(cloud=cloud).types.items()}
    assert all(screen is not None and len(screen) > 20 for screen in screens.values())
    assert screens["Epic"]["customfield_10117"].required  # type: ignore[index]
    assert "customfield_10105" not in screens["Sub-task"]  # type: ignore[operator]


def test_of_sprints_of_one_name_none_is_known() -> None:
    assert catalogue(cloud=True).sprints.ids == {"S 1": ("3",), "S 2": ("4", "5")}


def test_a_board_that_is_deleted_while_they_are_read_has_no_sprints() -> None:
    jira = FakeJira(cloud=False)
    del jira.pages["rest/agile/1.0/board/2/sprint"]
    assert read_catalogue(jira, Flavour(cloud=False), "ABC").sprints.ids == {"S 1": ("3",), "S 2": ("4",)}


@both
def test_users_are_told_by_the_name_that_fields_hold(cloud: bool) -> None:
    users = catalogue(cloud=cloud).users
    assert users["5:anna" if cloud else "anna"] == "Anna Li"


def test_an_account_that_makes_no_issues_still_sees_the_fields() -> None:
    found = read_catalogue(NoCreating(cloud=False), Flavour(cloud=False), "ABC")
    assert {"Severity", "Elsewhere"} <= found.by_name.keys()
    assert {one.screen for one in found.types.values()} == {None}
    assert create_body(found, {"type": "Bug", "summary": "x", "Severity": "Major"}, key_of=lambda _: None).absent == ()


@pytest.mark.parametrize("path", ["project/ABC", "field", "project/10000/statuses", "issueLinkType", "user/assignable/search"])
@pytest.mark.parametrize("answer", [None, "<html>", {}, [1], [{}], {"issueLinkTypes": [{"id": "../1"}]}])
def test_trap21_what_is_no_answer_of_jiras_is_no_catalogue(path: str, answer: object) -> None:
    jira = FakeJira(cloud=False)
    jira.answers["rest/api/2/" + path] = answer
    with pytest.raises(Unavailable) as caught:
        read_catalogue(jira, Flavour(cloud=False), "ABC")
    assert str(caught.value).isprintable()


def test_trap39_the_projects_key_is_no_path() -> None:
    jira = FakeJira(cloud=False)
    jira.answers["rest/api/2/project/..%2F..%2Fadmin"] = jira.answers["rest/api/2/project/ABC"]
    read_catalogue(jira, Flavour(cloud=False), "../../admin")
    assert not [path for path in jira.asked if ".." in path.replace("..%2F", "")]


def test_editmeta_and_a_transitions_fields_are_read_as_createmeta_is() -> None:
    edit = {"resolution": {"required": True, "operations": ["set"], "allowedValues": [{"name": "Fixed"}, "plain"]}}
    meta = read_screen(edit.items())["resolution"]
    assert (meta.required, meta.allowed, meta.operations) == (True, ("Fixed", "plain"), frozenset({"set"}))
    assert not meta.default
    assert read_screen([("x", {"required": True, "hasDefaultValue": True})])["x"].default


def test_check_says_why_a_field_that_the_contract_names_is_not_carried(tmp_path: Path) -> None:
    found = catalogue(cloud=False)
    agreed = (
        "version: 1\ntypes: [Bug]\nfields: {mood: {kind: text}, votes: {kind: text}, owner: {kind: user}, x: {kind: text}}\n"
    )
    mapped = rules(tmp_path, agreed, "fields: {Mood: mood, Owner: owner}\n")
    told = gaps(mapped, fields=found.specs, types=(), statuses=(), links=(), left_out=found.left_out)
    said = {problem.where: problem.what for problem in told}
    assert said.keys() == {"mood", "votes", "x"}
    assert said["mood"].startswith('the tracker\'s field "Mood" is not carried: a field of the type com.example.moods:mood')
    assert said["votes"] == 'the tracker\'s field "votes" is not carried: Jira lets nobody vote for another'
    assert "com.example.moods:mood" in told[0].what


@both
def test_refusals_are_by_our_names(cloud: bool) -> None:
    found = catalogue(cloud=cloud)
    assert found.names_of("timetracking") == ("original_estimate", "remaining_estimate")
    assert found.names_of("customfield_10116") == (() if cloud else ("parent",))
    assert found.names_of("fixVersions") == ("fix_versions",)
    assert found.names_of("nonsense") == ()
