"""The data of one simulated Jira, and who may see it. All of it is used under `lock`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import RLock

from tests.support.jira import world
from tests.support.jira.clock import Clock
from tests.support.jira.faults import Faults
from tests.support.jira.flavours import Flavour
from tests.support.jira.index import Index
from tests.support.jira.records import (
    Attachment,
    Component,
    Field,
    FieldType,
    History,
    Issue,
    IssueType,
    Item,
    Json,
    Link,
    Project,
    Refusal,
    Sprint,
    Status,
    User,
    Version,
    Workflow,
)

PERMISSIONS = (
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "TRANSITION_ISSUES",
    "RESOLVE_ISSUES",
    "CLOSE_ISSUES",
    "ASSIGN_ISSUES",
    "ASSIGNABLE_USER",
    "SCHEDULE_ISSUES",
    "LINK_ISSUES",
    "MOVE_ISSUES",
    "ADD_COMMENTS",
    "EDIT_ALL_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_ALL_COMMENTS",
    "DELETE_OWN_COMMENTS",
    "CREATE_ATTACHMENTS",
    "DELETE_ALL_ATTACHMENTS",
    "DELETE_OWN_ATTACHMENTS",
    "WORK_ON_ISSUES",
    "EDIT_ALL_WORKLOGS",
    "EDIT_OWN_WORKLOGS",
    "DELETE_ALL_WORKLOGS",
    "DELETE_OWN_WORKLOGS",
    "MODIFY_REPORTER",
    "MANAGE_WATCHERS",
    "VIEW_VOTERS_AND_WATCHERS",
    "SET_ISSUE_SECURITY",
    "DELETE_ISSUES",
    "ADMINISTER_PROJECTS",
    "MANAGE_SPRINTS_PERMISSION",
)
SPECIAL = {"ADMINISTER_PROJECTS"}  # only for the role Administrators


class Store:
    """One site. `users` are by key; everything else by id."""

    def __init__(self, flavour: Flavour, *, clock: Clock, faults: Faults, spool: Path, account_zone: str = "UTC") -> None:
        self.flavour, self.clock, self.faults, self.spool = flavour, clock, faults, spool
        self.lock = RLock()
        self.users: dict[str, User] = {user.key: user for user in world.people(flavour, account_zone)}
        self.fields: dict[str, Field] = world.fields(flavour)
        self.types: dict[str, IssueType] = {one.id: one for one in copy.deepcopy(world.TYPES)}
        self.statuses: dict[str, Status] = {one.id: one for one in copy.deepcopy(world.STATUSES)}
        self.workflows: dict[str, Workflow] = world.workflows()
        self.priorities, self.resolutions, self.roles = (
            copy.copy(world.PRIORITIES),
            copy.copy(world.RESOLUTIONS),
            list(world.ROLES),
        )
        self.link_types = copy.copy(world.LINK_TYPES)
        self.sprints: dict[int, Sprint] = {}
        self.projects: dict[str, Project] = {}
        self.issues: dict[str, Issue] = {}
        self.links: dict[str, Link] = {}
        self.keys: dict[str, str] = {}  # every key, former ones too -> the issue's id
        self.linked: dict[str, set[str]] = {}  # an issue -> its links
        self.offspring: dict[str, set[str]] = {}  # an issue -> those whose parent it is
        self.off_screen: set[tuple[str, str]] = set()  # ("create" or "edit", a field's id): what tests take off a screen
        self.required: set[tuple[str, str]] = set()  # (a type's name, a field's id): what tests make obligatory
        self.worklogs_gone: list[tuple[str, int]] = []
        self.readonly = False
        self.file_tokens: dict[str, Attachment] = {}  # signed addresses of the other host
        self.page_tokens: dict[str, tuple[str, int, int]] = {}  # Cloud's: the query, where it goes on, until when
        self.index = Index(clock, faults)
        self._ids = count(10_000)
        self.add_project("ABC", "Pump control")
        self.add_project("XYZ", "Another team")

    def next_id(self) -> str:
        """A new id: they are unique over everything here, which no caller may rely on."""
        return str(next(self._ids))

    def add_project(self, key: str, name: str) -> Project:
        """A project with all types, versions, components and security levels of the default one."""
        project = Project(self.next_id(), key, name, self.person("r.novak").key, [one.id for one in world.TYPES])
        for version in world.VERSIONS:
            made = Version(self.next_id(), version, project.id)
            project.versions[made.id] = made
        for component in world.COMPONENTS:
            part = Component(self.next_id(), component, project.id)
            project.components[part.id] = part
        project.levels = world.levels(list(self.users.values()))
        self.projects[project.id] = project
        return project

    def project(self, key_or_id: str) -> Project | None:
        """The project by id, key or former key."""
        for project in self.projects.values():
            if key_or_id == project.id or key_or_id.upper() in {project.key, *project.old_keys}:
                return project
        return None

    def person(self, name: str) -> User:
        """A user by name."""
        return next(user for user in self.users.values() if user.name == name)

    def local_name(self, key: str) -> str:
        """What names a user in JSON: the account id on Cloud, else the name."""
        user = self.users[key]
        return user.account if self.flavour.cloud else user.name

    def user_of(self, value: Json) -> User | None:
        """The user that a value names: by `name` (or key) on Data Center, by `accountId` on Cloud; nobody else's way."""
        if not isinstance(value, dict):
            return None
        users = [user for user in self.users.values() if not user.gone]
        if self.flavour.cloud:
            wanted = value.get("accountId", value.get("id"))
            return next((user for user in users if user.account == wanted), None)
        if "name" in value:
            return next((user for user in users if user.name == str(value["name"]).lower()), None)
        return next((user for user in users if user.key == value.get("key")), None)

    # ── seeing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def can(self, user: User, permission: str, project: Project) -> bool:
        """Whether the user has this permission in the project."""
        if not user.key or permission in project.denied.get(user.key, ()):  # nobody may do nothing
            return False
        return permission not in SPECIAL or user.admin or "Administrators" in user.roles

    def demand(self, user: User, permission: str, issue: Issue, words: str) -> None:
        """Raise 403 when the user lacks the permission where the issue is."""
        if not self.can(user, permission, self.projects[issue.project]):
            raise Refusal(403, words)

    def sees(self, user: User, issue: Issue) -> bool:
        """Whether the user may see the issue."""
        project = self.projects[issue.project]
        if issue.id in self.faults.hidden or self.faults.project_hidden:
            self.faults.strike("hidden")
            return False
        level = project.levels.get(issue.values.get("security") or "")
        return self.can(user, "BROWSE_PROJECTS", project) and (level is None or user.key in level.members)

    def seek(self, id_or_key: str, user: User) -> Issue | None:
        """The issue by id, key or former key, where the user sees it. Keys of any case, on Cloud."""
        wanted = id_or_key.upper() if self.flavour.cloud else id_or_key
        issue = self.issues.get(wanted) if wanted.isdecimal() else self.by_key(wanted)
        if issue is None or not self.sees(user, issue):
            return None
        if issue.archived and self.faults.archived_404:
            self.faults.strike("archived")
            return None
        return issue

    def by_key(self, key: str) -> Issue | None:
        """The issue that has, or had, this key."""
        return self.issues.get(self.keys.get(key, ""))

    def find(self, id_or_key: str, user: User) -> Issue:
        """`seek`, or 404 in Jira's words."""
        issue = self.seek(id_or_key, user)
        if issue is None:
            words = "Issue does not exist or you do not have permission to see it."
            raise Refusal(404, words if self.flavour.cloud else "Issue Does Not Exist")
        return issue

    # ── changing ────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def changing(self, issue: Issue, *, bump: bool = True) -> Iterator[int]:
        """Around every change of an issue: gives the moment, moves `updated` with it, tells the index."""
        if issue.archived:
            raise Refusal(400 if self.flavour.cloud else 403, "The issue is archived. It cannot be changed.")
        self.index.before(issue)
        moment = self.clock.next()
        yield moment
        if bump:
            issue.updated = moment
        self.index.after(issue)

    def note(self, issue: Issue, actor: User, moment: int, items: list[Item], metadata: Json = None) -> None:
        """Write a line of history; nothing where nothing changed."""
        if items:
            issue.histories.append(History(self.next_id(), actor.key, moment, items, metadata))

    def links_of(self, issue: str) -> list[Link]:
        """The issue's links, at either end."""
        return [self.links[link] for link in sorted(self.linked.get(issue, ()), key=int)]

    def children(self, issue: str) -> list[Issue]:
        """Issues whose `parent` it is."""
        return [self.issues[child] for child in sorted(self.offspring.get(issue, ()), key=int)]

    def put(self, issue: Issue, values: dict[str, Json]) -> None:
        """Keep these values; None empties."""
        if "parent" in values:
            self.offspring.get(issue.values.get("parent", ""), set()).discard(issue.id)
            self.offspring.setdefault(values["parent"] or "", set()).add(issue.id)
        issue.values = {name: value for name, value in {**issue.values, **values}.items() if value is not None}

    def subtasks(self, issue: str) -> list[Issue]:
        """Sub-tasks alone."""
        return [child for child in self.children(issue) if self.types[child.type].subtask]

    def field_named(self, name: str) -> Field:
        """A field by id, or the first of that name."""
        return self.fields.get(name) or next(field for field in self.fields.values() if field.name == name)

    def custom(self, kind: FieldType) -> Field | None:
        """The one custom field of that type, where there is one."""
        return next((field for field in self.fields.values() if field.type is kind), None)
