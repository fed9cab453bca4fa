"""What both sides agreed on, entity by entity and field by field: digests and marks, no text."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from filesync.model.ids import NEVER, Gid, Kind, Mark
from filesync.model.values import EMPTY


class Life(StrEnum):
    """What an entity is on this side."""

    LIVE = "live"
    DEAD = "dead"  # deleted, here or there: a tombstone, kept as long as the exchange
    APART = "apart"  # each side keeps its own, for ever


UNAGREED: Final = "?"  # in place of a digest: no value is agreed on, so that ours is told, whatever it is


class Shadow(msgspec.Struct, frozen=True, array_like=True):
    """What one field agreed on. `here`: digest of the value our tracker may show without anything being told."""

    here: str = EMPTY
    told: Mark = NEVER  # our last edit sent
    took: Mark = NEVER  # the partner's last edit decided here: applied, kept or skipped, not merely received


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A paired entity or tombstone. `fields` holds the shadows of wire names; one that is absent is empty and never told."""

    gid: Gid
    kind: Kind
    parent: Gid | None = None  # the issue it belongs to
    local: str | None = None  # its id in our tracker; none where we never had it
    state: Life = Life.LIVE
    fields: Mapping[str, Shadow] = msgspec.field(default_factory=dict)

    def shadow(self, name: str) -> Shadow:
        """The shadow of a field."""
        return self.fields.get(name, _NOTHING)

    def with_shadows(self, shadows: Mapping[str, Shadow]) -> Entity:
        """The same entity with these shadows in place of its own."""
        return msgspec.structs.replace(self, fields={**self.fields, **shadows})


_NOTHING: Final = Shadow()
