"""A table of words in both directions: ours, of which several may stand for one, and the contract's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Our words to the contract's, in the order they were given. A word that is not listed stands for itself."""

    listed: Mapping[str, str]

    def out(self, ours: str) -> str:
        """The contract's word for ours."""
        return self.listed.get(ours, ours)

    def back(self, theirs: str) -> tuple[str, ...]:
        """Every word of ours that stands for the contract's; the first is the one to write. () where none does."""
        named = tuple(ours for ours, word in self.listed.items() if word == theirs)
        return named if theirs in self.listed else (*named, theirs)

    def names(self, theirs: str) -> bool:
        """Whether a word of ours is listed for the contract's."""
        return theirs in self.listed.values()


SAME = Words({})
