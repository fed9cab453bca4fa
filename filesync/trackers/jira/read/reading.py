"""Issues by id, many at a time and each of them whole: with all comments and worklogs, and the marks of those that are ours.

Cloud hands out a hundred issues in one call. Data Center does so by search alone, which answers from its index: that may lie
behind, and what we wrote a moment ago would look as if somebody had undone it. So an issue that the caller knows is
read from the database, by itself, and only issues that are new to the caller are read by search.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote as percent

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unavailable, Unreadable
from filesync.model.issue import Issue, Scope
from filesync.trackers.jira.read.apart import Apart
from filesync.trackers.jira.read.census import Fate, most_missing
from filesync.trackers.jira.read.cursor import OVERLAP, is_id
from filesync.trackers.jira.read.lists import Json, Lists, Moved
from filesync.trackers.jira.read.long_texts import LongTexts
from filesync.trackers.jira.read.scoping import Scoping, Wanted
from filesync.trackers.jira.read.search import BULK, Asks, Search, moment, objects, parts
from filesync.trackers.jira.read.told import Told
from filesync.trackers.jira.read.unread import Unread
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.issues import read_issue
from filesync.trackers.jira.translate.markers import PROPERTIES

_TRIES: Final = 3  # readings of an issue that changes while it is read


class Reading:
    """The issues of one project. Its methods raise Unavailable, of one issue alone Unreadable, and nothing else."""

    def __init__(
        self,
        http: Asks,
        search: Search,
        catalogue: Callable[[], Catalogue],
        *,
        accounts: Collection[str],
        wanted: Wanted,
        texts: LongTexts,
    ) -> None:
        """`accounts`: who we are, and who we were before."""
        self._texts = texts
        self.told = Told()
        self._http, self._search, self._catalogue, self._accounts = http, search, catalogue, accounts
        self._cloud, self._limit = search.cloud, wanted.limit
        self.scoping = Scoping(search, wanted)
        self._lists = Lists(http, cloud=search.cloud, accounts=accounts, desk=catalogue().desk)
        self._apart = Apart(http, cloud=search.cloud, accounts=accounts)
        self._ids: dict[str, str | None] = {}  # of issues, by key: a key never names another one later

    def get(self, issue: str) -> Issue | None:
        """The issue; None where Jira says that there is none."""
        self.told.new.pop(issue, None)
        unread = Unread(self.see_jira)
        found = dict(self._issues([issue], unread))
        unread.tell()
        return found[issue]

    def find(self, key: str) -> str | None:
        """The id of the project's issue that people call so: Jira knows the keys of all its projects, in any case."""
        name, dash, number = key.strip().upper().rpartition("-")
        asked = f"{name}{dash}{number}"
        return self._id_of(asked) if name == self._catalogue().key and number.isascii() and number.isdigit() else None

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        """The same of several, those that are not there last. Where many are unreadable, that is raised."""
        missing = []
        unread = Unread(self.see_jira)
        try:
            for part in parts(list(dict.fromkeys(issues)), BULK):
                for local, issue in self._issues(part, unread):
                    if issue is None:
                        missing.append(local)
                    else:
                        yield local, issue
            if len(unread) > most_missing(len(issues), self._limit) or 1 < len(unread) == len(issues):
                unread.tell()
            sudden = [local for local in missing if is_id(local) and local not in self.told.gone]
            if len(sudden) > most_missing(len(issues), self._limit):
                raise too_many(len(sudden), len(issues))
        except Unavailable:
            self.told.forget()
            raise
        yield from ((local, None) for local in missing)

    def read_all(self, ids: Sequence[str]) -> Iterator[tuple[str, Json | None]]:
        """Issues as Jira shows them, each of them whole, in any order."""
        unread = Unread(self.see_jira)
        for part in parts(list(dict.fromkeys(ids)), BULK):
            yield from self._read(part, unread)
        unread.tell()

    def outside(self, issues: Sequence[str], gate: str) -> set[str]:
        """Which of these issues this JQL does not find as they are now; in doubt also others, but none that is not there."""
        unread = Unread(self.see_jira)
        found: dict[str, Json] = {}
        for part in parts([local for local in issues if is_id(local)], BULK):
            found |= self._many(part, "updated") if self._cloud else {}  # the index may lie behind
            for local in part:
                if local not in found:
                    with unread.noting(local):
                        one = self._one(local, "updated")
                        found |= {} if one is None else {local: one}
        versions = {local: moment(one, "updated") or 0 for local, one in found.items()}
        return (versions.keys() - self._search.within(versions, scope=gate)) | unread.keys()

    def fate(self, issue: str, *, now: int, lag: int) -> Fate:
        """What became of an issue that no search shows. `now` is Jira's time, `lag` ms that its index may lie behind."""
        try:
            found = self._http.get(
                f"{API}/issue/{issue}", params={"fields": "project,updated,archiveddate"}, gone=f"the issue {issue} is gone"
            )
        except Gone:
            return Fate.MISSING
        except Rejected:
            return Fate.THERE  # hidden, and Jira says so
        fields = found.get("fields") if isinstance(found, Mapping) else None
        if not isinstance(fields, Mapping):
            raise self._odd(issue)
        updated = moment(found, "updated")
        away = not self._here(found) or fields.get("archiveddate") is not None
        young = updated is None or updated > now - lag - OVERLAP
        return Fate.THERE if away or young else Fate.UNLISTED

    def _issues(self, ids: Sequence[str], unread: Unread) -> Iterator[tuple[str, Issue | None]]:
        found = dict(self._read(ids, unread))
        there = {local: json for local, json in found.items() if json is not None}
        scopes = self.scoping.judge(there, project=self._catalogue().project, new=self.told.new)
        self._learn_keys(there.values())
        for local in ids:
            json = there.get(local)
            self.told.new.pop(local, None)
            try:
                issue = None if json is None else self._issue(json, scopes[local])
            except Unreadable as error:
                unread[local] = error
            if local not in unread:
                yield local, issue

    def _issue(self, json: Mapping[str, Any], scope: Scope) -> Issue:
        return read_issue(self._catalogue(), json, accounts=self._accounts, scope=scope, id_of=self._id_of)

    # ── the issues themselves ───────────────────────────────────────────────────────────────────────────────────

    def _read(self, ids: Sequence[str], unread: Unread) -> Iterator[tuple[str, Json | None]]:
        """Those that can be read; why others cannot is added to `unread`."""
        asked = [local for local in ids if is_id(local)]
        with self._asking():
            found = self._many(asked)
            for local in asked:
                if local not in found:
                    with unread.noting(local):
                        one = self._one(local)
                        found |= {} if one is None else {local: one}
            unsteady = {local for local, issue in found.items() if self._lists.cut(issue)}
            unsteady |= self._lists.mark([issue for local, issue in found.items() if local not in unsteady])
            whole: dict[str, Json | None] = {}
            for local, issue in found.items():
                with unread.noting(local):
                    steady = self._steady(issue) if local in unsteady else issue
                    whole[local] = mended = self._with_apart(local, steady) if steady is not None else None
                    if mended is not None:
                        self._texts.mend(mended)
        yield from ((local, whole.get(local)) for local in ids if local not in unread)

    def _with_apart(self, local: str, issue: Json) -> Json | None:
        """The issue with what no other call tells, where that is wanted."""
        catalogue = self._catalogue()
        try:
            issue["fields"] |= self._apart.read(local, [catalogue.by_name[name].id for name in catalogue.apart])
        except Gone:
            return None
        return issue

    def _many(self, ids: Sequence[str], fields: str = "*all") -> dict[str, Json]:
        """Those that are read in one call. Where Jira fails at it, for the sake of one perhaps, each is read by itself."""
        try:
            return self._bulkfetched(ids, fields) if self._cloud else self._searched(ids)
        except Unavailable:
            self.see_jira()
            return {}

    def see_jira(self) -> None:
        """Raise Unavailable where Jira does not answer at all."""
        self._http.get(f"{API}/serverInfo")

    def _bulkfetched(self, ids: Sequence[str], fields: str) -> dict[str, Json]:
        """Those that Cloud has at hand; it tells those that it cannot show just now from those that are not there."""
        if not ids:
            return {}
        body = {"issueIdsOrKeys": list(ids), "fields": [fields], "properties": list(PROPERTIES)}
        return self._by_id(self._http.ask(f"{API}/issue/bulkfetch", body=body), ids)

    def _searched(self, ids: Sequence[str]) -> dict[str, Json]:
        """Of those that are new to the caller: what the index knows well enough, and has nothing in it that we made."""
        new = {local: self.told.new[local] for local in ids if local in self.told.new}
        if not new:
            return {}
        found = self._by_id({"issues": list(self._search.rows("id", list(new), "*all"))}, new)
        return {
            local: issue
            for local, issue in found.items()
            if (moment(issue, "updated") or -1) >= (new[local].updated or 0) and not self._made_by_us(issue)
        }

    def _made_by_us(self, issue: Json) -> bool:
        """Whether its properties are needed, which no search in Data Center tells."""
        fields = issue["fields"]
        entries = [*objects(fields, "attachment"), *objects(fields.get("worklog"), "worklogs")]
        ours = self._lists.ours
        return (
            ours(fields.get("creator"))
            or "worklog" in self._lists.cut(issue)
            or any(ours(one.get("author")) for one in entries)
        )

    def _one(self, local: str, fields: str = "*all") -> Json | None:
        """The issue as the database has it."""
        params = {"fields": fields, "properties": ",".join(PROPERTIES)}
        if not self._cloud:
            params["updateHistory"] = "false"
        try:
            found = self._http.get(f"{API}/issue/{local}", params=params, gone=f"the issue {local} is gone")
        except Gone:
            return None
        except Rejected as error:
            raise Unreadable(
                f"Jira does not show the issue {local} to our account: {error}",
                hint="Nothing of it was told or changed. Let the account browse it again.",
            ) from error
        if not isinstance(found, dict) or not isinstance(found.get("fields"), dict):
            raise self._odd(local)
        return found

    def _steady(self, issue: Json) -> Json | None:
        """An issue with lists of which parts are read by themselves: again, where it changed meanwhile."""
        local, kept = str(issue["id"]), None
        for _ in range(_TRIES):
            try:
                self._lists.fill(issue)
                whole = not self._lists.mark([issue])
            except (Moved, Gone):
                whole = False
            again = self._one(local)
            if again is None or (whole and again["fields"].get("updated") == issue["fields"].get("updated")):
                return again and issue
            kept, issue = issue if whole else kept, again
        if kept is not None:
            return kept  # each of its lists is whole; a poll names it again, as it has changed
        raise Unreadable(
            f"the issue {local} changes faster than it can be read",
            hint="Nothing of it was told. It is read again in the next run.",
        )

    def _by_id(self, answer: object, ids: Collection[str]) -> dict[str, Json]:
        found = {str(one.get("id")): dict(one) for one in objects(answer, "issues") if isinstance(one.get("fields"), dict)}
        return {local: one for local, one in found.items() if local in ids}

    # ── where they belong ───────────────────────────────────────────────────────────────────────────────────────

    def _here(self, issue: Mapping[str, Any]) -> bool:
        project = issue["fields"].get("project")
        return isinstance(project, Mapping) and str(project.get("id")) == self._catalogue().project

    def _learn_keys(self, issues: Collection[Json]) -> None:
        """The ids of the epics that these issues name by their keys, in few calls."""
        field = self._catalogue().epic_link
        keys = {key for issue in issues if field and isinstance(key := issue["fields"].get(field), str)} - self._ids.keys()
        for part in parts(sorted(keys), BULK) if len(keys) > 1 else ():
            for one in self._search.rows("key", part, "created"):
                self._ids[str(one.get("key"))] = str(one.get("id"))

    def _id_of(self, key: str) -> str | None:
        if key not in self._ids:
            try:
                with self._asking():
                    found = self._http.get(
                        f"{API}/issue/{percent(key, safe='')}", params={"fields": "created"}, gone="it is gone"
                    )
            except Gone:
                return None
            self._ids[key] = str(found.get("id")) if isinstance(found, Mapping) else None
        return self._ids[key]

    def _odd(self, local: str) -> Unavailable:
        return Unavailable(
            f"Jira answered something else where the issue {shown(local)} was asked for",
            hint="Is tracker.settings.url the address of Jira itself? Nothing was changed.",
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A refusal of what only reads is nothing that a person could put right at one item."""
        try:
            yield
        except Rejected as error:
            raise Unavailable(
                f"Jira does not tell what its issues hold: {error}",
                hint="Nothing was told or changed. May our account still browse the project?",
            ) from error


def too_many(missing: int, known: int) -> Unavailable:
    """Why nothing is told to be deleted though issues are missing."""
    return Unavailable(
        f"{missing} of {known} issues that were asked for are gone or hidden from our account, all at once",
        hint="Nothing was told to be deleted. May our account still browse them (roles, security levels)? If they were deleted "
        f"on purpose, set tracker.settings.census_limit to {missing} until the next export is through.",
    )
