"""Sites whose mappings let less flow than the contract: which rules of its own each site has, and what they still share."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from filesync.model.ids import NEVER, Gid, Kind
from filesync.model.shadow import Entity
from filesync.model.values import Value, split_name
from filesync.rules.mapping import Rules
from filesync.rules.standing import Way

_STEADY: Final = "type != 'Epic'"  # an Epic stays one: types change within a level
_RULES: Final = ("way: out", "way: in", "only: create", f'when: "{_STEADY}"', "when: \"type == 'Bug' or 'a' in labels\"", "")
_FIELDS: Final = (
    "due_date",
    "occurred_at",
    "story_points",
    "location",
    "components",
    "fix_versions",
    "reviewers",
    "serial_numbers",
    "assignee",
)
_PRIORITIES: Final = (
    "options: {Highest: High}",
    "options: {Highest: High, Low: Low}, default: {in: Low}",
    "options: {Highest: High, High: High, Low: Medium}, default: {out: Low, in: Low}",
)


@dataclass(frozen=True)
class Narrowed:
    """What was drawn: the mappings of acme and globex, and what of a field they leave equal."""

    mappings: tuple[str, str]
    apart: frozenset[str] = frozenset()  # each site may show its own
    steady: frozenset[str] = frozenset()  # the same, of Epics alone

    def compares(self, name: str, issue: Mapping[str, Value]) -> bool:
        """Whether both sites must show the same of a wire field of this issue."""
        bare = split_name(name)[0]
        return bare not in self.apart and not (bare in self.steady and issue.get("type") == "Epic")


def narrowed(number: int) -> Narrowed:
    """The mappings of this number."""
    draw = random.Random(f"mappings {number}")
    apart: set[str] = set()
    steady: set[str] = set()
    mappings = []
    for renamed in ("description: customer_reference", ""):
        said = {name: draw.choice(_RULES) for name in draw.sample(_FIELDS, 4)}
        apart |= {name for name, rule in said.items() if rule and _STEADY not in rule}
        steady |= {name for name, rule in said.items() if _STEADY in rule}
        lines = [f"{name}: {{field: {name}, {rule}}}" for name, rule in said.items() if rule]
        lines += [f"priority: {{field: priority, {draw.choice(_PRIORITIES)}}}", renamed]
        mappings.append("users_by: email\nfields:\n" + "".join(f"  {line}\n" for line in lines if line))
    return Narrowed((mappings[0], mappings[1]), frozenset(apart), frozenset(steady))


def alike(rules: Rules, name: str, ours: Value | None, theirs: Value | None) -> bool:
    """Whether ours is what a value of theirs comes to here: where it has no word here, the default."""
    if theirs is None:
        return ours is None
    there = rules.inward(Kind.ISSUE, {name: theirs}, lambda _: None).fields
    known = {local: value for local, value in there.items() if value is not None}
    return rules.wire(Kind.ISSUE, known, lambda _: None).get(name) == ours


def kept(rules: Rules) -> frozenset[str]:
    """Our fields that no import may ever write."""
    found = (rules.rule(name) for name in rules.contract.fields)
    return frozenset(rule.local for rule in found if rule is not None and rule.way is Way.OUT)


def check_silence(side: str, rules: Rules, rows: Mapping[Gid, Entity]) -> None:
    """Nothing was ever told of what this site only takes."""
    silent = {name for name in rules.contract.fields if (rule := rules.rule(name)) is not None and rule.way is Way.IN}
    for gid, row in rows.items():
        told = [name for name, shadow in row.fields.items() if split_name(name)[0] in silent and shadow.told != NEVER]
        assert not told, f"{side} told {told} of {gid}"
