"""What people do with the embedded tracker: the desk at which one user sits. Keys are those people see: ABC-17."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref
from filesync.model.links import link_name, link_parts
from filesync.model.values import Flat, Value, split_name, utc_text
from filesync.trackers.embedded import tables
from filesync.trackers.embedded.check import VISIBILITY, quoted, suggestion
from filesync.trackers.embedded.entry import By, Entry, Step
from filesync.trackers.embedded.links import is_link, links_to
from filesync.trackers.embedded.project import Definition
from filesync.trackers.embedded.store import Store
from filesync.trackers.embedded.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An issue, or what belongs to it, as people see it: a parent is a key. `about` is the original's, where it came so."""

    id: str
    key: str  # ABC-17; ABC-17#4 for a comment, ABC-17/4 for an attachment, ABC-17+4 for a worklog
    fields: Mapping[str, Value]
    about: About
    imported: bool
    deleted_by: str  # the partner that deleted its own; else empty
    left_by: str  # partners that do not send their own any more, commas between them; else empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as it reads at one of its ends: "blocks" ABC-17, or, at the inward end, "is blocked by" ABC-3."""

    words: str
    key: str  # of the other end
    outward: bool  # whether the link goes out from here


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An issue with all that belongs to it."""

    issue: Shown
    links: tuple[Link, ...]
    comments: tuple[Shown, ...]
    attachments: tuple[Shown, ...]
    worklogs: tuple[Shown, ...]
    history: tuple[Step, ...]


class Desk:
    """One user's hands on the tracker. Every method raises Rejected, Gone or Unavailable as `Tracker` does."""

    def __init__(self, store: Store, *, clock: Callable[[], dt.datetime], author: str) -> None:
        self.store, self._clock, self.author = store, clock, author

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], dt.datetime], author: str | None = None) -> Desk:
        """Sit down at a tracker file, as its first user where none is named. Raises Unavailable; Rejected: no such user."""
        store = Store(path)
        try:
            return cls(store, clock=clock, author="").sitting(author or next(iter(store.definition.users)))
        except Rejected:
            store.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    @property
    def definition(self) -> Definition:
        """The project's types, workflows, fields, users."""
        return self.store.definition

    def sitting(self, author: str) -> Desk:
        """The same desk with another user at it. Raises Rejected when there is no such user."""
        if author not in self.definition.users:
            raise Rejected(f"there is no user {quoted(author)}{suggestion(author, tuple(self.definition.users))}")
        return Desk(self.store, clock=self._clock, author=author)

    # ── doing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, issue_type: str, summary: str, fields: Mapping[str, Value] | None = None) -> str:
        """Make an issue and answer its key. Its reporter is the author unless `fields` say another."""
        with self.store.writing() as work:
            asked = {"type": issue_type, "summary": summary, **(fields or {})}
            if "reporter" in self.definition.fields:
                asked.setdefault("reporter", self.author)
            good = {name: value for name, value in self._local(work, asked).items() if value is not None}
            return work.key(work.create(good, self._by()).ref.local)

    def edit(self, key: str, fields: Flat) -> None:
        """Set fields; None empties one, or takes an element out of its set. The status has a verb of its own."""
        with self.store.writing() as work:
            work.edit(self._ref(work, key), self._local(work, fields), self._by())

    def transition(self, key: str, to: str) -> None:
        """Take one step of the workflow, named by the step or by the status it leads to."""
        with self.store.writing() as work:
            entry = work.existing(self._ref(work, key))
            flow = self.definition.workflow(str(entry.fields["type"]))
            now = entry.fields["status"]
            named = [step.to for step in flow.transitions if step.name == to and now in step.sources]
            work.edit(entry.ref, {"status": named[0] if named else to}, self._by())

    def comment(self, key: str, text: str, *, visible_to: str = "") -> str:
        """Write a comment, for these alone where one of the project's visibilities is named, and answer its id."""
        return self._add(key, Kind.COMMENT, {"body": text, **({VISIBILITY: visible_to} if visible_to else {})})

    def edit_comment(self, key: str, comment: str, text: str, *, visible_to: str | None = None) -> None:
        """Change a comment's text, and who alone sees it where that is given; "" is everybody."""
        few = {} if visible_to is None else {VISIBILITY: visible_to or None}
        self._change(key, Kind.COMMENT, comment, {"body": text, **few})

    def delete_comment(self, key: str, comment: str) -> None:
        """Delete a comment. One that is gone raises Gone: here a person named it."""
        self._drop(key, Kind.COMMENT, comment)

    def log_work(self, key: str, seconds: int, *, started: str | None = None, text: str = "") -> str:
        """Log work, which began now unless `started` (ISO 8601, with its offset) says when, and answer its id."""
        began = started or utc_text(self._clock())
        return self._add(key, Kind.WORKLOG, {"seconds": str(seconds), "started": began, "body": text})

    def edit_worklog(self, key: str, worklog: str, fields: Flat) -> None:
        """Change `seconds`, `started` or `body` of logged work."""
        self._change(key, Kind.WORKLOG, worklog, fields)

    def delete_worklog(self, key: str, worklog: str) -> None:
        """Delete logged work. What is gone raises Gone, as with a comment."""
        self._drop(key, Kind.WORKLOG, worklog)

    def link(self, key: str, link_type: str, other: str) -> None:
        """Link an issue with another one, outward from `key`. One that is there already stays."""
        with self.store.writing() as work:
            work.edit(self._ref(work, key), {link_name(link_type, self._ref(work, other).local): True}, self._by())

    def unlink(self, key: str, link_type: str, other: str) -> None:
        """Take the link away. One that is not there raises Gone: here a person named it."""
        with self.store.writing() as work:
            ref, end = self._ref(work, key), self._ref(work, other)
            flat = link_name(link_type, end.local)
            if flat not in work.existing(ref).fields:
                said = f"{work.name(ref)} has no link {quoted(link_type)} to {work.name(end)}"
                raise Gone(said, hint="`filesync issue show` tells its links; one is taken away where it goes out.")
            work.edit(ref, {flat: None}, self._by())

    def attach(self, key: str, name: str, content: Iterable[bytes]) -> str:
        """Attach a file under this name, whatever it is, and answer the attachment's id."""
        with self.store.files.arriving(content) as (arrived, size), self.store.writing() as work:
            issue = self._ref(work, key).local
            made = work.create_below(Kind.ATTACHMENT, issue, {"name": name, "size": str(size)}, self._by()).ref.local
            self.store.files.take(arrived, made)
            return made

    def delete_attachment(self, key: str, attachment: str) -> None:
        """Delete an attachment. One that is gone raises Gone: here a person named it."""
        self._drop(key, Kind.ATTACHMENT, attachment)
        self.store.files.drop([attachment])

    def delete(self, key: str) -> None:
        """Delete an issue with its links and all that belongs to it."""
        with self.store.writing() as work:
            gone = work.remove(work.existing(self._ref(work, key)).ref, self._by())
        self.store.files.drop(one.local for one in gone if one.kind is Kind.ATTACHMENT)

    # ── seeing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def list(self, where: Mapping[str, str] | None = None) -> tuple[Shown, ...]:
        """Issues, oldest first, of which each named field has this value (a set: has this element)."""
        asked = where or {}
        for name in asked:
            if name not in self.definition.fields:
                raise Rejected(f"there is no field {quoted(name)}{suggestion(name, tuple(self.definition.fields))}")
        with self.store.reading() as work:
            seen = [self._shown(work, entry) for entry in work.issues()]
        return tuple(issue for issue in seen if all(_has(issue.fields, name, value) for name, value in asked.items()))

    def show(self, key: str) -> Page:
        """An issue with all that belongs to it, and its history."""
        with self.store.reading() as work:
            entry = work.existing(self._ref(work, key))
            local = entry.ref.local
            below = {kind: tuple(self._shown(work, one) for one in work.below(local, [kind])) for kind in tables.below}
            return Page(
                issue=self._shown(work, entry),
                links=self._links(work, entry),
                comments=below[Kind.COMMENT],
                attachments=below[Kind.ATTACHMENT],
                worklogs=below[Kind.WORKLOG],
                history=tuple(_spoken(work, step) for step in work.history(local)),
            )

    def attachment(self, key: str, attachment: str) -> tuple[str, Iterator[bytes]]:
        """An attachment's name and bytes."""
        with self.store.reading() as work:
            entry = work.existing(self._below(work, key, Kind.ATTACHMENT, attachment))
        return str(entry.fields["name"]), self.store.files.read(attachment)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _by(self) -> By:
        return By(self.author, self._clock())

    def _ref(self, work: Work, key: str) -> Ref:
        local = work.find(key)
        if local is None:
            raise Gone(f"there is no issue {quoted(key)}", hint="`filesync issue list` shows what there is.")
        return Ref(Kind.ISSUE, local, local)

    def _add(self, key: str, kind: Kind, fields: Mapping[str, Value]) -> str:
        with self.store.writing() as work:
            return work.create_below(kind, self._ref(work, key).local, fields, self._by()).ref.local

    def _change(self, key: str, kind: Kind, local: str, fields: Flat) -> None:
        with self.store.writing() as work:
            work.edit(self._below(work, key, kind, local), fields, self._by())

    def _drop(self, key: str, kind: Kind, local: str) -> None:
        with self.store.writing() as work:
            work.remove(self._below(work, key, kind, local), self._by())

    def _links(self, work: Work, entry: Entry) -> tuple[Link, ...]:
        """Those that go out, then those that come in."""
        out = [parts for parts in map(link_parts, entry.fields) if parts is not None]
        back = links_to(work.connection, int(entry.ref.local))
        return (
            *(Link(words=link_type, key=work.key(end), outward=True) for link_type, end in out),
            *(Link(words=self.definition.links[one], key=work.key(str(end)), outward=False) for one, end in back),
        )

    def _below(self, work: Work, key: str, kind: Kind, local: str) -> Ref:
        issue = self._ref(work, key).local
        ref = Ref(kind, issue, local)
        found = work.entry(ref)
        if found is None or found.ref.issue != issue:
            raise Gone(f"{work.key(issue)} has no {kind} {quoted(local)}", hint="`filesync issue show` tells their numbers.")
        return ref

    def _local(self, work: Work, fields: Flat) -> dict[str, Value | None]:
        """The fields with the parent's key made an id."""
        parent = fields.get("parent")
        if not isinstance(parent, str) or not parent:
            return dict(fields)
        return {**fields, "parent": self._ref(work, parent).local}

    def _shown(self, work: Work, entry: Entry) -> Shown:
        fields = {name: value for name, value in entry.fields.items() if not is_link(name)}
        if entry.ref.kind is Kind.ISSUE and "parent" in fields:
            fields["parent"] = work.key(str(fields["parent"]))
        return Shown(
            id=entry.ref.local,
            key=work.name(entry.ref),
            fields=fields,
            about=entry.about(work.key(entry.ref.issue)),
            imported=entry.origin is not None,
            deleted_by=entry.deleted_by or "",
            left_by=entry.left_by or "",
        )


def _spoken(work: Work, step: Step) -> Step:
    """A line of the history; a link by the other issue's key."""
    parts = link_parts(step.field)
    return step if parts is None else replace(step, field=f"{parts[0]} {work.key(parts[1])}")


def _has(fields: Mapping[str, Value], name: str, value: str) -> bool:
    held = fields.get(name)
    text = "/".join(held) if isinstance(held, list) else held
    return text == value or any(split_name(flat) == (name, value) for flat in fields)
