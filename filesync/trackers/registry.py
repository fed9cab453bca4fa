"""The trackers filesync knows, by the name that `tracker.kind` has in the configuration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.model.prepare import prepare
from filesync.trackers.base import Tracker
from filesync.trackers.embedded import Desk, EmbeddedTracker, create_project, read_definition
from filesync.trackers.embedded.check import quoted, suggestion

KINDS: Final = ("embedded",)


class EmbeddedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tracker.settings` of an embedded tracker."""

    path: str = "state/tracker.db"  # relative to the folder of the configuration
    account: str = "filesync"  # the name imports write under
    scope: dict[str, list[str]] = {}  # fields, and the values that let an issue go out; none: every issue


prepare(EmbeddedSettings)


def open_tracker(
    kind: str, *, project: str, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime]
) -> Tracker:
    """Open the tracker of a site; `folder` is what paths in its settings are relative to. Raises ConfigError, Unavailable."""
    own = _embedded(kind, settings)
    return EmbeddedTracker.open(folder / own.path, project=project, scope=own.scope, clock=clock, account=own.account)


def make_tracker(kind: str, *, project: str, settings: Mapping[str, object], folder: Path) -> None:
    """Make the tracker of a new site where filesync keeps it itself. Raises ConfigError (it is there already), Unavailable."""
    create_project(folder / _embedded(kind, settings).path, read_definition(), key=project)


def open_desk(
    kind: str, *, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime], author: str | None = None
) -> Desk:
    """The desk at which a user of the embedded tracker sits (None: its first user).

    Raises ConfigError, Unavailable, Rejected (no such user).
    """
    return Desk.open(folder / _embedded(kind, settings).path, clock=clock, author=author)


def _embedded(kind: str, settings: Mapping[str, object]) -> EmbeddedSettings:
    if kind not in KINDS:
        raise ConfigError([Problem("tracker.kind", f"there is no tracker of the kind {quoted(kind)}{suggestion(kind, KINDS)}")])
    try:
        return msgspec.convert(dict(settings), EmbeddedSettings)
    except msgspec.ValidationError as error:
        raise ConfigError([Problem("tracker.settings", str(error))]) from error
