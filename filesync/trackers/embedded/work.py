"""What can be done to the issues, inside one transaction: by an import or by a person, checked and recorded alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from filesync.errors import Gone, Rejected
from filesync.model.ids import Gid, Kind
from filesync.model.issue import About, Ref, Scope
from filesync.model.links import link_name
from filesync.model.values import Flat, Value, utc_text
from filesync.model.workflow import shortest
from filesync.trackers.embedded import check, tables
from filesync.trackers.embedded.entry import (
    Birth,
    By,
    Entry,
    Step,
    json_text,
    number,
    read_birth,
    read_entry,
    read_step,
    stamp_of,
)
from filesync.trackers.embedded.links import drop_links, is_link, links_of, links_to, write_links, wrong_links
from filesync.trackers.embedded.project import Definition

_TABLES: Final = {Kind.ISSUE: tables.issue, **tables.below}
_SIGN: Final = {Kind.COMMENT: "#", Kind.ATTACHMENT: "/", Kind.WORKLOG: "+"}

# Read for every issue there is: built once, for SQLAlchemy takes longer over that than SQLite over the answer.
_ID: Final[BindParameter[Any]] = bindparam("id")
_AT: Final = {kind: select(table).where(table.c.id == _ID) for kind, table in _TABLES.items()}
_OF: Final = {kind: select(table).where(table.c.issue == _ID).order_by("id") for kind, table in tables.below.items()}
_LAST: Final = (
    select(tables.feed.c.issue, func.max(tables.feed.c.seq).label("seq"))
    .where(tables.feed.c.seq > bindparam("after"))
    .group_by(tables.feed.c.issue)
    .subquery()
)
_CHANGED: Final = (
    select(_LAST.c.issue, _LAST.c.seq, tables.feed.c.stamp)
    .join(tables.feed, tables.feed.c.seq == _LAST.c.seq)
    .order_by(_LAST.c.seq)
)


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction on the one project. Local ids are numbers as text; an issue's is also the number in its key."""

    connection: Connection
    definition: Definition
    project: str

    def key(self, issue: str) -> str:
        """ABC-17."""
        return f"{self.project}-{issue}"

    def find(self, key: str) -> str | None:
        """The id of the issue that people call so, in whatever case they type it."""
        project, _, local = key.strip().upper().rpartition("-")
        return local if project == self.project and self.issue(local) is not None else None

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def issue(self, local: str) -> Entry | None:
        """The issue with this id."""
        row = self.connection.execute(_AT[Kind.ISSUE], {"id": number(local)}).one_or_none()
        return None if row is None else read_entry(Kind.ISSUE, row.id, row, links=links_of(self.connection, row.id).get(row.id))

    def issues(self) -> list[Entry]:
        """All issues, oldest first."""
        links = links_of(self.connection)
        rows = self.connection.execute(select(tables.issue).order_by("id"))
        return [read_entry(Kind.ISSUE, row.id, row, links=links.get(row.id)) for row in rows]

    def below(self, issue: str, kinds: Collection[Kind] = tuple(tables.below)) -> list[Entry]:
        """What belongs to an issue, oldest first."""
        found: list[Entry] = []
        for kind in kinds:
            rows = self.connection.execute(_OF[kind], {"id": number(issue)})
            found += [read_entry(kind, row.issue, row) for row in rows]
        return sorted(found, key=lambda entry: int(entry.stamp))

    def entry(self, ref: Ref) -> Entry | None:
        """What a reference names."""
        if ref.kind is Kind.ISSUE:
            return self.issue(ref.local)
        row = self.connection.execute(_AT[ref.kind], {"id": number(ref.local)}).one_or_none()
        return None if row is None else read_entry(ref.kind, row.issue, row)

    def existing(self, ref: Ref) -> Entry:
        """What a reference names. Raises Gone."""
        found = self.entry(ref)
        if found is None:
            raise Gone(f"{self.name(ref)} is gone: it was deleted")
        return found

    def name(self, ref: Ref) -> str:
        """What people call it: ABC-17, ABC-17#4 for a comment, ABC-17/4 for an attachment, ABC-17+4 for a worklog."""
        return self.key(ref.issue) if ref.kind is Kind.ISSUE else f"{self.key(ref.issue)}{_SIGN[ref.kind]}{ref.local}"

    def history(self, issue: str) -> list[Step]:
        """Every change of the issue and what belongs to it, oldest first; also of a deleted one."""
        found = select(tables.history).where(tables.history.c.issue == number(issue)).order_by("id")
        return [read_step(row) for row in self.connection.execute(found)]

    def route(self, local: str, status: str) -> tuple[str, ...]:
        """The statuses to go through to reach `status`. Raises Rejected, Gone."""
        entry = self.existing(Ref(Kind.ISSUE, local, local))
        way = self._way(entry, status)
        if isinstance(way, str):
            raise check.refusal(self.name(entry.ref), {"status": way})
        return way

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, fields: Mapping[str, Value], by: By, *, origin: Gid | None = None, told: About | None = None) -> Entry:
        """Make an issue. Raises Rejected with every field that cannot be taken."""
        seen = check.checked(self.definition, fields)
        good = {name: value for name, value in seen.fields.items() if value is not None}
        refused = {**check.missing(self.definition, {*seen.refused, *good}), **seen.refused}
        kind = str(good.get("type", ""))
        if kind in self.definition.types:
            initial = self.definition.workflow(kind).initial
            if good.setdefault("status", initial) != initial:
                refused["status"] = f"a new issue of type {kind} has the status {initial}"
        refused |= self._wrong_relations(None, good)
        if refused:
            raise check.refusal(f"a new issue in {self.project}", refused)
        return self._insert(Kind.ISSUE, good, by, origin=origin, told=told)

    def create_below(
        self,
        kind: Kind,
        issue: str,
        fields: Mapping[str, Value],
        by: By,
        *,
        origin: Gid | None = None,
        told: About | None = None,
    ) -> Entry:
        """Make what belongs to an issue; an attachment's file takes its place before this is committed.

        Raises Rejected; Gone when there is no such issue.
        """
        self.existing(Ref(Kind.ISSUE, issue, issue))
        seen = check.checked_below(self.definition, kind, fields, {})
        if seen.refused:
            raise check.refusal(f"a new {kind} on {self.key(issue)}", seen.refused)
        good = {name: value for name, value in seen.fields.items() if value is not None}
        return self._insert(kind, good, by, origin=origin, told=told, issue=number(issue))

    def edit(self, ref: Ref, fields: Flat, by: By) -> dict[str, Value | None]:
        """Set fields, all or none; answers them as they landed. What is so already leaves no trace. Raises Rejected, Gone."""
        entry = self.existing(ref)
        if ref.kind is Kind.ISSUE:
            links = {flat: value for flat, value in fields.items() if is_link(flat)}
            seen = check.checked(self.definition, {flat: value for flat, value in fields.items() if flat not in links})
            landed = {**seen.fields, **links}
            after = _with(entry.fields, seen.fields)
            lost = {name: why for name, why in check.missing(self.definition, after).items() if name in fields}
            refused = {**seen.refused, **lost, **self._wrong_step(entry, landed), **self._wrong_relations(entry, after)}
            refused |= wrong_links(self.connection, self.definition, ref.local, links)
        else:
            seen = check.checked_below(self.definition, ref.kind, fields, entry.fields)
            landed = dict(seen.fields)
            after, refused = _with(entry.fields, landed), dict(seen.refused)
        if refused:
            raise check.refusal(f"the edit of {self.name(ref)}", refused)
        changed = {name: value for name, value in landed.items() if entry.fields.get(name) != value}
        if changed:
            table = _TABLES[ref.kind]
            kept = {name: value for name, value in after.items() if not is_link(name)}
            self.connection.execute(update(table).where(table.c.id == int(ref.local)).values(fields=json_text(kept)))
            write_links(self.connection, int(ref.local), {name: value for name, value in changed.items() if is_link(name)})
            self._record(entry.ref, by, [(name, entry.fields.get(name), value) for name, value in changed.items()])
        return landed

    def remove(self, ref: Ref, by: By) -> tuple[Ref, ...]:
        """Delete an issue with its links and all that belongs to it, or one of these. Gone already is success.

        Answers what is gone now. Raises Rejected: it has child issues.
        """
        entry = self.entry(ref)
        if entry is None:
            return ()
        gone = [entry.ref]
        if ref.kind is Kind.ISSUE:
            children = self._children(ref.local)
            if children:
                said = ", ".join(self.key(child) for child in children[:5]) + (", …" if children[5:] else "")
                raise Rejected(
                    f"{self.name(ref)} is not deleted: {said} would lose their parent",
                    fields={"parent": f"{said} would lose their parent"},
                    hint="Delete them, or give them another parent, first.",
                )
            gone += [one.ref for one in self.below(ref.local)]
            for table in tables.below.values():
                self.connection.execute(delete(table).where(table.c.issue == int(ref.local)))
            for link_type, other in links_to(self.connection, int(ref.local)):
                outward = Ref(Kind.ISSUE, str(other), str(other))
                self._record(outward, by, [(link_name(link_type, ref.local), True, None)])
            drop_links(self.connection, int(ref.local))
        table = _TABLES[ref.kind]
        self.connection.execute(delete(table).where(table.c.id == int(ref.local)))
        self._record(entry.ref, by, [("deleted", None, True)])
        return tuple(gone)

    def mark_deleted(self, ref: Ref, partner: str, by: By) -> None:
        """Show people that the partner deleted its own. Raises Gone."""
        entry = self.existing(ref)
        if entry.deleted_by != partner:
            table = _TABLES[ref.kind]
            self.connection.execute(update(table).where(table.c.id == int(ref.local)).values(deleted_by=partner))
            self._record(entry.ref, by, [("deleted by partner", entry.deleted_by, partner)])

    def mark_scope(self, ref: Ref, partner: str, now: Scope, by: By) -> None:
        """Show people that the partner does not send its own any more, or show it no more. Raises Gone."""
        entry = self.existing(ref)
        before = {name for name in (entry.left_by or "").split(", ") if name}
        after = before - {partner} if now is Scope.IN else before | {partner}
        if after != before:
            left_by = ", ".join(sorted(after)) or None
            self.connection.execute(update(tables.issue).where(tables.issue.c.id == int(ref.local)).values(left_by=left_by))
            self._record(entry.ref, by, [("not sent any more by", entry.left_by, left_by)])

    # ── what an import needs ────────────────────────────────────────────────────────────────────────────────────

    def birth(self, origin: Gid) -> Birth | None:
        """What was made for this origin, whether it is still there or not."""
        row = self.connection.execute(select(tables.birth).where(tables.birth.c.origin == origin)).one_or_none()
        return None if row is None else read_birth(row)

    def changed(self, after: int) -> list[tuple[int, int, str]]:
        """(issue, seq, stamp) of the last change of each issue that changed after this place in the feed, oldest first."""
        return [(row.issue, row.seq, row.stamp) for row in self.connection.execute(_CHANGED, {"after": after})]

    def living(self) -> frozenset[int]:
        """The ids of the issues there are."""
        return frozenset(self.connection.execute(select(tables.issue.c.id)).scalars())

    def feed_stamp(self, seq: int) -> str | None:
        """The stamp at this place in the feed; None when the feed has no such place."""
        return self.connection.execute(select(tables.feed.c.stamp).where(tables.feed.c.seq == seq)).scalar_one_or_none()

    def read_checkpoint(self, name: str) -> str | None:
        """The text kept under this name."""
        kept = select(tables.checkpoint.c.text).where(tables.checkpoint.c.name == name)
        return self.connection.execute(kept).scalar_one_or_none()

    def write_checkpoint(self, name: str, text: str) -> None:
        """Keep a text under this name."""
        kept = upsert(tables.checkpoint).values(name=name, text=text)
        self.connection.execute(kept.on_conflict_do_update(index_elements=["name"], set_={"text": text}))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _way(self, entry: Entry, status: str) -> tuple[str, ...] | str:
        """The way to a status, or in words why there is none."""
        flow = self.definition.workflow(str(entry.fields["type"]))
        if status not in flow.statuses:
            known = check.suggestion(status, flow.statuses)
            return f"an issue of type {entry.fields['type']} has no status {check.quoted(status)}{known}"
        way = shortest(flow.steps(), str(entry.fields["status"]), status)
        return f"no transitions lead from {entry.fields['status']} to {status}" if way is None else way

    def _wrong_step(self, entry: Entry, fields: Flat) -> dict[str, str]:
        if "status" not in fields:
            return {}
        if fields.keys() - {"status", "resolution"}:
            return {"status": "is reached by a transition, not written together with other fields"}
        way = self._way(entry, str(fields["status"] or ""))
        if isinstance(way, str):
            return {"status": way}
        return (
            {"status": f"no transition from {entry.fields['status']} to {fields['status']}: go by {way[0]}"} if way[1:] else {}
        )

    def _wrong_relations(self, entry: Entry | None, after: Mapping[str, Value]) -> dict[str, str]:
        """Type, status and parent must go together; None stands for an issue that is not there yet."""
        before = entry.fields if entry else {}
        kind, parent = str(after.get("type", "")), after.get("parent")
        if kind not in self.definition.types or (kind, parent) == (before.get("type"), before.get("parent")):
            return {}
        types, refused = self.definition.types, dict[str, str]()
        if parent is not None:
            above = self.issue(str(parent))
            if above is None:
                refused["parent"] = f"there is no issue {check.quoted(str(parent))}"
            elif types[str(above.fields["type"])].level <= types[kind].level:
                refused["parent"] = (
                    f"{self.name(above.ref)} is of type {above.fields['type']} and cannot be the parent of one of type {kind}"
                )
        if entry and kind != before["type"]:
            below = [self.issue(child) for child in self._children(entry.ref.local)]
            if any(types[str(child.fields["type"])].level >= types[kind].level for child in below if child):
                refused["type"] = f"one of type {kind} cannot be the parent of what is below it"
            elif after["status"] not in self.definition.workflow(kind).statuses:
                refused["type"] = f"one of type {kind} has no status {after['status']}"
        return refused

    def _children(self, local: str) -> list[str]:
        parent = func.json_extract(tables.issue.c.fields, "$.parent")
        return [str(child) for child in self.connection.execute(select(tables.issue.c.id).where(parent == local)).scalars()]

    def _insert(
        self, kind: Kind, fields: Mapping[str, Value], by: By, *, origin: Gid | None, told: About | None, **more: int
    ) -> Entry:
        stamp, at = stamp_of(by.at), utc_text(by.at)
        row = {"stamp": stamp, "origin": origin, "fields": json_text(fields), "author": by.who, "at": at, **more}
        made = self.connection.execute(insert(_TABLES[kind]).values(**row, told=json_text(told))).inserted_primary_key
        assert made is not None
        local = str(made[0])
        ref = Ref(kind, str(more.get("issue", local)), local)
        entry = Entry(ref=ref, stamp=stamp, origin=origin, fields=fields, author=by.who, at=at, told=told, deleted_by=None)
        if origin is not None:
            place = {"kind": str(kind), "issue": int(ref.issue), "local": int(local), "stamp": stamp}
            about = json_text(entry.about(self.key(ref.issue)))
            self.connection.execute(insert(tables.birth).values(origin=origin, fields=row["fields"], about=about, **place))
        self._record(ref, by, [("created", None, True)])
        return entry

    def _record(self, ref: Ref, by: By, changes: Sequence[tuple[str, Value | None, Value | None]]) -> None:
        """Write the history and tell the feed."""
        same = {"issue": int(ref.issue), "kind": str(ref.kind), "local": int(ref.local), "at": utc_text(by.at), "who": by.who}
        steps = [
            {**same, "field": name, "old": json_text(old), "new": json_text(new), "mark": by.mark} for name, old, new in changes
        ]
        self.connection.execute(insert(tables.history), steps)
        self.connection.execute(insert(tables.feed).values(issue=int(ref.issue), stamp=stamp_of(by.at)))


def _with(before: Mapping[str, Value], changes: Flat) -> dict[str, Value]:
    after = {name: value for name, value in before.items() if name not in changes}
    return after | {name: value for name, value in changes.items() if value is not None}
