"""What a mapping's conditions and texts are told of an issue, and what they answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from filesync.model.values import Value, split_name
from filesync.rules.standing import FieldRule

Known: TypeAlias = Mapping[str, object]


def known(fields: Mapping[str, Value | None], *, key: str) -> dict[str, object]:
    """An issue's fields, flat and by our names, as an expression sees them: one value, or a set's elements, sorted."""
    found: dict[str, object] = {}
    sets: dict[str, list[str]] = {}
    for flat, value in fields.items():
        name, element = split_name(flat)
        if value is not None and element is None:
            found[name] = value
        elif value is not None and element is not None:
            sets.setdefault(name, []).append(element)
    found.update((name, sorted(elements)) for name, elements in sets.items())
    return {**found, "fields": found, "key": key}


def asleep(rules: Iterable[FieldRule], issue: Known) -> dict[str, str]:
    """Those of these fields, by wire name, that do not flow for an issue: "", or why that cannot be said."""
    found: dict[str, str] = {}
    for rule in rules:
        try:
            if rule.when is not None and not rule.when.holds(issue):
                found[rule.field.spec.name] = ""
        except ValueError as error:
            found[rule.field.spec.name] = f"its condition (when) cannot be answered: {error}"
    return found


def formed(rule: FieldRule, issue: Known) -> str:
    """The text of a field that is told as one; "" where ours is empty. Raises ValueError with words for a person."""
    fields = issue["fields"]
    assert isinstance(fields, dict)
    if rule.form is None or rule.local not in fields:
        return ""
    try:
        return rule.form.filled({**issue, "value": fields[rule.local]})
    except ValueError as error:
        raise ValueError(f"its text cannot be made: {error}") from error
