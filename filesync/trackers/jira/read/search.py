"""Which issues there are: ids by search, over windows of time, complete or not at all.

A search in Data Center counts its pages (`startAt`), which skips rows when others leave the result meanwhile, and ends at
10,000 rows. So every walk goes by `created`, which never changes: each page begins at the minute in which the one before
ended. Only a minute that fills a page is counted through. A search in Cloud goes from token to token.

Moments are ms since 1970; JQL takes them as they are, in nobody's time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from filesync.bundle.verdict import shown
from filesync.errors import Rejected, Unavailable
from filesync.trackers.jira.read.cursor import MINUTE, Hit, is_id
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate.shapes import epoch_ms

BULK: Final = 100  # issues in one bulkfetch, or read in one search
_PAGE: Final = 1000  # rows asked for; the answer may hold fewer
_IDS_PAGE: Final = 5000  # the same where nothing but ids is wanted, in Cloud
_NAMED: Final = 500  # ids in one query
_RECONCILED: Final = 50  # ids whose newest state a search in Cloud can be asked to know
_AGAIN: Final = 3  # a walk begins anew at most so often
_STALE: Final = 3  # pages that bring nothing new, besides those of walks that began anew
_ORDER: Final = "ORDER BY created ASC, key ASC"


_T = TypeVar("_T")


class Asks(Protocol):
    """Whoever asks Jira (http.py)."""

    def get(self, path: str, *, params: Mapping[str, str] | None = None, gone: str = "") -> Any:
        """What is there. Raises Unavailable, Rejected, Gone."""
        ...

    def ask(self, path: str, *, body: object, params: Mapping[str, str] | None = None) -> Any:
        """A POST that only reads. Raises Unavailable, Rejected."""
        ...


def quoted(text: str) -> str:
    """A text as a value in JQL, whatever it holds."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def query(*clauses: str) -> str:
    """All of these; empty ones are left out."""
    return " AND ".join(clause for clause in clauses if clause)


def scoped(scope: str) -> str:
    """The operator's own JQL as one clause."""
    return f"({scope})" if scope.strip() else ""


def since(field: str, moment: int) -> str:
    """From this moment on."""
    return f"{field} >= {moment}"


def among(ids: Sequence[str]) -> str:
    """One of these issues."""
    return f"id in ({', '.join(ids)})"


def among_versions(versions: Mapping[str, int]) -> str:
    """One of these issues, in an index that has it as it was in the minute given with it, or later."""
    each = (query(f"id = {one}", since("updated", moment - moment % MINUTE)) for one, moment in versions.items())
    return f"({' OR '.join(each)})"


def parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """A list in pieces."""
    return (items[start : start + size] for start in range(0, len(items), size))


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a walk in Data Center: issues created from `start` and before `end`, `offset` of them being known.

    A page begins with the `last` row of the one before: else something came or went, and the window is read anew.
    """

    start: int | None = None
    end: int | None = None
    offset: int = 0
    last: str = ""
    again: int = 0

    def clause(self) -> str:
        """As JQL."""
        return query(
            since("created", self.start) if self.start is not None else "",
            f"created < {self.end}" if self.end is not None else "",
        )


def following(window: Window, hits: Sequence[Hit], total: int) -> Window | None:
    """What to ask for after these rows of a window, in which there are `total`. Raises ValueError where that is no walk."""
    if window.last and (not hits or hits[0].id != window.last):
        if window.again == _AGAIN:
            raise ValueError("its rows do not stand still")
        return Window(window.start, window.end, again=window.again + 1)
    reached = window.offset + len(hits)
    if reached >= total:
        return None if window.end is None else Window(window.end)
    if len(hits) <= bool(window.last):
        raise ValueError(f"a page is empty, though {total} rows were promised and {reached} came")
    if window.end is not None:
        return replace(window, offset=reached - 1, last=hits[-1].id)
    minutes = [hit.created - hit.created % MINUTE for hit in hits if hit.created is not None]
    if len(minutes) < len(hits) or max(minutes) != minutes[-1]:
        raise ValueError("its rows are not in the order of their creation")
    if window.start is None or minutes[-1] > window.start:
        return Window(minutes[-1])
    return Window(window.start, window.start + MINUTE)


@dataclass(frozen=True, slots=True)
class Search:
    """Searches in one project. Every method raises Unavailable, and nothing else."""

    http: Asks
    cloud: bool
    project: str  # its key

    def changed(self, moment: int, *, scope: str = "") -> list[Hit]:
        """Issues that were updated at this moment or later, as far as the index knows."""
        return list(self._walk(query(self._here, since("updated", moment), scoped(scope)), "updated"))

    def all(self, *, scope: str = "", not_before: int | None = None) -> list[Hit]:
        """All issues, or those in the scope that were created at `not_before` or later."""
        return list(self._walk(self._wanted(scope, not_before), "updated"))

    def ids(self, *, scope: str = "", not_before: int | None = None) -> set[int]:
        """The same, ids alone: in Cloud a page holds many more of them."""
        return {int(hit.id) for hit in self._walk(self._wanted(scope, not_before))}

    def present(self, ids: Sequence[str]) -> set[str]:
        """Which of these issues can be seen, in whatever project. In Data Center, as far as the index knows."""
        looked = self._looked_up if self.cloud else self._listed
        return {one for part in parts(ids, BULK if self.cloud else _NAMED) for one in looked(part)} & set(ids)

    def within(self, versions: Mapping[str, int], *, scope: str) -> set[str]:
        """Which of these issues are in the scope, as they were at the moment given with each, their `updated`, or later.

        One that the index knows only as it was before is left out: a poll names it again, once the index has it.
        """
        found: set[str] = set()
        for part in parts(list(versions), _RECONCILED if self.cloud else BULK):
            # Data Center may answer from its index and show what its database has: the index itself must know the version
            which = among(part) if self.cloud else among_versions({one: versions[one] for one in part})
            asked = query(self._here, scoped(scope), which)
            hits = self._walk(asked, "updated", fresh=part if self.cloud else ())
            found |= {
                hit.id for hit in hits if hit.updated is not None and hit.updated >= versions.get(hit.id, hit.updated + 1)
            }
        return found

    def made(self, moment: int) -> Iterator[str]:
        """Ids of the issues that our account made at this moment or later, in whatever project, the oldest first."""
        yield from (hit.id for hit in self._walk(query("creator = currentUser()", since("created", moment))))

    def example(self, **values: str) -> str | None:
        """The id of one issue of the project that has these values, as far as the index knows."""
        clauses = (f"{field} = {quoted(value)}" for field, value in values.items())
        body = {"jql": query(self._here, *clauses), "maxResults": 1, "fields": ["created"]}
        try:
            answer = self._answer("search/jql" if self.cloud else "search", body)
        except Rejected:
            return None  # a value that Jira does not know
        return next((hit.id for hit in self._hits(answer)), None)

    def rows(self, field: str, values: Sequence[str], *wanted: str) -> Iterator[Mapping[str, Any]]:
        """The issues that a search in Data Center shows of those with these values in `id` or `key`, with the fields wanted.

        It may refuse a list for one that is gone, or answer with fewer at once: then it is asked by halves.
        """
        listed = ", ".join(values if field == "id" else map(quoted, values))
        body = {
            "jql": f"{field} in ({listed})",
            "startAt": 0,
            "maxResults": len(values),
            "fields": list(wanted),
            "validateQuery": False,
        }
        total: object = 0
        try:
            answer = self._answer("search", body)
            found, total = objects(answer, "issues"), answer.get("total")
        except Rejected:
            found = None
        if found is not None and (not isinstance(total, int) or len(found) >= total):
            yield from found
        elif len(values) > 1:
            half = len(values) // 2
            yield from self.rows(field, values[:half], *wanted)
            yield from self.rows(field, values[half:], *wanted)

    @property
    def _here(self) -> str:
        return f"project = {quoted(self.project)}"

    def _wanted(self, scope: str, not_before: int | None) -> str:
        return query(self._here, scoped(scope), since("created", not_before) if not_before is not None else "")

    def _walk(self, asked: str, *fields: str, fresh: Sequence[str] = ()) -> Iterator[Hit]:
        """Every issue that is found, once."""
        pages = self._by_token(asked, fields, fresh) if self.cloud else self._by_window(asked, fields)
        seen: set[str] = set()
        useful = stale = 0
        for page in pages:
            new = [hit for hit in page if hit.id not in seen]
            useful, stale = (useful + 1, stale) if new else (useful, stale + 1)
            if stale > _STALE + _AGAIN * useful:
                raise self._odd("its pages repeat themselves")
            seen.update(hit.id for hit in new)
            yield from new

    def _by_window(self, asked: str, fields: Sequence[str]) -> Iterator[list[Hit]]:
        window: Window | None = Window()
        while window is not None:
            body = {
                "jql": f"{query(asked, window.clause())} {_ORDER}",
                "startAt": window.offset,
                "maxResults": _PAGE,
                "fields": ["created", *fields],
                "validateQuery": True,
            }
            with self._asking():
                answer = self._answer("search", body)
            hits, total = self._hits(answer), answer.get("total")
            if not isinstance(total, int):
                raise self._odd("it does not say how many there are")
            yield hits
            try:
                window = following(window, hits, total)
            except ValueError as error:
                raise self._odd(str(error)) from error

    def _by_token(self, asked: str, fields: Sequence[str], fresh: Sequence[str]) -> Iterator[list[Hit]]:
        body: dict[str, object] = {"jql": f"{asked} {_ORDER}", "fields": list(fields) or ["id"]}
        body["maxResults"] = _PAGE if fields else _IDS_PAGE
        if fresh:
            body["reconcileIssues"] = [int(one) for one in fresh]
        used: set[str] = set()
        again = 0
        while True:
            with self._asking():
                try:
                    answer = self._answer("search/jql", body)
                except Rejected:
                    if "nextPageToken" not in body or again == _AGAIN:
                        raise
                    again += 1  # the token has expired: from the beginning, and what is known already is passed over
                    used.clear()
                    del body["nextPageToken"]
                    continue
            yield self._hits(answer)
            token = answer.get("nextPageToken")
            if token is None or answer.get("isLast") is True:
                return
            if not isinstance(token, str) or token in used:
                raise self._odd("its pages go round in a circle")
            used.add(token)
            body["nextPageToken"] = token

    def _listed(self, ids: Sequence[str]) -> Iterator[str]:
        return (str(one.get("id")) for one in self.rows("id", ids, "created"))

    def _looked_up(self, ids: Sequence[str]) -> Iterator[str]:
        """Those that Cloud has at hand, whatever its index knows."""
        with self._asking():
            answer = self.http.ask(f"{API}/issue/bulkfetch", body={"issueIdsOrKeys": list(ids), "fields": ["created"]})
        yield from (str(one.get("id")) for one in objects(answer, "issues"))

    def _answer(self, path: str, body: object) -> Mapping[str, Any]:
        answer = self.http.ask(f"{API}/{path}", body=body)
        if not isinstance(answer, Mapping):
            raise self._odd("its answer is no page of a search")
        return answer

    def _hits(self, answer: Mapping[str, Any]) -> list[Hit]:
        return [
            Hit(local, moment(one, "created"), moment(one, "updated"))
            for one in objects(answer, "issues")
            if is_id(local := str(one.get("id")))
        ]

    def _odd(self, why: str) -> Unavailable:
        return Unavailable(
            f"Jira's search in the project {shown(self.project)} cannot be followed: {why}",
            hint="Nothing was left out: the next run asks again. If it stays so, ask whoever runs Jira to look at its index.",
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A search that Jira does not take at all: neither its project nor its scope can be asked for."""
        try:
            yield
        except Rejected as error:
            raise Unavailable(
                f"Jira does not search in the project {shown(self.project)}: {error}",
                hint="Nothing is told until it does. Is the project still there, may our account browse it, and are "
                "tracker.settings.scope and incoming queries that Jira takes?",
            ) from error


def objects(answer: object, name: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer."""
    listed = answer.get(name) if isinstance(answer, Mapping) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def moment(issue: Mapping[str, Any], name: str) -> int | None:
    """A date-time of an issue as Jira shows it, in ms since 1970; None where it shows none."""
    fields = issue.get("fields")
    try:
        return epoch_ms(fields.get(name)) if isinstance(fields, Mapping) else None
    except ValueError:
        return None
