"""What says that an issue of ours and one of the partner's are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from filesync.model.values import Value


class Match(Protocol):
    """What says that two issues are the same: a word that both have. None: this one has no such word."""

    @property
    def named(self) -> Mapping[str, str]:
        """Keys of ours that a person named, and the word of each."""

    def ours(self, key: str, fields: Mapping[str, Value]) -> str | None:
        """The word of an issue of ours, by its key and its fields in the contract's words."""

    def theirs(self, key: str, fields: Mapping[str, Value]) -> str | None:
        """The same of one of the partner's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByKey:
    """Issues of one key are the same: both projects were copied from one, say."""

    @property
    def named(self) -> Mapping[str, str]:
        """None."""
        return {}

    def ours(self, key: str, fields: Mapping[str, Value]) -> str | None:  # noqa: ARG002, as every Match
        """Its key."""
        return key

    def theirs(self, key: str, fields: Mapping[str, Value]) -> str | None:  # noqa: ARG002, as every Match
        """Its key."""
        return key or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByField:
    """Issues with one value in a field of the contract are the same."""

    name: str

    @property
    def named(self) -> Mapping[str, str]:
        """None."""
        return {}

    def ours(self, key: str, fields: Mapping[str, Value]) -> str | None:  # noqa: ARG002, as every Match
        """What stands in the field."""
        value = fields.get(self.name)
        return value if isinstance(value, str) else None

    theirs = ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTable:
    """A person wrote down which are the same."""

    keys: Mapping[str, str]  # ours -> theirs

    @property
    def named(self) -> Mapping[str, str]:
        """All of them."""
        return self.keys

    def ours(self, key: str, fields: Mapping[str, Value]) -> str | None:  # noqa: ARG002, as every Match
        """The partner's key of it."""
        return self.keys.get(key)

    def theirs(self, key: str, fields: Mapping[str, Value]) -> str | None:  # noqa: ARG002, as every Match
        """Its key."""
        return key or None
