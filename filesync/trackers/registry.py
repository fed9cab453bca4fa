"""The trackers filesync knows, by the name that `tracker.kind` has in the configuration."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.trackers.base import Tracker
from filesync.trackers.embedded import Desk, EmbeddedTracker, create_project, read_definition

KINDS: Final = ("embedded",)
_T = TypeVar("_T", bound=msgspec.Struct)


class EmbeddedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tracker.settings` of an embedded tracker."""

    path: str = "tracker.db"  # relative to the folder of the site's state
    account: str = "filesync"  # the name imports write under
    scope: dict[str, list[str]] = {}  # fields, and the values that let an issue go out; none: every issue


def open_tracker(
    kind: str, *, project: str, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime]
) -> Tracker:
    """Open the tracker of a site; `folder` is where the site's state is. Raises ConfigError, Unavailable."""
    own = _embedded(kind, settings)
    return EmbeddedTracker.open(folder / own.path, project=project, scope=own.scope, clock=clock, account=own.account)


def make_tracker(kind: str, *, project: str, settings: Mapping[str, object], folder: Path) -> None:
    """Make the tracker of a new site where filesync keeps it itself. Raises ConfigError (it is there already), Unavailable."""
    create_project(folder / _embedded(kind, settings).path, read_definition(), key=project)


def open_desk(
    kind: str, *, settings: Mapping[str, object], folder: Path, clock: Callable[[], dt.datetime], author: str
) -> Desk:
    """The desk at which a user of the embedded tracker sits. Raises ConfigError, Unavailable, Rejected (no such user)."""
    return Desk.open(folder / _embedded(kind, settings).path, clock=clock, author=author)


def _embedded(kind: str, settings: Mapping[str, object]) -> EmbeddedSettings:
    if kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        guess = f'; did you mean "{close[0]}"?' if close else f"; there are: {', '.join(KINDS)}"
        raise ConfigError([Problem("tracker.kind", f"filesync knows no tracker {kind[:40]!r}{guess}")])
    return _settings(EmbeddedSettings, settings)


def _settings(shape: type[_T], settings: Mapping[str, object]) -> _T:
    try:
        return msgspec.convert(dict(settings), shape)
    except msgspec.ValidationError as error:
        raise ConfigError([Problem("tracker.settings", str(error))]) from error
