"""Somebody who uses the simulated Jira as people do: directly, not over REST. Fields are flat, under local names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filesync.model.values import Flat, Value, split_name
from tests.support.jira.issues import IssueWork
from tests.support.jira.links import LinkWork
from tests.support.jira.records import Attachment, Comment, Field, FieldType, Issue, IssueType, Json, User, Worklog
from tests.support.jira.store import Store
from tests.support.jira.threads import ThreadWork
from tests.support.jira.workflow import Steps

PLAIN = {FieldType.TEXT, FieldType.URL, FieldType.DATE, FieldType.LABELS}
SYSTEM = {
    "type": "issuetype",
    "fix_versions": "fixVersions",
    "affects_versions": "versions",
    "due": "duedate",
    "due_date": "duedate",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One user. Issues, comments and the like are named by id, links by the type's name."""

    store: Store
    user: User

    def create(self, fields: Flat, *, project: str = "ABC") -> str:
        """Make an issue and answer its id."""
        with self.store.lock:
            body = self._json(fields)
            body.setdefault("summary", "Pump stalls at 40 bar")
            body.setdefault("issuetype", {"name": "Bug"})
            return IssueWork(self.store, self.user).create({"fields": {**body, "project": {"key": project}}}).id

    def edit(self, issue: str, fields: Flat) -> None:
        """Set fields; None empties one or takes an element out of its set."""
        with self.store.lock:
            found = self._issue(issue)
            IssueWork(self.store, self.user).edit(found, {"fields": self._json(fields, found)})

    def transition(self, issue: str, to: str, **fields: Json) -> None:
        """Take one step, named by the step or by the status it leads to."""
        with self.store.lock:
            found, steps = self._issue(issue), Steps(self.store, self.user)
            step = next(one for one in steps.open(found) if to in {one.name, one.target})
            steps.take(found, {"transition": {"id": step.id}, "fields": fields})

    def delete(self, issue: str) -> None:
        with self.store.lock:
            IssueWork(self.store, self.user).delete(self._issue(issue), subtasks=True)

    def move(self, issue: str, project: str, issue_type: str | None = None) -> None:
        """Move it to another project; its id stays."""
        with self.store.lock:
            target = self.store.project(project)
            assert target is not None
            new_type = next((one for one in self.store.types.values() if one.name == issue_type), None)
            IssueWork(self.store, self.user).move(self._issue(issue), target, new_type)

    def archive(self, issue: str) -> None:
        with self.store.lock:
            IssueWork(self.store, self.user).archive(self._issue(issue))

    def restore(self, issue: str) -> None:
        with self.store.lock:
            IssueWork(self.store, self.user).restore(self._issue(issue))

    def clone(self, issue: str) -> str:
        """Copy an issue with its fields and its properties, as some apps do; linked to the original. Answers the new id."""
        with self.store.lock:
            old = self._issue(issue)
            kind: IssueType = self.store.types[old.type]
            new = self._issue(self.create({"type": kind.name, "summary": f"CLONE - {old.values['summary']}"}))
            with self.store.changing(new):
                self.store.put(new, {**old.values, "summary": new.values["summary"], "reporter": self.user.key})
                new.properties.update(old.properties)
            self.link(new.id, "Cloners", old.id)
            return new.id

    def comment(self, issue: str, text: str, *, role: str | None = None) -> str:
        """Write a comment, for a role alone where one is named; answers its id."""
        with self.store.lock:
            body: Json = {"body": typed(text)}
            if role is not None:
                body["visibility"] = {"type": "role", "value": role}
            return ThreadWork(self.store, self.user).comment(self._issue(issue), body).id

    def edit_comment(self, issue: str, comment: str, text: str) -> None:
        with self.store.lock:
            found = self._issue(issue)
            kept = self._comment(found, comment)
            ThreadWork(self.store, self.user).edit_comment(found, kept, {"body": typed(text), "visibility": kept.visibility})

    def delete_comment(self, issue: str, comment: str) -> None:
        with self.store.lock:
            found = self._issue(issue)
            ThreadWork(self.store, self.user).delete_comment(found, self._comment(found, comment))

    def link(self, issue: str, link_type: str, other: str) -> str:
        """Link: the first issue is the one that acts. Answers the link's id."""
        with self.store.lock:
            ends = {"inwardIssue": {"id": issue}, "outwardIssue": {"id": other}}
            return LinkWork(self.store, self.user).link({"type": {"name": link_type}, **ends}).id

    def unlink(self, issue: str, link_type: str, other: str) -> None:
        with self.store.lock:
            kind = next(one for one in self.store.link_types if one.name == link_type)
            wanted = (kind.id, issue, other)
            link = next(one for one in self.store.links_of(issue) if (one.type, one.source, one.target) == wanted)
            LinkWork(self.store, self.user).unlink(link)

    def log_work(self, issue: str, seconds: int, text: str = "") -> str:
        """Log work; answers its id."""
        with self.store.lock:
            body = {"timeSpentSeconds": seconds, "comment": text}
            return ThreadWork(self.store, self.user).log_work(self._issue(issue), body, {}).id

    def edit_worklog(self, issue: str, worklog: str, fields: Flat) -> None:
        """Change `seconds`, `started` or `body`."""
        with self.store.lock:
            found = self._issue(issue)
            body: Json = {}
            if "seconds" in fields:
                body["timeSpentSeconds"] = int(str(fields["seconds"]))
            if "started" in fields:
                body["started"] = str(fields["started"]).replace("Z", "+0000")
            if "body" in fields:
                body["comment"] = str(fields["body"] or "")
            ThreadWork(self.store, self.user).edit_worklog(found, self._worklog(found, worklog), body, {})

    def delete_worklog(self, issue: str, worklog: str) -> None:
        with self.store.lock:
            found = self._issue(issue)
            ThreadWork(self.store, self.user).delete_worklog(found, self._worklog(found, worklog), {})

    def attach(self, issue: str, name: str, content: bytes) -> str:
        """Attach a file; answers its id."""
        with self.store.lock:
            with tempfile.NamedTemporaryFile(dir=self.store.spool, delete=False) as file:
                file.write(content)
            return ThreadWork(self.store, self.user).attach(self._issue(issue), name, Path(file.name)).id

    def detach(self, issue: str, attachment: str) -> None:
        with self.store.lock:
            found = self._issue(issue)
            kept: Attachment = next(one for one in found.attachments if one.id == attachment)
            ThreadWork(self.store, self.user).detach(found, kept)

    # ── names and values ────────────────────────────────────────────────────────────────────────────────────────

    def _issue(self, issue: str) -> Issue:
        return self.store.issues[issue]

    @staticmethod
    def _comment(issue: Issue, comment: str) -> Comment:
        return next(one for one in issue.comments if one.id == comment)

    @staticmethod
    def _worklog(issue: Issue, worklog: str) -> Worklog:
        return next(one for one in issue.worklogs if one.id == worklog)

    def _json(self, fields: Flat, issue: Issue | None = None) -> dict[str, Json]:
        """Flat fields as a request's: a set as it is to be, from what it is now."""
        body: dict[str, Json] = {}
        for flat, value in fields.items():
            name, element = split_name(flat)
            field = self._field(name)
            if element is None:
                body[field.id] = None if value is None else self._value(field, value)
                continue
            now = body.get(field.id, self._kept(field, issue))
            one = self._value(field, element)
            body[field.id] = [kept for kept in now if kept != one] + ([one] if value else [])
        return body

    def _field(self, name: str) -> Field:
        return self.store.field_named(SYSTEM.get(name, name))

    def _kept(self, field: Field, issue: Issue | None) -> list[Json]:
        kept = (issue.values.get(field.id) if issue else None) or []
        if field.type is FieldType.LABELS:
            return list(kept)
        return [
            self._value(field, self.store.local_name(one)) if field.type is FieldType.USERS else self._named(field, one)
            for one in kept
        ]

    def _named(self, field: Field, one: str) -> Json:
        if field.type is FieldType.OPTIONS:
            return {"value": next(option.value for option in field.options if option.id == one)}
        for project in self.store.projects.values():
            if one in project.versions:
                return {"name": project.versions[one].name}
            if one in project.components:
                return {"name": project.components[one].name}
        raise KeyError(one)

    def _value(self, field: Field, value: Value) -> Json:
        if field.type in PLAIN:
            return value
        if field.type in {FieldType.USER, FieldType.USERS}:
            return {"accountId": value} if self.store.flavour.cloud else {"name": value}
        if field.type in {FieldType.OPTION, FieldType.OPTIONS}:
            return {"value": value}
        if field.type is FieldType.CASCADE:
            parent, *child = value if isinstance(value, list) else [str(value)]
            return {"value": parent, **({"child": {"value": child[0]}} if child else {})}
        return self._rare(field, str(value))

    def _rare(self, field: Field, value: str) -> Json:
        meant: dict[FieldType, Callable[[], Json]] = {
            FieldType.NUMBER: lambda: float(value),
            FieldType.DATETIME: lambda: value.replace("Z", "+0000"),
            FieldType.TEXTAREA: lambda: typed(value),
            FieldType.PARENT: lambda: {"id": value},
            FieldType.SPRINT: lambda: next(one.id for one in self.store.sprints.values() if one.name == value),
            FieldType.EPIC_LINK: lambda: self.store.issues[value].key,
        }
        return meant.get(field.type, lambda: {"name": value})()


def typed(text: str) -> str:
    """As a browser sends what was typed into a large field."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")
