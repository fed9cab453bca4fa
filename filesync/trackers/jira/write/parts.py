"""What an issue says of its attachments (and, in Data Center, its worklogs), which have no room for a mark of their own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Rejected, Unavailable
from filesync.model.ids import Gid
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.rest.pace import Turns, Waiting
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.markers import PARTS, Part

_LONGEST = "attachment/" + "9" * 18  # of the names a part may have
_TRIES: Final = 3
_TURNS: Final = Turns(pause=0, limits=(), waiting=Waiting())  # of all trackers in this process


def held_by(issue: Mapping[str, Any]) -> Mapping[str, object]:
    """The properties that came with an issue's JSON."""
    held = issue.get("properties")
    return held if isinstance(held, Mapping) else {}


def of_origin(properties: Mapping[str, object], origin: Gid) -> str | None:
    """The id of the part that was made for this origin, as the issue's properties say."""
    return next(
        (name.partition("/")[2] for name, part in markers.read_parts(properties).items() if part.origin == origin), None
    )


def check_room(properties: Mapping[str, object], part: Part, key: str) -> None:
    """Before something is made that could not be marked afterwards. Raises Rejected."""
    if markers.with_part(properties, _LONGEST, part) is None:
        raise Rejected(
            f"{shown(key)} has so many attachments and worklogs from partners that no more can be told apart",
            hint="It stays as it is. Go on in another issue.",
        )


def turn(project: Project, issue: str) -> AbstractContextManager[None]:
    """Around reading what an issue says, making a part, and writing it down: nobody else in this process does so meanwhile."""
    return _TURNS.turn(f"{project.http.name} {issue}")


def add(project: Project, issue: str, name: str, part: Part, *, held: Mapping[str, object] | None = None) -> None:
    """Write down for whom a part was made, beside what the issue says of others. Raises Gone, Rejected, Unavailable.

    `held`: what it said a moment ago; None: it is asked. A property is written as a whole, so it is read once more
    afterwards: what another process wrote over is written again.
    """
    path = f"{API}/issue/{issue}/properties"
    for _ in range(_TRIES):
        if held is None:
            held = held_by(project.issue(issue, properties=PARTS))
        where = markers.with_part(held, name, part)
        if where is None:
            raise Rejected(f"there is no room on issue {issue} to say for whom {name} was made")
        key, value = where
        project.http.send("PUT", f"{path}/{key}", body=value, about=issue, idempotent=True, gone=gone_words(issue))
        held = held_by(project.issue(issue, properties=PARTS))
        if markers.read_parts(held).get(name) == part:
            return
    raise Unavailable(
        f"for whom {name} was made cannot be kept on issue {issue}: somebody else writes over it, again and again",
        hint="Does another filesync, or an app, work on the same issues? It is tried again in the next run.",
    )
