"""What an import makes in Jira: issues, once for each origin. Comments and worklogs: entering.py; attachments: uploads.py.

Jira's calls have no ids by which it would know one that comes twice. So each item carries our mark, given in the very call
that makes it; and after a call of which nobody knows what became of it, filesync looks for the mark before it makes anything.
A comment and a worklog are looked for on their issue, which is read from the database. An issue is looked for by search: as
long as that may lie behind, nobody can tell, and nothing is made.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from filesync.errors import Gone, Rejected, Unavailable, Unwritten
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue, Scope
from filesync.model.values import Value, digest, split_name
from filesync.trackers.base import Born, Draft
from filesync.trackers.jira.project import Project, new_id
from filesync.trackers.jira.read.history import as_born, read_changes
from filesync.trackers.jira.read.reading import Reading
from filesync.trackers.jira.read.search import Search, objects
from filesync.trackers.jira.read.unread import Unread
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API, MARGIN
from filesync.trackers.jira.translate import markers
from filesync.trackers.jira.translate.bodies import Body, create_body
from filesync.trackers.jira.translate.issues import read_issue
from filesync.trackers.jira.translate.markers import PROPERTY, Marker
from filesync.trackers.jira.translate.refused import by_name, refusal
from filesync.trackers.jira.translate.shapes import epoch_ms
from filesync.trackers.jira.write import parts

AT_ONCE: Final = 20  # Jira takes 50; but what takes it half a minute may be cut off on the way, and then nobody knows of any
_TRIALS: Final = 3  # of a call for many with one alone, until one of them is made
_REMEMBERED: Final = 5_000  # issues' marks


class Births:
    """Makes issues in one project. Methods raise as `Tracker.create` does."""

    def __init__(self, project: Project, search: Search, reading: Reading) -> None:
        self._project, self._search, self._reading = project, search, reading
        self.at_once = AT_ONCE
        self._tried = False  # one was made by a call for many, and bears its mark
        self._trying = threading.Lock()
        self._failed: dict[Gid, Unwritten] = {}  # whose call for many went wrong: nothing else is known of these
        self._marks: dict[str, Marker] = {}  # of issues, by id: asked for once when many are looked for

    def issue(self, origin: Gid, draft: Draft) -> Born:
        """Make an issue, without the fields that its type's screen does not have: these are written afterwards."""
        failed = self._failed.pop(origin, None)
        if draft.tried:
            if (born := self._issue_before(origin, draft)) is not None:
                return born
            draft.anew()
        elif failed is not None:
            raise failed
        asked, sent = self._asked(origin, draft)
        try:
            answer = self._project.http.send("POST", f"{API}/issue", body=asked)
        except Rejected as error:
            raise self._why(error, sent) from error
        except Unknown as error:
            if error.failed or draft.tried:  # else it may be the way to Jira
                raise self._unwritten(error) from error
            raise
        local = new_id(answer, "the new issue")
        return self._just_born([local])[local]

    def issues(self, drafts: Mapping[Gid, Draft]) -> dict[Gid, Born]:
        """Make issues in one call, those that Jira takes: of the others, `issue` says why not.

        The first call makes one issue alone, which shows whether this Jira keeps the marks of what is made so.
        """
        asked: dict[Gid, dict[str, Any]] = {}
        for origin, draft in drafts.items():
            with suppress(Rejected):
                asked[origin] = self._asked(origin, draft)[0]
        born: dict[Gid, Born] = {}
        with self._trying:
            for first in list(asked)[:_TRIALS]:
                if not self._tried:
                    born = self._together({first: asked.pop(first)})
                    self._tried = bool(born)
        if asked and self._tried and self.at_once > 1:
            born |= self._together(asked)
        return born

    def _together(self, asked: Mapping[Gid, dict[str, Any]]) -> dict[Gid, Born]:
        """One call. Raises Unknown: each of them may have been made. Where Jira fails at it, `issue` says so of each."""
        try:
            answer = self._project.http.send("POST", f"{API}/issue/bulk", body={"issueUpdates": list(asked.values())})
        except Rejected:
            return {}  # none of them was made
        except Unknown as error:
            if not error.failed:
                raise
            self._failed.update(dict.fromkeys(asked, self._unwritten(error)))
            return {}
        made = [new_id(one, "a new issue") for one in objects(answer, "issues")]
        refused = {one.get("failedElementNumber") for one in objects(answer, "errors")}
        taken = [origin for place, origin in enumerate(asked) if place not in refused]
        if len(made) != len(taken):
            raise Unknown(
                f"Jira was asked for {len(asked)} issues, and says of {len(made)} that they were made, of {len(refused)} not",
                hint="Before they are made again, filesync looks which of them were made. Nothing was lost.",
            )
        born = self._just_born(made)
        by_mark = {one.item.origin: one for one in born.values()}
        return {
            origin: by_mark.get(origin) or self._mark(origin, born[local], asked[origin])
            for origin, local in zip(taken, made, strict=True)
        }

    def _unwritten(self, error: Unknown) -> Unwritten:
        """What a creation that went wrong says of itself alone. Raises Unavailable where Jira does not answer at all."""
        self._reading.see_jira()
        return Unwritten(str(error), hint=error.hint)

    def _mark(self, origin: Gid, born: Born, asked: Mapping[str, Any]) -> Born:
        """Mark an issue that Jira made without its mark: its place in the answer says for whom. Then no more are made so."""
        self.at_once = 1
        path, (mark,) = f"{API}/issue/{born.item.ref.local}/properties/{PROPERTY}", asked["properties"]
        self._project.http.send("PUT", path, body=mark["value"], about=born.item.ref.local, idempotent=True)
        return replace(born, item=structs.replace(born.item, origin=origin))

    def _asked(self, origin: Gid, draft: Draft) -> tuple[dict[str, Any], dict[str, Value]]:
        """What makes an issue with its mark, and the fields that are in it. Raises as `issue`."""
        project = self._project
        body = self._body(draft, project.make_missing(draft.fields))
        sent = {name: value for name, value in draft.fields.items() if name not in body.absent}
        mark = Marker(origin=origin, at=project.time.now_text(), born=markers.born_digests(sent))
        asked: dict[str, Any] = {"fields": body.fields, "properties": [markers.property_of(mark)]}
        return asked | ({"update": body.update} if body.update else {}), sent

    def _just_born(self, locals_: Sequence[str]) -> dict[str, Born]:
        """Issues that were made a moment ago: nothing belongs to them yet."""
        project, found = self._project, {}
        for local, json in self._reading.read_all(locals_):
            if json is None:
                raise Unavailable(
                    f"issue {local} was made and cannot be read",
                    hint="Somebody deleted it at once, or our account may not see what it makes. It is looked for again.",
                )
            born = read_issue(project.catalogue, json, accounts=project.accounts, scope=Scope.IN, id_of=project.id_of)
            project.remember(local, born.key)
            found[local] = Born(item=born.item, key=born.key)
        return found

    def _body(self, draft: Draft, missing: Mapping[str, str]) -> Body:
        """What is sent. `missing`: fields that cannot be, and why. Raises Rejected with all that is known to be wrong."""
        project = self._project
        for last in (False, True):
            body = create_body(project.catalogue, draft.fields, key_of=project.key_of)
            parent = draft.fields.get("parent")
            if isinstance(parent, str) and "parent" not in body.refused and project.key_of(parent) is None:
                body.refused["parent"] = "there is no such issue"
            body.refused.update(missing)
            if not body.refused:
                return body
            if last or body.refused.keys() == missing.keys() or not project.renewed():
                break
        raise refusal(f"a new issue in {project.catalogue.key}", body.refused)

    def _why(self, error: Rejected, sent: Mapping[str, Value]) -> Rejected:
        """Jira's refusal by our names. Raises Unavailable where it is not about this issue."""
        project = self._project
        project.standing()
        what, parent = f"a new issue in {project.catalogue.key}", sent.get("parent")
        if isinstance(parent, str):
            try:
                project.issue(parent)
            except Gone:
                return refusal(what, {"parent": "there is no such issue"})
        project.renewed()
        known = project.catalogue.types.get(str(sent.get("type")))
        return by_name(what, error, project.catalogue, sent, screen=known.screen if known is not None else None)

    def _issue_before(self, origin: Gid, draft: Draft) -> Born | None:
        """What an earlier call made. Raises Unwritten while the search may not show it yet."""
        project = self._project
        tried, now = epoch_ms(draft.tried) + project.time.ahead_ms, project.time.now_ms()
        unread = Unread(self._reading.see_jira)
        for local in self._search.made(project.time.earliest(draft.tried)):
            marker = None
            with unread.noting(local):
                marker = self._marker(local)
            if marker is None or marker.origin != origin:
                continue
            issue = self._reading.get(local)
            if issue is not None and issue.item.origin == origin:
                same = {name: value for name, value in draft.fields.items() if marker.born.get(name) == digest(value)}
                return self._born_before(issue, same)
        unread.tell()  # it may be one of these
        sure = MARGIN + int(project.settings.lag * 1000)
        left = tried + sure - now
        if left > 0:
            raise Unwritten(
                f"whether an issue was made for {origin} at {draft.tried} cannot be told yet: Jira's search may lie behind",
                hint="It is looked for again by itself; until then nothing is made, so that nothing is made twice.",
                retry_after=min(left, sure) / 1000,
            )
        return None

    def _marker(self, local: str) -> Marker | None:
        """What an issue says of itself, and says for good; whether that is to be believed, the reading knows."""
        marker = self._marks.get(local)
        if marker is None:
            try:
                held = parts.held_by(self._project.issue(local, properties=(PROPERTY,)))
            except Gone:
                return None
            marker = markers.read_marker(Kind.ISSUE, held.get(PROPERTY))
            if marker is not None:
                if len(self._marks) >= _REMEMBERED:
                    self._marks = {}
                self._marks[local] = marker
        return marker

    def _born_before(self, issue: Issue, told: Mapping[str, Value]) -> Born:
        """An issue that was made of these fields, as it was born."""
        project = self._project
        changes = read_changes(project.http, issue.item.ref.local, cloud=project.cloud)
        # no issue is born with a web link or a watcher, and its history does not tell when one came
        apart = project.catalogue.apart
        there = {name: one for name, one in issue.item.fields.items() if split_name(name)[0] not in apart}
        fields = as_born(project.catalogue, there, changes, told=told)
        return Born(item=structs.replace(issue.item, fields=fields), key=issue.key, again=True)
