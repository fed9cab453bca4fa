"""Conditions and texts of a mapping: the part of Jinja2 that says something of one issue and can do nothing else.

No loops, no calls, no attributes of objects, few filters: what is written takes a bounded time, and what it makes a bounded
room. Values are data, never a part of what is compiled. Whoever needs this imports it late: few mappings do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, UndefinedError, filters, meta, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Template, TemplateExpression
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MADE: Final = 32_767  # characters of a text that is made: what a Jira takes
_PLACES: Final = 9  # decimal places that `round` leaves at most
_GIVEN: Final = frozenset({"fields", "key", "value"})
_MORE: Final = "chunk after expression"  # as Jinja says it
_BESIDE: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|[=!<>]=")  # where an equals sign is none by itself
_TAKEN: Final = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Expr, nodes.Helper)


def _join(value: Sequence[object] | str, between: str = ", ") -> str:
    if isinstance(value, str):
        return value
    parts, between = [str(one) for one in value], str(between)
    _bounded("", sum(map(len, parts)) + len(parts) * len(between))
    return between.join(parts)


def _replace(value: object, old: str, new: str) -> str:
    text = str(value)
    _bounded(text, text.count(old) * len(new))
    return text.replace(old, new)


def _float(value: object) -> float:
    return 0.0 if isinstance(value, Undefined) else float(str(value))


def _int(value: object) -> int:
    return int(_float(value))


def _round(value: float, places: int = 0) -> float:
    return round(float(value), max(0, min(places, _PLACES)))


def _sort(value: Iterable[Any], reverse: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - as Jinja's, but by no attribute
    return sorted(value, key=lambda one: one.lower() if isinstance(one, str) else one, reverse=reverse)


def _bounded(text: str, more: int = 0) -> str:
    if len(text) + more > MADE:
        raise SecurityError(f"it would make a text of more than {MADE} characters")
    return text


def _joined(parts: Iterable[object]) -> str:
    """One text of several, of which none is put to the others before it is known that it may be."""
    made: list[str] = []
    size = 0
    for part in map(str, parts):
        _bounded(part, size)
        size += len(part)
        made.append(part)
    return "".join(made)


class _Bounding(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - as Jinja calls it
        """`a ~ b`, which Jinja lets nobody intercept."""
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Small(ImmutableSandboxedEnvironment):
    code_generator_class = _Bounding
    intercepted_binops = frozenset({"+", "*", "**", "%"})  # "x" * 1000000000, and the like with numbers
    joined = staticmethod(_joined)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Of numbers alone, and none that grow beyond measure; texts and lists are added where they are small enough."""
        if operator == "+":
            if isinstance(left, str | list) and isinstance(right, str | list) and len(left) + len(right) > MADE:
                raise SecurityError(f"it would make more than {MADE} characters or words")
            return super().call_binop(context, operator, left, right)
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} stands between numbers alone" if operator != "**" else "** is not taken")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - none is
        """None: a filter looks for some, too."""
        return False


def _environment() -> _Small:
    # an empty field is undefined, and that is no mistake: it is false, holds nothing, and is written as nothing
    made = _Small(autoescape=False, keep_trailing_newline=True)
    known = ("abs", "default", "first", "last", "length", "lower", "string", "title", "trim", "upper")
    made.filters = {name: filters.FILTERS[name] for name in known}
    made.filters |= {"float": _float, "int": _int, "join": _join, "replace": _replace, "round": _round, "sort": _sort}
    made.globals = {}
    return made


_ENVIRONMENT: Final = _environment()


class Condition:
    """An expression that is true of an issue, or not."""

    def __init__(self, source: str) -> None:
        """Raises ValueError with words for a person."""
        self._compiled: TemplateExpression = _compiled(lambda: _ENVIRONMENT.compile_expression(source), source)
        self.names = _names("{{ " + source + " }}")

    def holds(self, known: Mapping[str, object]) -> bool:
        """Whether it is true. Raises ValueError with words for a person, in which there is no value."""
        return bool(_asked(lambda: self._compiled(known)))


class Form:
    """A text with places for an issue's values."""

    def __init__(self, source: str) -> None:
        """Raises ValueError with words for a person."""
        self.names = _names(source)
        self._compiled: Template = _compiled(lambda: _ENVIRONMENT.from_string(source), source)

    def filled(self, known: Mapping[str, object]) -> str:
        """The text. Raises ValueError with words for a person, in which there is no value."""
        return str(_asked(lambda: _joined(self._compiled.generate(known))))


def _compiled(compile_it: Any, source: str) -> Any:
    try:
        return compile_it()
    except TemplateSyntaxError as error:
        raise ValueError(_why_unread(str(error.message).rstrip("."), source)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _why_unread(why: str, source: str) -> str:
    """What Jinja says of an expression that it cannot read, in words for who wrote it."""
    if why.endswith("got '='") or (why == _MORE and "=" in _BESIDE.sub("", source)):
        return "`=` compares nothing: it is `==`, and a value stands in quotes, as in type == 'Bug'"
    return "it goes on where an expression ends: is an `and`, an `or` or a quote missing?" if why == _MORE else why


def _asked(ask: Any) -> Any:
    try:
        return ask()
    except (UndefinedError, SecurityError, TypeError) as error:  # these name names and kinds, never a value
        raise ValueError(str(error)) from error
    except (TemplateError, ArithmeticError, ValueError, LookupError, RecursionError) as error:
        raise ValueError(f"it fails ({type(error).__name__})") from error


def _names(source: str) -> frozenset[str]:
    """The fields that it asks for, by our names. Raises ValueError for what is not taken."""
    tree = _compiled(lambda: _ENVIRONMENT.parse(source), source)
    named = {id(item.node) for item in tree.find_all(nodes.Getitem) if isinstance(item.arg, nodes.Const)}
    for node in tree.find_all(nodes.Node):
        if why := _why_not(node, named=id(node) in named):
            raise ValueError(why)
    asked = _compiled(lambda: meta.find_undeclared_variables(tree), source)  # which looks for filters and tests, too
    return frozenset({*(asked - _GIVEN), *_by_name(tree)})


def _why_not(node: nodes.Node, *, named: bool) -> str:
    """Why a part of an expression is not taken, "" where it is; `named`: it stands before a name in brackets."""
    match node:
        case nodes.Getattr():
            return f"nothing is asked for by a point: a field is `{node.attr}`, or `fields['{node.attr}']`"
        case nodes.Getitem() if isinstance(node.arg, nodes.Name) or any(node.arg.find_all(nodes.Name)):
            return "what stands in [] is written out: a value there would show in messages"
        case nodes.Name(name="self" | "fields") if node.name == "self" or not named:
            return f"`{node.name}` alone is not taken: which field is meant is written out, as in fields['x']"
        case nodes.Call():
            pass
        case _ if isinstance(node, _TAKEN):
            return ""
    return f"{type(node).__name__.lower()} is not taken: conditions, values and filters alone are"


def _by_name(tree: nodes.Template) -> Iterator[str]:
    """Those that stand as fields["Fix version"]."""
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "fields" and isinstance(item.arg, nodes.Const):
            yield str(item.arg.value)
