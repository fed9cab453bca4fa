"""What the embedded tracker takes: values checked against the project's definition and brought into their canonical form.

Pure. What needs other issues (the parent's level, the workflow step) is asked in work.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filesync.bundle.verdict import shown
from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.values import FieldKind, Flat, Value, flat_name, normal, split_name
from filesync.trackers.embedded.project import Definition, Field

TEXT_LIMIT: Final = 64 << 20  # bytes in UTF-8: two such texts of one issue can still be exchanged
LONGEST_WORK: Final = 10 * 366 * 24 * 3600  # seconds in one worklog
LINE_LIMIT: Final = 255  # characters of a one-line text and of an element of a set
NAME_LIMIT: Final = 1_024  # characters of an attachment's name: it is data, no file is called so
_SHOWN: Final = 60  # characters of foreign text in a message
_SHOWN_CHOICES: Final = 12
VISIBILITY: Final = "visibility"  # of a comment or worklog that not everybody is to see
# what belongs to an issue: its fields, and those it is never without
_BELOW: Final[Mapping[Kind, tuple[Mapping[str, FieldKind], tuple[str, ...]]]] = {
    Kind.COMMENT: ({"body": FieldKind.TEXT}, ("body",)),
    Kind.WORKLOG: (
        {"started": FieldKind.DATETIME, "seconds": FieldKind.NUMBER, "body": FieldKind.TEXT},
        ("started", "seconds"),
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The fields in canonical form, and for each one that cannot be taken why not, in words for a person."""

    fields: Mapping[str, Value | None]
    refused: Mapping[str, str]


def checked(definition: Definition, fields: Flat) -> Checked:
    """Check flat fields. An element whose text is normalised lands under its new name, and its old name is empty."""
    good: dict[str, Value | None] = {}
    refused: dict[str, str] = {}
    for flat, value in fields.items():
        name, element = split_name(flat)
        field = definition.fields.get(name)
        try:
            if field is None:
                refused[flat] = f"there is no field {quoted(name)}" + suggestion(name, tuple(definition.fields))
            elif element is not None:
                landed = _element(definition, name, element, value)
                if landed != flat:
                    good[flat] = None
                good[landed] = value
            elif field.many:
                refused[flat] = f"the field holds many values: give them one by one, as {name}:VALUE"
            else:
                good[flat] = _plain(definition, name, value)
        except ValueError as error:
            refused[flat] = str(error)
    return Checked(good, refused)


def checked_below(definition: Definition, kind: Kind, fields: Flat, before: Mapping[str, Value]) -> Checked:
    """Check fields of a comment (`body`) or a worklog (`started`, `seconds`, perhaps a `body`) that has these `before`.

    Both may have a `visibility`, one of the project's. An attachment is given all of its fields at once, when it is made.
    """
    if kind is Kind.ATTACHMENT:
        made = dict.fromkeys(fields, "an attachment is what it was made as: attach another")
        return Checked({}, made) if before else checked_attachment(fields)
    good: dict[str, Value | None] = {}
    refused: dict[str, str] = {}
    takes, needs = _BELOW[kind]
    for name, value in fields.items():
        try:
            if name == VISIBILITY:
                good[name] = _visibility(definition, value)
            elif name not in takes:
                refused[name] = f"a {kind} has the fields {', '.join(takes)} and no other"
            else:
                good[name] = _said(takes[name], value)
        except ValueError as error:
            refused[name] = str(error)
    after = {**before, **good}
    refused |= {name: f"a {kind} is never without it" for name in needs if after.get(name) is None and name not in refused}
    return Checked(good, refused)


def checked_attachment(fields: Flat) -> Checked:
    """Check the fields of an attachment: `name`, whatever it is called, and `size` in bytes."""
    refused = {name: "an attachment has the fields `name` and `size`" for name in fields if name not in {"name", "size"}}
    good: dict[str, Value | None] = {}
    try:
        name, size = fields.get("name"), fields.get("size")
        if not isinstance(name, str) or not name:
            refused["name"] = "an attachment needs a name"
        else:
            good["name"] = _limited(name, NAME_LIMIT)
        if not isinstance(size, str) or not size.isascii() or not size.isdigit():
            refused["size"] = "an attachment says how many bytes it has"
        else:
            good["size"] = normal(FieldKind.NUMBER, size)
    except ValueError as error:
        refused["name"] = str(error)
    return Checked(good, refused)


def missing(definition: Definition, fields: Collection[str]) -> dict[str, str]:
    """The required fields that are empty, with words."""
    present = {split_name(flat)[0] for flat in fields}
    return {name: "is required" for name, field in definition.fields.items() if field.required and name not in present}


def refusal(what: str, refused: Mapping[str, str]) -> Rejected:
    """The error for refused fields."""
    said = "; ".join(f"{shown(name, limit=_SHOWN)}: {why}" for name, why in refused.items())
    return Rejected(f"{what} is refused: {said}", fields=refused, hint="Change what is named, or the tracker's project.")


def suggestion(text: str, choices: Sequence[str]) -> str:
    """`; did you mean "High"?`, or what there is, or nothing where that would be long."""
    text = text[:_SHOWN]  # likeness takes long to find in a long text
    folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(text.casefold(), folded, n=1)
    if close:
        return f"; did you mean {quoted(folded[close[0]])}?"
    more = ", …" if len(choices) > _SHOWN_CHOICES else ""
    return f"; there are: {', '.join(choices[:_SHOWN_CHOICES])}{more}" if choices else "; there are none"


def quoted(text: str) -> str:
    """Foreign text in a message: one line, escaped and cut."""
    return f'"{shown(text, limit=_SHOWN)}"'


def _visibility(definition: Definition, value: Value | None) -> str | None:
    if value is None or value in definition.visibilities:
        return None if value is None else str(value)
    raise ValueError(nobody(definition, str(value)))


def nobody(definition: Definition, word: str) -> str:
    """Why nothing can be kept to those of this word: the project has none that is called so."""
    return f"there is no visibility {quoted(word)}{suggestion(word, definition.visibilities)}"


def _said(kind: FieldKind, value: Value | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("the field holds one text")  # noqa: TRY004 - a value that came from outside, not a programming fault
    if kind is FieldKind.TEXT:
        return _text(value) if value.strip() else None
    text = normal(kind, value)
    if kind is FieldKind.NUMBER and (not text.isdigit() or not 0 < int(text) <= LONGEST_WORK):
        raise ValueError(f"a whole number from 1 to {LONGEST_WORK:,} was expected")
    return text


def _element(definition: Definition, name: str, element: str, value: Value | None) -> str:
    field = definition.fields[name]
    if not field.many:
        raise ValueError("the field holds one value, not a set")
    if value is not None and value is not True:
        raise ValueError("an element of a set is there or not: it has no value of its own")
    if value is None:  # taking out what was never there is no fault, whatever it is
        try:
            return flat_name(name, normal(field.kind, element))
        except ValueError:
            return flat_name(name, element)
    if field.kind is FieldKind.LABEL and any(letter.isspace() for letter in element):
        raise ValueError(f"a label holds no blank: {quoted(element)}")
    text = _text_of(definition, name, element)
    if not text or "\n" in text:
        raise ValueError("an element of a set is one line of text")
    return flat_name(name, _limited(text, LINE_LIMIT))


def _plain(definition: Definition, name: str, value: Value | None) -> Value | None:
    field = definition.fields[name]
    if value is None or value in ("", []):
        return None
    if field.kind is FieldKind.CASCADE:
        return _cascade(field, value)
    if not isinstance(value, str):
        raise ValueError("the field holds one text")  # noqa: TRY004 - a value that came from outside, not a programming fault
    text = _text_of(definition, name, value)
    if not field.one_line:
        return _text(text)
    text = text.rstrip()
    if "\n" in text:
        raise ValueError("the field holds one line: there is a line break in it")
    return _limited(text, LINE_LIMIT) or None


def _text_of(definition: Definition, name: str, text: str) -> str:
    allowed = definition.allowed(name)
    if allowed is not None and text not in allowed:
        kind = definition.fields[name].kind
        raise ValueError(f"there is no {kind} {quoted(text)}{suggestion(text, allowed)}")
    return normal(definition.fields[name].kind, text)


def _cascade(field: Field, value: Value) -> Value:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError("the field holds an option and, under it, another: [parent, child]")
    path = "/".join(value)
    if len(value) > 2 or path not in field.allowed():  # noqa: PLR2004 - parent and child
        raise ValueError(f"there is no option {quoted(path)}{suggestion(path, field.allowed())}")
    return value


def _limited(text: str, limit: int) -> str:
    text = normal(FieldKind.TEXT, text)
    if len(text) > limit:
        raise ValueError(f"{len(text):,} characters are more than the {limit:,} there is room for")
    _stored(text)
    return text


def _text(text: str) -> str:
    text = normal(FieldKind.TEXT, text)
    size = _stored(text)
    if size > TEXT_LIMIT:
        raise ValueError(f"{size:,} bytes of text are more than the {TEXT_LIMIT:,} there is room for")
    return text


def _stored(text: str) -> int:
    """How many bytes it takes."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("the text holds half a character (a lone surrogate) and cannot be stored") from None
