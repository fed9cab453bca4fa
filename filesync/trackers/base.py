"""What filesync asks of a tracker. The obligations are in words here and in tests/trackers/contract.py in code.

Every adapter:
- shows and takes canonical values (model/values.py) under its own, local names; a local field name holds no colon;
- is complete or raises: a page that failed never makes a list shorter;
- raises only `Unavailable`, `Rejected`, `Gone` (filesync.errors), never its library's exceptions; of one issue, or one
  write, that fails while it answers else, the `Unavailable` that says so: `Unreadable`, `Unwritten`;
- treats all text as data;
- takes calls from several threads at the same time: an import works on several issues, and each exchange of a site may
  be at work. Calls about one issue come one after the other.

Some fields have obligations of their own. `type` is given at creation. `status` is never written together with
other fields: `route` says the steps, and each is one `apply`; a `resolution` may go with one, where the tracker has
that field. `parent` holds a local issue id. A link is a field of
the issue at its outward end alone, `link:TYPE:LOCAL_ISSUE_ID` (model/links.py), never given at creation; a tracker takes
an issue's links away when that issue is deleted.

A comment has the one field `body`. A worklog has `started`, `seconds` and, where something was written, `body`. An
attachment has `name`, any text (where a tracker keeps no such name, one as near as may be), and `size`, its bytes as a
plain number; it never changes, and is made and fetched as a stream of bytes. What few may see, an issue, comment or worklog,
says so in a field besides (model/issue.py, RESTRICTION), and is not carried to where all would see it. Given that field, a
tracker makes and edits it for these alone, in the same call, or refuses it by that name: it never leaves it out.

What the project holds besides issues belongs to LISTS (model/versions.py): `get` shows it under that id as an issue without
fields whose children are the versions, or None where there is no such list. A version has the fields that are named there;
its name is there once, so that making it when it is there is `again`; it is never removed or marked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec

from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Item, Ref, Scope
from filesync.model.manner import Markup
from filesync.model.people import People
from filesync.model.values import FieldSpec, Flat, Value


class Touched(msgspec.Struct, gc=False, frozen=True):
    """An issue that may have changed, and the cursor from which nothing before and including it needs to be read again."""

    issue: str  # local id
    cursor: str | None  # None: resuming after this one is not possible


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entity to be created. `fields` is flat; status and links are left out by the caller and written afterwards."""

    kind: Kind
    issue: str | None  # the local id of the issue it belongs to; None for an issue
    fields: Mapping[str, Value]
    about: About  # the original's author and time, for adapters that show them in the text
    content: Callable[[], Iterator[bytes]] | None = None  # of an attachment, as often as it is called
    tried: str = ""  # since then (UTC) an earlier call for this origin may have gone through; "": there was none
    # a tracker that can tell only some time after a call whether it was done calls this once it is sure that none was,
    # before it makes the entity: from then on `tried` is now
    anew: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Born:
    """What `create` made: the item with its fields *as born*, also when it was born in an earlier call (`again`)."""

    item: Item
    key: str
    again: bool = False


class Write(msgspec.Struct, gc=False, frozen=True):
    """Set these flat fields; None empties a field or takes an element out of its set. Others stay as they are."""

    fields: Flat


class Remove(msgspec.Struct, gc=False, frozen=True):
    """Delete the item. That it is gone already is success."""


class MarkDeleted(msgspec.Struct, gc=False, frozen=True):
    """Leave the item and show people that the partner deleted its own."""

    by: str  # the partner's name


@dataclass(frozen=True, slots=True)
class Show:
    """Show on an issue what the partner's is, beside its fields: never read again as a part of it.

    In place of what was shown of this partner before. A tracker whose description does not have `shows` rejects it.
    """

    partner: str  # its name
    key: str  # the partner's
    link: str  # an address to follow; "": it stays as it is
    facts: Mapping[str, str]  # for programs; none: they stay as they are


@dataclass(frozen=True, slots=True)
class MarkScope:
    """Show people that the partner does not send its own of the issue any more (LEFT, MOVED), or show it no more (IN)."""

    by: str  # the partner's name
    now: Scope


Action: TypeAlias = Write | Remove | MarkDeleted | MarkScope | Show


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is known of the issues of one type before there is any. Fields are named as in `Description.fields`."""

    statuses: tuple[str, ...]
    unreached: tuple[str, ...] | None  # those of them to which nothing leads; None: the tracker tells no ways beforehand
    takes: frozenset[str] | None  # fields that can be given where an issue is made; None: nobody knows
    needs: tuple[str, ...]  # without these none is made, and the tracker fills nothing in; one not carried as people see it


@dataclass(frozen=True, slots=True)
class Description:
    """What the tracker has: for checks, drafts of contract and mapping, and messages."""

    name: str  # "embedded tracker, project ABC"
    fields: tuple[FieldSpec, ...]
    types: tuple[str, ...]
    statuses: tuple[str, ...]
    users: tuple[str, ...]  # all of them; () where the tracker does not tell all
    links: tuple[str, ...]  # types of links
    left_out: Mapping[str, str] = field(default_factory=dict)  # fields that are there and not carried, and why
    markup: Markup = Markup.PLAIN  # in which people read its texts
    lacks: Mapping[str, str] = field(default_factory=dict)  # rights that our account has not, and what they are for
    forms: Mapping[str, Form] = field(default_factory=dict)  # by type; not there: nothing is known of it
    unaddressed: int = 0  # of the users that it lists, how many show us no e-mail address
    labels: Mapping[str, str] = field(default_factory=dict)  # what people see for fields, where that is not the name
    people: Mapping[str, str] = field(default_factory=dict)  # what they see for users
    shows: bool = False  # whether `Show` is for it
    unmet: Mapping[str, str] = field(default_factory=dict)  # settings that name what it does not have, and why not
    lists: bool = False  # whether it shows LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a tracker tells where it is asked for it alone. What it does not tell is in none of these, and in `unsure`."""

    edits: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by type: fields that one which is there takes
    few: Mapping[str, str] = field(default_factory=dict)  # for whom alone nothing can be made here, and why
    unsure: tuple[str, ...] = ()  # what else nobody knows beforehand, in words


class Tracker(Protocol):
    """One project of one tracker, seen through one account."""

    @property
    def people(self) -> People:
        """Its users, asked for when rules go by their names or addresses."""
        ...

    @property
    def at_once(self) -> int:
        """How many issues `create_all` may be given; 1: it makes none."""
        ...

    def describe(self) -> Description:
        """What there is. Raises Unavailable."""
        ...

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:
        """More of these types of issues, and of these words of a RESTRICTION (model/issue.py), before any comes.

        It takes a few calls for each. Raises Unavailable.
        """
        ...

    def offered(self) -> Collection[str]:
        """Names of the fields of issues that it carries now, known without asking.

        What is not among them is shown by no issue, though nobody emptied it: it was renamed, taken off all screens, or
        never there.
        """
        ...

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:
        """Issues created, edited (their children and links too) or deleted since the cursor, oldest first.

        None: all there are, by their last change or as they were made.

        `known` gives the local ids of the issues the caller has: a tracker that does not tell of deletions is held against
        them. Of a link that was made or taken away it names the outward end at least.

        May repeat issues and name unchanged ones; never leaves one out. Raises Unavailable, at any step: what it named before
        that is right.
        """
        ...

    def get(self, issue: str) -> Issue | None:
        """The issue by its local id, in scope or not; None only when the tracker says there is none.

        Raises Unavailable; Unreadable where it is this issue alone.
        """
        ...

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        """As `get`, for each of several, in any order, in as few requests as the tracker allows. Raises Unavailable.

        An issue that is Unreadable is left out: `get` says why.
        """
        ...

    def find(self, key: str) -> str | None:
        """The local id of the issue that people call by this key; None where none of the project is. Raises Unavailable."""
        ...

    def select(self, query: str) -> Iterator[str]:
        """Local ids of the issues in the outgoing scope that a query finds, in the tracker's own language; "": all of them.

        Raises Unavailable; Rejected for a query that it does not understand.
        """
        ...

    def shut(self, issues: Sequence[str]) -> Collection[str]:
        """Those of these issues that people here closed to partners: nothing that comes is written to them.

        Where the tracker cannot tell for sure, an issue is closed; one that is not there is not. Raises Unavailable.
        """
        ...

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:
        """Those of these texts of an item that are too long for it: their beginning stands there, all of each in a file beside.

        Known without asking. `about` is as in a draft.
        """
        ...

    def create(self, origin: Gid, draft: Draft) -> Born:
        """Make the entity, once for each origin: a second call answers what the first one made, as it was born.

        A second call has the same draft, and says in `tried` that there was a first one: a tracker may look for what that
        made only then.

        Of an attachment the bytes are read to their end before anything is kept: what is wrong with them is raised by
        the last step of reading. Raises Rejected, Unavailable, what reading the content raises; Gone when the issue it
        belongs to is gone.
        """
        ...

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:
        """Make issues, each as `create` would, in few calls; only such as nobody has tried to make before.

        What is left out of the answer was not made: `create` makes it, or says why not. Raises Unavailable: then nobody
        knows of any of them, and `create` is told so by `tried`.
        """
        ...

    def claim(self, ref: Ref, origin: Gid) -> None:
        """Remember once more for whom this attachment was made, where it does not tell that any more.

        Raises Gone, Rejected, Unavailable.
        """
        ...

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:
        """Carry out one action, all of it or nothing; doing it twice is doing it once.

        Returns the written fields as they landed (as the tracker shows them now: normalised, cut). `mark` is
        recorded where the tracker has room for it. Raises Rejected (naming fields where it can), Gone, Unavailable.
        """
        ...

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        """The bytes of an attachment, in pieces of at most a few MiB. Raises Gone, Rejected, Unavailable, at any step."""
        ...

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        """The statuses to go through, the last being `status`; () when there already. Raises Rejected (no way), Gone.

        Where only a part of the way is known, that: it ends in another status, and is to be asked for again from there.
        """
        ...

    def read_checkpoint(self, name: str) -> str | None:
        """What `write_checkpoint` kept under this name. Raises Unavailable."""
        ...

    def write_checkpoint(self, name: str, text: str) -> None:
        """Keep a short text (<= 32 kB) in the tracker itself, to be found after a restore. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
