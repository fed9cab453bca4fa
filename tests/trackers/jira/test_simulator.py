"""The simulated Jira is what its tests take it for: its core, over HTTP, in every flavour."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.support.jira.site import CLOUD, DC10, FLAVOURS, Flavour, JiraSite


class Client:
    """The plainest of clients, over one connection."""

    def __init__(self, site: JiraSite, name: str = "filesync") -> None:
        self.site = site
        user = site.store.person(name)
        secret = f"{user.email}:{user.token}" if site.flavour.cloud else f"{user.name}:{user.password}"
        self.headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
        parts = urlsplit(site.url)
        assert parts.hostname is not None
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        self.context = parts.path

    def raw(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {**self.headers, **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        self.connection.request(method, self.context + path, data, sent)
        answer = self.connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, _, text = self.raw(method, f"/rest/api/2/{path}", body)
        return status, json.loads(text) if text else None

    def get(self, path: str) -> Any:
        status, shown = self.call("GET", path)
        assert status == 200, shown
        return shown

    def find(self, jql: str, **more: Any) -> list[str]:
        """The keys that a search finds."""
        path = "search/jql" if self.site.flavour.cloud else "search"
        status, shown = self.call("POST", path, {"jql": jql, "fields": ["key"], **more})
        assert status == 200, shown
        return [issue["key"] for issue in shown["issues"]]

    def refused(self, jql: str) -> str:
        path = "search/jql" if self.site.flavour.cloud else "search"
        status, shown = self.call("POST", path, {"jql": jql})
        assert status == 400, shown
        return str(shown["errorMessages"][0])

    def make(self, **fields: Any) -> str:
        base = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "Pump stalls"}
        status, shown = self.call("POST", "issue", {"fields": {**base, **fields}})
        assert status == 201, shown
        return str(shown["id"])


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def site(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    with JiraSite(request.param) as site:
        yield site


@pytest.fixture
def client(site: JiraSite) -> Iterator[Client]:
    client = Client(site)
    yield client
    client.connection.close()


def opened(flavour: Flavour, **more: Any) -> JiraSite:
    return JiraSite(flavour, **more)


def test_an_issue_is_made_with_its_marker_and_read_again(client: Client) -> None:
    fields = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "s", "labels": ["b", "a"]}
    status, made = client.call("POST", "issue", {"fields": fields, "properties": [{"key": "filesync", "value": {"a": 1}}]})
    assert status == 201
    shown = client.get(f"issue/{made['id']}?fields=labels,status,comment&properties=filesync")
    assert shown["key"] == "ABC-1"
    assert shown["fields"]["labels"] == ["a", "b"]
    assert shown["fields"]["status"]["name"] == "To Do"
    assert shown["properties"] == {"filesync": {"a": 1}}


def test_all_that_is_wrong_with_an_edit_is_said_at_once(client: Client) -> None:
    issue = client.make()
    body = {"fields": {"summary": "a\nb", "status": {"name": "Done"}, "nothing": 1}, "update": {"labels": [{"add": "a b"}]}}
    status, shown = client.call("PUT", f"issue/{issue}", body)
    assert status == 400
    assert set(shown["errors"]) == {"summary", "status", "nothing", "labels"}
    assert "not on the appropriate screen" in shown["errors"]["status"]


def test_a_transition_goes_where_the_workflow_allows(client: Client) -> None:
    issue = client.make()
    steps = {step["name"]: step["id"] for step in client.get(f"issue/{issue}/transitions")["transitions"]}
    assert set(steps) == {"Start", "Decline"}
    assert client.call("POST", f"issue/{issue}/transitions", {"transition": {"id": steps["Start"]}}) == (204, None)
    assert client.get(f"issue/{issue}?fields=status")["fields"]["status"]["name"] == "In Progress"
    assert client.call("POST", f"issue/{issue}/transitions", {"transition": {"id": steps["Start"]}})[0] == 400


def test_comments_carry_their_properties_and_bump_the_issue(client: Client) -> None:
    issue = client.make()
    before = client.get(f"issue/{issue}?fields=updated")["fields"]["updated"]
    marker = [{"key": "filesync", "value": "gid"}]
    status, made = client.call("POST", f"issue/{issue}/comment", {"body": "hello", "properties": marker})
    assert status == 201
    listed = client.get(f"issue/{issue}/comment?expand=properties")
    assert (listed["total"], listed["comments"][0]["id"], listed["comments"][0]["properties"]) == (1, made["id"], marker)
    assert client.get(f"issue/{issue}?fields=updated")["fields"]["updated"] > before


def test_the_source_of_a_link_shows_its_target_as_outward(client: Client) -> None:
    source, target = client.make(), client.make()
    body = {"type": {"name": "Blocks"}, "inwardIssue": {"id": source}, "outwardIssue": {"id": target}}
    assert client.call("POST", "issueLink", body) == (201, None)
    assert client.call("POST", "issueLink", body) == (201, None)
    (shown,) = client.get(f"issue/{source}?fields=issuelinks")["fields"]["issuelinks"]
    assert (shown["outwardIssue"]["id"], "inwardIssue" in shown) == (target, False)
    (other,) = client.get(f"issue/{target}?fields=issuelinks")["fields"]["issuelinks"]
    assert (other["id"], other["inwardIssue"]["id"]) == (shown["id"], source)


def test_jql_means_what_jira_means_by_it(client: Client) -> None:
    client.make(labels=["joint"], components=[{"name": "Firmware"}])
    client.make(summary="noise at the shaft seal", priority={"name": "High"})
    client.make(issuetype={"name": "Story"}, labels=["other"])
    assert client.find("project = ABC ORDER BY key DESC") == ["ABC-3", "ABC-2", "ABC-1"]
    assert client.find("project = ABC AND labels != joint") == ["ABC-3"]  # an empty field is not unequal
    assert client.find("project = ABC AND NOT (labels = joint)") == ["ABC-3"]
    assert client.find("project = ABC AND labels is EMPTY") == ["ABC-2"]
    assert client.find('issuetype in (Bug, "Story") and summary ~ "shaft" or component = Firmware order by key') == [
        "ABC-1",
        "ABC-2",
    ]
    assert client.find("creator = currentUser() and priority = High and key in (ABC-2, ABC-3)") == ["ABC-2"]
    assert client.find("key > ABC-1 AND key <= ABC-3 ORDER BY created ASC, key ASC") == ["ABC-2", "ABC-3"]
    assert "does not exist or you do not have permission" in client.refused("nonsense = 1")
    assert "reserved JQL word" in client.refused("project = AND")
    assert "does not exist for the field" in client.refused("project = NOPE")


def test_a_quoted_date_is_a_minute_in_the_users_zone_and_a_number_is_a_moment() -> None:
    with opened(DC10, account_zone="Asia/Tokyo") as site:
        client = Client(site)
        client.make()  # at 10:00:01 UTC: 19:00 in Tokyo
        assert client.find('project = ABC AND created >= "2026-11-23 19:00"') == ["ABC-1"]
        assert client.find('project = ABC AND created >= "2026-11-23 19:01"') == []
        now = site.clock.now()
        assert client.find(f"project = ABC AND created >= {now - now % 60_000}") == ["ABC-1"]
        assert client.find(f"project = ABC AND created >= {now}") == []  # the index keeps minutes
        client.connection.close()


def test_cloud_pages_by_token_and_wants_bounds() -> None:
    with opened(CLOUD) as site:
        client = Client(site)
        for _ in range(5):
            client.make()
        body: dict[str, Any] = {"jql": "project = ABC ORDER BY key ASC", "maxResults": 2}
        seen: list[str] = []
        while True:
            _, page = client.call("POST", "search/jql", body)
            seen += [issue["id"] for issue in page["issues"]]
            if page["isLast"]:
                break
            body["nextPageToken"] = page["nextPageToken"]
        assert len(seen) == len(set(seen)) == 5
        assert "nextPageToken" not in page
        assert "Unbounded" in client.refused("ORDER BY created")
        assert client.call("GET", f"search?jql={quote('project = ABC')}")[0] == 410
        client.connection.close()


def test_what_a_person_does_is_seen_over_rest(site: JiraSite, client: Client) -> None:
    person = site.person("a.lindqvist")
    issue = person.create(
        {"type": "Bug", "summary": "s", "labels:joint": True, "Severity": "Major", "Location": ["Pump", "Bearing"]}
    )
    person.edit(issue, {"labels:joint": None, "labels:x": True, "fix_versions:1.0": True, "description": "one\ntwo"})
    comment = person.comment(issue, "hello")
    person.transition(issue, "In Progress")
    fields = client.get(f"issue/{issue}")["fields"]
    assert fields["labels"] == ["x"]
    assert [version["name"] for version in fields["fixVersions"]] == ["1.0"]
    assert fields["description"] == "one\r\ntwo"
    assert [one["id"] for one in fields["comment"]["comments"]] == [comment]
    assert fields["creator"]["displayName"] == "Anna Lindqvist"
    person.delete(issue)
    assert client.call("GET", f"issue/{issue}")[0] == 404


def test_search_shows_a_change_only_when_the_index_has_it(site: JiraSite, client: Client) -> None:
    person = site.person("a.lindqvist")
    old = person.create({"labels:joint": True})
    site.faults.index_held = True
    person.edit(old, {"labels:joint": None})
    person.create({"labels:joint": True})
    assert client.find("project = ABC AND labels = joint") == ["ABC-1"]
    assert client.get(f"issue/{old}?fields=labels")["fields"]["labels"] == []
    site.faults.index_held = False
    assert client.find("project = ABC AND labels = joint") == ["ABC-2"]


def test_an_answer_can_be_lost_after_the_commit(site: JiraSite, client: Client) -> None:
    site.faults.lose_answer(method="POST", path="/issue$")
    with pytest.raises(http.client.RemoteDisconnected):
        client.make()
    client.connection.close()
    assert client.find("project = ABC") == ["ABC-1"]
    assert site.faults.struck["lose answer"] == 1
