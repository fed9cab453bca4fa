"""What an issue says of its attachments (and, in Data Center, its worklogs), which have no room for a mark of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from filesync.bundle.verdict import shown
from filesync.errors import Rejected
from filesync.model.ids import Gid
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.markers import Part

_LONGEST = "attachment/" + "9" * 18  # of the names a part may have


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


def add(project: Project, issue: str, held: Mapping[str, object], name: str, part: Part) -> None:
    """Write down for whom a part was made, beside what the issue's properties hold. Raises Gone, Rejected, Unavailable."""
    where = markers.with_part(held, name, part)
    if where is None:
        raise Rejected(f"there is no room on issue {issue} to say for whom {name} was made")
    key, value = where
    path = f"{API}/issue/{issue}/properties/{key}"
    project.http.send("PUT", path, body=value, about=issue, idempotent=True, gone=gone_words(issue))
