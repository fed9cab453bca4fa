"""What an import changes in Jira: fields, links, texts, and what is taken away. Statuses: moving.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind, Mark
from filesync.model.issue import Ref
from filesync.model.links import LINK, link_parts
from filesync.model.values import Flat, Value, flat_name, split_name
from filesync.trackers.jira.project import Project, gone_words, strange
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import entries, markers, webs
from filesync.trackers.jira.translate.bodies import Body, edit_body
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.fields import link_ids, read_fields
from filesync.trackers.jira.translate.issues import read_child
from filesync.trackers.jira.translate.markers import PARTS, PROPERTY
from filesync.trackers.jira.translate.offered import SERVICE_DESK, VISIBILITY
from filesync.trackers.jira.translate.refused import by_name, entry_refusal, refusal
from filesync.trackers.jira.translate.shapes import Shape, epoch_ms
from filesync.trackers.jira.translate.shapes import shown as shown_as
from filesync.trackers.jira.write.parts import held_by

Json: TypeAlias = dict[str, Any]


class Writing:
    """Changes items of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project) -> None:
        self._project = project

    # ── fields and links of an issue ────────────────────────────────────────────────────────────────────────────

    def fields(self, issue: str, fields: Flat, mark: Mark) -> Flat:
        """Set fields of an issue, the status excepted: all of them in one call, and then links one by one."""
        project = self._project
        ids = _ids(project.catalogue, fields)
        there = self._there(issue, "issuetype", *ids)
        key = str(there.get("key", ""))
        project.make_missing(fields)
        before = self._read(there)
        body = self._body(issue, key, fields, before)
        links = link_ids(there.get("fields") or {})
        self._check_ends(key, body, links)
        answer = self._put(issue, key, body, fields, mark)
        for name, wanted in body.links.items():
            self._link(issue, key, name, links.get(name, ()), wanted=wanted)
        for element, wanted in body.webs.items():
            self._web(issue, key, element, (there.get("fields") or {}).get(webs.ID, ()), wanted=wanted)
        if not (body.fields or body.update or body.links or body.webs):
            return _landed(fields, before, before)
        held = answer.get("fields") if isinstance(answer, Mapping) else None
        if body.links or body.webs or not isinstance(held, Mapping) or not set(ids) <= held.keys():
            answer = self._there(issue, *ids)
        return _landed(fields, before, self._read(answer))

    def _there(self, issue: str, *ids: str) -> Mapping[str, Any]:
        """What these fields hold now."""
        found = self._project.issue(issue, *(one for one in ids if one != webs.ID))
        if webs.ID not in ids:
            return found
        return {**found, "fields": {**(found.get("fields") or {}), webs.ID: self._project.web_links(issue)}}

    def _read(self, issue: Mapping[str, Any]) -> dict[str, Value]:
        held = issue.get("fields")
        if not isinstance(held, Mapping):
            raise strange("an issue's fields")
        try:
            return read_fields(self._project.catalogue, held, id_of=self._project.id_of)
        except ValueError as error:
            raise strange("an issue's fields") from error

    def _body(self, issue: str, key: str, fields: Flat, before: Mapping[str, Value]) -> Body:
        """What is sent. Raises Rejected with all that is known to be wrong."""
        project = self._project
        for last in (False, True):
            body = edit_body(project.catalogue, fields, issue=issue, before=before, key_of=project.key_of)
            if not body.refused or last or not project.renewed():
                break
        if body.refused:
            raise refusal(f"the edit of {shown(key)}", body.refused)
        return body

    def _check_ends(self, key: str, body: Body, there: Mapping[str, object]) -> None:
        """Before anything is written: the other ends of new links are there. Raises Rejected."""
        refused = {}
        for name, wanted in body.links.items():
            parts = link_parts(name)
            if wanted and name not in there and parts is not None:
                try:
                    self._project.issue(parts[1])
                except Gone:
                    refused[name] = f"there is no issue {shown(parts[1])}"
        if refused:
            raise refusal(f"the edit of {shown(key)}", refused)

    def _put(self, issue: str, key: str, body: Body, fields: Flat, mark: Mark) -> Any:
        """One call; the issue as it is now, where Jira shows it at once."""
        project = self._project
        if not (body.fields or body.update):
            return None
        asked: dict[str, Any] = {"fields": body.fields} if body.fields else {}
        asked |= {"update": body.update} if body.update else {}
        asked["historyMetadata"] = note_of(mark)
        params = {"returnIssue": "true"} if project.cloud else {}
        if not project.settings.notify and project.administers():
            params["notifyUsers"] = "false"
        words = gone_words(issue)
        try:
            return project.http.send(
                "PUT", f"{API}/issue/{issue}", body=asked, params=params, about=issue, gone=words, idempotent=True
            )
        except Rejected as error:
            raise self._why(issue, key, error, fields) from error

    def _why(self, issue: str, key: str, error: Rejected, fields: Flat) -> Rejected:
        """Jira's refusal by our names. Raises Unavailable where it is not about this issue, Gone."""
        project, what, parent = self._project, f"the edit of {shown(key)}", fields.get("parent")
        project.standing()
        if isinstance(parent, str):
            try:
                project.issue(parent)
            except Gone:
                return refusal(what, {"parent": f"there is no issue {shown(parent)}"})
        project.renewed()
        meta = project.http.get(f"{API}/issue/{issue}/editmeta", gone=gone_words(issue))
        screen = meta.get("fields") if isinstance(meta, Mapping) else None
        return by_name(
            what, error, project.catalogue, fields, screen=screen if isinstance(screen, Mapping) and screen else None
        )

    def _web(self, issue: str, key: str, element: str, there: Collection[Mapping[str, Any]], *, wanted: bool) -> None:
        """Make a link to elsewhere, once, or take all that are shown so away."""
        http, path, gone = self._project.http, f"{API}/issue/{issue}/remotelink", gone_words(issue)
        try:
            if wanted:
                body = webs.link_json(element)
                http.send("POST", path, body=body, about=issue, gone=gone, idempotent=True)
                return
            for one in there:
                if shown_as(Shape.WEB, one, cloud=self._project.cloud) == element:
                    with suppress(Gone):
                        http.send("DELETE", f"{path}/{one['id']}", about=issue, gone="it is gone", idempotent=True)
        except Rejected as error:
            self._project.standing()
            raise refusal(f"the edit of {shown(key)}", {flat_name(webs.NAME, element): str(error)}) from error

    def _link(self, issue: str, key: str, name: str, ids: Collection[str], *, wanted: bool) -> None:
        """Make a link, or take all of its kind away. Jira's answer to the making is empty."""
        project, parts = self._project, link_parts(name)
        assert parts is not None  # edit_body was asked
        try:
            if not wanted:
                for one in ids:
                    with suppress(Gone):
                        project.http.send("DELETE", f"{API}/issueLink/{one}", about=issue, gone="it is gone", idempotent=True)
            elif not ids:
                # the source, which acts, is Jira's inward end: shown at it, the other one is the outward end
                ends = {"inwardIssue": {"id": issue}, "outwardIssue": {"id": parts[1]}}
                project.http.send("POST", f"{API}/issueLink", body={"type": {"name": parts[0]}, **ends}, about=issue)
        except Rejected as error:
            project.standing()
            raise refusal(f"the edit of {shown(key)}", {name: str(error)}, hint=error.hint) from error

    # ── comments and worklogs ───────────────────────────────────────────────────────────────────────────────────

    def entry(self, ref: Ref, fields: Flat) -> Flat:
        """Edit a comment or worklog. The line above its text stays as it is, and who may see it where that is not given."""
        project, words = self._project, item_gone(ref)
        there, head, properties = self._entry(ref)
        limit = project.catalogue.text_limit
        before = self._item_fields(ref, there, properties)
        entry = entries.checked(ref.kind, fields, before=before, limit=limit, desk=project.catalogue.desk)
        if entry.refused:
            raise refusal(f"the edit of {ref.kind} {ref.local}", entry.refused)
        if entry.after == before:
            return {name: before.get(name) for name in fields}
        body = entry.json(ref.kind, entries.head_over(head, entry, limit=limit))
        if there.get("visibility") and entry.after.get(VISIBILITY) == before.get(VISIBILITY):
            body["visibility"] = there["visibility"]  # what is not sent again may be dropped
        if also := entry.desk(before):
            kept = [one for one in there.get("properties") or () if one.get("key") != SERVICE_DESK]
            there["properties"] = body["properties"] = [*kept, *also]
        try:
            answer = project.http.send(
                "PUT",
                f"{API}/issue/{ref.issue}/{ref.kind}/{ref.local}",
                body=body,
                params=entries.PARAMS[ref.kind],
                about=ref.issue,
                gone=words,
                idempotent=True,
            )
        except Rejected as error:
            project.standing()
            raise entry_refusal(f"the edit of {ref.kind} {ref.local}", error, fields) from error
        if not isinstance(answer, Mapping):
            raise strange(f"the edited {ref.kind}")
        now = self._item_fields(ref, {**answer, "properties": there.get("properties")}, properties)
        return {name: now.get(name) for name in fields}

    def _entry(self, ref: Ref) -> tuple[Json, str, Mapping[str, object]]:
        """A comment or worklog as Jira shows it, the line above its text, and what its issue says of it."""
        project = self._project
        path = f"{API}/issue/{ref.issue}/{ref.kind}/{ref.local}"
        if not is_id(ref.issue) or not is_id(ref.local):
            raise Gone(item_gone(ref))
        found = project.http.get(path, gone=item_gone(ref))
        if not isinstance(found, Mapping):
            raise strange(f"{ref.kind} {ref.local}")
        there: Json = {**found, "properties": self._of_desk(ref, found)}
        if not project.ours(there.get("author")):
            return there, "", {}
        if ref.kind is Kind.WORKLOG and not project.cloud:
            held = held_by(project.issue(ref.issue, properties=PARTS))
            part = markers.read_parts(held).get(markers.part_name(ref.kind, ref.local))
            return there, part.head if part is not None else "", held
        if ref.kind is Kind.COMMENT:
            path = f"{API}/comment/{ref.local}"
        try:
            told = project.http.get(f"{path}/properties/{PROPERTY}", gone="it has no mark")
        except Gone:
            return there, "", {}
        if not isinstance(told, Mapping):
            raise strange(f"the mark of {ref.kind} {ref.local}")
        there["properties"].append(told)
        try:
            created = epoch_ms(there.get("created"))
        except ValueError as error:
            raise strange(f"{ref.kind} {ref.local}") from error
        marker = markers.believed(ref.kind, told.get("value"), ours=True, created=created)
        return there, marker.head if marker is not None else "", {}

    def _of_desk(self, ref: Ref, found: Mapping[str, Any]) -> list[Any]:
        """The property of a service desk's comment that says for whom it is, where the comment itself does not."""
        project = self._project
        if ref.kind is not Kind.COMMENT or not project.catalogue.desk or "jsdPublic" in found:
            return []
        try:
            return [project.http.get(f"{API}/comment/{ref.local}/properties/{SERVICE_DESK}", gone="it has none")]
        except Gone:
            return []

    def _item_fields(self, ref: Ref, json: Json, properties: Mapping[str, object]) -> Mapping[str, Value]:
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


def note_of(mark: Mark) -> Json:
    """What stands beside a change in Jira's history: the partner's change that it was made for."""
    return {"type": "filesync", "description": f"filesync {mark}", "extraData": {"mark": mark}}


def item_gone(ref: Ref) -> str:
    """What is said of an item that is not there."""
    if ref.kind is Kind.ISSUE:
        return gone_words(ref.local)
    return f"{ref.kind} {shown(ref.local, limit=20)} of issue {shown(ref.issue, limit=20)} is gone"


def _ids(catalogue: Catalogue, fields: Flat) -> list[str]:
    """Jira's ids of the fields that are written, and of those that are read with them."""
    ids: dict[str, None] = {}
    for flat in fields:
        name = split_name(flat)[0]
        one = catalogue.by_name.get(name)
        if name == LINK:
            ids["issuelinks"] = None
        elif one is not None:
            ids[one.id] = None
            if name == "parent" and catalogue.epic_link:
                ids[catalogue.epic_link] = None
    return list(ids)


def _landed(fields: Flat, before: Mapping[str, Value], now: Mapping[str, Value]) -> Flat:
    """The written fields as they are now. An element that landed under another spelling is told under both."""
    landed: dict[str, Value | None] = {name: now.get(name) for name in fields}
    lost = {split_name(name)[0] for name, value in fields.items() if value is True and name not in now}
    landed |= {name: value for name, value in now.items() if name not in before and split_name(name)[0] in lost}
    return landed
