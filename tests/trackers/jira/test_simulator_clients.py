"""Clients that others wrote for real Jiras work with the simulated one, unchanged."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from atlassian import Jira
from jira import JIRA, JIRAError

from tests.support.jira.site import CLOUD, DC10, FLAVOURS, JiraSite

FIELDS = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "Pump stalls at 40 bar"}


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def site(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    with JiraSite(request.param, context="/jira") as site:
        yield site


@pytest.fixture
def pycontribs(site: JiraSite) -> Iterator[Any]:  # half of it has types
    secret: dict[str, Any] = {"basic_auth": (site.email, site.token)} if site.flavour.cloud else {"token_auth": site.token}
    client: Any = JIRA(server=site.url, max_retries=0, **secret)
    yield client
    client.close()


@pytest.fixture
def atlassian(site: JiraSite) -> Iterator[Any]:
    if site.flavour.cloud:
        client = Jira(url=site.url, username=site.email, password=site.token, cloud=True)
    else:
        client = Jira(url=site.url, token=site.token, cloud=False)
    yield client
    client.close()


def test_pycontribs_makes_edits_and_moves_an_issue(site: JiraSite, pycontribs: Any) -> None:
    issue = pycontribs.create_issue(fields={**FIELDS, "labels": ["a"], "components": [{"name": "Firmware"}]})
    issue.update(fields={"description": "one\ntwo"}, update={"labels": [{"add": "b"}]})
    assert pycontribs.issue(issue.key).fields.labels == ["a", "b"]
    pycontribs.transition_issue(issue, "Start")
    pycontribs.assign_issue(issue, "陈伟" if site.flavour.cloud else "w.chen")
    found = pycontribs.issue(issue.id, expand="changelog")
    assert (found.fields.status.name, found.fields.assignee.displayName) == ("In Progress", "陈伟")
    changed = [item.field for history in found.changelog.histories for item in history.items]
    assert sorted(changed) == ["assignee", "description", "labels", "status"]
    issue.delete()
    with pytest.raises(JIRAError) as raised:
        pycontribs.issue(issue.id)
    assert raised.value.status_code == 404


def test_pycontribs_talks_about_an_issue(site: JiraSite, pycontribs: Any) -> None:
    issue = pycontribs.create_issue(fields=FIELDS)
    comment = pycontribs.add_comment(issue, "hello", visibility={"type": "role", "value": "Developers"})
    comment.update(body="hello again", visibility={"type": "role", "value": "Developers"})
    (seen,) = pycontribs.comments(issue)
    assert (seen.body, seen.visibility.value) == ("hello again", "Developers")
    worklog = pycontribs.add_worklog(issue, timeSpentSeconds=3600, comment="work")
    assert [one.timeSpentSeconds for one in pycontribs.worklogs(issue.id)] == [3600]
    worklog.delete()
    attachment = pycontribs.add_attachment(issue, io.BytesIO(b"abc"), "prüf.txt")
    assert pycontribs.attachment(attachment.id).filename == "prüf.txt"
    other = pycontribs.create_issue(fields=FIELDS)
    pycontribs.create_issue_link("Blocks", inwardIssue=issue.key, outwardIssue=other.key)
    (link,) = pycontribs.issue(issue.id).fields.issuelinks
    assert link.outwardIssue.key == other.key
    pycontribs.add_issue_property(issue.id, "filesync", {"a": 1})
    assert pycontribs.issue_property(issue.id, "filesync").value.a == 1


def test_pycontribs_searches_and_asks_what_there_is(site: JiraSite, pycontribs: Any) -> None:
    for number in range(7):
        pycontribs.create_issue(fields={**FIELDS, "summary": str(number)})
    jql = "project = ABC ORDER BY created ASC"
    if site.flavour.cloud:
        found = pycontribs.enhanced_search_issues(jql, maxResults=0, fields=["summary"])
    else:
        found = pycontribs.search_issues(jql, maxResults=False, fields="summary")
    assert [issue.fields.summary for issue in found] == [str(number) for number in range(7)]
    assert {"Blocks", "Duplicate"} <= {kind.name for kind in pycontribs.issue_link_types()}
    if site.flavour.cloud:
        (project,) = pycontribs.createmeta(projectKeys="ABC", expand="projects.issuetypes.fields")["projects"]
        kinds, fields = {kind["name"] for kind in project["issuetypes"]}, set(project["issuetypes"][0]["fields"])
    else:
        kinds = {kind.name for kind in pycontribs.project_issue_types("ABC", maxResults=50)}
        fields = {field.fieldId for field in pycontribs.project_issue_fields("ABC", "10004", maxResults=100)}
    assert {"Bug", "Story"} <= kinds
    assert "summary" in fields
    assert "1.0" in {version.name for version in pycontribs.project_versions("ABC")}
    assert pycontribs.create_version("3.0", "ABC").name == "3.0"
    assert {"Highest", "Lowest"} <= {priority.name for priority in pycontribs.priorities()}
    assert {"Done", "To Do"} <= {status.name for status in pycontribs.statuses()}
    assert pycontribs.myself()["displayName"] == "FileSync Agent"


def test_pycontribs_is_told_why_not(pycontribs: Any) -> None:
    with pytest.raises(JIRAError, match="newline") as raised:
        pycontribs.create_issue(fields={**FIELDS, "summary": "a\nb"})
    assert raised.value.status_code == 400


def test_atlassian_makes_edits_and_moves_an_issue(site: JiraSite, atlassian: Any) -> None:
    made = atlassian.issue_create(fields=FIELDS)
    key = made["key"]
    atlassian.update_issue_field(key, {"description": "d", "labels": ["x"]})
    atlassian.set_issue_status(key, "In Progress")
    atlassian.issue_add_comment(key, "hello")
    shown = atlassian.issue(key)["fields"]
    assert (shown["description"], shown["labels"], shown["status"]["name"]) == ("d", ["x"], "In Progress")
    assert [comment["body"] for comment in atlassian.issue_get_comments(key)["comments"]] == ["hello"]
    atlassian.issue_worklog(key, "2026-11-22T10:00:00.000+0000", 3600, comment="work")
    assert [one["timeSpentSeconds"] for one in atlassian.issue_get_worklog(key)["worklogs"]] == [3600]
    other = atlassian.issue_create(fields=FIELDS)["key"]
    atlassian.create_issue_link({"type": {"name": "Relates"}, "inwardIssue": {"key": key}, "outwardIssue": {"key": other}})
    assert atlassian.issue(other)["fields"]["issuelinks"][0]["inwardIssue"]["key"] == key
    atlassian.create_or_update_issue_remote_links(key, "https://example.com/1", "One", global_id="g1")
    assert [link["globalId"] for link in atlassian.get_issue_remote_links(key)] == ["g1"]
    atlassian.delete_issue(key)
    assert not atlassian.issue_exists(key)


def test_atlassian_searches(site: JiraSite, atlassian: Any) -> None:
    for number in range(3):
        atlassian.issue_create(fields={**FIELDS, "summary": str(number)})
    jql = "project = ABC AND summary ~ 1"
    found = atlassian.enhanced_jql(jql, fields="summary") if site.flavour.cloud else atlassian.jql(jql, fields="summary")
    assert [issue["fields"]["summary"] for issue in found["issues"]] == ["1"]
    assert "ABC" in {project["key"] for project in atlassian.projects()}
    assert {field["id"] for field in atlassian.get_all_fields()} >= {"summary", "created"}


def test_each_flavour_has_only_its_own_resources() -> None:
    with JiraSite(DC10) as dc, JiraSite(CLOUD) as cloud:
        old: Any = JIRA(server=dc.url, token_auth=dc.token, max_retries=0)
        new: Any = JIRA(server=cloud.url, basic_auth=(cloud.email, cloud.token), max_retries=0)
        assert (old._is_cloud, new._is_cloud) == (False, True)
        old.close()
        new.close()
