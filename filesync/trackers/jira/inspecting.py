"""What a Jira tells of screens and of roles and groups only where it is asked for them: before anything comes that needs them.

Which fields can be edited each issue says of itself, so one of each type is asked. Our account must be among those to whom a
comment is to be kept. Cloud says where it is; Data Center tells the names of roles alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from filesync.errors import Gone, Rejected
from filesync.settings import did_you_mean, quoted
from filesync.trackers.base import Inspected
from filesync.trackers.jira.project import Project
from filesync.trackers.jira.read.search import Search, objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate.catalogue import read_screen
from filesync.trackers.jira.translate.offered import INTERNAL
from filesync.trackers.jira.translate.shapes import Shape

_BESIDE: Final = frozenset({Shape.STATUS, Shape.PARENT})  # by transitions; and where there is one, on screens under other names
_NOBODY: Final = "stands for nobody in a Jira: name a role (role:NAME), a group (group:NAME) or service-desk:internal for it"
_BELONG: Final = "whether our account is in the roles and groups that `visibilities` names"


def inspect(project: Project, search: Search, types: Collection[str], few: Collection[str]) -> Inspected:
    """See Tracker."""
    edits = {name: fields for name in types if (fields := _editable(project, search, name)) is not None}
    refused: dict[str, str] = {}
    unsure = []
    if without := [name for name in types if name not in edits]:
        unsure.append(f"which fields can be edited of {', '.join(map(quoted, without))}, before there is one that can")
    names = {kind: sorted(one.partition(":")[2] for one in few if one.startswith(f"{kind}:")) for kind in ("role", "group")}
    refused |= {one: _NOBODY for one in few if one != INTERNAL and not one.startswith(("role:", "group:"))}
    if INTERNAL in few and not project.catalogue.desk:
        refused[INTERNAL] = "the project is no service desk's"
    if names["role"] and (roles := _roles(project)) is not None:
        refused |= {f"role:{one}": why for one in names["role"] if (why := _why(f"role {quoted(one)}", one, *roles))}
    if names["group"] and (told := _groups(project)) is not None:
        groups, all_ = told
        missing = {f"group:{one}": why for one in names["group"] if (why := _why(f"group {quoted(one)}", one, None, groups))}
        if all_:
            refused |= missing
        elif missing:
            unsure.append(
                f"all groups that our account is in: {', '.join(map(quoted, sorted(missing)))} may be among the others"
            )
    if any(names.values()) and not project.cloud:
        unsure.append(_BELONG)
    return Inspected(edits=edits, few=refused, unsure=tuple(unsure))


def _why(what: str, name: str, there: Collection[str] | None, ours: Collection[str] | None) -> str:
    """Why nothing can be kept to these; "" where it can, or nobody knows. `there`: all that there are."""
    if there is not None and name not in there:
        return f"the project has no {what}{did_you_mean(name, there)}"
    if ours is not None and name not in ours:
        return f"our account is not in the {what}: Jira keeps nothing to those to whom its author does not belong"
    return ""


def _editable(project: Project, search: Search, kind: str) -> frozenset[str] | None:
    """The fields on the screen of an issue of this type, and those that a transition of the settings writes.

    None where none of them can be edited, or there is no such issue.
    """
    local = search.example(issuetype=kind)
    try:
        meta = project.http.get(f"{API}/issue/{local}/editmeta", gone="it is gone") if local is not None else None
    except (Gone, Rejected):
        return None
    listed = meta.get("fields") if isinstance(meta, Mapping) else None
    if not isinstance(listed, Mapping) or not listed:
        return None
    screen = read_screen((str(name), one) for name, one in listed.items() if isinstance(one, Mapping))
    catalogue = project.catalogue
    looped = {name for one in project.settings.transitions.values() for name in one.writes}
    return frozenset(
        one.name
        for one in catalogue.fields
        if one.name in looped
        or one.id in screen
        or one.id == "issuetype"
        or one.shape in _BESIDE
        or one.name in catalogue.apart
    )


def _roles(project: Project) -> tuple[Collection[str], Collection[str] | None] | None:
    """The names of all roles, and of those that our account is in; None for what Jira does not tell."""
    path = f"{API}/project/{project.catalogue.project}"
    try:
        named = project.http.get(f"{path}/role")
        ours = project.http.get(f"{path}/roledetails", params={"currentMember": "true"}) if project.cloud else None
    except Rejected:
        return None
    if not isinstance(named, Mapping):
        return None
    return named.keys(), None if ours is None else set(_names(ours))


def _groups(project: Project) -> tuple[Collection[str], bool] | None:
    """The groups that our account is in, and whether these are all; None where Jira does not tell."""
    if not project.cloud:
        return None
    me = project.http.get(f"{API}/myself", params={"expand": "groups"})
    groups = me.get("groups") if isinstance(me, Mapping) else None
    listed = groups.get("items") if isinstance(groups, Mapping) else None
    if not isinstance(groups, Mapping) or not isinstance(listed, list):
        return None
    count = groups.get("size")  # of all: what is listed may be fewer
    return set(_names(listed)), not isinstance(count, int) or count <= len(listed)


def _names(listed: Any) -> Iterator[str]:
    yield from (str(one.get("name")) for one in objects({"values": listed}, "values"))
