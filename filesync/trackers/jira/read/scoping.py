"""Where issues of a Jira belong: in what goes out, for sure not in it, moved away, or nobody can tell just now.

The search answers from an index that may lie behind. So one that it does not find within the scope is outside for sure only
where it knows the issue as it is now: without the scope it finds that very version. JQL's own NOT would not do, for
`NOT labels = shared` finds no issue without labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filesync.errors import Rejected, Unavailable
from filesync.model.issue import Scope
from filesync.settings import quoted
from filesync.trackers.jira.jql import unclosed
from filesync.trackers.jira.read.search import Search, moment
from filesync.trackers.jira.read.told import New


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which issues are in scope. `limit`: how many may be missing at once."""

    scope: str
    not_before: int | None  # ms since 1970: created then or later
    limit: int


class Scoping:
    """The scope of one project. Its methods raise Unavailable."""

    def __init__(self, search: Search, wanted: Wanted) -> None:
        self._search, self._wanted = search, wanted

    def judge(self, found: Mapping[str, Mapping[str, Any]], *, project: str, new: Mapping[str, New]) -> dict[str, Scope]:
        """Where these issues belong, by id, as they were read. `project`: our own, its id; `new`: what the feed says."""
        verdicts: dict[str, Scope] = {}
        asked: dict[str, int] = {}
        for local, issue in found.items():
            updated = moment(issue, "updated") or 0
            if not _is_of(issue, project):
                verdicts[local] = Scope.MOVED
            elif self._wanted.not_before is not None and (moment(issue, "created") or 0) < self._wanted.not_before:
                verdicts[local] = Scope.LEFT
            elif not self._wanted.scope or (local in new and new[local].in_scope(updated)):
                verdicts[local] = Scope.IN
            else:
                asked[local] = updated
        within = self._search.within(asked, scope=self._wanted.scope)
        rest = {local: updated for local, updated in asked.items() if local not in within}
        outside = self._search.within(rest, scope="") if rest else set()
        verdicts |= dict.fromkeys(within, Scope.IN)
        return verdicts | {local: Scope.LEFT if local in outside else Scope.DOUBT for local in rest}

    def select(self, query: str) -> Iterator[str]:
        """Local ids of the issues in the scope that a JQL query finds. Raises Rejected, too, for no such query."""
        hint = "It is JQL, without ORDER BY."
        if why := unclosed(query):
            raise Rejected(f"the query {quoted(query)} {why}", hint=hint)
        both = " AND ".join(f"({one})" for one in (self._wanted.scope, query) if one.strip())
        try:
            yield from map(str, sorted(self._search.ids(scope=both, not_before=self._wanted.not_before)))
        except Unavailable as error:
            if query and isinstance(refused := error.__cause__, Rejected):
                raise Rejected(f"Jira takes no query {quoted(query)}: {refused}", hint=hint) from error
            raise


def _is_of(issue: Mapping[str, Any], project: str) -> bool:
    found = issue["fields"].get("project")
    return isinstance(found, Mapping) and str(found.get("id")) == project
