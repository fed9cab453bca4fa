"""What a project of a Jira has: fields, types, statuses, links, users. Pure look-ups; read/inventory.py asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from filesync.model.values import FieldSpec
from filesync.trackers.jira.translate import text
from filesync.trackers.jira.translate.offered import JiraField

USERS: Final = 1_000  # that are asked for: where there are so many, Jira did not tell all
_ADDRESS: Final = re.compile(r"[^\s@\[\]{}]{1,64}@[^\s@\[\]{}]{1,180}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMeta:
    """What Jira says of a field on a screen (createmeta, editmeta)."""

    label: str  # what people see
    required: bool  # it is never empty
    operations: frozenset[str]
    allowed: tuple[str, ...]  # canonical; of a cascading option `parent` and `parent/child`
    default: bool = False  # Jira fills something in where nothing is given


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueType:
    """A type of issue of the project. `screen`: the fields, by Jira's id, that can be given when one is made; None: unknown."""

    id: str
    name: str
    subtask: bool
    statuses: tuple[str, ...]
    screen: Mapping[str, FieldMeta] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkType:
    """A type of link: its name, and how it reads at either end."""

    id: str
    name: str
    outward: str
    inward: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprints:
    """The sprints of a project's boards that are not closed. `lost`: why missing ones cannot be made, where that is known."""

    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by name; several may have one
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What there is. `by_name` holds the fields by our names, `types` and `links` by Jira's, `users` what people see by id."""

    cloud: bool
    project: str  # its id
    key: str
    fields: tuple[JiraField, ...]
    left_out: Mapping[str, str]  # fields that are not carried, by what people see and by id, and why
    types: Mapping[str, IssueType]
    links: Mapping[str, LinkType]
    users: Mapping[str, str]
    addresses: Mapping[str, str]  # of these users, by id and in lower case; "" where Jira shows none
    epic_link: str = ""  # ids of two fields of Data Center; "" where there are none
    epic_name: str = ""
    apart: frozenset[str] = frozenset()  # our names of fields that are read and written by calls of their own: on no screen
    desk: bool = False  # a service desk's project: some of its comments are for its agents alone
    text_limit: int = text.LIMIT
    sprints: Sprints = field(default_factory=Sprints)
    by_name: Mapping[str, JiraField] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.fields})

    @property
    def specs(self) -> tuple[FieldSpec, ...]:
        """The fields as `Tracker.describe` tells them."""
        return tuple(one.spec() for one in self.fields)

    @property
    def known_users(self) -> tuple[str, ...]:
        """The users, where Jira told all of them."""
        return tuple(self.users) if len(self.users) < USERS else ()

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses of all types."""
        return tuple(dict.fromkeys(status for one in self.types.values() for status in one.statuses))

    def names_of(self, id_: str) -> tuple[str, ...]:
        """Our names for a field, by the id that Jira calls it in its refusals."""
        if id_ and id_ == self.epic_link:
            return ("parent",)
        return tuple(one.name for one in self.fields if one.id == id_)


def read_screen(listed: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, FieldMeta]:
    """The fields of a screen by Jira's id, from createmeta's list or editmeta's and a transition's map."""
    return {
        id_: FieldMeta(
            label=str(one.get("name") or id_),
            required=bool(one.get("required")),
            default=bool(one.get("hasDefaultValue")),
            operations=frozenset(map(str, one.get("operations") or ())),
            allowed=tuple(_allowed(one.get("allowedValues") or ())),
        )
        for id_, one in listed
    }


def _allowed(values: Sequence[Any]) -> Iterator[str]:
    for one in values:
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            name = str(one.get("value") or one.get("name") or "")
            if name:
                yield name
            for child in one.get("children") or ():
                yield f"{name}/{child.get('value', '')}"


def address_of(user: Mapping[str, Any]) -> str:
    """The e-mail address of a user, where Jira shows it to us as it is: some are hidden, some masked ("anna at x dot com")."""
    address = str(user.get("emailAddress") or "").strip().lower()
    return address if _ADDRESS.fullmatch(address) else ""
