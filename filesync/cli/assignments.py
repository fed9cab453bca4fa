"""`NAME=VALUE` as people write fields on the command line, made flat fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import click

from filesync.model.values import FieldKind, Flat, Value, flat_name, split_name
from filesync.trackers.embedded import Definition

_COMMA = re.compile(r"(?<!\\),")  # a comma that no backslash stands before


def assigned(definition: Definition, present: Mapping[str, Value], assignments: Iterable[str]) -> Flat:
    r"""The flat fields that `assignments` ask for, of an issue that has the fields `present`.

    NAME=VALUE sets; NAME= empties; of a set NAME=A,B is all of it (a comma in an element is written as `\,`),
    NAME+=A adds to it, NAME-=A takes out; PARENT/CHILD is an option under another. Whether the tracker has such a
    field and takes the value is the tracker's to say. Raises UsageError for what is no assignment.
    """
    flat: dict[str, Value | None] = {}
    for text in assignments:
        left, equals, value = text.partition("=")
        name = left.rstrip("+-")
        if not equals or not name or len(left) - len(name) > 1:
            raise click.UsageError(f"not NAME=VALUE, NAME+=VALUE or NAME-=VALUE: {text[:80]!r}")
        field = definition.fields.get(name)
        if left != name:
            flat |= dict.fromkeys((flat_name(name, element) for element in _elements(value)), left.endswith("+") or None)
        elif field is not None and field.many:
            flat |= dict.fromkeys(held for held in {**present, **flat} if split_name(held)[0] == name)
            flat |= dict.fromkeys((flat_name(name, element) for element in _elements(value)), True)
        elif field is not None and field.kind is FieldKind.CASCADE and value:
            flat[name] = value.split("/")
        else:
            flat[name] = value or None
    return flat


def _elements(text: str) -> list[str]:
    parts = (part.replace("\\,", ",").strip() for part in _COMMA.split(text))
    return [part for part in parts if part]
