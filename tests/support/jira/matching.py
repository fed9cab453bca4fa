"""Which issues a JQL query finds, for one user, in what search sees."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn
from zoneinfo import ZoneInfo

from tests.support.jira.index import MINUTE
from tests.support.jira.jql import MAX_ORDER, Both, Call, Clause, Empty, Literal, Node, Operand, Query, parse
from tests.support.jira.lookups import Lookups
from tests.support.jira.records import Issue, Refusal, User
from tests.support.jira.store import Store

PERIOD = re.compile(r"([+-]?)(\d+)([wdhmMy]?)")
UNITS = {"w": 7 * 1440, "d": 1440, "h": 60, "m": 1, "": 1, "M": 30 * 1440, "y": 365 * 1440}
DATES = {"created", "createddate", "updated", "updateddate", "resolved", "resolutiondate", "due", "duedate"}
KEYS = {"key", "issuekey", "issue", "id"}
FORMATS = (
    "Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', "
    "or a period format e.g. '-5d', '4w 2d'."
)
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
}


@dataclass(slots=True)
class Search:
    """One query of one user. `strict`: a value that is nowhere is an error; else it finds nothing, with a warning."""

    store: Store
    user: User
    strict: bool = True
    warnings: list[str] = field(default_factory=list)

    def find(self, text: str) -> list[Issue]:
        """All that the query finds and the user sees, in order. Raises Refusal(400)."""
        query = parse(text)
        if self.store.flavour.cloud:
            self._check_bounds(query)
        lookups = Lookups(self.store, self.user)
        test = self._test(query.where, lookups) if query.where else lambda _: True
        lost = self.store.faults.index_lost
        shown = [issue for issue in self.store.index.entries() if issue.id not in lost]
        seen = [issue for issue in shown if self.store.sees(self.user, issue) and test(issue)]
        for name, descending in reversed(query.order):
            order = self._order(name, lookups)
            seen.sort(key=order, reverse=descending)
        return seen

    def _check_bounds(self, query: Query) -> None:
        if query.where is None:
            words = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            raise Refusal(400, words)
        if len(query.order) > MAX_ORDER:
            raise Refusal(400, f"The maximum number of fields in the ORDER BY clause is {MAX_ORDER}.")

    def _test(self, node: Node, lookups: Lookups) -> Callable[[Issue], bool]:
        if isinstance(node, Clause):
            return self._clause(node, lookups)
        tests = [self._test(one, lookups) for one in node.nodes]
        if isinstance(node, Both):
            return lambda issue: all(test(issue) for test in tests)
        return lambda issue: any(test(issue) for test in tests)

    def _clause(self, clause: Clause, lookups: Lookups) -> Callable[[Issue], bool]:
        name = clause.field.lower()
        if name in KEYS:
            return self._keys(clause)
        if name in DATES or lookups.is_date(clause.field):
            return self._dates(clause, lookups)
        values = lookups.values(clause.field)
        if values is None:
            self._unknown(clause.field)
        if any(isinstance(operand, Empty) for operand in clause.operands):
            empty = clause.operator in {"is", "=", "in"}
            return lambda issue: bool(values(issue)) != empty
        if clause.operator in {"~", "!~"}:
            return self._contains(clause, values)
        if clause.operator not in {"=", "!=", "in", "not in"}:
            raise Refusal(400, f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        wanted = {one for operand in clause.operands for one in self._meant(clause.field, operand, lookups)}
        if clause.operator in {"=", "in"}:
            return lambda issue: not wanted.isdisjoint(values(issue))
        return lambda issue: bool(values(issue)) and wanted.isdisjoint(values(issue))  # an empty field is not unequal

    def _meant(self, name: str, operand: Operand, lookups: Lookups) -> set[str]:
        if isinstance(operand, Call):
            if operand.name == "currentuser":
                return {self.user.key}
            raise Refusal(400, f"Unable to find JQL function '{operand.name}()'.")
        assert isinstance(operand, Literal)
        found = lookups.meant(name, operand.text)
        if found is None:
            self._missing(f"The value '{operand.text}' does not exist for the field '{name}'.")
            return set()
        return found

    def _missing(self, words: str) -> None:
        if self.strict:
            raise Refusal(400, words)
        self.warnings.append(words)

    @staticmethod
    def _unknown(name: str) -> NoReturn:
        raise Refusal(400, f"Field '{name}' does not exist or you do not have permission to view it.")

    def _contains(self, clause: Clause, values: Callable[[Issue], set[str]]) -> Callable[[Issue], bool]:
        (operand,) = clause.operands
        text = operand.text if isinstance(operand, Literal) else ""
        terms = [re.escape(term).replace(r"\*", r"\w*") for term in re.findall(r"[\w*]+", text.lower())]

        def found(issue: Issue) -> bool:
            inside = " ".join(values(issue)).lower()
            return all(re.search(rf"\b{term}\b", inside) for term in terms)

        return found if clause.operator == "~" else lambda issue: not found(issue)

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keys(self, clause: Clause) -> Callable[[Issue], bool]:
        found: list[Issue] = []
        for operand in clause.operands:
            text = operand.text if isinstance(operand, Literal) else ""
            issue = self._issue(text)
            if issue is None:
                self._missing(f"An issue with key '{text}' does not exist for field '{clause.field}'.")
            else:
                found.append(issue)
        ids = {issue.id for issue in found}
        if clause.operator in {"=", "in"}:
            return lambda issue: issue.id in ids
        if clause.operator in {"!=", "not in"}:
            return lambda issue: issue.id not in ids
        if clause.operator not in COMPARISONS:
            raise Refusal(400, f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        compare, bounds = COMPARISONS[clause.operator], [_key(issue) for issue in found]
        return lambda issue: any(_key(issue)[0] == project and compare(_key(issue)[1], number) for project, number in bounds)

    def _issue(self, text: str) -> Issue | None:
        """By id or key, in the database; a deleted one that search still shows is not there either."""
        issue = self.store.issues.get(text) or self.store.by_key(text.upper())
        return issue if issue is not None and self.store.sees(self.user, issue) else None

    # ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _dates(self, clause: Clause, lookups: Lookups) -> Callable[[Issue], bool]:
        moment = lookups.moment(clause.field, self._zone)
        (operand,) = clause.operands
        if isinstance(operand, Empty):
            empty = clause.operator in {"is", "="}
            return lambda issue: (moment(issue) is None) == empty
        bound = self._bound(clause.field, operand)
        if clause.operator in COMPARISONS:
            compare = COMPARISONS[clause.operator]

            def compared(issue: Issue) -> bool:
                kept = moment(issue)
                return kept is not None and compare(self.store.index.moment(kept), bound)

            return compared
        if clause.operator not in {"=", "!="}:
            raise Refusal(400, f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        same = clause.operator == "="
        return lambda issue: ((moment(issue) or 0) // MINUTE == bound // MINUTE) == same

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.user.zone)

    def _bound(self, name: str, operand: Operand) -> int:
        """Epoch milliseconds. An unquoted number is that; text is a minute in the user's own zone, or a period from now."""
        now = self.store.clock.now()
        if isinstance(operand, Call):
            return self._day(operand, now)
        assert isinstance(operand, Literal)
        text = operand.text.strip()
        if text.isdecimal() and not operand.quoted:
            return int(text)
        for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                local = dt.datetime.strptime(text, form).replace(tzinfo=self._zone)
            except ValueError:
                continue
            return round(local.timestamp() * 1000)
        parts = [PERIOD.fullmatch(part) for part in text.split()]
        if not parts or None in parts:
            raise Refusal(400, f"Date value '{text}' for field '{name}' is invalid. {FORMATS}")
        sign = -1 if text.startswith("-") else 1
        minutes = sum(int(part[2]) * UNITS[part[3]] for part in parts if part)
        moment = now + sign * minutes * MINUTE
        return moment - moment % MINUTE

    def _day(self, call: Call, now: int) -> int:
        if call.name == "now":
            return now
        if call.name == "startofday":
            local = dt.datetime.fromtimestamp(now / 1000, self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
            return round(local.timestamp() * 1000)
        raise Refusal(400, f"Unable to find JQL function '{call.name}()'.")

    def _order(self, name: str, lookups: Lookups) -> Callable[[Issue], tuple[bool, int, str]]:
        low = name.lower()
        if low in KEYS:
            return lambda issue: (False, _key(issue)[1], _key(issue)[0])
        if low in DATES or lookups.is_date(name):
            moment = lookups.moment(name, self._zone)
            return lambda issue: (moment(issue) is None, self.store.index.moment(moment(issue) or 0), "")
        values = lookups.values(name)
        if values is None:
            words = f"Not able to sort using field '{name}'."
            raise Refusal(400, words)
        return lambda issue: (not values(issue), 0, " ".join(sorted(values(issue))).lower())


def _key(issue: Issue) -> tuple[str, int]:
    project, _, number = issue.key.rpartition("-")
    return project, int(number)
