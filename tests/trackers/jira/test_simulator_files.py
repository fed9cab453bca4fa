"""Files go up to the simulated Jira, and come down from it, as they do with a real one."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jira.site import DC9, DC10, FLAVOURS, JiraSite
from tests.trackers.jira.test_simulator import Client

FORM = {"Content-Type": 'multipart/form-data; boundary="b"', "X-Atlassian-Token": "no-check"}


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
def dc() -> Iterator[Client]:
    with JiraSite(DC10) as site:
        client = Client(site)
        yield client
        client.connection.close()


def form(name: str, content: bytes) -> bytes:
    name = name.replace('"', '\\"')
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


def upload(client: Client, issue: str, name: str, content: bytes, **headers: str) -> tuple[int, Any]:
    sent = {**FORM, **{key.replace("_", "-"): value for key, value in headers.items()}}
    status, _, text = client.raw("POST", f"/rest/api/2/issue/{issue}/attachments", form(name, content), sent)
    return status, json.loads(text) if status == 200 else text


def test_a_file_goes_up_under_its_raw_name_and_comes_back(site: JiraSite, client: Client) -> None:
    issue = client.make()
    content = b"\r\n--b-not\r\n" + bytes(range(256)) * 1000
    status, (made,) = upload(client, issue, 'prüf "密封".txt', content)
    assert (status, made["size"]) == (200, len(content))
    shown = client.get(f"attachment/{made['id']}")
    path = urllib.parse.urlsplit(shown["content"]).path
    status, headers, text = client.raw("GET", path)
    if site.flavour.cloud:
        assert status == 303
        place = urllib.parse.urlsplit(headers["location"])
        assert (place.hostname, place.port) == ("localhost", site.media.port)
        other = http.client.HTTPConnection("localhost", site.media.port, timeout=20)
        other.request("GET", f"{place.path}?{place.query}")
        answer = other.getresponse()
        status, text = answer.status, answer.read()
        other.request("GET", f"{place.path}?{place.query}", headers=client.headers)
        assert other.getresponse().status == 400
        assert site.faults.struck["credentials leaked"] == 1
        other.close()
    assert (status, text) == (200, content)


def test_an_encoded_file_name_is_too_much_for_it(dc: Client) -> None:
    issue = dc.make()
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''a.txt\r\n\r\nabc\r\n--b--\r\n"
    assert dc.raw("POST", f"/rest/api/2/issue/{issue}/attachments", body, FORM)[0] == 500


def test_a_file_may_be_too_large_and_the_header_may_be_missing(site: JiraSite, client: Client) -> None:
    issue = client.make()
    site.faults.upload_limit = 10
    assert client.get("attachment/meta")["uploadLimit"] == 10
    assert upload(client, issue, "a.txt", b"x" * 11)[0] == (413 if site.flavour.cloud else 404)
    assert upload(client, issue, "a.txt", b"x", X_Atlassian_Token="") == (403, b"XSRF check failed")
    assert client.get(f"issue/{issue}?fields=attachment")["fields"]["attachment"] == []


def test_a_token_may_open_no_files() -> None:
    with JiraSite(DC9) as site:
        client = Client(site)
        client.headers["Authorization"] = f"Bearer {site.token}"
        issue = site.person("a.lindqvist").create({})
        attachment = site.person("a.lindqvist").attach(issue, "a.txt", b"abc")
        site.faults.token_refused_for_files = True
        status, headers, _ = client.raw("GET", f"/secure/attachment/{attachment}/a.txt")
        assert (status, "login.jsp" in headers["location"]) == (302, True)
        client.connection.close()
