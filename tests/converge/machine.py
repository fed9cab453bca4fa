"""Two whole sites, people at both, a bad carrier, a tracker that refuses, crashes anywhere: do they always end in step?

Machines for Hypothesis. Every choice is a number, so what it prints of a failure is a program that shows it again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from filesync.config import template
from filesync.errors import Unavailable
from tests.converge import carrier, ending, faults
from tests.converge.people import FIELDS, Person, Story
from tests.support.two_sites import Crash, Side, World, two_sites

STEPS: Final = 40  # of one run

Command: TypeAlias = Callable[[Side], object]
_COMMANDS: Final[dict[str, Command]] = {
    "export": lambda side: side.export(),
    "import": lambda side: side.import_(),
    "retry": lambda side: side.retry(),
}


@dataclass(frozen=True)
class Variant:
    """What the two sites agreed on, and whether one of them tells only some of its issues."""

    deletes: str
    scope: str = ""

    def contract(self) -> str:
        """The default contract with a winner, a guard and a drift of some fields' own."""
        text = template("contract.yaml").replace("  issue: mark ", f"  issue: {self.deletes} ")
        for old, new in (
            ("  environment: {kind: text}", "  environment: {kind: text, from: globex, mode: drift}"),
            ("  cost_estimate: {kind: number}", "  cost_estimate: {kind: number, from: acme, mode: guard}"),
            ("Minor, Cosmetic]}", "Minor, Cosmetic], winner: globex}"),
        ):
            assert old in text
            text = text.replace(old, new)
        return text


VARIANTS: Final = {
    "mark": Variant("mark"),
    "mirror": Variant("mirror"),
    "scope": Variant("mark", scope="{labels: [shared]}"),
    "scope, mirror": Variant("mirror", scope="{labels: [shared]}"),
}
# globex has two words of its own for one of the contract's
_MAPPING: Final = "fields:\n  priority: {field: priority, options: {Highest: High}}\n"

names = st.sampled_from(("acme", "globex"))
which = st.integers(0, 11)
value = st.integers(0, 11)
field = st.sampled_from(FIELDS)
fates = st.integers(0, 2**15 - 1)  # of five files, three bits each
refusals = st.integers(0, 2**24 - 1)
places = st.integers(0, 60)


class Machine(RuleBasedStateMachine):
    """What can happen at any time, whoever edits."""

    folder: ClassVar[Path | None] = None  # None: in memory

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()

    @initialize(variant=st.sampled_from(sorted(VARIANTS)))
    def open(self, variant: str) -> None:
        chosen = VARIANTS[variant]
        self.world: World = self._stack.enter_context(
            two_sites(contract=chosen.contract(), mappings=("", _MAPPING), scopes=(chosen.scope, ""), base=self.folder)
        )
        self.story = Story()
        self.people = {side.name: Person(side, self.story) for side in self.world.sides}
        self.sides = {side.name: side for side in self.world.sides}
        self.opened(chosen)

    def opened(self, variant: Variant) -> None:
        """Where the machines differ."""

    def run(self, name: str, command: Command) -> None:
        """One command of one side."""
        command(self.sides[name])

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and hasattr(self, "world"):
                ending.settle(self.world, self.people)
                ending.check(self.world, self.people, self.story)
        finally:
            self._stack.close()

    # ── filesync ────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(name=names)
    def export(self, name: str) -> None:
        self.run(name, Side.export)

    @rule(name=names, refused=refusals)
    def import_(self, name: str, refused: int) -> None:
        self.refusing(name, refused, Side.import_)

    @rule(name=names, refused=refusals)
    def send(self, name: str, refused: int) -> None:
        """The whole way at once."""
        self.run(name, Side.export)
        other = self.world.other(self.sides[name])
        self.world.carry(to=other)
        self.refusing(other.name, refused, Side.import_)

    @rule(name=names, refused=refusals)
    def retry(self, name: str, refused: int) -> None:
        self.refusing(name, refused, Side.retry)

    def refusing(self, name: str, refused: int, command: Command) -> None:
        side = self.sides[name]
        side.faults.refuse = faults.refusing(refused)
        try:
            self.run(name, command)
        finally:
            side.faults.refuse = lambda _call, _what: None

    @rule(name=names, command=st.sampled_from(sorted(_COMMANDS)), place=places)
    def crash(self, name: str, command: str, place: int) -> None:
        """The process dies in the middle, and the next one begins."""
        side = self.sides[name]
        side.faults.strike = faults.crashing(place)
        try:
            self.run(name, _COMMANDS[command])
        except Crash:
            side.faults.strike = lambda _place: None
            side.reopen()
        finally:
            side.faults.strike = lambda _place: None

    @rule(name=names, command=st.sampled_from(sorted(_COMMANDS)), place=st.integers(0, 15))
    def fail(self, name: str, command: str, place: int) -> None:
        """The tracker is down for a moment."""
        side = self.sides[name]
        side.faults.strike = faults.failing(place)
        try:
            self.run(name, _COMMANDS[command])
        except Unavailable:
            pass
        finally:
            side.faults.strike = lambda _place: None

    # ── the world ───────────────────────────────────────────────────────────────────────────────────────────────

    @rule(to=names, drawn=fates)
    def carry(self, to: str, drawn: int) -> None:
        carrier.carry(self.world, to=self.sides[to], fates=drawn)

    @rule(to=names, place=which)
    def bring_again(self, to: str, place: int) -> None:
        files = carrier.archived(self.world, to=self.sides[to])
        if files:
            carrier.bring([files[place % len(files)]], to=self.sides[to])

    @rule(hours=st.integers(-3, 50))
    def wait(self, hours: int) -> None:
        self.world.clock.advance(hours=hours)


class Converge(Machine):
    """People edit at both sides and skip what is refused: both sides end equal, and nothing is doubled or lost."""

    @rule(name=names, kind=value, above=value, filled=st.integers(0, 2**32 - 1))
    def create(self, name: str, kind: int, above: int, filled: int) -> None:
        self.people[name].create(kind, above, filled)

    @rule(name=names, issue=which, changed=field, to=value)
    def edit(self, name: str, issue: int, changed: str, to: int) -> None:
        self.people[name].edit(issue, {changed: to})

    @rule(name=names, issue=which, changed=st.dictionaries(field, value, min_size=2, max_size=4))
    def edit_several(self, name: str, issue: int, changed: dict[str, int]) -> None:
        self.people[name].edit(issue, changed)

    @rule(name=names, issue=which, changed=field)
    def undo(self, name: str, issue: int, changed: str) -> None:
        self.people[name].undo(issue, changed)

    @rule(issue=which, changed=field, ours=value, theirs=value)
    def both(self, issue: int, changed: str, ours: int, theirs: int) -> None:
        """The same field of the same issue at both sides: to one value (also the same), or to two."""
        gid = self.people["acme"].gid_at(issue)
        for name, to in (("acme", ours), ("globex", theirs)):
            self.people[name].edit_gid(gid, changed, to)

    @rule(name=names, issue=which, status=value)
    def transition(self, name: str, issue: int, status: int) -> None:
        self.people[name].transition(issue, status)

    @rule(name=names, issue=which)
    def scope(self, name: str, issue: int) -> None:
        self.people[name].scope(issue)

    @rule(name=names, issue=which)
    def delete(self, name: str, issue: int) -> None:
        self.people[name].delete(issue)

    @rule(name=names, issue=which)
    def comment(self, name: str, issue: int) -> None:
        self.people[name].comment(issue)

    @rule(name=names, comment=which, to=value)
    def edit_comment(self, name: str, comment: int, to: int) -> None:
        self.people[name].edit_comment(comment, to)

    @rule(name=names, comment=which)
    def delete_comment(self, name: str, comment: int) -> None:
        self.people[name].delete_comment(comment)

    @rule(name=names, place=which)
    def skip(self, name: str, place: int) -> None:
        mark = ending.stuck_mark(self.sides[name], place)
        if mark is not None:
            self.run(name, lambda side: side.skip(mark))


class OneSided(Machine):
    """People edit at acme only: globex never sends a change, and acme's tracker is never written to."""

    def opened(self, variant: Variant) -> None:
        self.sides["acme"].faults.forbid_writes = True

    def run(self, name: str, command: Command) -> None:
        command(self.sides[name])
        assert self.sides["globex"].exchange().out_seq == 0, "globex sends back what nobody there edited"

    @rule(kind=value, above=value, filled=st.integers(0, 2**32 - 1))
    def create(self, kind: int, above: int, filled: int) -> None:
        self.people["acme"].create(kind, above, filled)

    @rule(issue=which, changed=field, to=value)
    def edit(self, issue: int, changed: str, to: int) -> None:
        self.people["acme"].edit(issue, {changed: to})

    @rule(issue=which, changed=st.dictionaries(field, value, min_size=2, max_size=4))
    def edit_several(self, issue: int, changed: dict[str, int]) -> None:
        self.people["acme"].edit(issue, changed)

    @rule(issue=which, changed=field)
    def undo(self, issue: int, changed: str) -> None:
        self.people["acme"].undo(issue, changed)

    @rule(issue=which, status=value)
    def transition(self, issue: int, status: int) -> None:
        self.people["acme"].transition(issue, status)

    @rule(issue=which)
    def scope(self, issue: int) -> None:
        self.people["acme"].scope(issue)

    @rule(issue=which)
    def delete(self, issue: int) -> None:
        self.people["acme"].delete(issue)

    @rule(issue=which)
    def comment(self, issue: int) -> None:
        self.people["acme"].comment(issue)

    @rule(comment=which, to=value)
    def edit_comment(self, comment: int, to: int) -> None:
        self.people["acme"].edit_comment(comment, to)

    @rule(comment=which)
    def delete_comment(self, comment: int) -> None:
        self.people["acme"].delete_comment(comment)
