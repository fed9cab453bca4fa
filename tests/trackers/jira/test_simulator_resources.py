"""What the simulated Jira's resources do that a caller might not expect, as real ones do it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jira.site import CLOUD, DC9, DC10, FLAVOURS, JiraSite
from tests.trackers.jira.test_simulator import Client


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def site(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    with JiraSite(request.param) as site:
        yield site


@pytest.fixture
def client(site: JiraSite) -> Iterator[Client]:
    client = Client(site)
    yield client
    client.connection.close()


def test_a_version_is_renamed_merged_and_removed_without_its_issues_having_changed(site: JiraSite, client: Client) -> None:
    issue = client.make(fixVersions=[{"name": "1.0"}], components=[{"name": "Firmware"}, {"name": "Hydraulics"}])
    before = client.get(f"issue/{issue}?fields=updated")["fields"]["updated"]
    site.rename_version("1.0", "1.0 LTS")
    versions = {version["name"]: version["id"] for version in client.get("project/ABC/versions")}
    parts = {part["name"]: part["id"] for part in client.get("project/ABC/components")}

    def shown() -> tuple[list[str], list[str]]:
        fields = client.get(f"issue/{issue}?fields=fixVersions,components,updated")["fields"]
        assert fields["updated"] == before
        return [one["name"] for one in fields["fixVersions"]], [one["name"] for one in fields["components"]]

    assert shown() == (["1.0 LTS"], ["Firmware", "Hydraulics"])
    assert client.call("PUT", f"version/{versions['1.0 LTS']}/mergeto/{versions['1.1']}")[0] == 204
    assert client.call("DELETE", f"component/{parts['Firmware']}?moveIssuesTo={parts['Hydraulics']}")[0] == 204
    assert shown() == (["1.1"], ["Hydraulics"])
    assert client.call("POST", f"version/{versions['1.1']}/removeAndSwap", {})[0] == 204
    assert shown() == ([], ["Hydraulics"])


def test_a_bulk_is_made_in_part(client: Client) -> None:
    good: Any = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "s"}
    updates = [{"fields": good}, {"fields": {**good, "summary": ""}}, {"fields": good}]
    status, shown = client.call("POST", "issue/bulk", {"issueUpdates": updates})
    assert status == 201
    assert [issue["key"] for issue in shown["issues"]] == ["ABC-1", "ABC-2"]
    (error,) = shown["errors"]
    assert (error["failedElementNumber"], list(error["elementErrors"]["errors"])) == (1, ["summary"])


def test_history_is_oldest_first_on_data_center_and_newest_first_on_cloud(site: JiraSite, client: Client) -> None:
    issue = client.make()
    for number in range(45):
        client.call("PUT", f"issue/{issue}", {"fields": {"summary": str(number)}})
    shown = client.get(f"issue/{issue}?expand=changelog")["changelog"]
    texts = [history["items"][0]["toString"] for history in shown["histories"]]
    every = [str(number) for number in range(45)]
    assert shown["total"] == 45
    assert texts == (every[:4:-1] if site.flavour.cloud else every)
    assert "fieldId" in shown["histories"][0]["items"][0] or site.flavour.dc


def test_the_worklog_feeds_withhold_the_last_minute(site: JiraSite, client: Client) -> None:
    person = site.person("a.lindqvist")
    issue = person.create({})
    kept, gone = person.log_work(issue, 60), person.log_work(issue, 60)
    person.delete_worklog(issue, gone)
    assert client.get("worklog/updated?since=0")["values"] == []
    site.site_clock().forward(61)
    assert [one["worklogId"] for one in client.get("worklog/updated?since=0")["values"]] == [int(kept)]
    deleted = client.get("worklog/deleted?since=0")
    assert [one["worklogId"] for one in deleted["values"]] == [int(gone)]
    assert client.get(f"worklog/deleted?since={deleted['until']}")["values"] == []


def test_an_issue_holds_twenty_worklogs_and_the_resource_all(site: JiraSite, client: Client) -> None:
    person = site.person("a.lindqvist")
    issue = person.create({})
    for _ in range(23):
        person.log_work(issue, 60)
    shown = client.get(f"issue/{issue}?fields=worklog")["fields"]["worklog"]
    assert (len(shown["worklogs"]), shown["total"]) == (20, 23)
    assert len(client.get(f"issue/{issue}/worklog")["worklogs"]) == 23


def test_logged_work_leaves_the_estimate_only_where_asked(client: Client) -> None:
    issue = client.make(timetracking={"originalEstimate": "1d"})
    work = {"timeSpentSeconds": 3600, "started": "2026-11-22T10:00:00.000+0000"}
    assert client.call("POST", f"issue/{issue}/worklog?adjustEstimate=leave", work)[0] == 201
    shown = client.get(f"issue/{issue}?fields=timetracking")["fields"]["timetracking"]
    assert (shown["remainingEstimateSeconds"], shown["timeSpentSeconds"]) == (28_800, 3600)
    client.call("POST", f"issue/{issue}/worklog", work)
    assert client.get(f"issue/{issue}?fields=timetracking")["fields"]["timetracking"]["remainingEstimate"] == "7h"
    assert client.call("POST", f"issue/{issue}/worklog", {**work, "started": "2026-11-22T10:00:00Z"})[0] == 400


def test_a_sprint_is_a_java_objects_text_on_data_center(site: JiraSite, client: Client) -> None:
    field = next(one["id"] for one in client.get("field") if one["name"] == "Sprint")
    first, second = site.add_sprint("S 1, part [a]", "closed", "calm, [really]"), site.add_sprint("S 2")
    issue = client.make(**{field: first})
    assert client.call("PUT", f"issue/{issue}", {"fields": {field: second}})[0] == 204
    shown = client.get(f"issue/{issue}")["fields"][field]
    if site.flavour.cloud:
        assert [one["name"] for one in shown] == ["S 1, part [a]", "S 2"]
    else:
        assert "name=S 1, part [a],startDate=<null>" in shown[0]
    status, _, text = client.raw("GET", f"/rest/agile/1.0/issue/{issue}?fields=sprint")
    fields = json.loads(text)["fields"]
    assert (status, fields["sprint"]["name"], fields["closedSprints"][0]["id"]) == (200, "S 2", first)


def test_an_epic_is_a_link_on_data_center_and_a_parent_on_cloud(site: JiraSite, client: Client) -> None:
    epic, story = client.make(issuetype={"name": "Epic"}), client.make(issuetype={"name": "Story"})
    assert client.raw("POST", f"/rest/agile/1.0/epic/{epic}/issue", {"issues": [story]})[0] == 204
    fields = client.get(f"issue/{story}")["fields"]
    if site.flavour.cloud:
        assert fields["parent"]["id"] == epic
        body: dict[str, Any] = {"update": {"parent": [{"set": {"none": True}}]}}
    else:
        field = next(one["id"] for one in client.get("field") if one["name"] == "Epic Link")
        assert fields[field] == "ABC-1"
        body = {"fields": {field: None}}
    assert client.call("PUT", f"issue/{story}", body)[0] == 204
    assert client.get(f"issue/{story}?fields=parent")["fields"]["parent"] is None


def test_sub_tasks_need_a_parent_and_keep_it_from_being_deleted(site: JiraSite, client: Client) -> None:
    parent = client.make()
    kind = {"issuetype": {"name": "Sub-task"}}
    body = {"fields": {"project": {"key": "ABC"}, "summary": "s", **kind}}
    assert client.call("POST", "issue", body)[0] == 400
    child = client.make(**kind, parent={"id": parent})
    assert [one["id"] for one in client.get(f"issue/{parent}?fields=subtasks")["fields"]["subtasks"]] == [child]
    if site.flavour.dc:
        assert client.call("PUT", f"issue/{child}", {"fields": {"parent": {"id": client.make()}}})[0] == 400
    assert client.call("DELETE", f"issue/{parent}")[0] == 400
    assert client.call("DELETE", f"issue/{parent}?deleteSubtasks=true")[0] == 204
    assert client.call("GET", f"issue/{child}")[0] == 404


def test_a_comments_restriction_is_dropped_when_it_is_not_sent_again(site: JiraSite, client: Client) -> None:
    issue = client.make()
    level = {"type": "role", "value": "Administrators"}
    _, made = client.call("POST", f"issue/{issue}/comment", {"body": "secret", "visibility": level})
    other = Client(site, "a.lindqvist")
    assert other.get(f"issue/{issue}/comment")["total"] == 0
    client.call("PUT", f"issue/{issue}/comment/{made['id']}", {"body": "secret"})
    assert other.get(f"issue/{issue}/comment")["total"] == 1
    other.connection.close()


def test_telling_nobody_is_for_administrators(site: JiraSite) -> None:
    person, agent = Client(site, "a.lindqvist"), Client(site)
    issue = agent.make()
    body = {"fields": {"summary": "x"}}
    assert person.call("PUT", f"issue/{issue}?notifyUsers=false", body)[0] == (204 if site.flavour.cloud else 403)
    assert agent.call("PUT", f"issue/{issue}?notifyUsers=false", body)[0] == 204
    person.connection.close()
    agent.connection.close()


def test_a_remote_link_of_the_same_global_id_is_renewed(client: Client) -> None:
    issue = client.make()
    link: dict[str, Any] = {"globalId": "filesync:1", "object": {"url": "https://example.com/1", "title": "One"}}
    status, made = client.call("POST", f"issue/{issue}/remotelink", link)
    again, renewed = client.call("POST", f"issue/{issue}/remotelink", {**link, "object": {**link["object"], "title": "1"}})
    assert (status, again, renewed["id"]) == (201, 200, made["id"])
    assert [one["object"]["title"] for one in client.get(f"issue/{issue}/remotelink")] == ["1"]
    assert client.call("POST", f"issue/{issue}/remotelink", {"object": {"url": "x"}})[0] == 400


def test_what_may_be_set_is_shown_in_the_container_of_its_jira(site: JiraSite, client: Client) -> None:
    shown = client.get("issue/createmeta/ABC/issuetypes/10004?maxResults=200")
    assert ("fields" in shown, "values" in shown, "isLast" in shown) == (site.flavour.cloud, site.flavour.dc, site.flavour.dc)
    fields = {one["fieldId"]: one for one in shown["fields" if site.flavour.cloud else "values"]}
    names = [one["name"] for one in fields.values()]
    assert (names.count("Team"), "Ref: internal" in names, "Internal Notes" in names) == (2, True, False)
    assert fields["summary"]["required"]
    assert {"Highest", "Lowest"} <= {one["name"] for one in fields["priority"]["allowedValues"]}
    assert "status" not in fields


def test_a_property_has_a_limit_and_its_own_verbs(client: Client) -> None:
    issue = client.make()
    path = f"issue/{issue}/properties/filesync"
    assert [client.call("PUT", path, {"a": 1})[0], client.call("PUT", path, ["b"])[0]] == [201, 200]
    assert client.get(path) == {"key": "filesync", "value": ["b"]}
    assert client.call("PUT", path, "x" * 32_768)[0] == 400
    assert [client.call("DELETE", path)[0], client.call("GET", path)[0]] == [204, 404]


def test_numbers_are_written_as_java_writes_them(client: Client) -> None:
    field = next(one["id"] for one in client.get("field") if one["name"] == "Story Points")
    for number, shown in ((3, b"3.0"), (-12.5, b"-12.5"), (12_345_678.5, b"1.23456785E7"), (0.00012, b"1.2E-4")):
        issue = client.make(**{field: number})
        _, _, text = client.raw("GET", f"/rest/api/2/issue/{issue}?fields={field}")
        assert b'"%s": %s}' % (field.encode(), shown) in text
        assert json.loads(text)["fields"][field] == number


def test_resources_that_only_one_jira_has() -> None:
    there = {
        DC9.name: {"issue/ABC-1/changelog": 404, "readonly-mode": 404, "user/list": 404, "label": 404},
        DC10.name: {"issue/ABC-1/changelog": 404, "readonly-mode": 200, "user/list": 200, "label": 404},
        CLOUD.name: {"issue/ABC-1/changelog": 200, "readonly-mode": 404, "user/list": 404, "label": 200},
    }
    for flavour in FLAVOURS:
        with JiraSite(flavour) as site:
            client = Client(site)
            client.make()
            assert {path: client.call("GET", path)[0] for path in there[flavour.name]} == there[flavour.name]
            client.connection.close()


def test_an_e_mail_address_may_be_hidden_on_cloud(site: JiraSite, client: Client) -> None:
    people = client.get("user/assignable/search?project=ABC&maxResults=100")
    assert ("emailAddress" in people[0]) or site.flavour.cloud
    assert {"x.gone", "Former Colleague"}.isdisjoint({person["displayName"] for person in people})
    assert ("accountId" in people[0], "name" in people[0]) == (site.flavour.cloud, site.flavour.dc)
