"""What a mapping says of issues that leave a scope: what this site tells, and what it does when the partner tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Leaving:
    """`tells`: the partner is told that an issue of ours left. `marks`: ours says that the partner's did."""

    tells: bool = False
    marks: bool = False


STAYS = Leaving()


def make_leaving(said: Mapping[str, Any]) -> Leaving:
    """From `leaving` of a mapping that fits the schema."""
    return Leaving(tells=said.get("out") == "tell", marks=said.get("in") == "mark")
