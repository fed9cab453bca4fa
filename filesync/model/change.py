"""What travels: one frozen class for each kind of change, each a line of `data/changes.ndjson.zst`."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from filesync.model.ids import NEVER, BundleId, Gid, Kind, Mark
from filesync.model.issue import About
from filesync.model.values import Value


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field's new value, and the base it was written on: the partner's last mark decided for it when this was sent."""

    now: Value | None = None
    base: Mark = NEVER


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a big attachment, in a file of its own: a bundle of kind `chunk`."""

    id: BundleId  # of that bundle
    sha256: str  # of the piece
    size: int  # bytes


class Blob(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bytes of an attachment: whole in a bundle of this stream, this or an earlier one; or in chunks, in order."""

    sha256: str  # of all of them
    size: int  # bytes
    chunks: list[Chunk] = []


class Create(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="create", omit_defaults=True):
    """A new entity. It tells every field of the contract: one that is absent, and not `untold`, is empty."""

    n: int
    gid: Gid
    kind: Kind
    parent: Gid | None = None  # the issue a comment, attachment or worklog belongs to
    fields: dict[str, Value]
    untold: list[str] = []  # fields that hold something which cannot be told: neither empty nor to be touched
    blob: Blob | None = None  # of an attachment
    about: About = msgspec.field(default_factory=About)


class Set(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="set", omit_defaults=True):
    """Fields edited. One user edit of several fields is one `set`."""

    n: int
    gid: Gid
    fields: dict[str, Told]
    about: About = msgspec.field(default_factory=About)


class Delete(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="delete", omit_defaults=True):
    """An entity deleted. Its children are not told one by one."""

    n: int
    gid: Gid
    about: About = msgspec.field(default_factory=About)


Change: TypeAlias = Create | Set | Delete
