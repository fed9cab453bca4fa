"""What an import makes in Jira: comments and worklogs, once for each origin. births.py says how that is made sure.

They are looked for on their issue, which is read from the database: whether one was made can be told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from filesync.errors import Gone, Rejected
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue
from filesync.trackers.base import Born, Draft
from filesync.trackers.jira.project import Project, gone_words, new_id
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.read.reading import Reading
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import entries, markers, overflow, text
from filesync.trackers.jira.translate.entries import Entry
from filesync.trackers.jira.translate.issues import read_child
from filesync.trackers.jira.translate.markers import PARTS, Marker, Part
from filesync.trackers.jira.translate.offered import VISIBILITY
from filesync.trackers.jira.translate.refused import entry_refusal, refusal
from filesync.trackers.jira.write import parts
from filesync.trackers.jira.write.overflowing import Overflow


class Entering:
    """Makes comments and worklogs in one project. Methods raise as `Tracker.create` does."""

    def __init__(self, project: Project, reading: Reading, files: Overflow) -> None:
        self._project, self._reading, self._overflow = project, reading, files

    def entry(self, origin: Gid, draft: Draft) -> Born:
        """Make a comment or a worklog."""
        issue, kind, project = draft.issue or "", draft.kind, self._project
        if not is_id(issue):
            raise Gone(gone_words(issue))
        entry = entries.checked(kind, draft.fields, before={}, desk=project.catalogue.desk)
        if draft.tried and (born := self._entry_before(origin, draft, entry)) is not None:
            return born
        key = project.key_of(issue)
        if key is None:
            raise Gone(gone_words(issue))
        if entry.refused:
            raise refusal(f"a new {kind} on {key}", entry.refused)
        head, said, file = self._worded(origin, draft, entry, key)
        listed = [self._attach(issue, key, kind, file, entry)] if file else []
        mark = Marker(origin=origin, at=project.time.now_text(), head=head)
        try:
            json = self._send(issue, key, kind, entry.json(kind, said), mark, *entry.desk({}))
        except Unknown:
            # Whether it was done can be seen at once: an issue's comments and worklogs come from the database.
            if (born := self._entry_before(origin, draft, entry)) is None:
                raise
            return replace(born, again=False)
        except Rejected as error:
            project.standing()
            raise entry_refusal(f"a new {kind} on {key}", error, entry.after) from error
        name = entries.TEXT[kind]
        json[name] = project.texts.whole(str(json.get(name) or ""), listed, key)
        held = {PARTS[0]: {markers.part_name(kind, str(json["id"])): {"origin": origin, "head": head}}}
        item = read_child(project.catalogue, json, kind=kind, issue=issue, key=key, properties=held, accounts=project.accounts)
        return Born(item=item, key=key)

    def _worded(self, origin: Gid, draft: Draft, entry: Entry, key: str) -> tuple[str, str, str]:
        """The line above a text, all that is written, and the file that has all of the text; "" where it fits."""
        head = text.header(self._project.settings.header, draft.about)
        limit, owner = self._project.catalogue.text_limit, overflow.owner(draft.kind, origin)
        few = VISIBILITY in entry.after
        try:
            return head, *overflow.fitted(entry.body, head=head, limit=limit, owner=owner, key=lambda: key, few=few)
        except ValueError as error:
            raise refusal(f"a new {draft.kind} on {key}", {"body": str(error)}) from error

    def _attach(self, issue: str, key: str, kind: Kind, file: str, entry: Entry) -> dict[str, Any]:
        try:
            return self._overflow.attach(issue, file, entry.body, self._overflow.listed(issue))
        except Rejected as error:
            raise refusal(f"a new {kind} on {key}", {"body": str(error)}, hint=error.hint) from error

    def _send(
        self, issue: str, key: str, kind: Kind, body: dict[str, Any], mark: Marker, *also: dict[str, Any]
    ) -> dict[str, Any]:
        """Make it; what Jira shows of it, with its mark. `also`: other properties that it is to have."""
        project = self._project
        if kind is Kind.COMMENT or project.cloud:
            given = {"properties": [markers.property_of(mark), *also]}
            answer = self._post(issue, kind, body | given)
            new_id(answer, f"the new {kind}")
            return {**answer, **given}
        part = Part(mark.origin, mark.head)
        with parts.turn(project, issue):
            held = parts.held_by(project.issue(issue, properties=PARTS))
            parts.check_room(held, part, key)
            answer = self._post(issue, kind, body)
            parts.add(project, issue, markers.part_name(kind, new_id(answer, f"the new {kind}")), part, held=held)
        return dict(answer)

    def _post(self, issue: str, kind: Kind, body: dict[str, Any]) -> Any:
        path, words = f"{API}/issue/{issue}/{kind}", gone_words(issue)
        return self._project.http.send("POST", path, body=body, params=entries.PARAMS[kind], about=issue, gone=words)

    def _entry_before(self, origin: Gid, draft: Draft, entry: Entry) -> Born | None:
        """What an earlier call made, as it was born."""
        issue = self._reading.get(draft.issue or "")
        if issue is None:
            raise Gone(gone_words(draft.issue or ""))
        local = next((child.ref.local for child in issue.children if child.origin == origin), None)
        if local is None and draft.kind is Kind.WORKLOG and not self._project.cloud:
            local = self._unmarked_worklog(origin, draft, issue, entry)
            issue = self._reading.get(issue.item.ref.local) or issue
        found = next((child for child in issue.children if (child.ref.kind, child.ref.local) == (draft.kind, local)), None)
        if found is None:
            return None
        project, path = self._project, f"{API}/issue/{found.ref.issue}/{draft.kind}/{local}"
        now = project.http.get(path, gone=f"the {draft.kind} {local} is gone")
        edited = isinstance(now, Mapping) and now.get("updated") != now.get("created")
        fields = entry.after if edited and not entry.refused else found.fields
        return Born(item=structs.replace(found, fields=fields), key=issue.key, again=True)

    def _unmarked_worklog(self, origin: Gid, draft: Draft, issue: Issue, entry: Entry) -> str | None:
        """A worklog that our account made just like this one, and for which the issue has no mark: it gets one."""
        project, local = self._project, issue.item.ref.local
        if entry.refused:
            return None
        head, said, _ = self._worded(origin, draft, entry, issue.key)
        wanted, since = entry.json(draft.kind, said), project.time.earliest(draft.tried)
        held = parts.held_by(project.issue(local, properties=PARTS))
        taken = markers.read_parts(held)
        answer = project.http.get(f"{API}/issue/{local}/worklog", gone=gone_words(local))
        for one in objects(answer, "worklogs"):
            name = markers.part_name(Kind.WORKLOG, str(one.get("id")))
            if name not in taken and project.ours(one.get("author")) and entries.same_work(one, wanted, since=since):
                parts.add(project, local, name, Part(origin, head))
                return str(one.get("id"))
        return None
