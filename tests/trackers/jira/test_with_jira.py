"""The way to a simulated Jira: who we are there, in every way that it lets us in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from filesync.errors import ConfigError, Gone, Rejected, Unavailable
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.rest.dialect import ServerTime, probe
from filesync.trackers.jira.rest.http import Http, Unknown, Waiting
from filesync.trackers.jira.settings import read_settings
from filesync.trackers.jira.translate.shapes import epoch_ms
from tests.support.jira.auth import CLIENT
from tests.support.jira.site import DC9, DC10, FLAVOURS, Flavour, JiraSite, SiteClock
from tests.trackers.jira.stub import Clock

Way = Callable[..., Http]


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def site(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    flavour: Flavour = request.param
    with JiraSite(flavour, context="/jira" if flavour.dc else "") as running:
        yield running


def secret(folder: Path, text: str, name: str = "secret") -> str:
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")
    return name


@pytest.fixture
def way(site: JiraSite, passing: Clock, tmp_path: Path) -> Iterator[Way]:
    """Opens the way to the site: as its kind is reached at its simplest, or with these settings."""
    made: list[Http] = []

    def open_(*, cloud: bool = site.flavour.cloud, **given: object) -> Http:
        if not given:
            given = {"token_file": secret(tmp_path, site.token), **({"user": site.email} if site.flavour.cloud else {})}
        waiting = Waiting(now=passing.now, sleep=passing.sleep, chance=lambda: 0.0)
        made.append(Http.open(read_settings({"url": site.url} | given, folder=tmp_path), cloud=cloud, waiting=waiting))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def test_it_says_what_it_is_and_who_we_are(site: JiraSite, way: Way) -> None:
    found = probe(way())
    assert found.cloud == site.flavour.cloud
    assert found.accounts == {site.local_user("filesync")}
    assert found.product.startswith("Jira Cloud" if found.cloud else f"Jira Data Center {site.flavour.version[0]}.")


def test_jiras_time_is_known_whatever_becomes_of_our_clock(site: JiraSite, way: Way) -> None:
    ours = SiteClock()
    time = ServerTime(way(), ours)
    assert not site.requests("serverInfo"), "until somebody wants to know it"
    for step in (0, -3 * 3600, 1, 26 * 3600, 0.5):
        ours.forward(step)
        assert abs(time.now_ms() - site.clock.now()) <= 2000
        assert epoch_ms(time.now_text()) == time.now_ms()
    asked = len(site.requests("serverInfo"))
    time.now_ms()
    assert len(site.requests("serverInfo")) == asked == 3


def test_trap38_the_wrong_kind_is_told_with_the_right_one(site: JiraSite, way: Way) -> None:
    with pytest.raises(ConfigError, match=r"tracker\.kind: .* its kind is jira-(dc|cloud)") as caught:
        probe(way(cloud=not site.flavour.cloud))
    assert str(caught.value).endswith("jira-cloud" if site.flavour.cloud else "jira-dc")


def test_oauth_lets_us_in_as_the_application(site: JiraSite, way: Way, tmp_path: Path) -> None:
    client, password = CLIENT
    oauth = {"client_id": client, "client_secret_file": secret(tmp_path, password), "token_url": _token_url(site)}
    http = way(oauth=oauth)
    assert probe(http).accounts == {site.local_user("filesync")}
    site.server.gate.forget_tokens()
    assert probe(http).accounts == {site.local_user("filesync")}


def test_oauth_lets_us_in_with_tokens_that_are_good_for_once(site: JiraSite, way: Way, tmp_path: Path, passing: Clock) -> None:
    client, password = CLIENT
    oauth = {"client_id": client, "client_secret_file": secret(tmp_path, password), "token_url": _token_url(site)}
    oauth["refresh_token_file"] = secret(tmp_path, "first refresh token", "refresh")
    for _ in range(3):  # as after a restart, each time with what was kept
        assert probe(way(oauth=oauth)).accounts == {site.local_user("filesync")}
    secret(tmp_path, "first refresh token", "refresh")
    with pytest.raises(Unavailable, match="invalid refresh token"):
        way(oauth=oauth)


def _token_url(site: JiraSite) -> str:
    return f"{site.url}/oauth/token" if site.flavour.cloud else f"{site.url}/rest/oauth2/latest/token"


def test_a_password_lets_us_in(site: JiraSite, way: Way, tmp_path: Path) -> None:
    given = {"user": site.email, "token_file": secret(tmp_path, site.token)}
    if site.flavour.dc:
        given = {"user": site.user, "token_file": secret(tmp_path, site.password)}
    assert probe(way(**given)).accounts == {site.local_user("filesync")}


@pytest.mark.parametrize("as_404", [False, True], ids=["401", "404"])
def test_a_token_that_ended_never_looks_like_an_issue_that_is_gone(
    site: JiraSite, way: Way, tmp_path: Path, passing: Clock, *, as_404: bool
) -> None:
    issue = site.person("a.lindqvist").create({"type": "Bug", "summary": "Pump stalls"})
    http = way()
    http.get(f"rest/api/2/issue/{issue}")
    site.faults.wrong_credentials_404 = as_404
    site.store.person("filesync").token = "another-one"
    passing.at += 60
    for path in (f"rest/api/2/issue/{issue}", "rest/api/2/project/ABC", "rest/api/2/issue/99999", "rest/api/2/field"):
        with pytest.raises(Unavailable, match="does not let our account in"):
            http.get(path, gone="it is gone")
    with pytest.raises(Unavailable) as caught:
        http.send("POST", "rest/api/2/issue", body={})
    assert not isinstance(caught.value, Unknown)
    (tmp_path / "secret").write_text("another-one\n")
    assert http.get("rest/api/2/field")


def test_a_wrong_token_does_not_get_in(site: JiraSite, way: Way, tmp_path: Path) -> None:
    site.faults.wrong_credentials_404 = True
    with pytest.raises(Unavailable, match="does not let our account in"):
        probe(way(user=site.email, token_file=secret(tmp_path, "wrong")))


def test_an_issue_that_is_gone_is_told_as_such(site: JiraSite, way: Way) -> None:
    with pytest.raises(Gone, match="ABC-17 is gone"):
        way().get("rest/api/2/issue/99999", gone="ABC-17 is gone")


@pytest.mark.parametrize("flavour", [DC9, DC10], ids=lambda one: one.name)
def test_a_captcha_is_told(flavour: Flavour, tmp_path: Path) -> None:
    with JiraSite(flavour) as site:
        site.faults.captcha = True
        given = {"url": site.url, "user": site.user, "token_file": secret(tmp_path, site.password)}
        http = Http.open(read_settings(given, folder=tmp_path), cloud=False)
        with closing(http), pytest.raises(Unavailable, match="wants a CAPTCHA solved"):
            probe(http)


def test_refused_fields_come_by_name(way: Way, site: JiraSite) -> None:
    fields = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "", "nonsense": 1}
    with pytest.raises(Rejected) as caught:
        way().send("POST", "rest/api/2/issue", body={"fields": fields})
    assert "summary" in caught.value.fields or "nonsense" in caught.value.fields


def test_f110_a_lost_answer_is_a_doubt_and_a_lost_request_too(way: Way, site: JiraSite) -> None:
    fields = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": "Pump stalls"}
    http = way()
    for lose, made in ((site.faults.lose_answer, 1), (site.faults.lose_request, 1)):
        lose(method="POST")
        with pytest.raises(Unknown):
            http.send("POST", "rest/api/2/issue", body={"fields": fields})
        assert len(site.store.issues) == made


def test_f118_a_site_that_is_read_only_is_waited_for(way: Way, site: JiraSite) -> None:
    site.faults.read_only = True
    with pytest.raises(Unavailable, match="is in its read-only mode") as caught:
        way().send("POST", "rest/api/2/issue", body={"fields": {}})
    assert not isinstance(caught.value, Unknown)


def test_a_server_that_repeats_our_headers_does_not_tell_them(way: Way, site: JiraSite) -> None:
    site.faults.echo(times=9)
    with pytest.raises(Unavailable) as caught:
        way().get("rest/api/2/field")
    assert site.token not in str(caught.value)
    assert site.faults.struck["echo"] > 0


def test_files_go_both_ways(way: Way, site: JiraSite) -> None:
    issue = site.person("a.lindqvist").create({"type": "Bug", "summary": "Pump stalls"})
    http, data = way(), bytes(range(256)) * 1_000
    (made,) = http.upload(
        f"rest/api/2/issue/{issue}/attachments",
        name='Prüfung "eins".bin',
        size=len(data),
        content=lambda: iter([data[:100_000], data[100_000:]]),
        about=issue,
    )
    path = f"rest/api/2/attachment/content/{made['id']}"
    if site.flavour.dc:
        path = f"secure/attachment/{made['id']}/{http.quote(made['filename'])}"
    assert b"".join(http.download(path, size=len(data))) == data
    assert made["filename"] == 'Prüfung "eins".bin'


def test_trap22_a_file_behind_the_log_in_page_is_told(way: Way, site: JiraSite) -> None:
    issue = site.person("a.lindqvist").create({"type": "Bug", "summary": "Pump stalls"})
    http = way()
    path = f"rest/api/2/issue/{issue}/attachments"
    (made,) = http.upload(path, name="a", size=1, content=lambda: iter([b"a"]), about=issue)
    file = f"rest/api/2/attachment/content/{made['id']}" if site.flavour.cloud else f"secure/attachment/{made['id']}/a"
    site.faults.attachment_login = True
    with pytest.raises(Unavailable, match="to its log-in page"):
        list(http.download(file, size=1, gone="gone"))
    site.faults.attachment_login, site.faults.attachment_html = False, True
    with pytest.raises(Unavailable, match="with its log-in page"):
        list(http.download(file, size=1, gone="gone"))


def test_a_project_that_our_account_does_not_see_is_told_with_those_it_does(site: JiraSite, way: Way) -> None:
    http = way()
    dialect = probe(http)
    for project, said in {"XY": '; did you mean "XYZ"?', "Q": '; it sees "ABC", "XYZ"'}.items():
        with pytest.raises(Unavailable) as caught:
            read_catalogue(http, dialect, project)
        assert str(caught.value) == f'our account sees no project "{project}"{said}'
    name = next(one.name for one in site.store.projects.values() if one.key == "XYZ")
    with pytest.raises(Unavailable, match='did you mean "XYZ"'):
        read_catalogue(http, dialect, name.upper())
