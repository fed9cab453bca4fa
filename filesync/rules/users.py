"""Who is who on the two sides: the mapping's table first, then by address or name where the mapping says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filesync.model.people import ANYBODY, People
from filesync.rules.words import Words


class By(StrEnum):
    """By what a user is found here whom the table does not name."""

    NAME = "name"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Users(Words):
    """Our users and the contract's words for them. `by` None: one who is not in the table goes by his name, there or not."""

    by: By | None = None
    prefix: str = ""  # with which our names begin, and the contract's words do not
    people: People = ANYBODY

    def out(self, ours: str) -> str:
        """The contract's word for a user of ours. Raises Unavailable."""
        if ours in self.listed:
            return self.listed[ours]
        address = self.people.address(ours) if self.by is By.EMAIL else ""
        return address or ours.removeprefix(self.prefix) or ours

    def back(self, theirs: str) -> tuple[str, ...]:
        """Every user here who goes out as this word; the first is the one to write. Raises Unavailable."""
        named = tuple(ours for ours, word in self.listed.items() if word == theirs)
        others = (self.prefix + theirs,) if self.by is None else self._found(theirs)
        return (*named, *(one for one in others if one not in self.listed))

    def names(self, theirs: str) -> bool:
        """Whether somebody here is known to be meant: by the table, or found. Raises Unavailable."""
        return theirs in self.listed.values() or (self.by is not None and bool(self.back(theirs)))

    def _found(self, word: str) -> tuple[str, ...]:
        """Those who would go out as this word: nobody else is taken for whom it means."""
        by_address = self.people.at(word.lower()) if self.by is By.EMAIL and "@" in word else ()
        by_name = self.prefix + word
        called = () if by_name in by_address or not self.people.knows(by_name) else (by_name,)
        return tuple(one for one in (*by_address, *called) if self.out(one).lower() == word.lower())


EVERYBODY: Final = Users({})  # each by his own name
