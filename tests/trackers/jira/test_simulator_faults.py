"""Each fault of the simulated Jira strikes as its name says."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jira.site import CLOUD, DC10, FLAVOURS, JiraSite
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


@pytest.fixture
def cloud() -> Iterator[Client]:
    with JiraSite(CLOUD) as site:
        client = Client(site)
        yield client
        client.connection.close()


@pytest.fixture
def dc() -> Iterator[Client]:
    with JiraSite(DC10) as site:
        client = Client(site)
        yield client
        client.connection.close()


# ── on the way ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_request_says_how_long_to_wait_or_does_not(site: JiraSite, client: Client) -> None:
    site.faults.refuse(429, retry_after="0", path="myself")
    site.faults.refuse(503, path="myself")
    first, second, third = (client.raw("GET", "/rest/api/2/myself") for _ in range(3))
    assert (first[0], first[1]["retry-after"]) == (429, "0")
    assert (second[0], "retry-after" in second[1]) == (503, False)
    assert third[0] == 200


def test_a_lost_request_was_not_carried_out(site: JiraSite, client: Client) -> None:
    site.faults.lose_request(method="POST", path="/issue$")
    with pytest.raises(http.client.RemoteDisconnected):
        client.make()
    client.connection.close()
    assert client.find("project = ABC") == []


def test_a_login_page_comes_with_status_200(site: JiraSite, client: Client) -> None:
    site.faults.login_page(path="myself")
    status, headers, text = client.raw("GET", "/rest/api/2/myself")
    assert (status, headers["content-type"].partition(";")[0], b"login-form" in text) == (200, "text/html", True)


def test_a_truncated_answer_is_shorter_than_it_says(site: JiraSite, client: Client) -> None:
    site.faults.truncate(path="/field")
    with pytest.raises(http.client.IncompleteRead):
        client.raw("GET", "/rest/api/2/field")


def test_a_huge_answer_is_packed_small_where_the_client_takes_that(site: JiraSite, client: Client) -> None:
    site.faults.huge(5_000_000, times=2, path="myself")
    assert len(client.raw("GET", "/rest/api/2/myself")[2]) > 5_000_000
    _, headers, text = client.raw("GET", "/rest/api/2/myself", headers={"Accept-Encoding": "gzip"})
    assert (headers["content-encoding"], len(text) < 100_000) == ("gzip", True)


def test_an_error_may_hold_what_the_request_held(site: JiraSite, client: Client) -> None:
    site.faults.echo(path="myself")
    assert client.headers["Authorization"].encode() in client.raw("GET", "/rest/api/2/myself")[2]


def test_a_site_may_be_read_only(site: JiraSite, client: Client) -> None:
    client.make()
    site.faults.read_only = True
    assert client.call("POST", "issue", {"fields": {}})[0] == 503
    assert client.find("project = ABC") == ["ABC-1"]


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_wrong_credentials_are_told_as_each_jira_tells_them(site: JiraSite, client: Client) -> None:
    client.headers["Authorization"] = "Basic bm9ib2R5Om5vdGhpbmc="
    status, headers, text = client.raw("GET", "/rest/api/2/myself")
    assert (status, "x-seraph-loginreason" in headers, text.startswith(b"<html")) == (401, site.flavour.dc, site.flavour.dc)


def test_wrong_credentials_on_cloud_may_look_like_nothing_there(cloud: Client) -> None:
    issue = cloud.make()
    cloud.site.faults.wrong_credentials_404 = True
    cloud.headers["Authorization"] = "Basic bm9ib2R5Om5vdGhpbmc="
    assert cloud.call("GET", f"issue/{issue}")[0] == 404
    assert cloud.call("GET", "project/ABC")[0] == 404
    assert cloud.raw("GET", "/rest/api/2/myself")[0] == 401


def test_a_captcha_stops_passwords_and_not_tokens(dc: Client) -> None:
    dc.site.faults.captcha = True
    status, headers, _ = dc.raw("GET", "/rest/api/2/myself")
    assert (status, headers["x-authentication-denied-reason"].partition(";")[0]) == (403, "CAPTCHA_CHALLENGE")
    dc.headers["Authorization"] = f"Bearer {dc.site.token}"
    assert dc.call("GET", "myself")[0] == 200


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda flavour: flavour.name)
def test_an_access_token_ends(flavour: Any) -> None:
    with JiraSite(flavour) as site:
        client = Client(site)
        del client.headers["Authorization"]
        asked = {"grant_type": "client_credentials", "client_id": "filesync-client", "client_secret": "secret of the client"}
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        _, _, text = client.raw("POST", "/oauth/token", urllib.parse.urlencode(asked).encode(), form_type)
        given = json.loads(text)
        client.headers["Authorization"] = f"Bearer {given['access_token']}"
        assert client.get("myself")["displayName"] == "FileSync Agent"
        site.site_clock().forward(given["expires_in"])
        assert client.raw("GET", "/rest/api/2/myself")[0] == 401
        client.connection.close()


def test_a_browser_without_the_header_is_a_forgery(site: JiraSite, client: Client) -> None:
    issue = client.make()
    status, _, text = client.raw("POST", f"/rest/api/2/issue/{issue}/comment", {"body": "x"}, {"User-Agent": "Mozilla/5.0"})
    assert (status, text) == (403, b"XSRF check failed")


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f111_the_index_lags_by_the_clock(site: JiraSite, client: Client) -> None:
    site.faults.index_lag = 60
    issue = client.make()
    assert client.find("project = ABC") == []
    assert client.get(f"issue/{issue}?fields=summary")["key"] == "ABC-1"
    site.site_clock().forward(60)
    assert client.find("project = ABC") == ["ABC-1"]


def test_a_deleted_issue_stays_in_a_lagging_index(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.faults.index_held = True
    site.person("admin").delete(issue)
    assert client.find("project = ABC") == ["ABC-1"]
    assert client.call("GET", f"issue/{issue}")[0] == 404
    site.faults.index_held = False
    assert client.find("project = ABC") == []


def test_cloud_reconciles_the_issues_that_are_named(cloud: Client) -> None:
    cloud.site.faults.index_held = True
    issue = cloud.make()
    assert cloud.find("project = ABC") == []
    assert cloud.find("project = ABC", reconcileIssues=[int(issue)]) == ["ABC-1"]


def test_rows_move_between_pages(dc: Client) -> None:
    for _ in range(4):
        dc.make()
    dc.site.faults.index_exact = dc.site.faults.rows_move = True
    jql = "project = ABC ORDER BY updated ASC"
    pages = [dc.find(jql, startAt=start, maxResults=2) for start in (0, 2)]
    assert pages == [["ABC-1", "ABC-2"], ["ABC-4", "ABC-1"]]  # ABC-3 was never shown


def test_nothing_beyond_the_window_is_shown(dc: Client) -> None:
    dc.site.faults.window = 3
    for _ in range(4):
        dc.make()
    assert len(dc.find("project = ABC", startAt=1, maxResults=2)) == 2
    assert dc.call("POST", "search", {"jql": "project = ABC", "startAt": 2, "maxResults": 2})[0] == 500


def test_pages_are_no_larger_than_the_site_allows(dc: Client) -> None:
    dc.site.faults.page_cap = 2
    for _ in range(3):
        dc.make()
    _, page = dc.call("POST", "search", {"jql": "project = ABC", "maxResults": 1000})
    assert (page["maxResults"], len(page["issues"]), page["total"]) == (2, 2, 3)


def test_tokens_may_be_ignored_loop_or_expire(cloud: Client) -> None:
    for _ in range(3):
        cloud.make()
    body: dict[str, Any] = {"jql": "project = ABC ORDER BY key", "maxResults": 2}
    _, first = cloud.call("POST", "search/jql", body)
    faults = cloud.site.faults
    faults.token_ignored = True
    assert cloud.call("POST", "search/jql", {**body, "nextPageToken": first["nextPageToken"]})[1]["issues"] == first["issues"]
    faults.token_ignored, faults.token_loops = False, True
    _, last = cloud.call("POST", "search/jql", {**body, "nextPageToken": first["nextPageToken"]})
    assert (len(last["issues"]), last["isLast"]) == (1, False)
    assert cloud.call("POST", "search/jql", {**body, "nextPageToken": last["nextPageToken"]})[1]["issues"] == first["issues"]
    faults.token_expires = True
    assert cloud.call("POST", "search/jql", {**body, "nextPageToken": first["nextPageToken"]})[0] == 400


# ── what people do ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.person("admin").move(issue, "XYZ")
    assert client.get("issue/ABC-1?fields=project")["key"] == "XYZ-1"
    assert client.get(f"issue/{issue}?fields=project")["fields"]["project"]["key"] == "XYZ"
    assert client.find("project = ABC") == []
    assert client.find("key in (ABC-1)") == ["XYZ-1"]


def test_an_archived_issue_is_found_by_id_alone_and_takes_no_change(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.person("admin").archive(issue)
    assert client.find("project = ABC") == []
    assert client.call("GET", f"issue/{issue}")[0] == 200
    assert client.call("PUT", f"issue/{issue}", {"fields": {"summary": "x"}})[0] in {400, 403}
    site.faults.archived_404 = True
    assert client.call("GET", f"issue/{issue}")[0] == 404


def test_a_hidden_issue_cannot_be_told_from_a_deleted_one(site: JiraSite, client: Client) -> None:
    hidden, deleted = client.make(), client.make()
    site.faults.hidden.add(hidden)
    site.person("admin").delete(deleted)
    assert client.call("GET", f"issue/{hidden}") == client.call("GET", f"issue/{deleted}")
    assert client.find("project = ABC") == []


def test_a_security_level_hides_an_issue_from_who_is_not_in_it(site: JiraSite) -> None:
    person, other = Client(site, "admin"), Client(site, "j.becker")
    issue = person.make(security={"name": "Internal"})
    assert (person.call("GET", f"issue/{issue}")[0], other.call("GET", f"issue/{issue}")[0]) == (200, 404)
    person.connection.close()
    other.connection.close()


def test_a_field_off_the_screen_is_refused(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.store.off_screen |= {("edit", "environment"), ("create", "environment")}
    status, shown = client.call("PUT", f"issue/{issue}", {"fields": {"environment": "x"}})
    assert (status, list(shown["errors"])) == (400, ["environment"])
    assert "environment" not in client.get(f"issue/{issue}/editmeta")["fields"]


def test_f112_a_transition_may_ask_for_a_field(site: JiraSite, client: Client) -> None:
    issue = client.make()
    step = next(one for one in site.store.workflows["work"].transitions if one.name == "Decline")
    step.required = {"resolution"}
    (shown,) = [
        one
        for one in client.get(f"issue/{issue}/transitions?expand=transitions.fields")["transitions"]
        if one["name"] == "Decline"
    ]
    assert shown["fields"]["resolution"]["required"]
    status, refused = client.call("POST", f"issue/{issue}/transitions", {"transition": {"id": step.id}})
    assert (status, list(refused["errors"])) == (400, ["resolution"])
    body = {"transition": {"id": step.id}, "fields": {"resolution": {"name": "Duplicate"}}}
    assert client.call("POST", f"issue/{issue}/transitions", body)[0] == 204
    assert client.get(f"issue/{issue}?fields=resolution")["fields"]["resolution"]["name"] == "Duplicate"


def test_f119_who_has_left_is_given_nothing(site: JiraSite, client: Client) -> None:
    issue = client.make()
    body = {"fields": {"assignee": {"accountId" if site.flavour.cloud else "name": site.local_user("x.gone")}}}
    status, shown = client.call("PUT", f"issue/{issue}", body)
    assert (status, list(shown["errors"])) == (400, ["assignee"])


def test_f121_a_right_that_was_lost_is_told_as_each_jira_tells_it(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.deny("EDIT_ISSUES", "ADD_COMMENTS")
    status, shown = client.call("PUT", f"issue/{issue}", {"fields": {"summary": "x"}})
    assert status == (403 if site.flavour.cloud else 400)
    assert site.flavour.cloud or "not on the appropriate screen" in shown["errors"]["summary"]
    assert client.call("POST", f"issue/{issue}/comment", {"body": "x"})[0] == 403


def test_what_leaves_updated_as_it_was(site: JiraSite, client: Client) -> None:
    person = site.person("a.lindqvist")
    issue = person.create({})
    comment = person.comment(issue, "one")

    def updated() -> str:
        return str(client.get(f"issue/{issue}?fields=updated")["fields"]["updated"])

    before = updated()
    site.write_history_silently(issue)
    client.call("PUT", f"issue/{issue}/properties/filesync", 1)
    client.call("POST", f"issue/{issue}/remotelink", {"object": {"url": "https://example.com", "title": "t"}})
    client.call("POST", f"issue/{issue}/watchers")
    site.faults.comment_edit_silent = True
    person.edit_comment(issue, comment, "two")
    assert updated() == before
    assert client.get(f"issue/{issue}?fields=status")["fields"]["status"]["name"] == "Blocked"
    site.faults.comment_edit_silent = False
    person.edit_comment(issue, comment, "three")
    assert updated() > before


def test_somebody_may_do_something_between_two_requests(site: JiraSite, client: Client) -> None:
    issue = client.make()
    person = site.person("a.lindqvist")
    site.faults.meanwhile(lambda: person.comment(issue, "just now"), method="GET", path=f"issue/{issue}/comment")
    assert client.get(f"issue/{issue}?fields=comment")["fields"]["comment"]["total"] == 0
    assert client.get(f"issue/{issue}/comment")["total"] == 1


def test_an_index_that_is_being_rebuilt_leaves_issues_out(site: JiraSite, client: Client) -> None:
    lost, kept = client.make(), client.make()
    site.faults.index_lost.add(lost)
    assert client.find("project = ABC") == ["ABC-2"]
    assert client.call("GET", f"issue/{lost}")[0] == 200
    site.faults.updated_missing.add(kept)
    assert client.get(f"issue/{kept}?fields=updated")["fields"]["updated"] is None


def test_an_issue_on_cloud_takes_so_many_comments_and_no_more(cloud: Client) -> None:
    cloud.site.faults.most_comments = 1
    issue = cloud.make()
    assert cloud.call("POST", f"issue/{issue}/comment", {"body": "one"})[0] == 201
    assert cloud.call("POST", f"issue/{issue}/comment", {"body": "two"})[0] == 413
