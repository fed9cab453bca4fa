"""The simulator's answers, and the check on requests, held against the makers' descriptions of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jira import described
from tests.support.jira.server import Seen
from tests.support.jira.site import CLOUD, DC10, FLAVOURS, Flavour, JiraSite
from tests.trackers.jira.scene import jira
from tests.trackers.jira.test_simulator import Client

READS = (
    "myself",
    "serverInfo",
    "mypermissions?permissions=EDIT_ISSUES",
    "field",
    "priority",
    "status",
    "resolution",
    "issuetype",
    "issueLinkType",
    "project/ABC",
    "project/ABC/statuses",
    "project/ABC/versions",
    "project/ABC/components",
    "project/ABC/securitylevel",
    "project/ABC/properties",
    "issue/createmeta/ABC/issuetypes",
    "issue/createmeta/ABC/issuetypes/10004",
    "issue/{issue}?expand=names,schema,changelog&properties=filesync",
    "issue/{issue}/editmeta",
    "issue/{issue}/comment?expand=properties",
    "issue/{issue}/worklog",
    "issue/{issue}/transitions?expand=transitions.fields",
    "issue/{issue}/remotelink",
    "issue/{issue}/watchers",
    "issue/{issue}/properties",
    "issue/{issue}/properties/filesync",
    "attachment/meta",
    "attachment/{attachment}",
    "issueLink/{link}",
    "worklog/updated?since=0",
    "worklog/deleted?since=0",
    "user/assignable/search?project=ABC",
)
CLOUD_READS = ("issue/{issue}/changelog", "field/search", "priority/search", "project/search", "users/search")
# what Data Center's description has as one item where an array or a page of them comes, or as an empty bean
DEFECTS = {
    *("field", "priority", "status", "resolution", "issuetype", "project/ABC/statuses", "project/ABC/versions"),
    *("project/ABC/components", "project/ABC/securitylevel", "user/assignable/search", "issue/{issue}/remotelink"),
    *("issue/createmeta/ABC/issuetypes", "issue/createmeta/ABC/issuetypes/10004", "issue/{issue}"),
}
# what Cloud's description has otherwise than Cloud has it
OTHERWISE = (
    "serverTimeZone",  # an object in one version, a text in the next
    "'untranslatedName' was unexpected",
    "None is not of type 'string'",  # in histories, where something was empty before or after
    "'issuetype' was unexpected",  # in a linked issue
    "remotelink: $: [",  # a list of them, said to be one
)


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def site(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    described.descriptions()
    with JiraSite(request.param) as site:
        yield site


def furnish(site: JiraSite) -> dict[str, str]:
    """An issue with everything on it."""
    person = site.person("a.lindqvist")
    issue = person.create(
        {
            "type": "Bug",
            "summary": "s",
            "description": "d",
            "labels:joint": True,
            "Severity": "Major",
            "Location": ["Pump", "Bearing"],
            "Story Points": "3",
            "Occurred At": "2026-11-23T10:00:00.000Z",
            "Test Date": "2026-11-23",
            "assignee": site.local_user("w.chen"),
            f"Reviewers:{site.local_user('w.chen')}": True,
            "components:Firmware": True,
            "fix_versions:1.0": True,
        }
    )
    other = person.create({"type": "Story"})
    person.comment(issue, "hello", role="Developers")
    person.log_work(issue, 3600, "work")
    link = person.link(issue, "Blocks", other)
    site.store.issues[issue].properties["filesync"] = {"origin": "x"}
    return {"issue": issue, "attachment": person.attach(issue, "a.txt", b"abc"), "link": link}


def test_answers_are_shaped_as_described(site: JiraSite) -> None:
    client, names = Client(site), furnish(site)
    found: list[str] = []
    for path in (*READS, *(CLOUD_READS if site.flavour.cloud else ())):
        if site.flavour.dc and path.partition("?")[0] in DEFECTS:
            continue
        asked = path.format(**names)
        shown = client.get(asked)
        found += described.answer_problems(site.flavour, "GET", f"/rest/api/2/{asked.partition('?')[0]}", 200, shown)
    client.connection.close()
    found = [one for one in found if not any(known in one for known in OTHERWISE)]
    assert not found, "\n".join(found)


def test_what_is_asked_here_is_as_described(site: JiraSite) -> None:
    client, names = Client(site), furnish(site)
    for path in (*READS, *(CLOUD_READS if site.flavour.cloud else ())):
        plain = path if site.flavour.cloud else path.replace("?permissions=EDIT_ISSUES", "")
        client.get(plain.format(**names))
    client.find("project = ABC ORDER BY created ASC", maxResults=10)
    client.call(
        "PUT", f"issue/{names['issue']}?notifyUsers=false", {"update": {"labels": [{"add": "x"}]}, "fields": {"summary": "t"}}
    )
    client.call(
        "POST", f"issue/{names['issue']}/comment", {"body": "x", "properties": [{"key": "filesync", "value": {"a": 1}}]}
    )
    client.call("PUT", f"issue/{names['issue']}/properties/filesync", {"a": [1]})
    client.connection.close()
    found = described.problems(site.flavour, site.requests(), context=site.server.context)
    assert not found, "\n".join(found)


def test_what_filesync_asks_otherwise_than_described_fails_the_test_that_asked(tmp_path: Path) -> None:
    described.descriptions()

    def ask(*, forget: bool) -> None:
        with jira(DC10, tmp_path) as opened:
            opened.open()
            opened.https[-1].get("rest/api/2/myself", params={"nonsense": "1"})
            if forget:
                opened.site.forget_requests()
                pytest.fail("forgotten, and not looked at")

    with pytest.raises(AssertionError, match="the parameter nonsense is unknown"):
        ask(forget=False)
    with pytest.raises(AssertionError, match="the parameter nonsense is unknown"):
        ask(forget=True)


def test_what_is_not_as_described_is_named() -> None:
    described.descriptions()

    def problem(flavour: Flavour, method: str, path: str, body: bytes = b"", **query: str) -> str:
        seen = Seen(method, path, {name: [value] for name, value in query.items()}, {}, body, 200)
        return "\n".join(described.problems(flavour, [seen]))

    issue: Any = "/rest/api/2/issue/10000"
    assert problem(CLOUD, "GET", issue, fields="summary") == ""
    assert "the path is not known" in problem(DC10, "POST", "/rest/api/2/issue/bulkfetch", b"{}")
    assert problem(CLOUD, "POST", "/rest/api/2/issue/bulkfetch", b'{"issueIdsOrKeys": ["1"]}') == ""
    assert "the method is not known" in problem(DC10, "PATCH", issue)
    assert "the parameter nonsense is unknown" in problem(DC10, "GET", issue, nonsense="1")
    assert "neither true nor false" in problem(CLOUD, "GET", issue, updateHistory="no")
    assert "is no number" in problem(CLOUD, "GET", f"{issue}/changelog", startAt="x")
    assert "is not of type" in problem(DC10, "POST", f"{issue}/comment", b'{"body": 1}')
    assert "nonsense" in problem(CLOUD, "POST", "/rest/api/2/search/jql", b'{"jql": "project = A", "nonsense": 1}')
