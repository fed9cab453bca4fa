"""What travels: one frozen class for each kind of change, each a line of `data/changes.ndjson.zst`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from filesync.model.ids import NEVER, BundleId, Gid, Kind, Mark
from filesync.model.issue import About, Scope
from filesync.model.values import Value


class Told(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A field's new value, and the base it was written on: the partner's last mark decided for it when this was sent."""

    now: Value | None = None
    base: Mark = NEVER


class Chunk(msgspec.Struct, gc=False, frozen=True):
    """A piece of a big attachment or long text, in a file of its own: a bundle of kind `chunk`."""

    id: BundleId  # of that bundle
    sha256: str  # of the piece
    size: int  # bytes


class Blob(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Bytes that stand beside a line: whole in a bundle of this stream, this or an earlier one; or in chunks, in order."""

    sha256: str  # of all of them
    size: int  # bytes
    chunks: list[Chunk] = []


class LongTold(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """As `Told`, of a text that stands beside the line: `now` are its bytes in UTF-8."""

    now: Blob
    base: Mark = NEVER


class Create(msgspec.Struct, gc=False, frozen=True, kw_only=True, tag_field="change", tag="create", omit_defaults=True):
    """A new entity. It tells every field of the contract: one that is absent, and not `untold`, is empty."""

    n: int
    gid: Gid
    kind: Kind
    parent: Gid | None = None  # the issue a comment, attachment or worklog belongs to
    fields: dict[str, Value]
    texts: dict[str, Blob] = {}  # more fields, whose texts are too long for a line: the bytes of each in UTF-8
    untold: list[str] = []  # fields that hold something which cannot be told: neither empty nor to be touched
    blob: Blob | None = None  # of an attachment
    about: About = msgspec.field(default_factory=About)

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that it tells."""
        return (*self.fields, *self.texts)


class Set(msgspec.Struct, gc=False, frozen=True, kw_only=True, tag_field="change", tag="set", omit_defaults=True):
    """Fields edited. One user edit of several fields is one `set`."""

    n: int
    gid: Gid
    fields: dict[str, Told]
    texts: dict[str, LongTold] = {}  # more fields, whose texts are too long for a line
    held: list[str] = []  # of these, bare: what its sender alone may edit now, and has the last word of: never answered
    about: About = msgspec.field(default_factory=About)

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that it tells."""
        return (*self.fields, *self.texts)


class Delete(msgspec.Struct, gc=False, frozen=True, kw_only=True, tag_field="change", tag="delete", omit_defaults=True):
    """An entity deleted. Its children are not told one by one."""

    n: int
    gid: Gid
    about: About = msgspec.field(default_factory=About)


class Scoped(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="scope", omit_defaults=True):
    """An issue left what the sender sends (LEFT, MOVED), or came back into it (IN). Never DOUBT."""

    n: int
    gid: Gid
    now: Scope
    about: About = msgspec.field(default_factory=About)


Change: TypeAlias = Create | Set | Delete | Scoped


def texts_of(change: Change) -> dict[str, Blob]:
    """The fields of a change whose texts stand beside its line, and the bytes of each."""
    match change:
        case Create():
            return change.texts
        case Set():
            return {name: told.now for name, told in change.texts.items()} if change.texts else {}
        case Delete() | Scoped():
            return {}


def blobs_of(change: Change) -> list[Blob]:
    """All bytes that stand beside the line of a change: those of an attachment, of long texts."""
    attached = [change.blob] if isinstance(change, Create) and change.blob is not None else []
    texts = texts_of(change)
    return [*attached, *texts.values()] if texts else attached


def rest_of(change: Change, told: Mapping[str, Told]) -> Set:
    """What is left of a change, with these fields: the bytes of a long text stay where they are."""
    long = texts_of(change)
    fields = {name: one for name, one in told.items() if name not in long}
    texts = {name: LongTold(long[name], one.base) for name, one in told.items() if name in long}
    held = change.held if isinstance(change, Set) else []
    return Set(n=change.n, gid=change.gid, fields=fields, texts=texts, held=held, about=change.about)
