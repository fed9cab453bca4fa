"""A tracker that is read and never written to: what is asked of it is noted, and shown from then on as if it had been done.

Of what the tracker would refuse, only words are known that it does not have (types, statuses, options, users) and fields that
nobody writes; what else it would refuse, cut or set to another value shows when it is asked in earnest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from filesync.agent.rehearsal.overlay import Overlay
from filesync.agent.rehearsal.written import Deed, Edit, Entry, Written
from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unreadable
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Item, Ref, Scope
from filesync.model.links import link_parts
from filesync.model.people import People
from filesync.model.values import FieldKind, Flat, Value, split_name
from filesync.trackers.base import (
    Action,
    Born,
    Description,
    Draft,
    Inspected,
    MarkDeleted,
    MarkScope,
    Remove,
    Show,
    Touched,
    Tracker,
    Write,
)

_LISTED: Final = (FieldKind.OPTION, FieldKind.CASCADE)
_STAMP: Final = "0"  # of what was never made


class ReadOnly:
    """`Tracker` over a real one."""

    at_once = 1  # `create_all` makes none

    def __init__(self, real: Tracker, overlay: Overlay, written: Written) -> None:
        self._real = real
        self._overlay = overlay
        self._written = written
        has = real.describe()
        self._words, self._people = _words(has), has.people
        self._users = frozenset(one.name for one in has.fields if one.kind is FieldKind.USER)
        self._kept = frozenset(one.name for one in has.fields if one.read_only)
        self._parents = frozenset(one.name for one in has.fields if one.kind is FieldKind.PARENT)
        self._keys: dict[str, str] = {}

    @property
    def people(self) -> People:
        """See Tracker."""
        return self._real.people

    def describe(self) -> Description:
        """See Tracker."""
        return self._real.describe()

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:
        """See Tracker."""
        return self._real.inspect(types, few)

    def offered(self) -> Collection[str]:
        """See Tracker."""
        return self._real.offered()

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:
        """See Tracker."""
        return self._real.changed(since, known)

    def find(self, key: str) -> str | None:
        """See Tracker."""
        return self._real.find(key)

    def select(self, query: str) -> Iterator[str]:
        """See Tracker."""
        return self._real.select(query)

    def shut(self, issues: Sequence[str]) -> Collection[str]:
        """See Tracker. What only would be made nobody closed."""
        return self._real.shut([one for one in issues if not self._overlay.made(one)])

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:
        """See Tracker."""
        return self._real.spills(kind, fields, about)

    def get(self, issue: str) -> Issue | None:
        """See Tracker."""
        return self._overlay.get(issue) if self._overlay.has(issue) else self._real.get(issue)

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        """See Tracker."""
        other = [one for one in issues if self._overlay.has(one)]
        yield from ((one, self._overlay.get(one)) for one in other)
        yield from self._real.get_all([one for one in issues if one not in other])

    def create(self, origin: Gid, draft: Draft) -> Born:
        """See Tracker. The bytes of an attachment are read, for what is wrong with them would be told."""
        if draft.kind is Kind.ISSUE:
            self._check(draft.fields)
        for _ in draft.content() if draft.content is not None else ():
            pass
        local = self._overlay.new()
        ref = Ref(draft.kind, draft.issue or local, local)
        item = Item(ref=ref, stamp=_STAMP, origin=origin, fields=dict(draft.fields), about=draft.about)
        if draft.issue is None:
            issue = Issue(item=item, children=(), key=local.replace("new", "new "))
        else:
            above = self._existing(draft.issue)
            issue = replace(above, children=(*above.children, item))
        self._overlay.put(ref.issue, issue)
        edits = [self._edit(name, value) for name, value in draft.fields.items()]
        key = issue.key or draft.about.key  # of a version, its name
        self._written.add(Entry(deed=Deed.CREATE, key=key, kind=draft.kind, edits=edits), about=ref)
        return Born(item=item, key=issue.key)

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:  # noqa: ARG002 - each is a call of its own
        """See Tracker."""
        return {}

    def claim(self, ref: Ref, origin: Gid) -> None:
        """Nothing is written."""

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:  # noqa: ARG002 - nothing is marked
        """See Tracker."""
        issue = self._existing(ref.issue)
        item = next((one for one in (issue.item, *issue.children) if one.ref == ref), None)
        if item is None:
            raise Gone(f"{issue.key} has no {ref.kind} {ref.local}")
        match action:
            case Write(fields):
                return self._write(issue, item, fields)
            case Remove():
                rest = replace(issue, children=tuple(one for one in issue.children if one.ref != ref))
                self._overlay.put(ref.issue, None if ref.kind is Kind.ISSUE else rest)
                self._written.add(Entry(deed=Deed.DELETE, key=issue.key, kind=ref.kind))
            case MarkDeleted():
                self._written.add(Entry(deed=Deed.MARK, key=issue.key, kind=ref.kind))
            case Show(partner, _, link, facts):
                edits = [Edit(f"link to {partner}", link)] if link else []
                edits += [Edit(f"property {name}", value) for name, value in facts.items()]
                self._written.add(Entry(deed=Deed.CHANGE, key=issue.key, kind=ref.kind, edits=edits), about=ref)
            case MarkScope(_, now):
                deed = Deed.INSIDE if now is Scope.IN else Deed.OUTSIDE
                self._written.add(Entry(deed=deed, key=issue.key, kind=ref.kind))
        return {}

    def _edit(self, flat: str, new: Value | None, old: Value | None = None) -> Edit:
        name, element = split_name(flat)
        users = [one for one in (element, new, old) if isinstance(one, str)] if name in self._users else []
        called = {one: self._people[one] for one in users if self._people.get(one, one) != one}
        link = link_parts(flat)
        named = [link[1]] if link is not None else [one for one in (new, old) if isinstance(one, str)]
        keys = {one: self._key(one) for one in named} if link is not None or name in self._parents else {}
        return Edit(flat, new, old, called, keys)

    def _key(self, local: str) -> str:
        """What people call an issue that another one names; each is asked for once."""
        if local not in self._keys:
            issue = None
            with suppress(Unreadable):
                issue = self.get(local)
            self._keys[local] = local if issue is None else issue.key
        return self._keys[local]

    def _check(self, fields: Flat) -> None:
        """Raises Rejected for words that the tracker does not have, and for fields that nobody writes."""
        wrong: dict[str, str] = {}
        for flat, value in fields.items():
            name, element = split_name(flat)
            said = element or ("/".join(value) if isinstance(value, list) else value)
            if name in self._kept:
                wrong[flat] = "the tracker keeps it itself: nobody writes it"
            elif value is not None and name in self._words and said not in self._words[name]:
                wrong[flat] = f'the tracker has no "{shown(str(said))}"'
        if wrong:
            raise Rejected(f"refused: {', '.join(wrong)}", fields=wrong)

    def _write(self, issue: Issue, item: Item, fields: Flat) -> Flat:
        if item.ref.kind is Kind.ISSUE:
            self._check(fields)
        edits = [self._edit(name, new, item.fields.get(name)) for name, new in fields.items()]
        now: dict[str, Value] = {name: value for name, value in item.fields.items() if name not in fields}
        now.update((name, value) for name, value in fields.items() if value is not None)
        changed = replace(item, fields=now)
        if item.ref.kind is Kind.ISSUE:
            self._overlay.put(item.ref.issue, replace(issue, item=changed))
        else:
            children = tuple(changed if one.ref == item.ref else one for one in issue.children)
            self._overlay.put(item.ref.issue, replace(issue, children=children))
        key = issue.key or item.about.key
        self._written.add(Entry(deed=Deed.CHANGE, key=key, kind=item.ref.kind, edits=edits), about=item.ref)
        return fields

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        """See Tracker."""
        return self._real.fetch(ref)

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        """See Tracker. From where an issue only would stand, every status is one step away."""
        if not self._overlay.has(ref.issue):
            return self._real.route(ref, status)
        return () if self._existing(ref.issue).item.fields.get("status") == status else (status,)

    def read_checkpoint(self, name: str) -> str | None:
        """See Tracker."""
        return self._real.read_checkpoint(name)

    def write_checkpoint(self, name: str, text: str) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Let go of what is beside the tracker; it is another's."""
        self._overlay.close()

    def _existing(self, local: str) -> Issue:
        issue = self.get(local)
        if issue is None:
            raise Gone(f"the issue {local} is not there")
        return issue


def _words(has: Description) -> dict[str, frozenset[str]]:
    """What may stand in the fields of which the tracker tells all that may."""
    lists = {FieldKind.TYPE: has.types, FieldKind.STATUS: has.statuses, FieldKind.USER: has.users}
    listed = {one.name: lists.get(one.kind) or (one.options if one.kind in _LISTED else ()) for one in has.fields}
    return {name: frozenset(words) for name, words in listed.items() if words}
