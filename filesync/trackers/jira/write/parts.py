"""What an issue says of its attachments (and, in Data Center, its worklogs), which have no room for a mark of their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Rejected, Unavailable
from filesync.model.ids import Gid
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.markers import PARTS, Part

_LONGEST = "attachment/" + "9" * 18  # of the names a part may have
_TRIES: Final = 3
_TURNS: Final = tuple(threading.Lock() for _ in range(64))  # each is for some of the issues of all trackers in this process


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


def add(project: Project, issue: str, name: str, part: Part) -> None:
    """Write down for whom a part was made, beside what the issue says of others. Raises Gone, Rejected, Unavailable.

    A property is read and written as a whole. So nobody else in this process does that at the same moment, and it is read once
    more afterwards: what another process wrote over is written again.
    """
    path = f"{API}/issue/{issue}/properties"
    for _ in range(_TRIES):
        with _TURNS[hash((project.http.name, issue)) % len(_TURNS)]:
            where = markers.with_part(held_by(project.issue(issue, properties=PARTS)), name, part)
            if where is None:
                raise Rejected(f"there is no room on issue {issue} to say for whom {name} was made")
            key, value = where
            project.http.send("PUT", f"{path}/{key}", body=value, about=issue, idempotent=True, gone=gone_words(issue))
            if markers.read_parts(held_by(project.issue(issue, properties=PARTS))).get(name) == part:
                return
    raise Unavailable(
        f"for whom {name} was made cannot be kept on issue {issue}: somebody else writes over it, again and again",
        hint="Does another filesync, or an app, work on the same issues? It is tried again in the next run.",
    )
