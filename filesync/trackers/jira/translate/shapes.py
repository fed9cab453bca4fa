"""One value of a field: how Jira shows it and how it is written, and the one canonical text for it. Pure.

What Jira shows in another form than is known is taken as the text of its JSON: so it is neither empty nor lost, and where the
kind of the field does not hold such a text, the rules say so and leave the field alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from filesync.model.values import FieldKind, Value, normal, utc_text

_encoder: Final = msgspec.json.Encoder(order="sorted", decimal_format="number")
_SPRINT = re.compile(
    r"(?:^|,)(id|rapidViewId|state|name|startDate|endDate|completeDate|activatedDate|sequence|goal|synced|autoStartStop"
    r"|incompleteIssuesDestinationId)="
)


class Shape(StrEnum):
    """What the JSON of a value looks like."""

    TEXT = "text"
    LINE = "line"  # a text of one line
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    USER = "user"
    VALUE = "value"  # {"value": "High"}: an option of a custom field
    NAME = "name"  # {"name": "High"}: priority, version, component …
    ID = "id"  # shown by its name, written by its id: type, security level
    CASCADE = "cascade"  # {"value": "Pump", "child": {"value": "Seal"}}
    STATUS = "status"
    PARENT = "parent"
    SPRINT = "sprint"  # all sprints that the issue was in
    WEB = "web"  # a link to elsewhere: its address and what it says
    ESTIMATE = "estimate"  # one of the two of time tracking, in seconds


def epoch_ms(value: object) -> int:
    """A moment in ms since 1970, of a date-time (`+0200` and `+02:00` are one) or of such a number. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("not a moment in time")
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def is_empty(value: object) -> bool:
    """Whether Jira shows it for nothing. A number of 0 is something."""
    return value is None or value in ("", [], {})


def shown(shape: Shape, value: object, *, cloud: bool) -> Value | None:
    """A value as Jira shows it, in its canonical form; None for an empty one. A sprint is one of the list."""
    if is_empty(value):
        return None
    try:
        return user_id(value, cloud=cloud) if shape is Shape.USER else _READ[shape](value)
    except (ValueError, OverflowError):
        return odd(value)


def moment(value: object) -> str:
    """A moment as Jira shows it, as `utc_text`. Raises ValueError."""
    try:
        return utc_text(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=epoch_ms(value)))
    except OverflowError:
        raise ValueError("out of the calendar") from None


def user_id(value: object, *, cloud: bool) -> str:
    """How a user is called in fields: by the account's id in Jira Cloud, by name in Data Center. Raises ValueError."""
    return member(value, "accountId" if cloud else "name")


def member(value: object, name: str) -> str:
    """A member of an object, as text. Ids are numbers in some answers. Raises ValueError."""
    held = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(held, int) and not isinstance(held, bool):
        return str(held)
    return _text(held)


def odd(value: object) -> str:
    """The JSON of a value that has no known form."""
    return _encoder.encode(value).decode()


def sprint(value: object) -> tuple[int, str, bool]:
    """Id and name of a sprint, and whether it is closed. Raises ValueError.

    Data Center shows one as `com.atlassian.greenhopper.service.sprint.Sprint@1a2b[id=3,state=ACTIVE,name=S 1, a,goal=…]`
    (in Java's words; nothing in it is escaped, so a name ends where the next known member begins), Cloud as an object.
    """
    if isinstance(value, str):
        inside = value.partition("[")[2].removesuffix("]")
        places = list(_SPRINT.finditer(inside))
        ends = [*(place.start() for place in places[1:]), len(inside)]
        held: dict[str, Any] = {}
        for place, end in zip(places, ends, strict=True):
            held.setdefault(place[1], inside[place.end() : end])
    else:
        held = dict(value) if isinstance(value, Mapping) else {}
    number = member(held, "id")
    if not number.isascii() or not number.isdigit():
        raise ValueError("not the number of a sprint")
    return int(number), member(held, "name"), str(held.get("state", "")).casefold() == "closed"


def written(shape: Shape, text: str, *, cloud: bool) -> Any:
    """The JSON to write for one canonical value, which is in its normal form. A number is a Decimal."""
    if shape in _MEMBER:
        return {_MEMBER[shape]: text}
    match shape:
        case Shape.NUMBER:
            return Decimal(text)
        case Shape.DATETIME:
            return text.removesuffix("Z") + "+0000"
        case Shape.USER:
            return {"accountId" if cloud else "name": text}
        case _:
            return text


def cascade_json(parts: list[str]) -> dict[str, Any]:
    """The JSON to write for an option and the one under it, if any."""
    return {"value": parts[0]} | ({"child": {"value": parts[1]}} if len(parts) > 1 else {})


def _cascade(value: object) -> list[str]:
    child = value.get("child") if isinstance(value, Mapping) else None
    return [member(value, "value"), *([] if child is None else [member(child, "value")])]


def _web(value: object) -> str:
    about = value.get("object") if isinstance(value, Mapping) else None
    url, title = "%20".join(member(about, "url").split()), " ".join(member(about, "title").split())
    return url if title in {"", url} else f"{url} {title}"


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError("not a text")


def _number(value: object) -> str:
    if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool):
        return str(value)
    raise ValueError("not a number")


_MEMBER: Final = {Shape.VALUE: "value", Shape.NAME: "name", Shape.ID: "id", Shape.PARENT: "id"}
_READ: Final[Mapping[Shape, Callable[[object], Value]]] = {
    Shape.TEXT: lambda value: normal(FieldKind.TEXT, _text(value)),
    Shape.LINE: lambda value: normal(FieldKind.TEXT, _text(value)),
    Shape.NUMBER: lambda value: normal(FieldKind.NUMBER, _number(value)),
    Shape.ESTIMATE: lambda value: normal(FieldKind.NUMBER, _number(value)),
    Shape.DATE: lambda value: normal(FieldKind.DATE, _text(value)),
    Shape.DATETIME: moment,
    Shape.VALUE: lambda value: member(value, "value"),
    Shape.NAME: lambda value: member(value, "name"),
    Shape.ID: lambda value: member(value, "name"),
    Shape.STATUS: lambda value: member(value, "name"),
    Shape.PARENT: lambda value: member(value, "id"),
    Shape.CASCADE: _cascade,
    Shape.WEB: _web,
    Shape.SPRINT: lambda value: sprint(value)[1],
}
