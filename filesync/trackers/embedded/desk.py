"""What people do with the embedded tracker: the desk at which one user sits. Keys are those people see: ABC-17."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref
from filesync.model.values import Flat, Value, split_name
from filesync.trackers.embedded.check import quoted, suggestion
from filesync.trackers.embedded.entry import By, Entry, Step
from filesync.trackers.embedded.project import Definition
from filesync.trackers.embedded.store import Store
from filesync.trackers.embedded.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An issue, or what belongs to it, as people see it: a parent is a key. `about` is the original's, where it came so."""

    id: str
    key: str  # ABC-17; ABC-17#4 for a comment, ABC-17/4 for an attachment
    fields: Mapping[str, Value]
    about: About
    imported: bool
    deleted_by: str  # the partner that deleted its own; else empty


@dataclass(frozen=True, slots=True)
class Page:
    """An issue with all that belongs to it."""

    issue: Shown
    comments: tuple[Shown, ...]
    attachments: tuple[Shown, ...]
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

    def comment(self, key: str, text: str) -> str:
        """Write a comment and answer its id."""
        with self.store.writing() as work:
            issue = self._ref(work, key).local
            return work.create_comment(issue, {"body": text}, self._by()).ref.local

    def edit_comment(self, key: str, comment: str, text: str) -> None:
        """Change a comment's text."""
        with self.store.writing() as work:
            work.edit(self._below(work, key, Kind.COMMENT, comment), {"body": text}, self._by())

    def delete_comment(self, key: str, comment: str) -> None:
        """Delete a comment. One that is gone raises Gone: here a person named it."""
        with self.store.writing() as work:
            work.remove(self._below(work, key, Kind.COMMENT, comment), self._by())

    def attach(self, key: str, name: str, content: Iterable[bytes]) -> str:
        """Attach a file under this name, whatever it is, and answer the attachment's id."""
        with self.store.files.arriving(content) as (arrived, size), self.store.writing() as work:
            issue = self._ref(work, key).local
            made = work.create_attachment(issue, {"name": name, "size": str(size)}, self._by()).ref.local
            self.store.files.take(arrived, made)
            return made

    def delete_attachment(self, key: str, attachment: str) -> None:
        """Delete an attachment. One that is gone raises Gone: here a person named it."""
        with self.store.writing() as work:
            work.remove(self._below(work, key, Kind.ATTACHMENT, attachment), self._by())
        self.store.files.drop([attachment])

    def delete(self, key: str) -> None:
        """Delete an issue and all that belongs to it."""
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
            comments, attachments = (
                tuple(self._shown(work, child) for child in work.below(entry.ref.local, [kind]))
                for kind in (Kind.COMMENT, Kind.ATTACHMENT)
            )
            return Page(self._shown(work, entry), comments, attachments, tuple(work.history(entry.ref.local)))

    def attachment(self, key: str, attachment: str) -> tuple[str, Iterator[bytes]]:
        """An attachment's name and bytes."""
        with self.store.reading() as work:
            entry = work.existing(self._below(work, key, Kind.ATTACHMENT, attachment))
        return str(entry.fields["name"]), self.store.files.read(attachment)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _by(self) -> By:
        return By(self.author, self._clock())

    def _ref(self, work: Work, key: str) -> Ref:
        prefix, _, local = key.strip().upper().rpartition("-")
        if prefix != work.project or work.issue(local) is None:
            raise Gone(f"there is no issue {quoted(key)}", hint="`filesync issue list` shows what there is.")
        return Ref(Kind.ISSUE, local, local)

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
        fields = dict(entry.fields)
        if entry.ref.kind is Kind.ISSUE and "parent" in fields:
            fields["parent"] = work.key(str(fields["parent"]))
        return Shown(
            id=entry.ref.local,
            key=work.name(entry.ref),
            fields=fields,
            about=entry.about(work.key(entry.ref.issue)),
            imported=entry.origin is not None,
            deleted_by=entry.deleted_by or "",
        )


def _has(fields: Mapping[str, Value], name: str, value: str) -> bool:
    held = fields.get(name)
    text = "/".join(held) if isinstance(held, list) else held
    return text == value or any(split_name(flat) == (name, value) for flat in fields)
