"""How the texts of a tracker name issues and people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """A text names an issue by its key, and a person as `[~name]`; where `accounts`, by account id: `[~accountid:…]`."""

    project: str  # what the keys of its issues begin with: ABC of ABC-17
    accounts: bool = False
