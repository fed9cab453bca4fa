"""The trackers filesync knows, by the name that `tracker.kind` has in the configuration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.model.manner import Manner
from filesync.model.prepare import prepare
from filesync.settings import At, did_you_mean, quoted
from filesync.trackers.jira import kinds as jira

if TYPE_CHECKING:
    from filesync.trackers.base import Tracker
    from filesync.trackers.embedded import Desk
    from filesync.trackers.jira.settings import JiraSettings

OWN: Final = "embedded"  # the kind that filesync keeps itself
KINDS: Final = (OWN, *jira.KINDS)


class EmbeddedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tracker.settings` of an embedded tracker."""

    path: str = "state/tracker.db"  # relative to the folder of the configuration
    account: str = "filesync"  # the name imports write under
    scope: dict[str, list[str]] = {}  # fields, and the values that let an issue go out; none: every issue


prepare(EmbeddedSettings)


def settings_problems(kind: str, settings: Mapping[str, object]) -> Iterator[tuple[At, str]]:
    """What is wrong with `tracker` in a configuration and the schema cannot see, each with its place under `tracker`."""
    if kind not in KINDS:
        there = f"there are {', '.join(KINDS)}{did_you_mean(kind, KINDS)}"
        yield ("kind",), f"there is no tracker of the kind {quoted(kind)}; {there}"
    if kind in jira.KINDS:
        from filesync.trackers.jira.settings import problems  # noqa: PLC0415, most sites have no Jira

        yield from ((("settings", *at), what) for at, what in problems(settings))


def secret_files(kind: str, settings: Mapping[str, object]) -> Iterator[tuple[At, str]]:
    """Paths in `tracker.settings` of files that nobody else may see, each with its place under `tracker`."""
    if kind in jira.KINDS:
        from filesync.trackers.jira import settings as jira_settings  # noqa: PLC0415, most sites have no Jira

        yield from ((("settings", *at), path) for at, path in jira_settings.secret_files(settings))


def manner(kind: str, *, project: str) -> Manner:
    """How the texts of this project name issues and people."""
    # a Jira opens ABC as abc, too, and shows ABC-17 all the same
    cloud = jira.KINDS.get(kind, False) is True
    return Manner(project.upper() if kind in jira.KINDS else project, accounts=cloud, files_first=cloud)


def outlook(kind: str, settings: Mapping[str, object]) -> Mapping[str, object]:
    """The part of `tracker.settings` that decides what is seen of the issues: where it changed, all are looked at anew."""
    return {name: value for name, value in settings.items() if kind not in jira.KINDS or name in jira.OUTLOOK}


def open_tracker(
    kind: str, *, project: str, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime]
) -> Tracker:
    """Open the tracker of a site; `folder` is what paths in its settings are relative to. Raises ConfigError, Unavailable."""
    if kind in jira.KINDS:
        from filesync.trackers.jira.settings import read_settings  # noqa: PLC0415, most sites have no Jira

        return _open_jira(read_settings(settings, folder=folder), kind, project=project, clock=clock)
    # Most commands ask no tracker, so they load none.
    from filesync.trackers.embedded import EmbeddedTracker  # noqa: PLC0415

    own = _embedded(kind, settings)
    return EmbeddedTracker.open(folder / own.path, project=project, scope=own.scope, clock=clock, account=own.account)


def _open_jira(settings: JiraSettings, kind: str, *, project: str, clock: Callable[[], dt.datetime]) -> Tracker:
    # Its HTTP client takes longer to import than all the rest of filesync to start, and most commands ask no tracker.
    from filesync.trackers.jira.rest.http import Http  # noqa: PLC0415
    from filesync.trackers.jira.tracker import JiraTracker  # noqa: PLC0415

    http = Http.open(settings, cloud=jira.KINDS[kind])
    try:
        return JiraTracker.open(http, settings, project=project, clock=clock)
    except BaseException:
        http.close()
        raise


def make_tracker(kind: str, *, project: str, settings: Mapping[str, object], folder: Path) -> None:
    """Make the tracker of a new site where filesync keeps it itself. Raises ConfigError (it is there already), Unavailable."""
    if kind not in jira.KINDS:
        from filesync.trackers.embedded import create_project, read_definition  # noqa: PLC0415, as above

        create_project(folder / _embedded(kind, settings).path, read_definition(), key=project)


def open_desk(
    kind: str, *, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime], author: str | None = None
) -> Desk:
    """The desk at which a user of the embedded tracker sits (None: its first user).

    Raises ConfigError, Unavailable, Rejected (no such user).
    """
    if kind in jira.KINDS:
        raise ConfigError([Problem("tracker.kind", "only the embedded tracker has a desk here: people work in Jira itself")])
    from filesync.trackers.embedded import Desk  # noqa: PLC0415, as above

    return Desk.open(folder / _embedded(kind, settings).path, clock=clock, author=author)


def _embedded(kind: str, settings: Mapping[str, object]) -> EmbeddedSettings:
    if found := [Problem(".".join(("tracker", *map(str, at))), what) for at, what in settings_problems(kind, settings)]:
        raise ConfigError(found)
    try:
        return msgspec.convert(dict(settings), EmbeddedSettings)
    except msgspec.ValidationError as error:
        raise ConfigError([Problem("tracker.settings", str(error))]) from error
