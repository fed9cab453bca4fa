"""The `fields` and `update` of a request, read into values: everything that is wrong with them in one refusal."""

from __future__ import annotations

from enum import StrEnum

from tests.support.jira.links import LinkWork
from tests.support.jira.records import Field, FieldType, Issue, IssueType, Json, Project, Refusal, User
from tests.support.jira.store import Store
from tests.support.jira.threads import ThreadWork
from tests.support.jira.values import Reader, Wrong, seconds_of

NEEDED = {
    "reporter": "MODIFY_REPORTER",
    "security": "SET_ISSUE_SECURITY",
    "duedate": "SCHEDULE_ISSUES",
    "assignee": "ASSIGN_ISSUES",
}
EXTRAS = {"comment", "issuelinks", "worklog"}
SETS = {FieldType.LABELS, FieldType.VERSIONS, FieldType.COMPONENTS, FieldType.OPTIONS, FieldType.USERS}
TIMES = {"originalEstimate": "timeoriginalestimate", "remainingEstimate": "timeestimate"}


class Screen(StrEnum):
    """Where fields are given."""

    CREATE = "create"
    EDIT = "edit"
    TRANSITION = "transition"


class Edits:
    """One request's fields, for a new issue or for one that is there."""

    def __init__(
        self,
        store: Store,
        actor: User,
        *,
        project: Project,
        type: IssueType,  # noqa: A002 (Jira's word)
        screen: Screen,
        issue: Issue | None = None,
        allowed: tuple[str, ...] | None = None,  # of a transition's screen
    ) -> None:
        self.store, self.actor, self.project, self.type = store, actor, project, type
        self.screen, self.issue, self.allowed = screen, issue, allowed
        self._reader = Reader(store, project, actor)
        self._extras: list[tuple[str, str, Json]] = []
        self._errors: dict[str, str] = {}

    @property
    def has_extras(self) -> bool:
        """Whether comments, links or worklogs are to be written besides fields."""
        return bool(self._extras)

    def read(self, body: Json) -> dict[str, Json]:
        """The values to be kept, by field's id. Raises Refusal."""
        fields, update = body.get("fields") or {}, body.get("update") or {}
        values: dict[str, Json] = {}
        for name, value in fields.items():
            if name in update:
                self._errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
            elif not (self.screen is Screen.CREATE and name in {"project", "issuetype"}):
                self._try(name, [{"set": value}], values)
        for name, operations in update.items():
            if name in EXTRAS:
                self._extras += [(name, operation, one[operation]) for one in operations for operation in one]
            elif name not in fields:
                self._try(name, operations, values)
        self._check_required(values)
        if self._errors:
            raise Refusal(400, errors=self._errors)
        return values

    def extras(self, issue: Issue) -> None:
        """Write what `update` asked for besides fields."""
        for name, operation, value in self._extras:
            if operation != "add":
                raise Refusal(400, errors={name: f"Operation '{operation}' is not supported."})
            if name == "comment":
                ThreadWork(self.store, self.actor).comment(issue, value)
            elif name == "worklog":
                ThreadWork(self.store, self.actor).log_work(issue, value, {})
            else:
                end = {"inwardIssue", "outwardIssue"} - value.keys()
                LinkWork(self.store, self.actor).link({**value, **{one: {"key": issue.key} for one in end}})

    def _try(self, name: str, operations: Json, values: dict[str, Json]) -> None:
        field = self.store.fields.get(name)
        if field is None or not self.may_set(field):
            words = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            self._errors[name] = words
            return
        try:
            if field.type is FieldType.TIME:
                values.update(self._times(operations))
            elif field.type is FieldType.ISSUETYPE:
                values["issuetype"] = self._new_type(operations[0].get("set"))
            else:
                values[name] = self._carry_out(field, operations)
        except Wrong as wrong:
            self._errors[name] = str(wrong)

    def may_set(self, field: Field) -> bool:
        """Whether the field is on the screen, for this user."""
        permission = NEEDED.get(field.id)
        if permission and not self.store.can(self.actor, permission, self.project):
            return False
        if self.allowed is not None:
            return field.id in self.allowed
        if field.type in {FieldType.COMPUTED, FieldType.OPAQUE, FieldType.PROJECT} or not field.on_screens:
            return False
        if field.type is FieldType.PARENT and self.store.flavour.dc:
            return self.screen is Screen.CREATE and self.type.subtask
        return (str(self.screen), field.id) not in self.store.off_screen

    def _carry_out(self, field: Field, operations: Json) -> Json:
        kept = self.issue.values.get(field.id) if self.issue else None
        for one in operations:
            ((operation, value),) = one.items()
            if operation == "set":
                if field.type is FieldType.PARENT and isinstance(value, dict) and value.get("none"):
                    value = None
                old = kept if field.type is FieldType.SPRINT else None
                kept = self._reader.read(field, value)
                if field.type is FieldType.SPRINT:  # those that are closed stay
                    closed = [one for one in old or [] if self.store.sprints[one].state == "closed"]
                    kept = [*closed, *(one for one in kept or [] if one not in closed)] or None
            elif operation == "add" and field.type in SETS:
                elements = [*(kept or []), *(self._reader.read(field, [value]) or [])]
                kept = sorted(set(elements)) if field.type is FieldType.LABELS else list(dict.fromkeys(elements))
            elif operation == "remove" and field.type in SETS:
                gone = self._reader.read(field, [value]) or []
                kept = [element for element in kept or [] if element not in gone] or None
            else:
                raise Wrong(f"Field '{field.id}' does not support operation '{operation}'.")
        return kept

    def _times(self, operations: Json) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for one in operations:
            for value in one.values():
                for name, kept in TIMES.items():
                    if name in (value or {}):
                        values[kept] = seconds_of(value[name]) if value[name] not in {None, ""} else None
        if self.issue is None and "timeestimate" not in values and "timeoriginalestimate" in values:
            values["timeestimate"] = values["timeoriginalestimate"]  # nothing is spent yet
        return values

    def _new_type(self, named: Json) -> str:
        from tests.support.jira.issues import type_of  # issues uses this module

        found = type_of(self.store, named)
        if found is None or found.subtask != self.type.subtask or found.workflow != self.type.workflow:
            raise Wrong("The issue type selected is invalid.")
        return found.id

    def _check_required(self, values: dict[str, Json]) -> None:
        if self.screen is Screen.TRANSITION:
            return
        for field in self.store.fields.values():
            obligatory = field.required or (self.type.name, field.id) in self.store.required
            if not obligatory or field.type in {FieldType.ISSUETYPE, FieldType.PROJECT} or field.id in self._errors:
                continue
            absent = field.id not in values and self.screen is Screen.CREATE and field.id != "reporter"
            emptied = field.id in values and values[field.id] is None
            if absent or emptied:
                summary = "You must specify a summary of the issue."
                self._errors[field.id] = summary if field.id == "summary" else f"{field.name} is required."
