"""JQL: from text to clauses. Refusals are worded as Jira words them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tests.support.jira.records import Refusal

MAX_ORDER = 7
_WORDS = """
abort access add after alias all alter and any as asc audit avg before begin between boolean break by byte
cascade cast changed char character check checkpoint collate collation column commit connect continue count
divide do double drop else empty encoding end equals escape exclusive exec execute exists explain false fetch
file field first float for from function go goto grant greater group having identified if immediate in last left
less like limit lock long max min minus mode modify modulo more multiply next noaudit not notin nowait null
number object of on option or order outer output power previous prior privileges public raise raw remainder
rename resource return returns revoke right row rowid rownum rows select session set share size sqrt start
strict string subtract sum synonym table then to trans transaction trigger true uid union unique update user
validate values view was when whenever where while with
"""
RESERVED = frozenset(_WORDS.split())
_TOKENS = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<op>!=|!~|>=|<=|=|~|>|<)
    | (?P<mark>[(),])
    | (?P<and>&&|&)|(?P<or>\|\||\|)|(?P<bang>!)
    | (?P<word>(?:[^\s"'=!<>()~,&|\[\]]|\[\d+\])+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Literal:
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """EMPTY or NULL."""


Operand: TypeAlias = Literal | Call | Empty


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str  # = != ~ !~ > >= < <= in "not in" is "is not"
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Both:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    nodes: tuple[Node, ...]


Node: TypeAlias = "Clause | Both | Either"
OPPOSITE = {
    "=": "!=",
    "!=": "=",
    "~": "!~",
    "!~": "~",
    ">": "<=",
    "<=": ">",
    "<": ">=",
    ">=": "<",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}


@dataclass(frozen=True, slots=True)
class Query:
    where: Node | None
    order: tuple[tuple[str, bool], ...]  # (field, descending)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """The query. Raises Refusal(400)."""
    return _Parser(list(_tokens(text))).query()


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKENS.match(text, at)
        if found is None or found.lastgroup is None:
            raise Refusal(
                400, f"Error in the JQL Query: The character '{text[at]}' is not allowed. (line 1, character {at + 1})"
            )
        word = found[found.lastgroup]
        yield _Token(found.lastgroup, word, found.start(found.lastgroup) + 1)
        at = found.end()


def _unquoted(text: str) -> str:
    known = {"n": "\n", "t": "\t", "r": "\r", " ": " "}

    def meant(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        return known.get(found[2], found[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", meant, text[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at = tokens, 0

    def query(self) -> Query:
        where = None if self._is("order") or self._end else self._either(negated=False)
        order = self._order() if self._is("order") else ()
        if not self._end:
            self._fail("Expecting either 'OR' or 'AND' but got")
        return Query(where, order)

    def _either(self, *, negated: bool) -> Node:
        nodes = [self._both(negated=negated)]
        while self._take("or", kind="or"):
            nodes.append(self._both(negated=negated))
        if len(nodes) == 1:
            return nodes[0]
        return Both(tuple(nodes)) if negated else Either(tuple(nodes))

    def _both(self, *, negated: bool) -> Node:
        nodes = [self._single(negated=negated)]
        while self._take("and", kind="and"):
            nodes.append(self._single(negated=negated))
        if len(nodes) == 1:
            return nodes[0]
        return Either(tuple(nodes)) if negated else Both(tuple(nodes))

    def _single(self, *, negated: bool) -> Node:
        if self._take("not", kind="bang"):
            return self._single(negated=not negated)
        if self._mark("("):
            inside = self._either(negated=negated)
            self._demand(")")
            return inside
        clause = self._clause()
        return Clause(clause.field, OPPOSITE[clause.operator], clause.operands) if negated else clause

    def _clause(self) -> Clause:
        field = self._name()
        operator = self._operator()
        if operator in {"in", "not in"}:
            if not self._mark("("):
                return Clause(field, operator, (self._operand(),))
            operands = [self._operand()]
            while self._mark(","):
                operands.append(self._operand())
            self._demand(")")
            return Clause(field, operator, tuple(operands))
        return Clause(field, operator, (self._operand(),))

    def _operator(self) -> str:
        token = self._next("Expecting operator but reached the end of the query")
        if token.kind == "op":
            return token.text
        word = token.text.lower()
        if word == "not" and self._take("in"):
            return "not in"
        if word == "is":
            return "is not" if self._take("not") else "is"
        if word == "in":
            return "in"
        self._at -= 1
        return self._fail("Expecting operator but got", ". The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', ...")

    def _operand(self) -> Operand:
        token = self._next("Expecting either a value, list or function but reached the end of the query")
        if token.kind == "text":
            return Literal(_unquoted(token.text), quoted=True)
        if token.kind != "word":
            self._at -= 1
            self._fail("Expecting either a value, list or function but got")
        if token.text.lower() in {"empty", "null"}:
            return Empty()
        if self._mark("("):
            arguments = []
            while not self._mark(")"):
                argument = self._next("Expecting ')'")
                arguments.append(_unquoted(argument.text) if argument.kind == "text" else argument.text)
                self._mark(",")
            return Call(token.text.lower(), tuple(arguments))
        self._reserved(token)
        return Literal(token.text, quoted=False)

    def _name(self) -> str:
        token = self._next("Expecting a field name but reached the end of the query")
        if token.kind == "text":
            return _unquoted(token.text)
        if token.kind != "word":
            self._at -= 1
            self._fail("Expecting a field name but got")
        self._reserved(token)
        return token.text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._at += 1
        if not self._take("by"):
            self._fail("Expecting 'by' but got")
        order = []
        while True:
            name = self._name()
            descending = self._take("desc")
            if not descending:
                self._take("asc")
            order.append((name, descending))
            if not self._mark(","):
                return tuple(order)

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _end(self) -> bool:
        return self._at >= len(self._tokens)

    def _next(self, words: str) -> _Token:
        if self._end:
            raise Refusal(400, f"Error in the JQL Query: {words}.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _is(self, word: str) -> bool:
        return not self._end and self._tokens[self._at].kind == "word" and self._tokens[self._at].text.lower() == word

    def _take(self, word: str, *, kind: str = "") -> bool:
        if self._is(word) or (kind and not self._end and self._tokens[self._at].kind == kind):
            self._at += 1
            return True
        return False

    def _mark(self, mark: str) -> bool:
        if not self._end and self._tokens[self._at].kind == "mark" and self._tokens[self._at].text == mark:
            self._at += 1
            return True
        return False

    def _demand(self, mark: str) -> None:
        if not self._mark(mark):
            self._fail(f"Expecting '{mark}' but got")

    def _fail(self, words: str, more: str = "") -> str:
        if self._end:
            raise Refusal(400, f"Error in the JQL Query: {words} the end of the query.")
        token = self._tokens[self._at]
        raise Refusal(400, f"Error in the JQL Query: {words} '{token.text}'{more} (line 1, character {token.at})")

    @staticmethod
    def _reserved(token: _Token) -> None:
        if token.text.lower() in RESERVED:
            words = f"'{token.text}' is a reserved JQL word. You must surround it in quotation marks to use it in a query."
            raise Refusal(400, f"Error in the JQL Query: {words} (line 1, character {token.at})")
