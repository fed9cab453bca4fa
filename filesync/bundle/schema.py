"""The published schemas: one validator decides (jsonschema-rs, fast), the other explains to people (jsonschema)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import msgspec

from filesync.bundle.verdict import shown
from filesync.errors import Problem

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

MOST: Final = 100  # problems named of one document: explaining is slow, and a hostile one may hold a million
_SHOWN: Final = 160  # characters of one explanation
_VALUE: Final = 40  # characters of a value in it


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
def teacher(name: str) -> Draft202012Validator:
    """Whoever explains what does not fit: slow to load, so that is done where something is wrong."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(schema(name))


def valid(name: str, document: object) -> bool:
    """Whether the document fits the schema.

    Documents come from UTF-8, where there are no lone surrogates; the judge raises where it meets one all the same.
    """
    try:
        return _judge(name).is_valid(document)
    except UnicodeEncodeError:
        return False


def all_valid(name: str, documents: Iterable[object]) -> bool:
    """Whether all of these documents fit the schema, as `valid`."""
    try:
        return all(map(_judge(name).is_valid, documents))
    except UnicodeEncodeError:
        return False


def problems(name: str, document: object) -> tuple[Problem, ...]:
    """What does not fit, each with its path ("fields.labels[2]"), in the words of the better explainer; () when all fits.

    The first `MOST` of them.
    """
    if valid(name, document):
        return ()
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    found = set()
    for error in itertools.islice(teacher(name).iter_errors(document), MOST):
        best = best_match([error]) or error
        found.add(Problem(path_text(best.absolute_path), _explained(best)))
    if not found:  # the two disagree: the one that decides has the word
        try:
            for verdict in itertools.islice(_judge(name).iter_errors(document), MOST):
                found.add(Problem(path_text(verdict.instance_path), shown(verdict.message, limit=_SHOWN)))
        except UnicodeEncodeError:
            found.add(Problem("", "a text that is not Unicode (a lone surrogate)"))
    return tuple(sorted(found))


def _explained(error: ValidationError) -> str:
    """The message, which begins with the value: of a long value the beginning, so that the reason is not cut off."""
    value = repr(error.instance)
    reason = error.message.removeprefix(value)
    return shown(value, limit=_VALUE) + shown(reason, limit=_SHOWN) if reason != error.message else shown(reason, limit=_SHOWN)


def path_text(path: object) -> str:
    """A path of keys and indices as people write it: `fields.labels[2]`."""
    text = ""
    assert hasattr(path, "__iter__")
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(str(step))}" if text else shown(str(step))
    return text
