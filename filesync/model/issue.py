"""The canonical issue: what an adapter shows of its tracker, in the tracker's own words, and nothing of its API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from filesync.model.ids import Gid, Kind
from filesync.model.values import Value

# The field by which a tracker says that not everybody who sees the project sees the item. Where it cannot be told to the
# partner, nothing of the item is: what few may see is never carried to where all do.
RESTRICTION: Final[Mapping[Kind, str]] = {Kind.ISSUE: "security", Kind.COMMENT: "visibility", Kind.WORKLOG: "visibility"}


class Scope(StrEnum):
    """Whether the outgoing scope holds an issue. Nothing of it goes out unless it does."""

    IN = "in"
    LEFT = "left"  # for sure not
    MOVED = "moved"  # nor is it in our project any more
    DOUBT = "doubt"  # the tracker cannot tell just now


class About(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, kw_only=True):
    """Told for people, never compared: the key, author and time that the sending tracker shows. A claim, not a fact."""

    key: str = ""
    author: str = ""
    at: str = ""  # UTC, as values.utc_text


class Ref(msgspec.Struct, gc=False, frozen=True):
    """Where an item stands in its tracker: its own id and the id of the issue it belongs to (an issue: twice its own)."""

    kind: Kind
    issue: str
    local: str


class Item(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """An entity as its tracker shows it now.

    `local` is never re-used while `stamp`, the creation stamp ([0-9A-Za-z], usually epoch milliseconds), tells
    a restored tracker's re-use apart. `origin` is the gid an import created it for. `fields` is flat, in local
    names; empty fields are absent. A comment has the field `body`, an attachment `name` and `size`, a worklog `started`
    (a date-time), `seconds` (a whole number) and, where something was written, `body`. A `parent` value is a local issue
    id; links are fields of the issue at their outward end (model/links.py). What only some may see says so (RESTRICTION).
    """

    ref: Ref
    stamp: str
    origin: Gid | None
    fields: Mapping[str, Value]
    about: About = About()


class Issue(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """An issue with everything that belongs to it: complete, or the adapter raised."""

    item: Item
    children: tuple[Item, ...]  # comments, attachments, worklogs, oldest first
    scope: Scope = Scope.IN  # leaving it is not being deleted
    key: str = ""

    @property
    def in_scope(self) -> bool:
        """Whether it goes out: not in doubt either."""
        return self.scope is Scope.IN
