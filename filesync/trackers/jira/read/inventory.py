"""What a project of a Jira has, asked for once: translate/catalogue.py holds it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol
from urllib.parse import quote

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Gone, Rejected, Unavailable
from filesync.model.values import FieldKind
from filesync.settings import did_you_mean, quoted
from filesync.trackers.jira.rest.dialect import API, Reads
from filesync.trackers.jira.translate import text
from filesync.trackers.jira.translate.catalogue import (
    USERS,
    Catalogue,
    FieldMeta,
    IssueType,
    LinkType,
    Sprints,
    address_of,
    read_screen,
)
from filesync.trackers.jira.translate.offered import JiraField, offer
from filesync.trackers.jira.translate.shapes import Shape, member, sprint

AGILE: Final = "rest/agile/1.0"
_PAGE: Final = 200  # entries of a page that are asked for; Jira may give fewer
_PAGES: Final = 1_000  # a list that is longer does not end
_PROJECTS: Final = 10  # that are named where the one that was meant is not there
_SHOWN: Final = 60  # characters of foreign text in a message


class Flavour(Protocol):
    """Which Jira it is."""

    @property
    def cloud(self) -> bool:
        """Jira Cloud; else Data Center."""
        ...


def read_catalogue(
    http: Reads,
    dialect: Flavour,
    project: str,
    *,
    names: Mapping[str, str] | None = None,
    also: tuple[JiraField, ...] = (),
    text_limit: int = text.LIMIT,
    board: int | None = None,
) -> Catalogue:
    """Ask Jira what the project with this key has. `names`: ours for custom fields, by Jira's id; `also`: further fields.

    `text_limit`: characters that it takes of a text, which it tells nobody but administrators. `board`: the one on which
    missing sprints are made.

    Raises ConfigError (names for fields that are not there), Unavailable (also: no such project), Rejected.
    """
    try:
        found = _read(http, project, cloud=dialect.cloud, names=names or {}, also=also)
    except ValueError as error:
        raise _strange("what the project has") from error
    one = next((one for one in found.fields if one.shape is Shape.SPRINT), None)
    if one is not None and (board is not None or any(one.id in (held.screen or ()) for held in found.types.values())):
        found = replace(found, sprints=read_sprints(http, found.project, board))
    elif board is not None:
        found = replace(found, sprints=Sprints(lost="no field of the project holds sprints"))
    return replace(found, text_limit=text_limit)


def _read(http: Reads, project: str, *, cloud: bool, names: Mapping[str, str], also: tuple[JiraField, ...]) -> Catalogue:
    about = _mapping(_project(http, project, cloud=cloud), "the project")
    id_, key = _number(about, "id"), member(about, "key")
    screens = _screens(http, id_)
    on_some = None if screens is None else {one for screen in screens.values() for one in screen}
    listed = _list(http.get(f"{API}/field"), "its fields")
    offered = offer(listed, project=id_, names=names, screens=on_some, cloud=cloud)
    if offered.problems:
        raise ConfigError(offered.problems, hint="Mend `tracker.settings.fields` in the configuration.")
    types, users = _types(http, id_, screens), _users(http, key, cloud=cloud)
    # once, though several fields take versions
    entries = functools.cache(lambda kind: _names(http.get(f"{API}/project/{id_}/{_PROJECT_LISTS[kind]}")))
    return Catalogue(
        cloud=cloud,
        project=id_,
        key=key,
        fields=(*(_filled(http, id_, one, types=types, entries=entries) for one in offered.fields), *also),
        left_out=offered.left_out,
        types=types,
        links=_links(http),
        users={id_: str(one.get("displayName", "")) for id_, one in users.items()},
        addresses={id_: address_of(one) for id_, one in users.items()},
        apart=frozenset(one.name for one in also),
        epic_link=offered.epic_link,
        epic_name=offered.epic_name,
        desk=about.get("projectTypeKey") == "service_desk",
    )


def _project(http: Reads, project: str, *, cloud: bool) -> Any:
    try:
        return http.get(f"{API}/project/{quote(project, safe='')}", gone=project)
    except Gone as error:
        listed = _pages(http, f"{API}/project/search", "values") if cloud else _list(http.get(f"{API}/project"), "the projects")
        seen = {member(one, "key"): str(one.get("name", "")) for one in listed}
        called = next((key for key, name in seen.items() if name.casefold() == project.casefold()), project)
        there = f"; it sees {', '.join(map(quoted, list(seen)[:_PROJECTS])) or 'none'}"
        raise Unavailable(
            f"our account sees no project {quoted(project)}{did_you_mean(called, seen) or there}",
            hint="Give its key (tracker.project), or have our account let in: without Browse Projects Jira hides it.",
        ) from error


def _screens(http: Reads, project: str) -> dict[str, dict[str, FieldMeta]] | None:
    """What can be given when an issue is made, by the type's id; None where our account may make none."""
    base = f"{API}/issue/createmeta/{project}/issuetypes"
    try:
        types = [_number(one, "id") for one in _pages(http, base, "values", "issueTypes")]
    except Rejected:
        return None
    found = {}
    for one in types:
        fields = _pages(http, f"{base}/{one}", "values", "fields")
        found[one] = read_screen((str(entry.get("fieldId") or entry.get("key")), entry) for entry in fields)
    return found


def _types(http: Reads, project: str, screens: Mapping[str, Mapping[str, FieldMeta]] | None) -> dict[str, IssueType]:
    found = [
        IssueType(
            id=_number(one, "id"),
            name=member(one, "name"),
            subtask=one.get("subtask") is True,
            statuses=_names(one.get("statuses")),
            screen=None if screens is None else screens.get(_number(one, "id"), {}),
        )
        for one in _list(http.get(f"{API}/project/{project}/statuses"), "its types")
    ]
    return {one.name: one for one in found}


def _filled(
    http: Reads,
    project: str,
    one: JiraField,
    *,
    types: Mapping[str, IssueType],
    entries: Callable[[FieldKind], tuple[str, ...]],
) -> JiraField:
    """The field with what it takes, as screens and lists say."""
    metas = [meta for held in types.values() if held.screen is not None and (meta := held.screen.get(one.id)) is not None]
    options = tuple(dict.fromkeys(option for meta in metas for option in meta.allowed))
    ids: dict[str, str] = {}
    if one.kind is FieldKind.TYPE:
        options, ids = tuple(types), {held.name: held.id for held in types.values()}
    elif one.kind is FieldKind.STATUS:
        options = tuple(dict.fromkeys(status for held in types.values() for status in held.statuses))
    elif one.kind in _PROJECT_LISTS:
        options = entries(one.kind)
    elif one.name == "security":
        levels = _mapping(http.get(f"{API}/project/{project}/securitylevel"), _LEVELS).get("levels")
        ids = {member(level, "name"): member(level, "id") for level in _list(levels, _LEVELS)}
        options = tuple(ids)
    elif one.name in _LISTS and not options:
        options = _names(http.get(f"{API}/{one.name}"))
    elif one.kind not in {FieldKind.OPTION, FieldKind.CASCADE}:
        options = ()
    every = len(metas) == len(types) > 0 and all(meta.required for meta in metas)
    adds = bool(metas) and all({"add", "remove"} <= meta.operations for meta in metas)
    return replace(one, options=options, ids=ids, required=one.required or every, adds=one.many and adds)


_PROJECT_LISTS: Final = {FieldKind.VERSION: "versions", FieldKind.COMPONENT: "components"}
_LISTS: Final = ("priority", "resolution")
_LEVELS: Final = "its security levels"
_LINKS: Final = "its types of links"


def read_sprints(http: Reads, project: str, board: int | None) -> Sprints:
    """The sprints that are not closed, of all boards of the project and of this one. Raises Unavailable, Rejected."""
    found: dict[str, set[str]] = {}
    lost = ""
    boards = [_number(one, "id") for one in _pages(http, f"{AGILE}/board", "values", projectKeyOrId=project, type="scrum")]
    for one in dict.fromkeys([*boards, *([str(board)] if board is not None else [])]):
        try:
            for number, name in sprints_of(http, one, "active,future"):
                found.setdefault(name, set()).add(number)
        except (Gone, Rejected) as error:
            if one != str(board):
                if isinstance(error, Gone):
                    continue  # it was deleted a moment ago
                raise
            lost = f"our account sees no board {board} with sprints ({error})"
    return Sprints(ids={name: tuple(sorted(numbers)) for name, numbers in found.items()}, lost=lost)


def sprints_of(http: Reads, board: str, states: str) -> Iterator[tuple[str, str]]:
    """Ids and names of a board's sprints in these states; a Jira that does not know the filter lists all. Raises as `get`."""
    for one in _pages(http, f"{AGILE}/board/{board}/sprint", "values", gone="there is none", state=states):
        number, name, closed = sprint(one)
        if closed is ("closed" in states):
            yield str(number), name


def _links(http: Reads) -> dict[str, LinkType]:
    listed = _list(_mapping(http.get(f"{API}/issueLinkType"), _LINKS).get("issueLinkTypes"), _LINKS)
    found = [
        LinkType(id=_number(one, "id"), name=member(one, "name"), outward=member(one, "outward"), inward=member(one, "inward"))
        for one in listed
    ]
    return {one.name: one for one in found}


def _users(http: Reads, project: str, *, cloud: bool) -> dict[str, Mapping[str, Any]]:
    params = {"project": project, "maxResults": str(USERS)}
    listed = _list(http.get(f"{API}/user/assignable/search", params=params), "its users")
    id_ = "accountId" if cloud else "name"
    return {member(one, id_): one for one in listed}


def _pages(http: Reads, path: str, *containers: str, gone: str = "", **params: str) -> Iterator[Mapping[str, Any]]:
    """The entries of a list that comes in pages, which Jira keeps under one of these names. Raises as `get`."""
    start = 0
    for _ in range(_PAGES):
        page = _mapping(http.get(path, params={**params, "startAt": str(start), "maxResults": str(_PAGE)}, gone=gone), path)
        entries = next((held for name in containers if isinstance(held := page.get(name), list)), None)
        if entries is None:
            raise _strange(path)
        yield from entries
        start += len(entries)
        total = page.get("total")
        if not entries or page.get("isLast") is True or (isinstance(total, int) and start >= total):
            return
    raise Unavailable(f"Jira's list of {path} has no end", hint="Nothing was read. Ask whoever runs Jira, and try again.")


def _names(listed: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(member(one, "name") for one in _list(listed, "a list of names")))


def _number(one: Mapping[str, Any], name: str) -> str:
    """An id that stands in paths. Raises ValueError."""
    number = member(one, name)
    if not number.isascii() or not number.isdigit():
        raise ValueError("not an id")
    return number


def _mapping(answer: Any, what: str) -> Mapping[str, Any]:
    if isinstance(answer, Mapping):
        return answer
    raise _strange(what)


def _list(answer: Any, what: str) -> list[Mapping[str, Any]]:
    if isinstance(answer, list) and all(isinstance(one, Mapping) for one in answer):
        return answer
    raise _strange(what)


def _strange(what: str) -> Unavailable:
    return Unavailable(
        f"Jira answered something else where {shown(what, limit=_SHOWN)} was asked for",
        hint="Is tracker.settings.url the address of Jira itself? Nothing was changed.",
    )
