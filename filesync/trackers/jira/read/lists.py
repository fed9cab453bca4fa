"""The comments and worklogs of issues: made whole where Jira cut them short, and given their marks where they are ours.

Marks are properties, which come with no issue: Cloud tells those of a thousand comments or worklogs in one call, Data Center
those of the comments of one issue. What has nothing that our account wrote costs no call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from filesync.errors import Gone
from filesync.trackers.jira.read.search import Asks, objects, parts
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate.markers import PROPERTY

Json: TypeAlias = dict[str, Any]
_PAGE: Final = 1000  # entries that are asked for
_MARKS: Final = 1000  # comments or worklogs of which Cloud tells the properties in one call
_LISTS: Final = (("comment", "comments"), ("worklog", "worklogs"))


class Moved(Exception):
    """Something came or went while an issue was read: it is to be read again."""


class Lists:
    """What belongs to issues. Raises Unavailable, Rejected; Gone where an issue is."""

    def __init__(self, http: Asks, *, cloud: bool, accounts: Collection[str], desk: bool = False) -> None:
        """`accounts`: who we are, and were. `desk`: in a service desk, where a property says which comments are internal."""
        self._http, self._cloud, self._accounts, self._desk = http, cloud, accounts, desk

    def ours(self, author: object) -> bool:
        """Whether it is our account that wrote something."""
        name = "accountId" if self._cloud else "name"
        return isinstance(author, Mapping) and author.get(name) in self._accounts

    def cut(self, issue: Mapping[str, Any]) -> list[str]:
        """Which lists of an issue do not hold everything."""
        fields = issue["fields"]
        return [
            name
            for name, entries in _LISTS
            if isinstance(page := fields.get(name), Mapping) and len(objects(page, entries)) < _total(page)
        ]

    def fill(self, issue: Json) -> None:
        """Read the lists that are cut short, by themselves. Raises Moved."""
        for name in self.cut(issue):
            entries = dict(_LISTS)[name]
            listed = self._listed(str(issue["id"]), name, entries)
            issue["fields"][name] = {entries: listed, "total": len(listed)}

    def mark(self, issues: Sequence[Json]) -> set[str]:
        """Give what is ours its properties. The ids of issues that have lost some of it meanwhile: those have moved."""
        wanted = [(issue, name, one) for issue in issues for name, one in self._unmarked(issue)]
        found = {
            name: self._marks(name, [(str(issue["id"]), str(one["id"])) for issue, list_, one in wanted if list_ == name])
            for name, _ in _LISTS
        }
        moved = set()
        for issue, name, one in wanted:
            marks = found[name].get(str(one["id"]))
            if marks is None:
                moved.add(str(issue["id"]))
            else:
                one["properties"] = marks
        return moved

    def _unmarked(self, issue: Json) -> Iterator[tuple[str, Json]]:
        """What needs its properties and has none yet. A worklog of Data Center has no room for any."""
        for name, entries in _LISTS:
            for one in objects(issue["fields"].get(name), entries):
                hidden = self._desk and name == "comment" and "jsdPublic" not in one
                wanted = hidden or self.ours(one.get("author"))
                if wanted and "properties" not in one and (self._cloud or name == "comment"):
                    yield name, one

    def _marks(self, name: str, wanted: Sequence[tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
        """The properties of comments or worklogs by id, wanted by the ids of their issues and their own."""
        if self._cloud:
            told = self._in_bulk(name, [local for _, local in wanted])
        else:
            told = (one for issue in dict.fromkeys(issue for issue, _ in wanted) for one in self._there(issue, name))
        homes = {local: issue for issue, local in wanted}
        found = {}
        for one in told:
            local = str(one.get("id"))
            if local in homes:
                found[local] = objects(one, "properties") if "properties" in one else self._alone(name, homes[local], local)
        return found

    def _in_bulk(self, name: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        for part in parts(ids, _MARKS):
            body = {"ids": [int(one) for one in part]}
            answer = self._http.ask(f"{API}/{name}/list", body=body, params={"expand": "properties"})
            yield from objects({"values": answer} if isinstance(answer, list) else answer, "values")

    def _there(self, issue: str, name: str) -> list[Json]:
        """The comments of an issue in Data Center; none where it has gone or they would not stand still."""
        try:
            return self._listed(issue, name, dict(_LISTS)[name])
        except (Gone, Moved):
            return []

    def _alone(self, name: str, issue: str, local: str) -> list[dict[str, Any]]:
        """Our mark alone, of a Jira that does not tell properties in its lists."""
        path = f"{API}/comment/{local}" if name == "comment" else f"{API}/issue/{issue}/worklog/{local}"
        try:
            told = self._http.get(f"{path}/properties/{PROPERTY}", gone="it has no mark")
        except Gone:
            return []
        return [told] if isinstance(told, dict) else []

    def _listed(self, issue: str, name: str, entries: str) -> list[Json]:
        """A whole list. Its pages are counted, and what goes away meanwhile moves up what is behind it. Raises Moved."""
        paged = self._cloud or name == "comment"
        params = {"maxResults": str(_PAGE)} if paged else {}
        if not self._cloud and paged:
            params["expand"] = "properties"
        found: dict[str, Json] = {}
        totals = set()
        while True:
            at = {"startAt": str(len(found))} if paged else {}
            page = self._http.get(f"{API}/issue/{issue}/{name}", params={**params, **at}, gone="the issue is gone")
            new = [dict(one) for one in objects(page, entries)]
            before = len(found)
            found.update((str(one.get("id")), one) for one in new)
            totals.add(_total(page))
            if len(totals) > 1 or len(found) != before + len(new):
                raise Moved
            if len(found) >= _total(page):
                return list(found.values())
            if not new or not paged:
                raise Moved


def _total(page: object) -> int:
    total = page.get("total") if isinstance(page, Mapping) else None
    return total if isinstance(total, int) else 0
