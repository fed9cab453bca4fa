"""What an import changes in comments and worklogs of Jira."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.model.manner import files_shown
from filesync.model.values import Flat, Value
from filesync.trackers.jira.project import Project, strange
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import entries, markers, overflow
from filesync.trackers.jira.translate.issues import read_child
from filesync.trackers.jira.translate.markers import PARTS, PROPERTY
from filesync.trackers.jira.translate.offered import SERVICE_DESK, VISIBILITY
from filesync.trackers.jira.translate.refused import entry_refusal, refusal
from filesync.trackers.jira.translate.shapes import epoch_ms
from filesync.trackers.jira.write.overflowing import Overflow
from filesync.trackers.jira.write.parts import held_by
from filesync.trackers.jira.write.writing import item_gone

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _There:
    """A comment or worklog as Jira shows it."""

    json: Json
    mark: markers.Marker | markers.Part | None = None
    properties: Mapping[str, object] = field(default_factory=dict)  # of its issue, where they speak of it

    @property
    def head(self) -> str:
        """The line above its text."""
        return "" if self.mark is None else self.mark.head


class Editing:
    """Changes the comments and worklogs of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project, files: Overflow) -> None:
        self._project, self._overflow = project, files

    def entry(self, ref: Ref, fields: Flat) -> Flat:
        """Edit a comment or worklog. The line above its text stays as it is, and who may see it where that is not given."""
        project, name = self._project, entries.TEXT[ref.kind]
        there = self._there(ref)
        cut = overflow.find(str(there.json.get(name) or "")) is not None
        listed = self._overflow.listed(ref.issue) if cut else []
        self._mend(ref, there.json, listed)
        before = self._fields(ref, there.json, there.properties)
        entry = entries.checked(ref.kind, fields, before=before, desk=project.catalogue.desk)
        if entry.refused:
            raise refusal(f"the edit of {ref.kind} {ref.local}", entry.refused)
        # Cloud finds the files that a text shows when it is written: such a text may read the same and not be so
        anew = project.cloud and "body" in fields and files_shown(entry.body)
        if entry.after == before and not anew:
            return {name: before.get(name) for name in fields}
        owner = overflow.owner(ref.kind, there.mark.origin if there.mark is not None else None, ref.local)
        try:
            said, file = overflow.fitted(
                entry.body,
                head=there.head,
                limit=project.catalogue.text_limit,
                owner=owner,
                key=lambda: self._key(ref),
                few=VISIBILITY in entry.after,
            )
        except ValueError as error:
            raise refusal(f"the edit of {ref.kind} {ref.local}", {"body": str(error)}) from error
        if file:
            listed = listed or self._overflow.listed(ref.issue)
            listed = [*listed, self._attach(ref, file, entry.body, listed)]
        body = entry.json(ref.kind, said)
        if there.json.get("visibility") and entry.after.get(VISIBILITY) == before.get(VISIBILITY):
            body["visibility"] = there.json["visibility"]  # what is not sent again may be dropped
        if also := entry.desk(before):
            kept = [one for one in there.json["properties"] if one.get("key") != SERVICE_DESK]
            there.json["properties"] = body["properties"] = [*kept, *also]
        answer = self._put(ref, body, fields)
        if file or cut:
            self._overflow.tidy(ref.issue, {owner: file}, listed)
        self._mend(ref, answer, listed)
        now = self._fields(ref, {**answer, "properties": there.json.get("properties")}, there.properties)
        return {name: now.get(name) for name in fields}

    def _put(self, ref: Ref, body: Json, fields: Flat) -> Json:
        project = self._project
        try:
            answer = project.http.send(
                "PUT",
                f"{API}/issue/{ref.issue}/{ref.kind}/{ref.local}",
                body=body,
                params=entries.PARAMS[ref.kind],
                about=ref.issue,
                gone=item_gone(ref),
                idempotent=True,
            )
        except Rejected as error:
            project.standing()
            raise entry_refusal(f"the edit of {ref.kind} {ref.local}", error, fields) from error
        if not isinstance(answer, Mapping):
            raise strange(f"the edited {ref.kind}")
        return dict(answer)

    def _attach(self, ref: Ref, file: str, whole: str, listed: list[Json]) -> Json:
        try:
            return self._overflow.attach(ref.issue, file, whole, listed)
        except Rejected as error:
            raise refusal(f"the edit of {ref.kind} {ref.local}", {"body": str(error)}, hint=error.hint) from error

    def _mend(self, ref: Ref, json: Json, listed: list[Json]) -> None:
        """Make its text whole."""
        name = entries.TEXT[ref.kind]
        said = str(json.get(name) or "")
        if overflow.find(said) is not None:
            json[name] = self._project.texts.whole(said, listed, self._key(ref))

    def _key(self, ref: Ref) -> str:
        return self._project.key_of(ref.issue) or ref.issue

    def _there(self, ref: Ref) -> _There:
        """A comment or worklog, and our mark on it."""
        project = self._project
        path = f"{API}/issue/{ref.issue}/{ref.kind}/{ref.local}"
        if not is_id(ref.issue) or not is_id(ref.local):
            raise Gone(item_gone(ref))
        found = project.http.get(path, gone=item_gone(ref))
        if not isinstance(found, Mapping):
            raise strange(f"{ref.kind} {ref.local}")
        there: Json = {**found, "properties": self._of_desk(ref, found)}
        if not project.ours(there.get("author")):
            return _There(there)
        if ref.kind is Kind.WORKLOG and not project.cloud:
            held = held_by(project.issue(ref.issue, properties=PARTS))
            return _There(there, markers.read_parts(held).get(markers.part_name(ref.kind, ref.local)), held)
        if ref.kind is Kind.COMMENT:
            path = f"{API}/comment/{ref.local}"
        try:
            told = project.http.get(f"{path}/properties/{PROPERTY}", gone="it has no mark")
        except Gone:
            return _There(there)
        if not isinstance(told, Mapping):
            raise strange(f"the mark of {ref.kind} {ref.local}")
        there["properties"].append(told)
        try:
            created = epoch_ms(there.get("created"))
        except ValueError as error:
            raise strange(f"{ref.kind} {ref.local}") from error
        return _There(there, markers.believed(ref.kind, told.get("value"), ours=True, created=created))

    def _of_desk(self, ref: Ref, found: Mapping[str, Any]) -> list[Any]:
        """The property of a service desk's comment that says for whom it is, where the comment itself does not."""
        project = self._project
        if ref.kind is not Kind.COMMENT or not project.catalogue.desk or "jsdPublic" in found:
            return []
        try:
            return [project.http.get(f"{API}/comment/{ref.local}/properties/{SERVICE_DESK}", gone="it has none")]
        except Gone:
            return []

    def _fields(self, ref: Ref, json: Json, properties: Mapping[str, object]) -> Mapping[str, Value]:
        project = self._project
        item = read_child(
            project.catalogue,
            json,
            kind=ref.kind,
            issue=ref.issue,
            key="",
            properties=properties,
            accounts=project.accounts,
        )
        return item.fields
