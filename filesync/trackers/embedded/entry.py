"""Issues, and what belongs to them, as they stand in the database, and the way there and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Ref
from filesync.model.values import Value

_ID_DIGITS: Final = 18  # fit SQLite's 64-bit integer
_fields = msgspec.json.Decoder(dict[str, Value])
_about = msgspec.json.Decoder(About)
_value: msgspec.json.Decoder[Value] = msgspec.json.Decoder(Value)
_canonical = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, when, and for which change of the partner's."""

    who: str
    at: dt.datetime
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An issue, or what belongs to one, as it stands in the database."""

    ref: Ref
    stamp: str
    origin: Gid | None
    fields: Mapping[str, Value]
    author: str  # the account that made it
    at: str
    told: About | None  # what an import said of the original
    deleted_by: str | None  # the partner that deleted its own
    left_by: str | None = None  # partners that do not send their own any more

    def about(self, key: str) -> About:
        """Author and time of the original where an import told them, else of the entry itself."""
        told = self.told or About()
        return About(key=key, author=told.author or self.author, at=told.at or self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one field: a line of an issue's history."""

    kind: Kind
    local: str
    at: str
    who: str
    field: str
    old: Value | None
    new: Value | None
    mark: str | None


@dataclass(frozen=True, slots=True)
class Birth:
    """What an import made for an origin, as it was born."""

    ref: Ref
    stamp: str
    fields: Mapping[str, Value]
    about: About


def number(local: str) -> int:
    """A local id as the database has it; what is no id becomes 0, which no row has."""
    found = int(local) if local.isascii() and local.isdigit() and len(local) <= _ID_DIGITS else 0
    return found if str(found) == local else 0


def read_entry(kind: Kind, issue: int, row: Row[Any], *, links: Mapping[str, Value] | None = None) -> Entry:
    """An issue, or what belongs to one, from its row and its links."""
    return Entry(
        ref=Ref(kind, str(issue), str(row.id)),
        stamp=row.stamp,
        origin=row.origin,
        fields={**_fields.decode(row.fields), **(links or {})},
        author=row.author,
        at=row.at,
        told=None if row.told is None else _about.decode(row.told),
        deleted_by=row.deleted_by,
        left_by=row.left_by,
    )


def read_step(row: Row[Any]) -> Step:
    """A line of the history from its row."""
    return Step(
        kind=Kind(row.kind),
        local=str(row.local),
        at=row.at,
        who=row.who,
        field=row.field,
        old=None if row.old is None else _value.decode(row.old),
        new=None if row.new is None else _value.decode(row.new),
        mark=row.mark,
    )


def read_birth(row: Row[Any]) -> Birth:
    """A birth from its row."""
    ref = Ref(Kind(row.kind), str(row.issue), str(row.local))
    return Birth(ref, row.stamp, _fields.decode(row.fields), _about.decode(row.about))


def json_text(value: Value | About | Mapping[str, Value] | None) -> str | None:
    """A value as it is stored; None stays None."""
    return None if value is None else _canonical.encode(value).decode()


def stamp_of(moment: dt.datetime) -> str:
    """Epoch milliseconds."""
    return str(int(moment.timestamp() * 1000))
