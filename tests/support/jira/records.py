"""What a simulated Jira keeps: plain records. Moments are epoch milliseconds, values of fields are as values.py says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Any


class Refusal(Exception):
    """Jira says no: a status, messages for the whole and messages for single fields."""

    def __init__(self, status: int, *messages: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(status, messages, errors)
        self.status, self.messages, self.errors = status, list(messages), errors or {}


class FieldType(StrEnum):
    """What a field holds, and so how it is parsed, kept and shown."""

    TEXT = "text"
    TEXTAREA = "textarea"
    URL = "url"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    USER = "user"
    USERS = "users"
    OPTION = "option"
    OPTIONS = "options"
    CASCADE = "cascade"
    LABELS = "labels"
    VERSION = "version"
    VERSIONS = "versions"
    COMPONENTS = "components"
    PRIORITY = "priority"
    RESOLUTION = "resolution"
    SECURITY = "security"
    PARENT = "parent"
    SPRINT = "sprint"
    EPIC_LINK = "epic link"
    TIME = "timetracking"
    ISSUETYPE = "issuetype"
    PROJECT = "project"
    LINKS = "issuelinks"
    COMMENTS = "comment"
    OPAQUE = "opaque"  # an app's: shown, never written over REST
    COMPUTED = "computed"  # shown by Jira, set by nobody


@dataclass(slots=True)
class User:
    key: str
    name: str
    account: str
    display: str
    email: str
    zone: str = "UTC"
    active: bool = True
    email_hidden: bool = False
    password: str = ""
    token: str = ""
    groups: set[str] = field(default_factory=lambda: {"jira-software-users"})
    roles: set[str] = field(default_factory=lambda: {"Users", "Developers"})
    admin: bool = False
    gone: bool = False  # removed from Jira: still shown where it was, and named by nobody any more


@dataclass(slots=True)
class Option:
    id: str
    value: str
    children: list[Option] = field(default_factory=list)
    disabled: bool = False


@dataclass(slots=True)
class Field:
    id: str
    name: str
    type: FieldType
    schema: dict[str, Json]
    options: list[Option] = field(default_factory=list)
    operations: tuple[str, ...] = ("set",)
    on_screens: bool = True
    required: bool = False

    @property
    def custom(self) -> bool:
        return "custom" in self.schema


@dataclass(slots=True)
class Status:
    id: str
    name: str
    category: str  # new, indeterminate or done


@dataclass(slots=True)
class Transition:
    id: str
    name: str
    sources: tuple[str, ...]  # statuses' names
    target: str
    screen: tuple[str, ...] = ()  # fields' ids
    required: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Workflow:
    initial: str
    transitions: list[Transition]


@dataclass(slots=True)
class IssueType:
    id: str
    name: str
    level: int  # Cloud's hierarchyLevel: -1 sub-task, 0, 1 epic
    workflow: str

    @property
    def subtask(self) -> bool:
        return self.level < 0


@dataclass(slots=True)
class Named:
    """A priority, a resolution, a role: an id and a name."""

    id: str
    name: str


@dataclass(slots=True)
class LinkType:
    id: str
    name: str
    inward: str
    outward: str


@dataclass(slots=True)
class Version:
    id: str
    name: str
    project: str
    description: str = ""
    released: bool = False
    archived: bool = False
    start_date: str | None = None
    release_date: str | None = None


@dataclass(slots=True)
class Component:
    id: str
    name: str
    project: str
    description: str = ""


@dataclass(slots=True)
class SecurityLevel:
    id: str
    name: str
    members: set[str]  # users' keys


@dataclass(slots=True)
class Project:
    id: str
    key: str
    name: str
    lead: str
    types: list[str]  # types' ids
    kind: str = "software"
    old_keys: list[str] = field(default_factory=list)
    versions: dict[str, Version] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    levels: dict[str, SecurityLevel] = field(default_factory=dict)
    properties: dict[str, Json] = field(default_factory=dict)
    denied: dict[str, set[str]] = field(default_factory=dict)  # user key -> permissions that user lacks here
    last_number: int = 0


@dataclass(slots=True)
class Comment:
    id: str
    author: str
    body: str
    created: int
    updated: int
    update_author: str
    visibility: dict[str, Json] | None = None
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Worklog:
    id: str
    author: str
    comment: str
    started: int
    seconds: int
    created: int
    updated: int
    update_author: str
    visibility: dict[str, Json] | None = None
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Attachment:
    id: str
    name: str
    author: str
    created: int
    size: int
    mime: str
    content: Path


@dataclass(slots=True)
class RemoteLink:
    id: str
    body: dict[str, Json]


@dataclass(slots=True)
class Item:
    """One line of a history: old and new, as ids and as words."""

    field: str
    old: str | None = None
    old_text: str | None = None
    new: str | None = None
    new_text: str | None = None
    field_id: str | None = None
    custom: bool = False


@dataclass(slots=True)
class History:
    id: str
    author: str
    created: int
    items: list[Item]
    metadata: Json = None


@dataclass(slots=True)
class Issue:
    id: str
    key: str
    project: str
    type: str
    status: str
    creator: str
    created: int
    updated: int
    values: dict[str, Json]
    comments: list[Comment] = field(default_factory=list)
    worklogs: list[Worklog] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)
    properties: dict[str, Json] = field(default_factory=dict)
    watchers: list[str] = field(default_factory=list)
    voters: list[str] = field(default_factory=list)
    remote_links: list[RemoteLink] = field(default_factory=list)
    archived: int | None = None


@dataclass(slots=True)
class Link:
    """A link between issues: the source is the actor ("source blocks target")."""

    id: str
    type: str
    source: str
    target: str


@dataclass(slots=True)
class Sprint:
    id: int
    name: str
    state: str  # future, active or closed
    goal: str = ""
    board: int = 1


def every_option(options: list[Option]) -> Iterator[Option]:
    """Options and their children."""
    for option in options:
        yield option
        yield from option.children
