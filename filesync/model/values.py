"""Field values: one canonical text for each kind of field, so that equal values are equal bytes on both sides.

A *flat* field map is the one shape in which fields are read, compared, told and written: a plain field is
`name: value`; each element of a set-like field (labels, components, watchers, a multi-select) is a field of
its own, `name:element: True`, so that two sites adding different labels never meet. Empty is absent (`None`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

Value: TypeAlias = str | list[str] | bool  # text of any kind · [parent, child] of a cascading option · True: element present
Flat: TypeAlias = Mapping[str, Value | None]

EMPTY: Final = "-"  # the digest of an empty field
NEVER_EQUAL: Final = "!"  # a digest that no value has: the field is to be told again

SHORT: Final = 32  # characters: what is no longer than that is often the same in many issues
REMEMBERED: Final = 10_000  # such texts, where something made of them is kept for the next time

_DIGITS: Final = 30  # more than any tracker keeps; a bound on what a hostile exponent could make us write
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_canonical = msgspec.json.Encoder(order="sorted")


class FieldKind(StrEnum):
    """What a field holds. `type`, `status` and `parent` are fields too, with obligations of their own (trackers/base.py)."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    USER = "user"
    OPTION = "option"
    CASCADE = "cascade"
    VERSION = "version"
    COMPONENT = "component"
    LABEL = "label"
    TYPE = "type"
    STATUS = "status"
    PARENT = "parent"


# kinds a set-like field may hold; the others have one value
ELEMENTS: Final = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.NUMBER,
        FieldKind.DATE,
        FieldKind.DATETIME,
        FieldKind.USER,
        FieldKind.OPTION,
        FieldKind.VERSION,
        FieldKind.COMPONENT,
        FieldKind.LABEL,
    }
)


class FieldSpec(msgspec.Struct, frozen=True):
    """A field as a tracker or a contract declares it. `options` of a cascading field are `parent/child` pairs, or a parent."""

    name: str
    kind: FieldKind
    many: bool = False
    required: bool = False
    options: tuple[str, ...] = ()
    read_only: bool = False  # of a tracker's field alone: it is shown, and a write to it is refused by its name


def flat_name(field: str, element: str) -> str:
    """The flat name of one element of a set-like field."""
    return f"{field}:{element}"


def split_name(flat: str) -> tuple[str, str | None]:
    """The field and, for a set-like one, the element that a flat name stands for. Field names hold no colon."""
    field, colon, element = flat.partition(":")
    return field, element if colon else None


def normal(kind: FieldKind, text: str) -> str:
    """The canonical text of a value. Raises ValueError with words for a person.

    number: a plain decimal ("-12.5"), no exponent, no trailing zeros · date: "2026-11-23" ·
    datetime: "2026-11-23T10:00:00.000Z", always UTC, milliseconds · everything else: as it is, LF line ends.
    """
    match kind:
        case FieldKind.NUMBER:
            return _number(text)
        case FieldKind.DATE:
            if not _DATE.fullmatch(text):
                msg = f"not a date (YYYY-MM-DD): {text[:40]!r}"
                raise ValueError(msg)
            return dt.date.fromisoformat(text).isoformat()
        case FieldKind.DATETIME:
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                msg = f"a date-time needs its offset: {text[:40]!r}"
                raise ValueError(msg)
            try:
                return utc_text(moment)
            except OverflowError:
                msg = f"a date-time out of the calendar: {text[:40]!r}"
                raise ValueError(msg) from None
        case _:
            return text.replace("\r\n", "\n").replace("\r", "\n")


def utc_text(moment: dt.datetime) -> str:
    """A moment as `2026-11-23T10:00:00.000Z`."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _number(text: str) -> str:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        msg = f"not a number: {text[:40]!r}"
        raise ValueError(msg) from None
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS or len(value.as_tuple().digits) > _DIGITS:
        msg = f"not a number we can carry: {text[:40]!r}"
        raise ValueError(msg)
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain


def digest(value: Value | None) -> str:
    """What the ledger keeps of a value instead of the value: 32 hex digits, or `EMPTY`."""
    if value is None:
        return EMPTY
    found = None if isinstance(value, list) else _known.get(value)
    return found or _digest(value)


def digests(fields: Mapping[str, Value]) -> dict[str, str]:
    """The digest of each of these values."""
    known = _known.get
    return {name: (None if isinstance(value, list) else known(value)) or _digest(value) for name, value in fields.items()}


def _digest(value: Value) -> str:
    found = hashlib.sha256(_canonical.encode(value)).hexdigest()[:32]
    if value is True or (isinstance(value, str) and len(value) <= SHORT):
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[value] = found
    return found


# Nine of ten fields hold a word that many issues have: looking it up costs a tenth of hashing it.
_known: Final[dict[str | bool, str]] = {}
