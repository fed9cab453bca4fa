"""What of a settings file is right though the rest is not: so that what is wrong with either is told at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from filesync.bundle import schema
from filesync.errors import Problem
from filesync.settings import At, Document, quoted

if TYPE_CHECKING:
    from jsonschema import ValidationError

_ROUNDS: Final = 4  # what is taken out may leave something behind that does not fit without it
_DEEP: Final = 2  # names and what they stand for: one is right or wrong as a whole
# each says something by itself, so that the rest says the same without it
_ALONE: Final = frozenset(
    {"markup", "partner", "keys", "comments", "attachments", "worklogs", "leaving", "users_by", "users_prefix"}
)


def among_the_sound(document: Document, schema_name: str, look: Callable[[Document], Iterable[Problem]]) -> tuple[Problem, ...]:
    """What a closer look finds in the part of a document that fits its schema.

    Nothing is said of what may only look wrong because something else was taken out.
    """
    data: Any = copy.deepcopy(document.data)
    gone: set[str] = set()
    teacher, known = schema.teacher(schema_name), schema.schema(schema_name)["properties"]
    for _ in range(_ROUNDS):
        errors = list(islice(teacher.iter_errors(data), schema.MOST))
        if not errors:
            found = look(Document(document.name, data, document.keys, document.values))
            return tuple(one for one in found if not any(quoted(word) in one.what for word in gone))
        for at in [at for error in errors for at in _wrong(error)]:
            if not at or (len(at) < _DEEP and at[0] in known and at[0] not in _ALONE):
                return ()  # all the rest hangs on it
            gone.add(str(at[-1]))
            if len(gone) >= schema.MOST:
                return ()  # nor is all of that told
            inside = data if len(at) < _DEEP else data.get(at[0], {})
            inside.pop(at[-1], None)
    return ()


def _wrong(error: ValidationError) -> Iterator[At]:
    """The ways to what has to be taken out; () where that is all of it."""
    at: At = tuple(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.schema
    if error.validator == "additionalProperties" and len(at) < _DEEP:
        yield from ((*at, key) for key in value if key not in rule["properties"])
    elif len(at) == 1 and "propertyNames" in error.absolute_schema_path:
        yield (*at, str(value))
    elif at[:1] == ("winner",):
        yield ()
    else:
        yield at[:_DEEP] if len(at) < _DEEP or isinstance(at[1], str) else at[:1]
