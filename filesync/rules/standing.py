"""How one field of the contract, and its links, stand here: our names and our words for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from filesync.bundle.verdict import shown
from filesync.model.links import link_end, link_parts
from filesync.model.values import FieldKind, normal
from filesync.rules.contract import ContractField
from filesync.rules.words import Words

NOBODY: Final = ""  # where nobody stands in: the field is left empty


class Condition(Protocol):
    """Of which issues of ours something is true. `names`: the fields of ours that it asks for."""

    names: frozenset[str]

    def holds(self, known: Mapping[str, object]) -> bool:
        """Whether it is. Raises ValueError with words for a person, in which there is no value."""
        ...


class Form(Protocol):
    """A text made of an issue's values. `names`: the fields of ours that it asks for."""

    names: frozenset[str]

    def filled(self, known: Mapping[str, object]) -> str:
        """The text. Raises ValueError with words for a person, in which there is no value."""
        ...


class Way(StrEnum):
    """Which way this site lets a field go, where the contract leaves both open."""

    BOTH = "both"
    OUT = "out"  # told, never taken
    IN = "in"  # taken, never told


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one field of the contract stands here: our name for it, our words for its values, and when it flows."""

    local: str
    field: ContractField
    words: Words
    allowed: frozenset[str] | None  # the contract's words for its values; None: any
    stand_in: str | None  # what is written here for a word that nothing here stands for; NOBODY: nothing
    spare: str | None  # what is told for a value of ours that has no word
    way: Way
    born_only: bool  # told and taken when the issue is made, never after
    when: Condition | None  # it flows, both ways, only for issues of which this is true
    form: Form | None  # any value is told as this text, and none is taken

    @property
    def is_free(self) -> bool:
        """Whether it holds any text, in nobody's words."""
        spec = self.field.spec
        wordless = not self.words.listed and self.allowed is None
        return spec.kind is FieldKind.TEXT and not spec.many and wordless and self.form is None

    def outward(self, text: str) -> str:
        """Our value in the contract's words. Raises ValueError with words for a person."""
        word = self.words.out(normal(self.field.spec.kind, text))
        if self.allowed is None or word in self.allowed:
            return word
        if self.spare is None:
            raise ValueError(f'the contract has no {self.field.spec.kind} "{shown(word)}"')
        return self.spare

    def inward(self, word: str) -> tuple[str, ...]:
        """Our values for a wire one, the one to write first; () leaves it empty. Raises ValueError with words for people."""
        kind = self.field.spec.kind
        if not word or normal(kind, word) != word:
            raise ValueError(f'"{shown(word)}" is not how a {kind} travels')
        agreed = self.allowed is None or word in self.allowed
        is_user = kind is FieldKind.USER
        if not agreed and not (is_user and self.stand_in is not None):
            raise ValueError(f'the contract has no {kind} "{shown(word)}"')
        # a user whom the contract lists goes by that name; an option, where there is a stand-in, by what the mapping says
        ours = self.words.back(word)
        by_its_name = is_user and self.allowed is not None and agreed and bool(ours)
        if self.stand_in is not None and not by_its_name and not self.words.names(word):
            return () if self.stand_in == NOBODY else (self.stand_in,)
        if not ours:
            raise ValueError(f'no {kind} here stands for "{shown(word)}": name one in the mapping')
        return ours

    def takes(self, *, new: bool) -> bool:
        """Whether what arrives for it is written here; `new`: as its issue is made."""
        return self.way is not Way.OUT and self.form is None and (new or not self.born_only)


@dataclass(frozen=True, slots=True)
class VersionRule:
    """What the versions of the project are called: our words and the contract's. Nothing stands in: two would become one."""

    words: Words
    allowed: frozenset[str] | None  # None: any

    def outward(self, ours: str) -> str:
        """The contract's word. Raises ValueError with words for a person."""
        word = self.words.out(normal(FieldKind.VERSION, ours))
        if self.allowed is not None and word not in self.allowed:
            raise ValueError(f'the contract has no version "{shown(word)}"')
        return word

    def inward(self, word: str) -> str:
        """Ours. Raises ValueError with words for a person."""
        if not word or normal(FieldKind.VERSION, word) != word:
            raise ValueError(f'"{shown(word)}" is not how the name of a version travels')
        if self.allowed is not None and word not in self.allowed:
            raise ValueError(f'the contract has no version "{shown(word)}"')
        ours = self.words.back(word)
        if not ours:
            raise ValueError(f'no version here stands for "{shown(word)}": name one in the mapping')
        return ours[0]


@dataclass(frozen=True, slots=True)
class VisibilityRule:
    """Who alone may see a comment or worklog: our words for them, and the contract's."""

    words: Words
    allowed: frozenset[str]

    def outward(self, ours: str) -> str | None:
        """The contract's word; None where it has none for these."""
        word = self.words.out(ours)
        return word if word in self.allowed else None

    def inward(self, word: str) -> str:
        """Ours. Raises ValueError with words for a person."""
        if word not in self.allowed:
            raise ValueError(f'the contract has no visibility "{shown(word)}"')
        ours = self.words.back(word)
        if not ours:
            raise ValueError(f'nobody here stands for "{shown(word)}": name one under `visibilities` in the mapping')
        return ours[0]


@dataclass(frozen=True, slots=True)
class LinkRule:
    """How links stand here: our words for their types, and the contract's types. Others stay at home."""

    words: Words
    allowed: frozenset[str]

    def carries(self, wire: str) -> bool:
        """Whether a link of this wire name travels and may stand here."""
        parts = link_parts(wire)
        return parts is not None and link_end(wire) is not None and parts[0] in self.allowed and bool(self.words.back(parts[0]))
