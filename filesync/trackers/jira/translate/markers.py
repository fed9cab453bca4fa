"""Our marks in Jira: the property that says what an import made an item for, and when that is believed. Pure.

An issue and a comment (in Jira Cloud a worklog too) carry the property `filesync`, given in the call that makes them. An
attachment (and, in Data Center, a worklog) has no properties: its issue says so for it, under `filesync.parts`.

Whoever may edit an issue may write its properties, and a clone may have them copied. So a mark is believed only on what our
own account made, within an hour of the time that the mark names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from filesync.model.ids import Gid, Kind, is_gid
from filesync.model.values import Value, digest
from filesync.trackers.jira.translate.shapes import epoch_ms

PROPERTY: Final = "filesync"
_PARTS: Final = "filesync.parts"
PARTS: Final = (_PARTS, *(f"{_PARTS}.{n}" for n in range(2, 5)))  # one holds some 340 parts; Cloud tells five at once
PROPERTIES: Final = (PROPERTY, *PARTS)  # all that are wanted with an issue
_ROOM: Final = 32_000  # bytes of a property; Jira takes 32,768
_NEAR: Final = 3_600_000  # ms between the time that a mark names and the birth of what carries it
_HEAD: Final = 2_000  # characters of a header: one that is longer is none of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What the property `filesync` says. `at` is Jira's time when it was written, as `utc_text`.

    `born`: digests of the values that were sent, by flat field. `head`: the line that was put above the text.
    """

    origin: Gid
    at: str
    born: Mapping[str, str] = field(default_factory=dict)
    head: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What an issue says of its attachment or worklog."""

    origin: Gid
    head: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a comment of ours says to people of an item, by its `part_name`: the partner deleted its own, or let go of it."""

    item: str
    by: str
    left: bool = False


def born_digests(fields: Mapping[str, Value]) -> dict[str, str]:
    """What `Marker.born` keeps of the fields that are sent."""
    return {name: digest(value) for name, value in fields.items()}


def marker_json(marker: Marker) -> dict[str, Any]:
    """The value of the property. Of so many fields that there is no room, the last ones are left out."""
    value: dict[str, Any] = {"origin": marker.origin, "at": marker.at, "head": marker.head, "born": dict(marker.born)}
    while value["born"] and len(msgspec.json.encode(value)) > _ROOM:
        kept = list(value["born"].items())
        value["born"] = dict(kept[: len(kept) * 3 // 4])
    return value


def property_of(marker: Marker) -> dict[str, Any]:
    """The property itself, as it is given in the call that makes an item."""
    return {"key": PROPERTY, "value": marker_json(marker)}


def read_marker(kind: Kind, value: object) -> Marker | None:
    """The mark of an item of this kind; None for what we did not write."""
    if not isinstance(value, Mapping):
        return None
    origin, at, born, head = (value.get(name) for name in ("origin", "at", "born", "head"))
    if not is_gid(origin) or origin.split("/")[1] != kind or not isinstance(at, str):
        return None
    digests = {name: one for name, one in born.items() if isinstance(one, str)} if isinstance(born, Mapping) else {}
    return Marker(origin=Gid(origin), at=at, born=digests, head=_head(head))


def believed(kind: Kind, value: object, *, ours: bool, created: int) -> Marker | None:
    """The mark of an item that was made at `created` (ms since 1970), by our account or not; None where it says nothing."""
    marker = read_marker(kind, value)
    if not ours or marker is None:
        return None
    try:
        return marker if abs(created - epoch_ms(marker.at)) <= _NEAR else None
    except ValueError:
        return None


def notice_json(notice: Notice) -> dict[str, str]:
    """The property of a comment that is a notice. It is told to nobody."""
    return {"left" if notice.left else "deleted": notice.item, "by": notice.by}


def read_notice(value: object) -> Notice | None:
    """The notice that a comment with this property is; None for another property."""
    by = value.get("by") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(by, str):
        return None
    for name in ("deleted", "left"):
        if isinstance(item := value.get(name), str):
            return Notice(item, by, left=name == "left")
    return None


def part_name(kind: Kind, local: str) -> str:
    """Under which name an issue speaks of an attachment or worklog."""
    return f"{kind}/{local}"


def read_parts(properties: Mapping[str, object]) -> dict[str, Part]:
    """What an issue says of its attachments and worklogs, by `part_name`; what we did not write is passed over."""
    found: dict[str, Part] = {}
    for name in PARTS:
        held = properties.get(name)
        for part, said in held.items() if isinstance(held, Mapping) else ():
            origin, head = (said.get("origin"), said.get("head")) if isinstance(said, Mapping) else (said, "")
            if is_gid(origin) and origin.split("/")[1] == part.partition("/")[0]:
                found[part] = Part(Gid(origin), _head(head))
    return found


def with_part(properties: Mapping[str, object], name: str, part: Part) -> tuple[str, dict[str, Any]] | None:
    """Which property to write, and its whole value, so that the issue speaks of this part too. None: there is no room."""
    said: object = {"origin": part.origin, "head": part.head} if part.head else part.origin
    holds = [one for one in PARTS if isinstance(held := properties.get(one), Mapping) and name in held]
    for one in holds or PARTS:
        held = properties.get(one)
        value = {**(held if isinstance(held, Mapping) else {}), name: said}
        if len(msgspec.json.encode(value)) <= _ROOM:
            return one, value
    return None


def _head(text: object) -> str:
    return text if isinstance(text, str) and len(text) <= _HEAD and "\n" not in text else ""
