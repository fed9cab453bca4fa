"""Settings files: YAML in, plain data out, and for every problem the line and column a person must look at.

A small, unsurprising part of YAML is taken: maps, lists, text, whole and decimal numbers, `true`, `false` and
`null`. `no`, `on`, `2026-11-23` and `0x1f` are text; tags, anchors and a key given twice are refused.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import yaml

from filesync.bundle import schema
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from jsonschema import ValidationError

MAX_BYTES: Final = 1 << 20  # of one settings file; far more than a person writes
MAX_DEPTH: Final = 24  # maps and lists inside each other

At: TypeAlias = tuple[str | int, ...]  # the way to a value: keys and positions in lists

READ: Final = {  # where it is said what may stand in a file, by schema
    "config": "Each setting has its comment in the filesync.yaml of any site that `filesync init` makes.",
    "contract": "docs/rules.md says what may stand there.",
    "mapping": "docs/rules.md says what may stand there.",
}

_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})")  # longer digits are text: nothing here counts that far
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}")
_PLAIN: Final = re.compile(r"[^\W\d_](?:[\w./+&()'-]| (?=[^ #]))*")  # a word that needs no quotes
_ITEM: Final = re.compile(r"[\w.@+-]{1,60}")  # what may stand in a list as it is, to show how
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")
_SIZE: Final = re.compile(r"([1-9][0-9]{0,8}) ([KMG]iB)")
_SPANS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WHERE: Final = re.compile(r"(?P<name>.*?)(:(?P<line>[0-9]+))?(:(?P<column>[0-9]+))?", re.DOTALL)  # a name may hold colons
_UNITS: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SHOWN: Final = 60  # characters of somebody's word in a message
_SLIP: Final = "Look at this line and the one before: is a colon, a quote or a bracket missing, or is there a tab?"


class Document(msgspec.Struct, frozen=True):
    """What a settings file says, and where: `keys` and `values` hold (line, column), both from 1, of each key and value."""

    name: str
    data: Any
    keys: Mapping[At, tuple[int, int]]
    values: Mapping[At, tuple[int, int]]

    def problem(self, at: At, what: str, *, key: bool = False) -> Problem:
        """A problem at a value, or at its key. Something that is not in the file is placed where it would stand."""
        places = self.keys if key else self.values
        while at not in places and at:
            at, places = at[:-1], self.values
        line, column = places.get(at, (1, 1))
        return Problem(f"{self.name}:{line}:{column}", what)


Look: TypeAlias = Callable[[Document], Iterable[Problem]]


def load(path: Path, schema_name: str, look: Look | None = None) -> Document:
    """Read a settings file and hold it against its schema. Raises ConfigError with every problem.

    `look`: what else is wrong with it, where something is. So all is told.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [Problem(str(path), f"cannot be read: {error.strerror}")], hint="Check the path and the rights of this account."
        ) from error
    hint = f"Mend {path} and run `filesync check`. {READ[schema_name]}"
    return parse(raw, schema_name, name=path.name, hint=hint, look=look)


def parse(raw: bytes, schema_name: str, *, name: str, hint: str, look: Look | None = None) -> Document:
    """The bytes of a settings file, held against its schema. Raises ConfigError with every problem. `look`: as `load`."""
    document, found = read(raw, name=name)
    found += check(document, schema_name)
    if found and look is not None:
        found += look(document)
    if found:
        raise ConfigError(sorted(dict.fromkeys(found), key=place_in_file), hint=hint)
    return document


def read(raw: bytes, *, name: str) -> tuple[Document, list[Problem]]:
    """Read YAML: what it says, and what of it is not taken. Raises ConfigError for the first place where it cannot be read."""
    if len(raw) > MAX_BYTES:
        raise ConfigError([Problem(name, f"larger than a settings file may be ({MAX_BYTES} bytes)")])
    try:
        node = _compose(raw.decode())
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(f"{name}:{line}", "not UTF-8")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        slip = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)  # else what we do not take
        hint = _SLIP if slip else ""
        raise ConfigError([Problem(where, error.problem or "not YAML")], hint=hint) from error
    except yaml.YAMLError as error:
        raise ConfigError([Problem(name, "holds characters that YAML does not allow")]) from error
    walk = _Walk(name)
    data = walk.data(node, ()) if node is not None else {}  # nothing but comments says nothing
    return Document(name, data, walk.keys, walk.values), walk.problems


def duration(text: str) -> dt.timedelta:
    """A time to wait as settings write it, `10m`: whole seconds, minutes, hours or days. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("a whole number and s, m, h or d, as in 10m, was expected")
    return dt.timedelta(**{_SPANS[found[2]]: int(found[1])})


def size(text: str) -> int:
    """A number of bytes as settings write it, `64 MiB`. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("a whole number and KiB, MiB or GiB, as in 64 MiB, was expected")
    return int(found[1]) * _UNITS[found[2]]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word nobody knows: the nearest known one, or nothing."""
    import difflib  # noqa: PLC0415, start-up time: nobody mistyped anything

    by_case = {name.casefold(): name for name in known}  # letter case is not likeness to difflib
    near = difflib.get_close_matches(word.casefold(), tuple(by_case), n=1)
    return f"; did you mean {quoted(by_case[near[0]])}?" if near else ""


def quoted(word: str) -> str:
    """Somebody's word in a message: in quotes, escaped and cut."""
    return f'"{shown(word, limit=_SHOWN)}"'


def spelt(word: str) -> str:
    """A word as it can stand anywhere in a settings file: as it is where nothing mistakes it, else in quotes."""
    return word if _PLAIN.fullmatch(word) and word not in _WORDS else in_quotes(word)


def in_quotes(text: str) -> str:
    """Any text as a YAML text in quotes: `null` is a name like any other."""
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=sys.maxsize).rstrip("\n")


# ── the schema, in words ────────────────────────────────────────────────────────────────────────────────────────

_TYPES: Final = {
    "object": "a map (key: value)",
    "array": "a list",
    "string": "text (put it in quotes if it looks like something else)",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


_REFUSED: Final = {
    **dict.fromkeys(("minItems", "minProperties", "minLength"), "must not be empty"),
}


def check(document: Document, schema_name: str) -> tuple[Problem, ...]:
    """Everything in which the document does not fit the schema, `schema.MOST` at most, in the order of the file's lines."""
    if schema.valid(schema_name, document.data):
        return ()
    teacher = schema.teacher(schema_name)
    told = (problem for error in teacher.iter_errors(document.data) for problem in _explain(document, error))
    found = set(islice(told, schema.MOST))
    if not found:  # the two validators disagree: the one that decides has the word
        found = {Problem(document.name, str(problem)) for problem in schema.problems(schema_name, document.data)}
    return tuple(sorted(found, key=lambda one: (place_in_file(one), one.what)))


def place_in_file(problem: Problem) -> tuple[str, int, int]:
    """What problems are sorted by: the file, the line, the column."""
    found = _WHERE.fullmatch(problem.where)
    assert found is not None  # it takes any text
    return found["name"], int(found["line"] or 0), int(found["column"] or 0)


def _explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    at: At = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    match error.validator:
        case "additionalProperties":
            for key in (key for key in value if key not in known):
                yield document.problem((*at, key), f"unknown key {quoted(key)}{did_you_mean(key, known)}", key=True)
        case "required":
            yield from (document.problem(at, f"{quoted(key)} is missing") for key in wanted if key not in value)
        case "uniqueItems":
            for place in _again(value):
                yield document.problem((*at, place), f"{quoted(str(value[place]))} is given twice")
        case _ if "propertyNames" in error.absolute_schema_path:
            yield document.problem((*at, value), f"{quoted(value)} is no name that can stand here{_expected(error)}", key=True)
        case _:
            # `a:b` is one word to YAML: a key without a value inside of braces, and text where a map was meant
            word = value if isinstance(value, str) and wanted == "object" else str(at[-1]) if at and value is None else ""
            blank = "; is the blank after the colon missing?" if ":" in word.strip(":") else ""
            yield document.problem(at, _sentence(error) + blank)


def _again(items: list[Any]) -> Iterator[int]:
    """The places of items that stand in the list before, too; a partner's contract may hold a hundred thousand of them."""
    seen: set[str] = set()
    for place, one in enumerate(items):
        word = json.dumps(one)
        if word in seen:
            yield place
        seen.add(word)


def _sentence(error: ValidationError) -> str:
    value: Any = error.instance
    wanted: Any = error.validator_value
    rule: Any = error.schema
    match error.validator:
        case "type" if isinstance(value, bool | int | float) and re.search(rule.get("pattern", "(?!)"), str(value).lower()):
            must = "text: put it in quotes"
        case "type" if "pattern" in rule and "description" in rule:
            must = rule["description"]
        case "type" if wanted == "array" and isinstance(value, str) and _ITEM.fullmatch(value):
            must = f"a list, as in [{value}]"
        case "type":
            must = " or ".join(_TYPES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))
        case "enum":
            near = did_you_mean(value, [word for word in wanted if isinstance(word, str)]) if isinstance(value, str) else ""
            must = f"one of {', '.join(str(word) for word in wanted if word is not None)}{near}"
        case "const":
            must = f"{wanted}: this filesync knows no other"
        case "minimum" | "maximum":
            must = f"from {rule['minimum']} to {rule['maximum']}"
        case "pattern":
            return f"{quoted(value)} does not fit{_expected(error)}"
        case _:
            return _REFUSED.get(str(error.validator)) or shown(error.message, limit=2 * _SHOWN)
    return f"must be {must}"


def _expected(error: ValidationError) -> str:
    words = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    return f"; expected: {words}" if words else ""


# ── YAML ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Loader(yaml.SafeLoader):
    """Composes nodes only, to a bounded depth, without anchors and tags; what a plain word means is `_plain`'s matter."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        for taken, what in (("anchor", "anchors and aliases (&, *)"), ("tag", "tags (!)")):
            if getattr(event, taken, None) is not None:
                raise yaml.MarkedYAMLError(problem=f"{what} are not taken", problem_mark=event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@lru_cache(maxsize=8)
def _compose(text: str) -> yaml.Node | None:
    """What a text says; nobody changes the nodes. A `run` reads the same few files again at every export and import."""
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Walk:
    """From nodes to data, noting where everything stands and what is not taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[At, tuple[int, int]] = {}
        self.values: dict[At, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def data(self, node: yaml.Node, at: At) -> Any:
        self.values[at] = _place(node)
        if isinstance(node, yaml.MappingNode):
            return self._map(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.data(child, (*at, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # YAML has no other
        return node.value if node.style else _plain(node.value)

    def _map(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            line, column = _place(key)
            where = f"{self.name}:{line}:{column}"
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(where, "a key must be one word"))
            elif key.value in data:
                first, _ = self.keys[*at, key.value]
                self.problems.append(Problem(where, f"{quoted(key.value)} is given twice, first in line {first}"))
            else:
                self.keys[*at, key.value] = (line, column)
                data[key.value] = self.data(value, (*at, key.value))
        return data


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _plain(word: str) -> Any:
    """What a word without quotes stands for."""
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word)
    return float(word) if _DECIMAL.fullmatch(word) else word
