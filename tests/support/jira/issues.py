"""What is done to issues: made, edited, moved, archived, deleted. By a user, with Jira's refusals."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.jira.edits import Edits, Screen
from tests.support.jira.properties import set_property
from tests.support.jira.records import Issue, IssueType, Item, Json, Project, Refusal, User
from tests.support.jira.shown import changes
from tests.support.jira.store import Store
from tests.support.jira.workflow import Steps


@dataclass(frozen=True, slots=True)
class IssueWork:
    """One user's work on issues."""

    store: Store
    actor: User

    def create(self, body: Json) -> Issue:
        """Make an issue of a create request's body. Raises Refusal with all problems at once."""
        if not isinstance(body, dict) or not isinstance(body.get("fields"), dict):
            raise Refusal(400, errors={"project": "Specify a valid project ID or key"})
        store, fields = self.store, body["fields"]
        project, issue_type = self._place(fields)
        edits = Edits(store, self.actor, project=project, type=issue_type, screen=Screen.CREATE)
        values = edits.read(body)
        self._parent(issue_type, values)
        values.setdefault("reporter", self.actor.key)
        values.setdefault("priority", "3")
        number = project.last_number + 1
        properties: dict[str, Json] = {}
        for entry in body.get("properties") or []:
            set_property(properties, entry["key"], entry["value"])
        moment = store.clock.next()
        project.last_number = number
        initial = store.workflows[issue_type.workflow].initial
        issue = Issue(
            id=store.next_id(),
            key=f"{project.key}-{number}",
            project=project.id,
            type=issue_type.id,
            status=next(status.id for status in store.statuses.values() if status.name == initial),
            creator=self.actor.key,
            created=moment,
            updated=moment,
            values={},
            properties=properties,
        )
        store.put(issue, values)
        issue.watchers.append(self.actor.key)  # Jira's users watch what they make and talk about, unless they say otherwise
        store.issues[issue.id], store.keys[issue.key] = issue, issue.id
        store.index.after(issue)
        edits.extras(issue)
        if body.get("transition"):
            Steps(store, self.actor).take(issue, {"transition": body["transition"]})
        return issue

    def edit(self, issue: Issue, body: Json) -> None:
        """Carry out an edit request's body."""
        self._may_edit(issue, body)
        store = self.store
        project, issue_type = store.projects[issue.project], store.types[issue.type]
        edits = Edits(store, self.actor, project=project, type=issue_type, screen=Screen.EDIT, issue=issue)
        values = edits.read(body)
        new_type = values.pop("issuetype", issue.type)
        items = [
            item
            for name, value in values.items()
            if value != issue.values.get(name)
            for item in changes(store, store.fields[name], issue.values.get(name), value)
        ]
        if new_type != issue.type:
            old, new = store.types[issue.type], store.types[new_type]
            items.append(Item("issuetype", old.id, old.name, new.id, new.name, field_id="issuetype"))
        if items or edits.has_extras:
            with store.changing(issue) as moment:
                store.put(issue, values)
                issue.type = new_type
                store.note(issue, self.actor, moment, items, body.get("historyMetadata"))
        edits.extras(issue)

    def delete(self, issue: Issue, *, subtasks: bool) -> None:
        """Delete it, and its links; its sub-tasks only where that was asked for."""
        store = self.store
        store.demand(self.actor, "DELETE_ISSUES", issue, "You do not have permission to delete issues in this project.")
        children = store.subtasks(issue.id)
        if children and not subtasks:
            raise Refusal(400, f"The issue '{issue.key}' has subtasks.  You must specify the 'deleteSubtasks' parameter.")
        for child in children:
            self.delete(child, subtasks=True)
        for link in store.links_of(issue.id):  # Jira writes nothing at the other end
            other = store.issues[link.target if link.source == issue.id else link.source]
            store.index.before(other)
            store.linked[other.id].discard(link.id)
            del store.links[link.id]
            store.index.after(other)
        moment = store.clock.next()
        store.worklogs_gone += [(worklog.id, moment) for worklog in issue.worklogs]
        store.index.before(issue)
        store.put(issue, {"parent": None})
        for child in store.children(issue.id):
            store.put(child, {"parent": None})
        del store.issues[issue.id]
        store.keys = {key: one for key, one in store.keys.items() if one != issue.id}
        store.index.after(issue, gone=True)

    def move(self, issue: Issue, project: Project, issue_type: IssueType | None = None) -> None:
        """To another project: the id stays, the key is a new one."""
        store, old = self.store, issue.key
        with store.changing(issue) as moment:
            before = store.projects[issue.project]
            project.last_number += 1
            issue.project, issue.key = project.id, f"{project.key}-{project.last_number}"
            store.keys[issue.key] = issue.id
            lost = ("fixVersions", "versions", "components", "security")
            store.put(issue, dict.fromkeys(lost))
            items = [
                Item("project", before.id, before.name, project.id, project.name, field_id="project"),
                Item("Key", None, old, None, issue.key),
            ]
            if issue_type is not None and issue_type.id != issue.type:
                kept = store.types[issue.type]
                items.append(Item("issuetype", kept.id, kept.name, issue_type.id, issue_type.name, field_id="issuetype"))
                issue.type = issue_type.id
            store.note(issue, self.actor, moment, items)
        for child in store.subtasks(issue.id):
            self.move(child, project)

    def archive(self, issue: Issue) -> None:
        """Put it out of search; it can be read, and not written."""
        self.store.index.before(issue)
        issue.archived = self.store.clock.next()
        self.store.index.after(issue)

    def restore(self, issue: Issue) -> None:
        """Bring it back from the archive."""
        self.store.index.before(issue)
        issue.archived = None
        self.store.index.after(issue)

    def _place(self, fields: Json) -> tuple[Project, IssueType]:
        store, errors = self.store, {}
        named = fields.get("project") if isinstance(fields.get("project"), dict) else {}
        project = store.project(str(named.get("id") or named.get("key") or ""))
        if project is None or not store.can(self.actor, "BROWSE_PROJECTS", project) or store.faults.project_hidden:
            errors["project"] = "valid project is required" if store.flavour.dc else "Specify a valid project ID or key"
        elif not store.can(self.actor, "CREATE_ISSUES", project):
            errors["pid"] = "You cannot create issues in this project."
        issue_type = type_of(store, fields.get("issuetype"))
        if issue_type is None:
            errors["issuetype"] = "valid issue type is required" if store.flavour.dc else "Specify a valid issue type"
        if errors or project is None or issue_type is None:
            raise Refusal(400, errors=errors)
        return project, issue_type

    def _parent(self, issue_type: IssueType, values: dict[str, Json]) -> None:
        store, parent = self.store, values.get("parent")
        if issue_type.subtask and parent is None:
            raise Refusal(400, errors={"issuetype": "Issue type is a sub-task but parent issue key or id not specified."})
        if parent is not None and store.types[store.issues[parent].type].level != issue_type.level + 1:
            raise Refusal(400, errors={"parent": "Given parent issue does not belong to appropriate hierarchy."})

    def _may_edit(self, issue: Issue, body: Json) -> None:
        if not isinstance(body, dict):
            raise Refusal(400, "Unexpected body")
        if self.store.can(self.actor, "EDIT_ISSUES", self.store.projects[issue.project]):
            return
        if self.store.flavour.cloud:
            raise Refusal(403, "You do not have permission to edit issues in this project.")
        words = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
        raise Refusal(400, errors={name: words.format(name) for name in {**body.get("fields", {}), **body.get("update", {})}})


def type_of(store: Store, named: Json) -> IssueType | None:
    """The type that a value names, by id or name."""
    if not isinstance(named, dict):
        return None
    for issue_type in store.types.values():
        if str(named.get("id", "")) == issue_type.id or ("id" not in named and named.get("name") == issue_type.name):
            return issue_type
    return None
