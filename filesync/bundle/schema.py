"""The published schemas: one validator decides (jsonschema-rs, fast), the other explains to people (jsonschema)."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import jsonschema
import jsonschema_rs
import msgspec
from jsonschema.exceptions import best_match

from filesync.bundle.verdict import shown
from filesync.errors import Problem

_SHOWN = 160  # characters of one explanation


@functools.cache
def schema(name: str) -> dict[str, Any]:
    """A published schema, by its name: beside the package (in a wheel), else in the checkout. Raises FileNotFoundError."""
    package = resources.files("filesync")
    packed = package / "schemas" / f"{name}.json"
    file = packed if packed.is_file() else package / ".." / "schemas" / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])


@functools.cache
def _judge(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema(name))


@functools.cache
def _teacher(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name))


def valid(name: str, document: object) -> bool:
    """Whether the document fits the schema.

    Documents come from UTF-8, where there are no lone surrogates; the judge raises where it meets one all the same.
    """
    try:
        return _judge(name).is_valid(document)
    except UnicodeEncodeError:
        return False


def problems(name: str, document: object) -> tuple[Problem, ...]:
    """What does not fit, each with its path ("fields.labels[2]"), in the words of the better explainer; () when all fits."""
    if valid(name, document):
        return ()
    found = set()
    for error in _teacher(name).iter_errors(document):
        best = best_match([error]) or error
        found.add(Problem(path_text(best.absolute_path), shown(best.message, limit=_SHOWN)))
    if not found:  # the two disagree: the one that decides has the word
        try:
            for verdict in _judge(name).iter_errors(document):
                found.add(Problem(path_text(verdict.instance_path), shown(verdict.message, limit=_SHOWN)))
        except UnicodeEncodeError:
            found.add(Problem("", "a text that is not Unicode (a lone surrogate)"))
    return tuple(sorted(found))


def path_text(path: object) -> str:
    """A path of keys and indices as people write it: `fields.labels[2]`."""
    text = ""
    assert hasattr(path, "__iter__")
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(str(step))}" if text else shown(str(step))
    return text
