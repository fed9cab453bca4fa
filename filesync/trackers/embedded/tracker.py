"""The embedded tracker as filesync asks for it: `filesync.trackers.base.Tracker` over one tracker file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, assert_never

from filesync.errors import ConfigError, Gone, Problem, Rejected
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Item, Ref, Scope
from filesync.model.people import People
from filesync.model.values import Flat, Value, split_name
from filesync.model.workflow import shortest
from filesync.trackers.base import (
    Action,
    Born,
    Description,
    Draft,
    Form,
    Inspected,
    MarkDeleted,
    MarkScope,
    Remove,
    Show,
    Touched,
    Write,
)
from filesync.trackers.embedded.check import nobody, quoted, suggestion
from filesync.trackers.embedded.entry import By, Entry
from filesync.trackers.embedded.project import Definition
from filesync.trackers.embedded.store import Store
from filesync.trackers.embedded.work import Work

_CHECKPOINT_LIMIT: Final = 32_000  # bytes


class EmbeddedTracker:
    """One project in one SQLite file, seen through the account that imports write as.

    Field names are those of the project's definition (default_project.yaml): summary, description, type, status,
    parent, labels, fix_versions and so on. A cursor is `<place in the feed>.<its stamp>`.
    """

    at_once = 1  # `create_all` makes none

    def __init__(
        self, store: Store, *, scope: Mapping[str, Sequence[str]], clock: Callable[[], dt.datetime], account: str
    ) -> None:
        self._store, self._clock, self._account = store, clock, account
        self.people: People = _People(store.definition)
        self._scope = {name: frozenset(values) for name, values in scope.items()}

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        project: str,
        scope: Mapping[str, Sequence[str]] | None,
        clock: Callable[[], dt.datetime],
        account: str,
    ) -> EmbeddedTracker:
        """Open a tracker file made by `create_project`.

        `scope`: fields and the values that let an issue in, every field by one of its values; None: all issues are in.
        Raises ConfigError (another project, unknown field in the scope), Unavailable.
        """
        store = Store(path)
        problems = [
            Problem(f"tracker.scope.{name}", "there is no such field" + suggestion(name, tuple(store.definition.fields)))
            for name in scope or {}
            if name not in store.definition.fields
        ]
        if store.key != project:
            problems.insert(0, Problem("tracker.project", f"{path} holds the project {store.key}, not {quoted(project)}"))
        if problems:
            store.close()
            raise ConfigError(problems)
        return cls(store, scope=scope or {}, clock=clock, account=account)

    def describe(self) -> Description:
        """What there is."""
        definition = self._store.definition
        return Description(
            name=f"embedded tracker, project {self._store.key}",
            fields=definition.specs(),
            types=tuple(definition.types),
            statuses=definition.statuses(),
            users=tuple(definition.users),
            links=tuple(definition.links),
            forms={name: _form(definition, name) for name in definition.types},
            unaddressed=len(definition.users) - len(definition.addresses),
            people=definition.users,
        )

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:
        """See Tracker. It has no screens."""
        definition = self._store.definition
        strange = {one: nobody(definition, one) for one in few if one not in definition.visibilities}
        return Inspected(edits=dict.fromkeys(types, frozenset(definition.fields)), few=strange)

    def offered(self) -> Collection[str]:
        """See Tracker."""
        return self._store.definition.fields.keys()

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:  # noqa: ARG002 - its feed tells
        """See Tracker. One query: the list is whole or not there."""
        with self._store.reading() as work:
            after = _place(work, since)
            rows = work.changed(after)
            live = work.living() if since is None else None  # else deletions are told as well
        for issue, seq, stamp in rows:
            if live is None or issue in live:
                yield Touched(str(issue), f"{seq}.{stamp}")

    def get(self, issue: str) -> Issue | None:
        """See Tracker."""
        with self._store.reading() as work:
            entry = work.issue(issue)
            if entry is None:
                return None
            key = work.key(issue)
            children = tuple(_item(child, key) for child in work.below(issue))
        return Issue(
            item=_item(entry, key), children=children, scope=Scope.IN if self._in_scope(entry.fields) else Scope.LEFT, key=key
        )

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        """See Tracker."""
        for issue in issues:
            yield issue, self.get(issue)

    def find(self, key: str) -> str | None:
        """See Tracker."""
        with self._store.reading() as work:
            return work.find(key)

    def select(self, query: str) -> Iterator[str]:
        """See Tracker: `priority=High and labels=hot`."""
        terms = [tuple(part.strip() for part in term.partition("=")[::2]) for term in query.split(" and ")] if query else []
        for name, value in terms:
            if name not in self._store.definition.fields or not value:
                hint = suggestion(name, tuple(self._store.definition.fields))
                raise Rejected(f"cannot look for {quoted(name)}: a query is FIELD=VALUE, and more after ` and `{hint}")
        with self._store.reading() as work:
            entries = work.issues()
        wanted = [(name, frozenset({value})) for name, value in terms]
        for entry in entries:
            held = _held(entry.fields)
            if self._in_scope(entry.fields) and all(held.get(name, set()) & values for name, values in wanted):
                yield entry.ref.local

    def shut(self, issues: Sequence[str]) -> Collection[str]:  # noqa: ARG002 - none is
        """See Tracker."""
        return ()

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:  # noqa: ARG002 - it takes any text
        """See Tracker."""
        return ()

    def create(self, origin: Gid, draft: Draft) -> Born:
        """See Tracker. What people deleted since is not made again: it is answered as it was born."""
        if draft.content is None:
            return self._create(origin, draft, None)
        with self._store.reading() as work:
            if (born := _born(work, origin)) is not None:
                return born  # before its bytes are asked for
        with self._store.files.arriving(draft.content()) as (arrived, size):
            if str(size) != draft.fields.get("size"):
                raise Rejected(f"the attachment says that it has {draft.fields.get('size')} bytes, and {size} came")
            return self._create(origin, draft, arrived)

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:  # noqa: ARG002 - each is a call of its own
        """See Tracker."""
        return {}

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        """See Tracker."""
        with self._store.reading() as work:
            entry = work.existing(ref)
        yield from self._store.files.read(entry.ref.local)

    def claim(self, ref: Ref, origin: Gid) -> None:
        """See Tracker. Its entries bear their origin for good."""

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:
        """See Tracker."""
        by = By(self._account, self._clock(), mark)
        gone: tuple[Ref, ...] = ()
        with self._store.writing() as work:
            match action:
                case Write(fields):
                    return work.edit(ref, fields, by)
                case Remove():
                    gone = work.remove(ref, by)
                case MarkDeleted(partner):
                    work.mark_deleted(ref, partner, by)
                case Show():
                    raise Rejected("the embedded tracker shows nothing of a partner beside an issue's fields")
                case MarkScope(partner, now):
                    work.mark_scope(ref, partner, now, by)
                case _:
                    assert_never(action)
        self._store.files.drop(one.local for one in gone if one.kind is Kind.ATTACHMENT)
        return {}

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        """See Tracker. The shortest way; of equally short ones, by the transition declared first."""
        with self._store.reading() as work:
            return work.route(ref.issue, status)

    def read_checkpoint(self, name: str) -> str | None:
        """See Tracker."""
        with self._store.reading() as work:
            return work.read_checkpoint(name)

    def write_checkpoint(self, name: str, text: str) -> None:
        """See Tracker. Raises Rejected when the text is longer than there is room for."""
        if len(text.encode()) > _CHECKPOINT_LIMIT:
            raise Rejected(f"the checkpoint {name} is larger than the {_CHECKPOINT_LIMIT:,} bytes there is room for")
        with self._store.writing() as work:
            work.write_checkpoint(name, text)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _create(self, origin: Gid, draft: Draft, arrived: Path | None) -> Born:
        with self._store.writing() as work:
            if (born := _born(work, origin)) is not None:
                return born
            entry = self._make(work, origin, draft)
            if arrived is not None:
                self._store.files.take(arrived, entry.ref.local)
            return Born(item=_item(entry, work.key(entry.ref.issue)), key=work.name(entry.ref))

    def _make(self, work: Work, origin: Gid, draft: Draft) -> Entry:
        by = By(self._account, self._clock())
        if draft.kind is Kind.ISSUE:
            return work.create(draft.fields, by, origin=origin, told=draft.about)
        if draft.issue is None:
            raise Gone(f"the issue that the {draft.kind} belongs to is not known here")
        if draft.kind is Kind.ATTACHMENT and draft.content is None:
            raise Rejected("an attachment comes with its bytes")
        return work.create_below(draft.kind, draft.issue, draft.fields, by, origin=origin, told=draft.about)

    def _in_scope(self, fields: Mapping[str, Value]) -> bool:
        held = _held(fields)
        return all(held.get(name, set()) & values for name, values in self._scope.items())


def _form(definition: Definition, issue_type: str) -> Form:
    flow = definition.workflow(issue_type)
    steps = flow.steps()
    return Form(
        statuses=flow.statuses,
        unreached=tuple(status for status in flow.statuses if shortest(steps, flow.initial, status) is None),
        takes=frozenset(definition.fields),
        needs=tuple(name for name, field in definition.fields.items() if field.required),
    )


def _held(fields: Mapping[str, Value]) -> dict[str, set[str]]:
    """What each field of an issue holds, as one types it."""
    held: dict[str, set[str]] = {}
    for flat, value in fields.items():
        name, element = split_name(flat)
        text = "/".join(value) if isinstance(value, list) else str(value)
        held.setdefault(name, set()).add(text if element is None else element)
    return held


class _People:
    """Its users, as the project's definition has them."""

    def __init__(self, definition: Definition) -> None:
        self._users = definition.users
        self._addresses = {name: address.lower() for name, address in definition.addresses.items()}

    def knows(self, user: str) -> bool:
        """See People."""
        return user in self._users

    def address(self, user: str) -> str:
        """See People."""
        return self._addresses.get(user, "")

    def at(self, address: str) -> tuple[str, ...]:
        """See People."""
        return tuple(name for name, one in self._addresses.items() if one == address)


def _born(work: Work, origin: Gid) -> Born | None:
    """What an earlier call made for this origin, whatever became of it."""
    birth = work.birth(origin)
    if birth is None:
        return None
    item = Item(ref=birth.ref, stamp=birth.stamp, origin=origin, fields=birth.fields, about=birth.about)
    return Born(item=item, key=work.name(birth.ref), again=True)


def _item(entry: Entry, key: str) -> Item:
    return Item(ref=entry.ref, stamp=entry.stamp, origin=entry.origin, fields=entry.fields, about=entry.about(key))


def _place(work: Work, since: str | None) -> int:
    """Where in the feed to go on. A cursor that this file did not give (it was restored from a backup) means: all again."""
    seq, _, stamp = (since or "").partition(".")
    place = int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 19 else 0  # noqa: PLR2004 - fits SQLite's integer
    return place if place and work.feed_stamp(place) == stamp else 0
