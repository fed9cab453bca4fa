"""How Jira shows things in JSON, to one user."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.support.jira.clock import iso
from tests.support.jira.documents import document
from tests.support.jira.records import (
    Attachment,
    Comment,
    Component,
    History,
    Issue,
    IssueType,
    Json,
    Link,
    Project,
    Refusal,
    RemoteLink,
    Status,
    User,
    Version,
    Worklog,
)
from tests.support.jira.store import Store
from tests.support.jira.threads import ThreadWork

CATEGORIES = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}


@dataclass(frozen=True, slots=True)
class View:
    """What one user sees, under one base URL and one version of the API."""

    store: Store
    user: User
    base: str  # of URLs in answers: nobody should follow them
    api: str = "2"
    extra: dict[str, Json] = field(default_factory=dict)  # keys nobody expects, in every object

    @property
    def cloud(self) -> bool:
        return self.store.flavour.cloud

    def url(self, path: str) -> str:
        return f"{self.base}/rest/api/{self.api}/{path}"

    def moment(self, moment: int | None) -> str | None:
        return None if moment is None else iso(moment, self.user.zone)

    def text(self, text: str | None) -> Json:
        """A long text: wiki markup, or a document in version 3."""
        return document(text) if self.api == "3" and text is not None else text

    def person(self, key: str | None) -> Json:
        if key is None or key in self.store.faults.nameless:
            return None
        user = self.store.users[key]
        shown: dict[str, Json] = {"displayName": user.display, "active": user.active, "timeZone": user.zone, "avatarUrls": {}}
        if not user.email_hidden or user is self.user:
            shown["emailAddress"] = user.email
        if self.cloud:
            return {
                "self": self.url(f"user?accountId={user.account}"),
                "accountId": user.account,
                "accountType": "atlassian",
                **shown,
            }
        return {"self": self.url(f"user?username={quote(user.name)}"), "name": user.name, "key": user.key, **shown}

    def status(self, status: Status) -> Json:
        number, color, name = CATEGORIES[status.category]
        category = {"id": number, "key": status.category, "colorName": color, "name": name}
        return {
            "self": self.url(f"status/{status.id}"),
            "id": status.id,
            "name": status.name,
            "description": "",
            "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
            "statusCategory": {"self": self.url(f"statuscategory/{number}"), **category},
        }

    def type(self, issue_type: IssueType) -> Json:
        shown = {
            "self": self.url(f"issuetype/{issue_type.id}"),
            "id": issue_type.id,
            "name": issue_type.name,
            "description": "",
            "iconUrl": f"{self.base}/images/icons/issuetypes/{issue_type.id}.png",
            "subtask": issue_type.subtask,
        }
        return {**shown, "hierarchyLevel": issue_type.level} if self.cloud else shown

    def priority(self, one: str | None) -> Json:
        found = next((priority for priority in self.store.priorities if priority.id == one), None)
        icon = f"{self.base}/images/icons/priorities/{one}.svg"
        return found and {"self": self.url(f"priority/{one}"), "iconUrl": icon, "name": found.name, "id": found.id}

    def resolution(self, one: str | None) -> Json:
        found = next((resolution for resolution in self.store.resolutions if resolution.id == one), None)
        return found and {"self": self.url(f"resolution/{one}"), "id": found.id, "description": "", "name": found.name}

    def level(self, project: Project, one: str | None) -> Json:
        found = project.levels.get(one or "")
        return found and {"self": self.url(f"securitylevel/{one}"), "id": found.id, "description": "", "name": found.name}

    def version(self, version: Version) -> Json:
        shown = {
            "self": self.url(f"version/{version.id}"),
            "id": version.id,
            "description": version.description,
            "name": version.name,
            "archived": version.archived,
            "released": version.released,
            "projectId": int(version.project),
        }
        days = {"startDate": version.start_date, "releaseDate": version.release_date}
        return shown | {name: day for name, day in days.items() if day}

    def component(self, component: Component) -> Json:
        shown = {"self": self.url(f"component/{component.id}"), "id": component.id, "name": component.name}
        return {**shown, "description": component.description} if component.description else shown

    def project(self, project: Project) -> Json:
        return {
            "self": self.url(f"project/{project.id}"),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind,
            "avatarUrls": {},
        }

    def comment(self, comment: Comment, issue: Issue, *, properties: bool = False) -> Json:
        shown = {
            "self": self.url(f"issue/{issue.id}/comment/{comment.id}"),
            "id": comment.id,
            "author": self.person(comment.author),
            "body": self.text(comment.body),
            "updateAuthor": self.person(comment.update_author),
            "created": self.moment(comment.created),
            "updated": self.moment(comment.updated),
        }
        if self.cloud:
            desk = comment.properties.get("sd.public.comment")
            shown["jsdPublic"] = not (isinstance(desk, dict) and desk.get("internal") in {True, "true"})
        if properties:
            shown["properties"] = [{"key": key, "value": value} for key, value in comment.properties.items()]
        return shown | self._restricted(comment)

    def worklog(self, worklog: Worklog, issue: Issue, *, properties: bool = False) -> Json:
        shown = {
            "self": self.url(f"issue/{issue.id}/worklog/{worklog.id}"),
            "author": self.person(worklog.author),
            "updateAuthor": self.person(worklog.update_author),
            "comment": self.text(worklog.comment),
            "created": self.moment(worklog.created),
            "updated": self.moment(worklog.updated),
            "started": self.moment(worklog.started),
            "timeSpent": f"{worklog.seconds // 60}m",
            "timeSpentSeconds": worklog.seconds,
            "id": worklog.id,
            "issueId": issue.id,
        }
        if self.cloud and not worklog.comment:
            del shown["comment"]
        if properties:
            shown["properties"] = [{"key": key, "value": value} for key, value in worklog.properties.items()]
        return shown | self._restricted(worklog)

    def attachment(self, attachment: Attachment) -> Json:
        name = quote(attachment.name, safe="")
        content = f"{self.base}/secure/attachment/{attachment.id}/{name}"
        return {
            "self": self.url(f"attachment/{attachment.id}"),
            "id": attachment.id,
            "filename": attachment.name,
            "author": self.person(attachment.author),
            "created": self.moment(attachment.created),
            "size": attachment.size,
            "mimeType": attachment.mime,
            "content": self.url(f"attachment/content/{attachment.id}") if self.cloud else content,
        }

    def link_type(self, one: str) -> Json:
        kind = next(kind for kind in self.store.link_types if kind.id == one)
        return {
            "id": kind.id,
            "name": kind.name,
            "inward": kind.inward,
            "outward": kind.outward,
            "self": self.url(f"issueLinkType/{kind.id}"),
        }

    def link(self, link: Link, seen_from: str | None = None) -> Json:
        """A link as one of its ends shows it: only the other end. The source shows the target as `outwardIssue`."""
        shown = {"id": link.id, "self": self.url(f"issueLink/{link.id}"), "type": self.link_type(link.type)}
        for end, name in ((link.target, "outwardIssue"), (link.source, "inwardIssue")):
            if end != seen_from:
                shown[name] = self.stub(self.store.issues[end])
        return shown

    def remote_link(self, link: RemoteLink, issue: Issue) -> Json:
        return {"id": int(link.id), "self": self.url(f"issue/{issue.key}/remotelink/{link.id}"), **link.body}

    def stub(self, issue: Issue) -> Json:
        """An issue inside another one."""
        store = self.store
        return {
            "id": issue.id,
            "key": issue.key,
            "self": self.url(f"issue/{issue.id}"),
            "fields": {
                "summary": issue.values.get("summary"),
                "status": self.status(store.statuses[issue.status]),
                "priority": self.priority(issue.values.get("priority")),
                "issuetype": self.type(store.types[issue.type]),
            },
        }

    def history(self, history: History) -> Json:
        items = []
        for item in history.items:
            shown = {"field": item.field, "fieldtype": "custom" if item.custom else "jira"}
            if self.cloud and item.field_id:
                shown["fieldId"] = item.field_id
            values = {"from": item.old, "fromString": item.old_text, "to": item.new, "toString": item.new_text}
            items.append({**shown, **values})
        shown_history = {
            "id": history.id,
            "author": self.person(history.author),
            "created": self.moment(history.created),
            "items": items,
        }
        return {**shown_history, "historyMetadata": history.metadata} if history.metadata else shown_history

    def _restricted(self, restricted: Comment | Worklog) -> dict[str, Json]:
        if restricted.visibility is None:
            return {}
        identifier = {"identifier": restricted.visibility["value"]} if self.cloud else {}
        return {"visibility": {**restricted.visibility, **identifier}}

    def hands(self) -> ThreadWork:
        """The user's own view on what is restricted."""
        return ThreadWork(self.store, self.user)


def page(name: str, shown: list[Json], *, start: int, size: int, total: int) -> Json:
    """A page under one name."""
    return {"startAt": start, "maxResults": size, "total": total, name: shown}


def flat(value: Json) -> str:
    """JSON as one short text, for messages."""
    return json.dumps(value, ensure_ascii=False)[:200]


def number(text: str | None, default: int) -> int:
    """A number of a query."""
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise Refusal(400, f"'{text}' is not a number.") from None
