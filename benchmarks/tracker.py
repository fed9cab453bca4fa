"""A tracker that keeps everything in dictionaries, so that what is measured is filesync and not a tracker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from benchmarks.material import FIELDS
from filesync.errors import Gone
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Item, Ref
from filesync.model.people import ANYBODY
from filesync.model.values import Flat
from filesync.trackers.base import Action, Born, Description, Draft, Inspected, Touched, Write


class MemoryTracker:
    """Issues by local id, and a feed of their changes. It forgets everything when the process ends."""

    at_once = 1  # `create_all` makes none

    def __init__(self) -> None:
        self.issues: dict[str, Issue] = {}
        self._feed: list[str] = []  # local ids, in the order in which people changed them
        self._kept: dict[str, str] = {}

    def add(self, issue: Issue) -> None:
        """A new issue: the feed tells of it."""
        self.issues[issue.item.ref.local] = issue
        self._feed.append(issue.item.ref.local)

    def edit(self, local: str, fields: Flat) -> None:
        """What a person does: the feed tells of it."""
        self._write(local, fields)
        self._feed.append(local)

    def cursor(self) -> str:
        """Behind everything that changed so far."""
        return str(len(self._feed))

    def _write(self, local: str, fields: Flat) -> None:
        issue = self.issues[local]
        new = {**issue.item.fields, **{name: value for name, value in fields.items() if value is not None}}
        for name, value in fields.items():
            if value is None:
                new.pop(name, None)
        old = issue.item
        item = Item(ref=old.ref, stamp=old.stamp, origin=old.origin, fields=new, about=old.about)
        self.issues[local] = Issue(item=item, children=issue.children, key=issue.key)  # `replace` takes three times as long

    people = ANYBODY

    # ── what filesync asks of a tracker ─────────────────────────────────────────────────────────────────────────

    def describe(self) -> Description:
        return Description(name="in memory", fields=(), types=(), statuses=(), users=(), links=())

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:  # noqa: ARG002 - no check asks it
        return Inspected()

    def offered(self) -> Collection[str]:
        return FIELDS

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:  # noqa: ARG002 - nothing is deleted
        for place in range(int(since or 0), len(self._feed)):
            yield Touched(self._feed[place], str(place + 1))

    def get(self, issue: str) -> Issue | None:
        return self.issues.get(issue)

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        return ((issue, self.issues.get(issue)) for issue in issues)

    def find(self, key: str) -> str | None:
        local = key.rpartition("-")[2]
        return local if local in self.issues else None

    def select(self, query: str) -> Iterator[str]:  # noqa: ARG002 - all of them
        return iter(self.issues)

    def shut(self, issues: Sequence[str]) -> Collection[str]:  # noqa: ARG002 - none is
        return ()

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:  # noqa: ARG002 - it takes any text
        """See Tracker."""
        return ()

    def create(self, origin: Gid, draft: Draft) -> Born:
        local = str(len(self.issues) + 1)
        ref = Ref(draft.kind, draft.issue or local, local)
        item = Item(ref=ref, stamp="1763892000000", origin=origin, fields=dict(draft.fields), about=draft.about)
        self.issues[local] = Issue(item=item, children=(), key=f"MEM-{local}")
        return Born(item=item, key=f"MEM-{local}")

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:  # noqa: ARG002 - each is a call of its own
        return {}

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        raise Gone(f"there are no attachments in memory: {ref.local}")

    def claim(self, ref: Ref, origin: Gid) -> None:
        """Nothing is lost."""

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:  # noqa: ARG002 - no room for a mark
        if isinstance(action, Write):
            self._write(ref.local, action.fields)
            return action.fields
        self.issues.pop(ref.local, None)
        return {}

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        return () if self.issues[ref.local].item.fields.get("status") == status else (status,)

    def read_checkpoint(self, name: str) -> str | None:
        return self._kept.get(name)

    def write_checkpoint(self, name: str, text: str) -> None:
        self._kept[name] = text

    def close(self) -> None:
        """Nothing is open."""
