"""An exchange with its rules: what of it travels, which way, and who wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from filesync.agent.course import Course
from filesync.ledger.streams import Exchange
from filesync.model.ids import Kind
from filesync.model.values import REMEMBERED, Value
from filesync.rules import contract as agreed
from filesync.rules.contract import Flow
from filesync.rules.mapping import Rules
from filesync.rules.standing import Way
from filesync.rules.winner import ByValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """An exchange that both sides accepted, with its rules."""

    exchange: Exchange
    rules: Rules
    basis: str  # digest of everything that decides what is told: contract, mapping, scope
    us: agreed.Site
    them: agreed.Site
    _courses: dict[tuple[Kind, str], Course] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def names(self) -> bool:
        """Whether anybody wants to know what the other side calls an issue."""
        return self.rules.contract.keys or self.rules.partner is not None

    @property
    def keeps_pace(self) -> bool:
        """Whether our issues show how far they are with the partner."""
        return self.rules.partner is not None and self.rules.partner.state

    def sends(self, kind: Kind) -> bool:
        """Whether this side tells anything of items of this kind."""
        return kind is Kind.ISSUE or (self.rules.travels(kind) and self.rules.contract.below.get(kind) in {None, self.us.name})

    def receives(self, kind: Kind) -> bool:
        """Whether this side takes what arrives of items of this kind."""
        return self.rules.travels(kind) and self.rules.contract.below.get(kind) in {None, self.them.name}

    def tells(self, kind: Kind, name: str, *, new: bool) -> bool:
        """Whether this side tells this field: `new`, with the item itself, or as an edit."""
        course = self.course(kind, name)
        return course.tells_born if new else course.tells

    def takes(self, kind: Kind, name: str, *, new: bool) -> bool:
        """Whether this side writes what arrives for this field; `new`: as its issue is made.

        An edit that arrives at the source of a one-way field is answered, not left out.
        """
        course = self.course(kind, name)
        return course.takes_born if new else course.takes

    def wins(self, name: str) -> bool:
        """Whether this side wins a field that both edited; of one whose winner follows a value, without any."""
        return agreed.wins(self.rules.contract, name, us=self.us, them=self.them)

    def by_value(self, name: str) -> ByValue | None:
        """What says who wins a field, where it follows a value; None where it is always the same side."""
        winner = agreed.winner_of(self.rules.contract, name)
        return winner if isinstance(winner, ByValue) else None

    def holds(self, fields: Mapping[str, Value]) -> frozenset[str]:
        """The fields, bare, that this side alone may edit while the issue shows these, and of which it has the last word."""
        courses = ((name, self.course(Kind.ISSUE, name)) for name in self.rules.penned)
        pens = ((name, course.by_value) for name, course in courses if course.by_value is not None and course.wins)
        return frozenset(name for name, by in pens if agreed.is_us(by.site(fields.get(by.field)), us=self.us, them=self.them))

    def keeps_told(self, name: str) -> bool:
        """Whether this side keeps what it told of a field where the partner's edit crosses it (docs/merge.md, R3a).

        Where a person decides it does, but only until then: what a person here skips is decided by that.
        """
        return not agreed.asks(self.rules.contract, name) and self.wins(name) is (self.by_value(name) is None)

    def flow(self, kind: Kind, name: str) -> Flow:
        """Which way a field of an item of this kind goes."""
        if not self.sends(kind):
            return Flow.WE_TAKE_DRIFT
        if not self.receives(kind):
            return Flow.WE_SEND_DRIFT
        rule = self.rules.rule(name)
        if rule is not None and rule.way is Way.IN:
            return Flow.WE_TAKE_DRIFT  # our own decision, which the partner need not know
        return agreed.flow(self.rules.contract, name, self.us.name)

    def course(self, kind: Kind, name: str) -> Course:
        """All that the rules say of a field of an item of this kind, flat or bare: found out once."""
        known = self._courses.get((kind, name))
        if known is None:
            if len(self._courses) >= REMEMBERED:
                self._courses.clear()
            known = self._courses[kind, name] = self._course(kind, name)
        return known

    def _course(self, kind: Kind, name: str) -> Course:
        rule = self.rules.rule(name) if kind is Kind.ISSUE else None
        flow, carries = self.flow(kind, name), self.rules.carries(kind, name)
        told = carries and flow is not Flow.WE_TAKE_DRIFT
        answered = flow in {Flow.WE_SEND_DRIFT, Flow.WE_SEND_GUARD}
        return Course(
            carries=carries,
            tells_born=told,
            tells=told and not (rule is not None and rule.born_only),
            takes_born=answered or self.rules.takes(kind, name, new=True),
            takes=answered or self.rules.takes(kind, name, new=False),
            asks=kind is Kind.ISSUE and flow is Flow.BOTH and agreed.asks(self.rules.contract, name),
            wins=self.wins(name),
            by_value=self.by_value(name),
            flow=flow,
        )
