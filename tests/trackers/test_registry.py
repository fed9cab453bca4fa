from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import pytest

from filesync.errors import ConfigError, Rejected, Unavailable
from filesync.trackers.registry import make_tracker, open_desk, open_tracker

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


def test_a_desk_takes_only_users_of_the_project(tmp_path: Path) -> None:
    make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path)
    with pytest.raises(Rejected, match=r'no user "j\.beker"; did you mean "j\.becker"'):
        open_desk("embedded", settings=SETTINGS, folder=tmp_path, clock=clock, author="j.beker")


def test_an_unknown_kind_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='no tracker of the kind "embeded"; did you mean "embedded"'):
        open_tracker("embeded", project="ABC", settings={}, folder=tmp_path, clock=clock)


@pytest.mark.parametrize("settings", [{"pat": "x"}, {"scope": ["labels"]}, {"path": 3}])
def test_settings_it_does_not_know_are_told(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"tracker\.settings"):
        make_tracker("embedded", project="ABC", settings=settings, folder=tmp_path)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        make_tracker("embedded", project="ABC", settings=SETTINGS, folder=tmp_path / "none")
