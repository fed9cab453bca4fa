"""What a mapping gives of its own: constants that are told, presets that are written. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from filesync.errors import Problem
from filesync.model.values import FieldKind, FieldSpec, Value, flat_name, normal
from filesync.rules.contract import OWN_NAME, Contract, is_cascade
from filesync.rules.fitting import locals_of
from filesync.rules.partner import KEY, is_usual
from filesync.settings import At, Document, did_you_mean, quoted

_CONSTANTS: Final = "constants"
_PRESETS: Final = "presets"


def constants_of(contract: Contract, data: Mapping[str, Any]) -> dict[str, Value]:
    """The constants of a mapping that fits the contract, by wire name."""
    said: Mapping[str, str] = data.get(_CONSTANTS, {})
    return {name: _value(contract.fields[name].spec, text) for name, text in said.items()}


def presets_of(contract: Contract, data: Mapping[str, Any]) -> dict[str, Value]:
    """The presets of a mapping that fits the contract: our fields, flat."""
    found: dict[str, Value] = {}
    for ours, said in data.get(_PRESETS, {}).items():
        if isinstance(said, list):
            found.update((flat_name(ours, one), True) for one in said)
        else:
            spec = _spec(contract, data, ours)
            found[ours] = said if spec is None else _value(spec, said)
    return found


def with_key(presets: Mapping[str, Value], key: str) -> dict[str, Value]:
    """Presets, with the partner's key of an issue where they show it. They are left out where it has none, or no usual one."""
    usual = is_usual(key)
    return {
        flat.replace(KEY, key): value.replace(KEY, key) if isinstance(value, str) else value
        for flat, value in presets.items()
        if usual or KEY not in f"{flat} {value}"
    }


def given_problems(contract: Contract, document: Document, *, site: str) -> Iterator[Problem]:
    """Everything that is wrong with them."""
    yield from _constant_problems(contract, document, site)
    for ours, said in document.data.get(_PRESETS, {}).items():
        at: At = (_PRESETS, ours)
        spec = _spec(contract, document.data, ours)
        if ours in OWN_NAME:
            yield document.problem(at, f"every issue brings its {ours}, or has it from the tracker", key=True)
        elif spec is not None and spec.many != isinstance(said, list):
            yield document.problem(at, f"{quoted(ours)} is {'a set: list its elements' if spec.many else 'one value'}")
        elif spec is not None:
            for one in said if isinstance(said, list) else [said]:
                yield from _shape(document, at, spec, one)


def _constant_problems(contract: Contract, document: Document, site: str) -> Iterator[Problem]:
    said: Mapping[str, str] = document.data.get(_CONSTANTS, {})
    for name, text in said.items():
        at: At = (_CONSTANTS, name)
        field = contract.fields.get(name)
        standing = next((ours for ours, theirs in locals_of(document.data).items() if theirs == name), None)
        if field is None:
            yield document.problem(
                at, f"the contract has no field {quoted(name)}{did_you_mean(name, contract.fields)}", key=True
            )
        elif field.spec.many or field.spec.kind in OWN_NAME:
            yield document.problem(
                at, "a constant is told for a field of one value, and not for type, status or parent", key=True
            )
        elif standing is not None:
            yield document.problem(at, f"{quoted(standing)} stands for {quoted(name)} already", key=True)
        elif field.source not in (None, site):
            yield document.problem(at, f"the contract has {field.source} as the only source of {quoted(name)}", key=True)
        else:
            yield from _shape(document, at, field.spec, text)
            words = contract.users if field.spec.kind is FieldKind.USER else field.spec.options or None
            if words is not None and text not in words:
                yield document.problem(at, f"{quoted(text)} is not in the contract{did_you_mean(text, words)}")


def _shape(document: Document, at: At, spec: FieldSpec, text: str) -> Iterator[Problem]:
    try:
        right = normal(spec.kind, text) == text
    except ValueError:
        right = False
    if not right:
        yield document.problem(at, f"{quoted(text)} is not how a {spec.kind} is written")
    elif spec.kind is FieldKind.CASCADE and not is_cascade(text):
        yield document.problem(at, f"{quoted(text)} is neither `parent` nor `parent/child`")


def _spec(contract: Contract, data: Mapping[str, Any], ours: str) -> FieldSpec | None:
    """What the contract knows of a field of ours; None where it has nothing to do with it."""
    named = locals_of(data)
    name = named.get(ours, ours)
    anothers = ours not in named and name in {*named.values(), *data.get(_CONSTANTS, {})}
    return None if anothers or name not in contract.fields else contract.fields[name].spec


def _value(spec: FieldSpec, text: str) -> Value:
    return text.split("/") if spec.kind is FieldKind.CASCADE else text
