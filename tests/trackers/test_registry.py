from __future__ import annotations

import datetime as dt
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from filesync.agent.founding import NewSite, create_site
from filesync.cli.app import now
from filesync.errors import ConfigError, Rejected, Unavailable
from filesync.model.manner import Manner
from filesync.trackers.registry import make_tracker, manner, open_desk, open_tracker, outlook
from tests.support.jira.site import FLAVOURS, Flavour, JiraSite

SETTINGS = {"path": "tracker.db", "scope": {"labels": ["share"]}, "account": "sync"}


def clock() -> dt.datetime:
    return dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def test_a_tracker_is_made_opened_and_sat_down_at(tmp_path: Path) -> None:
    make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path)
    with closing(open_desk("embedded", settings=SETTINGS, folder=tmp_path, clock=clock)) as desk:
        assert desk.author == "a.lindqvist"
        desk.create("Bug", "Pump stalls")
    with closing(open_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path, clock=clock)) as tracker:
        issue = tracker.get("1")
        assert issue is not None
        assert not issue.in_scope


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda one: one.name)
def test_a_jira_is_opened_by_its_kind(tmp_path: Path, flavour: Flavour) -> None:
    (tmp_path / "token").touch(mode=0o600)
    with JiraSite(flavour) as site:
        (tmp_path / "token").write_text(site.token)
        settings = {"url": site.url, "token_file": "token"} | ({"user": site.email} if flavour.cloud else {})
        issue = site.person("a.lindqvist").create({"type": "Bug", "summary": "Pump stalls"})
        right, wrong = ("jira-cloud", "jira-dc") if flavour.cloud else ("jira-dc", "jira-cloud")
        with closing(open_tracker(right, project="ABC", settings=settings, folder=tmp_path, clock=clock)) as tracker:
            assert tracker.get(issue) is not None
        with pytest.raises(ConfigError, match=f"its kind is {right}"):
            open_tracker(wrong, project="ABC", settings=settings, folder=tmp_path, clock=clock)


def test_what_is_seen_of_a_jira_does_not_hang_on_the_way_there() -> None:
    one = {"url": "https://jira.example.org", "token_file": "a", "scope": "labels = share"}
    other = {"url": "https://jira.example.org", "token_env": "B", "scope": "labels = share", "timeout": "2m"}
    assert outlook("jira-dc", one) == outlook("jira-dc", other) == {"scope": "labels = share"}
    assert outlook("embedded", SETTINGS) == SETTINGS


def test_people_work_in_jira_itself(tmp_path: Path) -> None:
    make_tracker("jira-dc", project="ABC", settings={}, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="people work in Jira itself"):
        open_desk("jira-dc", settings={}, folder=tmp_path, clock=clock)


def test_a_desk_takes_only_users_of_the_project(tmp_path: Path) -> None:
    make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path)
    with pytest.raises(Rejected, match=r'no user "j\.beker"; did you mean "j\.becker"'):
        open_desk("embedded", settings=SETTINGS, folder=tmp_path, clock=clock, author="j.beker")


def test_an_unknown_kind_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match='no tracker of the kind "embeded"; there are embedded, jira-dc, jira-cloud; did you mean "embedded"'
    ):
        open_tracker("embeded", project="ABC", settings={}, folder=tmp_path, clock=clock)


@pytest.mark.parametrize("settings", [{"pat": "x"}, {"scope": ["labels"]}, {"path": 3}])
def test_settings_it_does_not_know_are_told(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"tracker\.settings"):
        make_tracker("embedded", project="ABC", settings=settings, folder=tmp_path)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path / "none")


def test_who_asks_no_tracker_loads_no_http_client_and_status_neither_bundles_nor_contracts(tmp_path: Path) -> None:
    """It takes longer to import than the rest of filesync: measured, see tests/test_layers.py."""
    create_site(tmp_path / "site", NewSite(name="acme", tracker="jira-dc", project="ABC"), clock=now)
    script = "import sys; from filesync.cli.main import run; run(sys.argv[1:]); print(*sys.modules)"
    call = [sys.executable, "-c", script, "-c", str(tmp_path / "site" / "filesync.yaml"), "status"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert "acme" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "filesync.ledger.streams" in loaded
    assert not loaded & {"httpx2", "filesync.trackers.base", "filesync.bundle.header", "filesync.rules.contract"}


def test_texts_name_issues_by_the_key_that_people_see() -> None:
    assert manner("jira-cloud", project="abc") == Manner("ABC", accounts=True, files_first=True)
    assert manner("jira-dc", project="ABC") == manner("embedded", project="ABC") == Manner("ABC")
