"""What changed in a project of Jira, though Jira tells of no deletion and not of every change.

- The poll asks for what was updated since the last run began, and a little before: the index lies behind, keeps
  whole minutes, and the clocks of a cluster differ.
- The sweep looks at a share of the known issues in every run, whatever `updated` says: after so many runs at all of them.
- The census compares all ids with the known ones. What is missing is asked for by id: deleted is only what Jira does
  not know in two runs, and never so many at once that it looks like a lost permission. What is there and not known
  was missed, or came into the scope without being updated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import quote as percent

import msgspec

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unavailable
from filesync.trackers.base import Touched
from filesync.trackers.jira.read.census import Fate, judge, share, some
from filesync.trackers.jira.read.cursor import KEPT, OVERLAP, Cursor, Hit, after_poll, in_turn, is_id, read_cursor
from filesync.trackers.jira.read.reading import Reading, too_many
from filesync.trackers.jira.read.search import Asks, Search
from filesync.trackers.jira.read.told import New
from filesync.trackers.jira.rest.dialect import API, read_time

Known = Callable[[], Iterator[str]]
_ROOM: Final = KEPT  # issues that a census asks for one by one, and strangers that it names


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How often it looks, and how closely."""

    scope: str  # JQL
    not_before: int | None  # ms since 1970: issues created then or later
    lag: int  # ms that the index may lie behind
    sweep: int  # one in so many known issues a run
    census: int  # runs from one census to the next
    limit: int  # issues that may be missing at once


class Feed:
    """The feed of one project, for any number of callers."""

    def __init__(self, http: Asks, search: Search, reading: Reading, plan: Plan) -> None:
        self._http, self._search, self._reading, self._plan = http, search, reading, plan

    def changed(self, since: str | None, known: Known) -> Iterator[Touched]:
        """See Tracker. `known` gives the ids of all live issues that the caller has."""
        run = _Run(self._http, self._search, self._reading, self._plan)
        told = self._reading.told
        told.forget()
        held: tuple[str, Cursor | None] | None = None
        try:
            for touched in run.touched(read_cursor(since), known):
                if held is not None:
                    yield _touched(*held)
                held = touched
            if held is not None:
                yield _touched(held[0], run.done)
        except Unavailable:
            if held is not None:  # what the poll found does not wait for what is wrong with the others
                yield _touched(*held)
            told.forget()
            raise
        except GeneratorExit:
            told.forget()
            raise


def _touched(issue: str, cursor: Cursor | None) -> Touched:
    return Touched(issue, None if cursor is None else cursor.text())


class _Run:
    """One run of the feed. `done`: the cursor after it."""

    def __init__(self, http: Asks, search: Search, reading: Reading, plan: Plan) -> None:
        self._http, self._search, self._reading, self._plan = http, search, reading, plan
        self._named: set[int] = set()
        self.done = Cursor(at=0)

    def touched(self, before: Cursor | None, known: Known) -> Iterator[tuple[str, Cursor | None]]:
        """Every issue to look at, once, and the cursor after it. `done` stands when it has ended."""
        start = read_time(self._http)
        if before is not None and before.at > start:
            before = None  # Jira's clock was set back: nobody knows what was changed since
        plan, ended = self._plan, start - OVERLAP - self._plan.lag
        by_ids = self._search.cloud and (before is None or before.walked > 0)
        hits = []
        if before is not None:
            hits = self._search.changed(min(before.at, ended))
        elif not by_ids:
            hits = self._search.all(scope=plan.scope, not_before=plan.not_before)
        ids = frozenset(int(one) for one in known() if is_id(one))
        self._tell(hits, ids, scoped=before is None)
        for issue, cursor in in_turn(hits, before, start=start, lag=plan.lag):
            self._named.add(int(issue))
            yield issue, cursor
        self.done = polled = after_poll(hits, before, start=start, lag=plan.lag)
        if by_ids:
            yield from self._walk(polled, ids, settled=ended)
        if by_ids or before is None:
            self.done = msgspec.structs.replace(polled, compared=start, walked=0)
            return
        for other in self._others(ids, start):
            yield str(other), polled

    def _walk(self, polled: Cursor, known: frozenset[int], *, settled: int) -> Iterator[tuple[str, Cursor]]:
        """What a first reading in Cloud has not come to, by id: a page holds fifty times as many as with a date beside each."""
        plan = self._plan
        listed = sorted(self._search.ids(scope=plan.scope, not_before=plan.not_before))
        left = [one for one in listed if one > polled.walked and one not in self._named]
        new = {str(one): New(None, scoped=True, settled=settled) for one in left if one not in known}
        self._reading.told.new.update(new)
        for one in left or ([] if self._named else listed[-1:]):  # the last one bears the cursor where none is left
            self._named.add(one)
            yield str(one), msgspec.structs.replace(polled, walked=one)

    def _tell(self, hits: Sequence[Hit], known: frozenset[int], *, scoped: bool) -> None:
        """Let the reading know which of these the caller does not know."""
        new = {hit.id: New(hit.updated, scoped) for hit in hits if int(hit.id) not in known}
        self._reading.told.new.update(new)

    def _others(self, known: frozenset[int], start: int) -> list[int]:
        """What is to be looked at besides what the poll brought: deleted, missed, and in the sweep's turn, in this order."""
        plan, polled = self._plan, self.done
        swept, turn = share(known, parts=plan.sweep, turn=polled.turn)
        there = {int(one) for one in self._search.present([str(one) for one in swept if one not in self._named])}
        there |= self._named.intersection(swept)
        # without known issues no run is counted: nothing is named that would carry the count
        due = not known or len(there) < len(swept) or polled.after > 0 or polled.runs + 1 >= plan.census
        self.done = msgspec.structs.replace(polled, turn=turn, runs=polled.runs + 1)
        missed: list[int] = []
        lost: list[int] = []
        listed = frozenset(there)
        if due:
            listed = frozenset(self._search.ids())
            self.done = msgspec.structs.replace(self.done, runs=0, compared=start)
            missed = self._missed(known, listed, since=polled.compared)
            away = sorted(known - listed - there - self._named)
            seen = self._search.present([str(one) for one in away])
            lost = [one for one in away if str(one) not in seen]
        named = [*self._gone(lost, known, start), *missed, *sorted(there)]
        named = [one for one in dict.fromkeys(named) if one not in self._named]
        return named or self._bearer(listed)

    def _missed(self, known: frozenset[int], listed: frozenset[int], *, since: int) -> list[int]:
        """Issues in scope that the caller does not know: those updated since the last census, and some of the others."""
        plan = self._plan
        if plan.scope or plan.not_before is not None:
            listed = frozenset(self._search.ids(scope=plan.scope, not_before=plan.not_before))
        strangers = listed - known - self._named
        if not strangers:
            return []
        hits = self._search.changed(max(0, since - OVERLAP - plan.lag), scope=plan.scope)
        late = [hit for hit in hits if int(hit.id) in strangers]
        others, after = some(sorted(strangers - {int(hit.id) for hit in late}), after=self.done.round, room=_ROOM)
        self.done = msgspec.structs.replace(self.done, round=after)
        self._tell([*late, *(Hit(str(one)) for one in others)], known, scoped=True)
        return [*(int(hit.id) for hit in late), *others]

    def _gone(self, lost: Sequence[int], known: frozenset[int], start: int) -> list[int]:
        """Of the known issues that no search shows: those that are not there in the second run, and those that are there."""
        before = [one for one in self.done.missing if int(one) in known]
        rest = [one for one in lost if str(one) not in before]
        asked, after = some(rest, after=self.done.after, room=_ROOM - len(before))
        fates = {one: self._reading.fate(one, now=start, lag=self._plan.lag) for one in [*before, *map(str, asked)]}
        suspects = len(before) + len(rest)
        verdict = judge(fates, before=before, suspects=suspects, known=len(known), limit=self._plan.limit)
        match verdict.too_many:
            case (Fate.MISSING, count):
                raise too_many(count, len(known))
            case (_, count):
                raise Unavailable(
                    f"Jira's search in the project {shown(self._search.project)} does not show {count} issues that are there",
                    hint="What changed may be missing from it, so nothing is told. Its index is being built anew or is "
                    "damaged: wait, or ask whoever runs Jira to look at it.",
                )
        self.done = msgspec.structs.replace(self.done, missing=verdict.once, after=after)
        self._reading.told.gone.update(verdict.gone)
        return [int(one) for one in (*verdict.gone, *verdict.unlisted)]

    def _bearer(self, listed: frozenset[int]) -> list[int]:
        """An issue to be named for its cursor's sake, where there is no other: else the next run begins where this one did.

        Where no issue is left at all, nothing can be remembered: what is missing is named at once, if we see the project.
        """
        once = self.done.missing
        if self._named or listed or not once:
            return [] if self._named or not listed else [min(listed)]
        self._see_project()
        self.done = msgspec.structs.replace(self.done, missing=())
        self._reading.told.gone.update(once)
        return [int(one) for one in once]

    def _see_project(self) -> None:
        """Raise Unavailable where our account may not browse it: all of it would look deleted."""
        project = self._search.project
        try:
            self._http.get(f"{API}/project/{percent(project, safe='')}", gone="it is hidden or deleted")
        except (Gone, Rejected) as error:
            raise Unavailable(
                f"Jira does not show the project {shown(project)} to our account: {error}",
                hint="Nothing was told to be deleted. Let the account browse it again.",
            ) from error
