"""What an import changes in issues of Jira: fields and links. Statuses: moving.py. Comments and worklogs: editing.py."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind, Mark
from filesync.model.issue import Ref
from filesync.model.links import LINK, link_parts
from filesync.model.values import Flat, Value, split_name
from filesync.trackers.jira.project import Project, gone_words, strange
from filesync.trackers.jira.read.apart import IDS
from filesync.trackers.jira.read.search import objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import overflow, webs
from filesync.trackers.jira.translate.bodies import Body, edit_body
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.fields import link_ids, read_fields
from filesync.trackers.jira.translate.refused import by_name, refusal
from filesync.trackers.jira.translate.shapes import Shape
from filesync.trackers.jira.write.beside import Beside
from filesync.trackers.jira.write.looping import Looping
from filesync.trackers.jira.write.overflowing import Overflow

Json: TypeAlias = dict[str, Any]


class Writing:
    """Changes items of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project, files: Overflow) -> None:
        self._project, self._overflow, self._beside = project, files, Beside(project)
        self._looping = Looping(project)

    # ── fields and links of an issue ────────────────────────────────────────────────────────────────────────────

    def fields(self, issue: str, fields: Flat, mark: Mark) -> Flat:
        """Set fields of an issue, the status excepted: all of them in one call, and then links one by one."""
        project = self._project
        ids = _ids(project.catalogue, fields)
        loops = self._looping.asked(fields)
        there = self._there(issue, "issuetype", *(("status",) if loops else ()), *ids, expand="transitions" if loops else "")
        key = str(there.get("key", ""))
        files = _files(there, ids)
        before = self._read(there)
        missing = project.make_missing({name: value for name, value in fields.items() if value != before.get(name)})
        body = self._body(issue, key, fields, before, missing=missing)
        links = link_ids(there["fields"])
        self._check_ends(key, body, links)
        listed = objects(there.get("fields"), "attachment")
        files |= self._begin(issue, key, body, listed)
        looped = loops and self._looping.write(there, body, fields, note_of(mark))
        answer = self._put(issue, key, body, fields, mark)
        self._overflow.tidy(issue, files, listed)
        for name, wanted in body.links.items():
            self._link(issue, key, name, links.get(name, ()), wanted=wanted)
        for element, wanted in body.webs.items():
            self._beside.web(issue, key, element, (there.get("fields") or {}).get(webs.ID, ()), wanted=wanted)
        for user, wanted in body.watchers.items():
            self._beside.watch(issue, key, user, wanted=wanted)
        beside = looped or body.links or body.webs or body.watchers
        if not (body.fields or body.update or beside):
            return _landed(fields, before, before)
        held = answer.get("fields") if isinstance(answer, Mapping) else None
        if beside or not isinstance(held, Mapping) or not set(ids) <= held.keys():
            answer = self._there(issue, *ids)
        return _landed(fields, before, self._read(answer))

    def _there(self, issue: str, *ids: str, expand: str = "") -> Mapping[str, Any]:
        """What these fields hold now."""
        apart = IDS.intersection(ids)
        found = self._project.issue(issue, *(one for one in ids if one not in apart), expand=expand)
        held = found.get("fields")
        if not isinstance(held, Mapping):
            raise strange("an issue's fields")
        return {**found, "fields": {**held, **self._project.apart.read(issue, apart)}}

    def _read(self, issue: Mapping[str, Any]) -> dict[str, Value]:
        held = issue.get("fields")
        if not isinstance(held, Mapping):
            raise strange("an issue's fields")
        self._project.texts.mend(issue)
        try:
            return read_fields(self._project.catalogue, held, id_of=self._project.id_of)
        except ValueError as error:
            raise strange("an issue's fields") from error

    def _begin(self, issue: str, key: str, body: Body, listed: Sequence[Json]) -> dict[str, str]:
        """Attach the texts for which there is no room, and put their beginnings into `body`. The files of its fields."""
        catalogue = self._project.catalogue
        files = dict.fromkeys(body.fields, "")
        for name, whole in body.long.items():
            owner = catalogue.by_name[name].id
            said, file = overflow.fitted(whole, head="", limit=catalogue.text_limit, owner=owner, key=lambda: key)
            try:
                self._overflow.attach(issue, file, whole, listed)
            except Rejected as error:
                raise refusal(f"the edit of {shown(key)}", {name: str(error)}, hint=error.hint) from error
            body.fields[owner], files[owner] = said, file
        return files

    def _body(self, issue: str, key: str, fields: Flat, before: Mapping[str, Value], *, missing: Mapping[str, str]) -> Body:
        """What is sent. `missing`: fields that cannot be, and why. Raises Rejected with all that is known to be wrong."""
        project = self._project
        for last in (False, True):
            body = edit_body(project.catalogue, fields, issue=issue, before=before, key_of=project.key_of)
            body.refused.update(missing)
            if body.refused.keys() == missing.keys() or last or not project.renewed():
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


def note_of(mark: Mark) -> Json:
    """What stands beside a change in Jira's history: the partner's change that it was made for."""
    return {"type": "filesync", "description": f"filesync {mark}", "extraData": {"mark": mark}}


def item_gone(ref: Ref) -> str:
    """What is said of an item that is not there."""
    if ref.kind is Kind.ISSUE:
        return gone_words(ref.local)
    return f"{ref.kind} {shown(ref.local, limit=20)} of issue {shown(ref.issue, limit=20)} is gone"


def _files(issue: Mapping[str, Any], ids: Iterable[str]) -> dict[str, str]:
    """The files that the texts of an issue point to, by their fields; "" where a field points to none."""
    held = issue.get("fields") or {}
    found = ((id_, overflow.find(held[id_]) if isinstance(held.get(id_), str) else None) for id_ in ids)
    return {id_: "" if pointer is None else pointer.file for id_, pointer in found}


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
            if one.shape is Shape.TEXT and not one.many:
                ids["attachment"] = None  # one of them may be the rest of the text
            if name == "parent" and catalogue.epic_link:
                ids[catalogue.epic_link] = None
    return list(ids)


def _landed(fields: Flat, before: Mapping[str, Value], now: Mapping[str, Value]) -> Flat:
    """The written fields as they are now. An element that landed under another spelling is told under both."""
    landed: dict[str, Value | None] = {name: now.get(name) for name in fields}
    lost = {split_name(name)[0] for name, value in fields.items() if value is True and name not in now}
    landed |= {name: value for name, value in now.items() if name not in before and split_name(name)[0] in lost}
    return landed
