"""Values of fields: what Jira takes in JSON, what it keeps, what it shows again.

Kept: text str · number float · date "2026-11-23" · date-time epoch ms · user key · option and the like id ·
cascade [id, id or None] · sets list · parent and epic the issue's id · sprint list of ids · time tracking: in its parts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.jira import documents
from tests.support.jira.records import Field, FieldType, Json, Option, Project, Refusal, User

if TYPE_CHECKING:
    from tests.support.jira.store import Store

MAX_NUMBER = 1e14
MAX_SUMMARY = 255
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([wdhm]?)")
_SECONDS = {"w": 5 * 8 * 3600, "d": 8 * 3600, "h": 3600, "m": 60, "": 60}


class Wrong(Exception):
    """A value is not right; the words are those of Jira for the field."""


class Reader:
    """Takes values for one project, written by one user."""

    def __init__(self, store: Store, project: Project, actor: User) -> None:
        self.store, self.project, self.actor = store, project, actor

    def read(self, field: Field, value: Json) -> Json:
        """The value as it is kept; None when empty. Raises Wrong."""
        if value is None:
            return None
        if field.type in {FieldType.TEXT, FieldType.TEXTAREA, FieldType.URL}:
            return self._text(field, value)
        if field.type in {FieldType.VERSION, FieldType.OPTION, FieldType.CASCADE, FieldType.USER}:
            return self._one(field, value)
        if field.type in {FieldType.USERS, FieldType.OPTIONS, FieldType.VERSIONS, FieldType.COMPONENTS, FieldType.LABELS}:
            if not isinstance(value, list):
                raise Wrong("data was not an array")
            elements = [self._element(field, element) for element in value]
            kept = list(dict.fromkeys(elements))
            return (sorted(kept) if field.type is FieldType.LABELS else kept) or None
        return self._other(field, value)

    def _element(self, field: Field, value: Json) -> str:
        kinds = {FieldType.USERS: self._user, FieldType.VERSIONS: self._version, FieldType.COMPONENTS: self._component}
        if field.type is FieldType.LABELS:
            return self._label(value)
        if field.type is FieldType.OPTIONS:
            return self._option(field.options, value).id
        return kinds[field.type](value)

    def _one(self, field: Field, value: Json) -> Json:
        if field.type is FieldType.USER:
            return self._user(value, field.id)
        if field.type is FieldType.VERSION:
            return self._version(value)
        option = self._option(field.options, value)
        if field.type is FieldType.OPTION:
            return option.id
        child = value.get("child")
        return [option.id, self._option(option.children, child).id if child else None]

    def _other(self, field: Field, value: Json) -> Json:
        readers: dict[FieldType, Callable[[Json], Json]] = {
            FieldType.NUMBER: _number,
            FieldType.DATE: _date,
            FieldType.DATETIME: read_moment,
            FieldType.PRIORITY: lambda one: self._named("Priority", {it.id: it.name for it in self.store.priorities}, one),
            FieldType.RESOLUTION: lambda one: self._named("Resolution", {it.id: it.name for it in self.store.resolutions}, one),
            FieldType.SECURITY: self._level,
            FieldType.SPRINT: self._sprint,
            FieldType.EPIC_LINK: self._epic,
            FieldType.PARENT: self._parent,
        }
        if field.type not in readers:
            raise Wrong(f"Field '{field.id}' cannot be set. It is not on the appropriate screen, or unknown.")
        return readers[field.type](value)

    def _level(self, value: Json) -> str:
        levels = {one.id: one.name for one in self.project.levels.values() if self.actor.key in one.members}
        return self._named("Security level", levels, value)

    def _text(self, field: Field, value: Json) -> str | None:
        if isinstance(value, dict) and value.get("type") == "doc":
            value = documents.wiki(value)
        if not isinstance(value, str):
            raise Wrong("Operation value must be a string")
        if field.id == "summary":
            value = value.strip()
            if "\n" in value or "\r" in value:
                raise Wrong("The summary is invalid because it contains newline characters.")
            if len(value) > MAX_SUMMARY:
                raise Wrong(f"Summary can't exceed {MAX_SUMMARY} characters.")
        elif field.type is FieldType.TEXT and len(value) > MAX_SUMMARY:
            raise Wrong(f"The entered text is too long. It exceeds the allowed limit of {MAX_SUMMARY} characters.")
        elif field.type is FieldType.URL and value and not re.match(r"[a-z][a-z0-9+.-]*:", value):
            raise Wrong("Invalid URL.")
        check_length(value, self.store.faults.text_limit)
        return (value if field.type is not FieldType.TEXTAREA else round_trip(self.store, value)) or None

    def _user(self, value: Json, field_id: str = "") -> str:
        user = self.store.user_of(value)
        if field_id == "assignee" and value in ({"name": "-1"}, {"accountId": "-1"}):
            return self.project.lead
        if user is None:
            shown = value.get("name", value.get("accountId", "")) if isinstance(value, dict) else value
            if field_id == "reporter":
                raise Wrong("The reporter specified is not a user.")
            raise Wrong(f"User '{shown}' does not exist.")
        if field_id == "assignee" and not (user.active and self.store.can(user, "ASSIGNABLE_USER", self.project)):
            raise Wrong(f"User '{user.name}' cannot be assigned issues.")
        if field_id == "reporter" and not user.active:
            raise Wrong("The reporter specified is not a user.")
        return user.key

    def _version(self, value: Json) -> str:
        named = {version.id: version.name for version in self.project.versions.values()}
        return self._named("Version", named, value)

    def _component(self, value: Json) -> str:
        named = {component.id: component.name for component in self.project.components.values()}
        return self._named("Component", named, value)

    @staticmethod
    def _named(what: str, named: dict[str, str], value: Json) -> str:
        if not isinstance(value, dict):
            raise Wrong(f"{what} data was not an object" if what != "Version" else "expected Object")
        if "id" in value:
            if str(value["id"]) in named:
                return str(value["id"])
            raise Wrong(f"{what} id '{value['id']}' is not valid")
        found = next((one for one, name in named.items() if name == value.get("name")), None)
        if found is None:
            raise Wrong(f"{what} name '{value.get('name')}' is not valid")
        return found

    @staticmethod
    def _option(options: list[Option], value: Json) -> Option:
        if not isinstance(value, dict):
            raise Wrong("Could not find valid 'id' or 'value' in the Parent Option object.")
        wanted, by_id = (str(value["id"]), True) if "id" in value else (value.get("value"), False)
        for option in options:
            if (option.id if by_id else option.value) == wanted and not option.disabled:
                return option
        raise Wrong(f"Option {'id' if by_id else 'value'} '{wanted}' is not valid")

    @staticmethod
    def _label(value: Json) -> str:
        if not isinstance(value, str):
            raise Wrong("Operation value must be a string")
        if re.search(r"\s", value) or not value:
            raise Wrong(f"The label '{value}' contains spaces which is invalid.")
        if len(value) > MAX_SUMMARY:
            raise Wrong(f"The label '{value}' exceeds the maximum length for a single label of {MAX_SUMMARY} characters.")
        return value

    def _sprint(self, value: Json) -> list[int]:
        if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
            raise Wrong("Number value expected as the Sprint id.")
        if int(value) not in self.store.sprints:
            raise Wrong(f"Sprint with id '{value}' does not exist.")
        return [int(value)]

    def _epic(self, value: Json) -> str:
        issue = self.store.seek(value, self.actor) if isinstance(value, str) else None
        if issue is None or self.store.types[issue.type].level != 1:
            raise Wrong(f"Issue '{value}' must be of type Epic.")
        return issue.id

    def _parent(self, value: Json) -> str:
        named = (value.get("id") or value.get("key")) if isinstance(value, dict) else None
        issue = self.store.seek(str(named), self.actor) if named else None
        if issue is None or issue.project != self.project.id:
            raise Wrong("Could not find issue by id or key." if named else "data was not an object")
        return issue.id


def round_trip(store: Store, text: str) -> str:
    """A long text as Cloud gives it back: it keeps documents, not texts."""
    return documents.wiki(documents.document(text)) if store.flavour.cloud and store.faults.wiki_round_trip else text


def check_length(text: str, limit: int) -> None:
    """Texts have a limit, and no NUL: databases do not take one."""
    if "\0" in text:
        raise Refusal(500, "Internal server error")
    if len(text) > limit:
        raise Wrong(f"The entered text is too long. It exceeds the allowed limit of {limit:,} characters.")


def read_moment(value: Json) -> int:
    """Epoch milliseconds of Jira's text form."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Wrong(f"Error parsing time: {value}")
    try:
        return round(dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
    except ValueError:
        raise Wrong(f"Error parsing time: {value}") from None


def seconds_of(value: Json) -> int:
    """The seconds of a duration: "1w 2d 3h 4m" (a day has 8 hours, a week 5 days), or minutes."""
    parts = str(value).split()
    found = [_DURATION.fullmatch(part) for part in parts]
    if not parts or None in found:
        raise Wrong(f"'{value}' is not a valid duration")
    return round(sum(float(part[1]) * _SECONDS[part[2]] for part in found if part))


def duration(seconds: int) -> str:
    """As Jira shows it: "1w 2d 3h 4m"."""
    words, rest = [], seconds
    for unit in "wdhm":
        number, rest = divmod(rest, _SECONDS[unit])
        words += [f"{number}{unit}"] if number else []
    return " ".join(words) or "0m"


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("Operation value must be a number")
    if abs(value) > MAX_NUMBER:
        raise Wrong(f"'{value}' is larger than the maximum value allowed: 100000000000000")
    return float(value)


def _date(value: Json) -> str | None:
    if not isinstance(value, str):
        raise Wrong("Operation value must be a string")
    if value == "":
        return None
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Wrong(f"Error parsing date string: {value}")
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        raise Wrong(f"Error parsing date string: {value}") from None


def java_double(value: float) -> str:
    """A number as Java writes it, 12345678.5 as 1.23456785E7; marked, as JSON's own numbers cannot be told how."""
    number = Decimal(repr(value))
    exponent = number.adjusted()
    if value == 0 or -3 <= exponent < 7:
        return f"\0{value:.1f}" if value == int(value) else f"\0{number:f}"
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    sign = "-" if value < 0 else ""
    return f"\0{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"
