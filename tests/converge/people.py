"""What people do at a site, chosen by numbers, so that one run can be told again from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from filesync.errors import Gone, Rejected
from filesync.ledger import shadows
from filesync.model.ids import NEVER, Gid, Kind, Mark, home, make_gid
from filesync.model.issue import Item
from filesync.model.links import link_parts
from filesync.model.shadow import Entity, Life
from filesync.model.values import Value
from filesync.rules.contract import VISIBLE_TO
from filesync.trackers.embedded.entry import Entry
from tests.support.attachments import bytes_of
from tests.support.two_sites import Side

TYPES: Final = ("Story", "Epic", "Sub-task", "Bug", "Task")
LEVEL: Final = {"Epic": 2, "Story": 1, "Bug": 1, "Task": 1, "Sub-task": 0}
STATUSES: Final = ("In Progress", "In Review", "Done", "Won't Do", "Blocked", "To Do")
LINKS: Final = ("blocks", "relates")
SIZES: Final = (10, 1_024, 1_025, 2_048, 5_000)  # of files; those above 1 KiB go in chunks of 2 KiB
SHARED: Final = "labels:shared"  # what lets an issue into the scope, where a site has one

# few values each, so that both sides often choose the same one
CHOICES: Final[dict[str, Sequence[Value | None]]] = {
    "summary": ("pump", "valve leaks", "Ventil für Prüfstand"),
    "customer_reference": ("P-7  ", "order 12", None),
    "priority": ("High", "Low", None),
    "assignee": ("w.chen", "j.becker", None),
    "due_date": ("2026-12-01", "2027-01-31", None),
    "occurred_at": ("2026-11-23T10:00:00.000Z", "2026-11-23T12:30:00+02:00", None),
    "story_points": ("3", "2.50", None),
    "cost_estimate": ("100", "250", None),  # one way, from acme: an edit at globex is answered
    "environment": ("lab", "field", None),  # one way, from globex: an edit at acme stays until globex edits
    "severity": ("Major", "Minor", None),  # globex wins
    "location": (["Pump", "Impeller"], ["Pump"], ["Hydraulics", "Hoses"], None),
    "labels:a": (True, None),
    "labels:b": (True, None),
    "components:Firmware": (True, None),
    "fix_versions:1.0": (True, None),
    "reviewers:w.chen": (True, None),
    "serial_numbers:7": (True, None),
    "type": ("Story", "Bug", "Task"),
    "parent": (None,),  # any issue of a higher level
}
FIELDS: Final = tuple(CHOICES)


@dataclass
class Story:
    """What people did, as far as it matters in the end."""

    born: dict[Gid, Gid | None] = field(default_factory=dict)  # -> the issue a comment belongs to
    words: dict[Gid, str] = field(default_factory=dict)  # what its text begins with, and no other's
    deleted: dict[str, set[Gid]] = field(default_factory=lambda: defaultdict(set))  # by the side where it was done
    skipped: set[tuple[Gid, str]] = field(default_factory=set)  # fields that a person left apart: the source edits them alone
    parted: dict[str, set[Gid]] = field(default_factory=lambda: defaultdict(set))  # by side: what a person there set apart
    # of what one side alone tells, fields that were edited at the other, and what the teller had told of them by then
    bent: dict[tuple[Gid, str], Mark] = field(default_factory=dict)
    moved: dict[str, set[Gid]] = field(default_factory=lambda: defaultdict(set))  # by side: the status of what was apart


class Person:
    """Somebody at the desk of one side. What the tracker refuses is not done."""

    def __init__(
        self, side: Side, story: Story, *, own: Mapping[str, str], source: tuple[Side, frozenset[Kind]], strict: bool = False
    ) -> None:
        """`own`: fields that this side calls otherwise. `source`: the other side, and the kinds that it alone tells.

        `strict`: a parent is always one level above, as Jira wants it.
        """
        self.side = side
        self._story = story
        self._source, self._taken = source
        self._own_names, self._strict = own, strict
        self._former: list[tuple[str, str, Value | None]] = []  # issue, field, value

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────────

    def issues(self) -> list[Entry] | list[Item]:
        return self.side.issues()

    def below(self, issue: str, kind: Kind) -> list[Entry] | list[Item]:
        return self.side.below(issue, kind)

    def gid(self, entry: Entry | Item) -> Gid:
        return entry.origin or make_gid(self.side.config.site, entry.ref.kind, entry.ref.local, entry.stamp)

    def _key(self, entry: Entry | Item) -> str:
        return self.side.key(entry.ref.issue)

    def _issue(self, which: int) -> Entry | Item | None:
        """One of the issues; the older ones more often, so that edits meet."""
        there = self.issues()
        return there[which * which // 12 % len(there)] if there else None

    def _below(self, which: int, kind: Kind) -> Entry | Item | None:
        there = [one for issue in self.issues() for one in self.below(issue.ref.local, kind)]
        if kind in self._taken and which % 3:  # what only comes, where there is some
            there = [one for one in there if one.origin] or there
        return there[which % len(there)] if there else None

    # ── issues ──────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, kind: int, above: int, value: int) -> None:
        issue_type = TYPES[kind % len(TYPES)]
        number = len(self._story.born)
        fields: dict[str, Value] = {}
        for name in FIELDS[1:-2]:
            value, take = divmod(value, 4)
            chosen = CHOICES[name][take % len(CHOICES[name])] if take < 2 else None
            if chosen is not None:
                fields[self._own(name)] = chosen
        parent = self._parent(issue_type, above)
        if parent is not None:
            fields["parent"] = parent
        elif issue_type == "Sub-task" and self._strict:
            issue_type = "Task"
        if "scope" in self.side.config.tracker.settings and above % 3:
            fields[SHARED] = True
        key = self.side.desk.create(issue_type, f"I{number}: new", fields)
        made = next(one for one in self.issues() if self._key(one) == key)
        self._story.born[self.gid(made)] = None
        self._story.words[self.gid(made)] = f"I{number}:"

    def _parent(self, issue_type: str, above: int) -> str | None:
        """The key of an issue of a higher level, or none: three times out of four where there is one."""
        level = LEVEL[issue_type]
        most = level + 1 if self._strict else max(LEVEL.values())
        higher = [one for one in self.issues() if level < LEVEL[str(one.fields["type"])] <= most]
        place, none = divmod(above, 4)
        return self._key(higher[place % len(higher)]) if higher and none else None

    def edit(self, which: int, changes: dict[str, int]) -> None:
        """Set fields of one issue, all at once; each to one of its few values."""
        issue = self._issue(which)
        if issue is not None:
            asked = {name: self._value(issue, name, value) for name, value in changes.items()}
            ours = {self._own(name): value for name, value in asked.items()}
            self._set(issue, {name: value for name, value in ours.items() if name != "type" or self._may_be(issue, value)})

    def undo(self, which: int) -> None:
        """Set a field back to what it was before one of the last edits here."""
        if self._former:
            local, name, value = self._former[-1 - which % min(4, len(self._former))]
            issue = next((one for one in self.issues() if one.ref.local == local), None)
            if issue is not None:
                self._set(issue, {name: value})

    def give(self, gid: Gid, name: str, value: Value | None) -> None:
        """Set a field of the issue with this gid, where it is here."""
        for issue in self.issues():
            if self.gid(issue) == gid:
                self._set(issue, {name: value})

    def gid_shared(self, which: int, other: Person) -> Gid | None:
        """The gid of one of the issues that both have; the older ones more often."""
        there = {other.gid(one) for one in other.issues()}
        both = [self.gid(one) for one in self.issues() if self.gid(one) in there]
        return both[which * which // 12 % len(both)] if both else None

    def edit_gid(self, gid: Gid | None, name: str, value: int) -> None:
        """As `edit`, of the issue with this gid, where it is here."""
        gids = [self.gid(issue) for issue in self.issues()]
        for place, one in enumerate(gids):
            if one == gid:
                self.edit(place, {name: value})

    def _set(self, issue: Entry | Item, fields: dict[str, Value | None]) -> None:
        before = {name: issue.fields.get(name) for name in fields}
        if before.get("parent") is not None:
            before["parent"] = self.side.key(str(before["parent"]))
        try:
            self.side.desk.edit(self._key(issue), fields)
        except (Rejected, Gone):
            return
        self._former += [(issue.ref.local, name, value) for name, value in before.items()]

    def _value(self, issue: Entry | Item, name: str, value: int) -> Value | None:
        if name == "parent":
            return self._parent(str(issue.fields["type"]), value)
        choices = CHOICES[name]
        if name == "summary":
            choices = [f"{str(issue.fields['summary']).split(':')[0]}: {choice}" for choice in CHOICES[name]]
        others = [choice for choice in choices if choice != issue.fields.get(self._own(name))]
        return others[value % len(others)]

    def _own(self, name: str) -> str:
        return self._own_names.get(name, name)

    def _may_be(self, issue: Entry | Item, issue_type: Value | None) -> bool:
        return LEVEL[str(issue.fields["type"])] == LEVEL[str(issue_type)]

    def transition(self, which: int, status: int) -> None:
        """One step of the workflow, where one leads there."""
        issue = self._issue(which)
        if issue is None:
            return
        try:
            self.side.desk.transition(self._key(issue), STATUSES[status % len(STATUSES)])
        except Rejected:
            return
        row = self._row(self.side, self.gid(issue))
        if row is not None and row.state is Life.APART:
            self._story.moved[self.side.name].add(row.gid)

    def transition_gid(self, gid: Gid | None, status: int) -> None:
        """As `transition`, of the issue with this gid, where it is here."""
        gids = [self.gid(issue) for issue in self.issues()]
        if gid in gids:
            self.transition(gids.index(gid), status)

    def scope(self, which: int) -> None:
        """Into the scope or out of it."""
        issue = self._issue(which)
        if issue is not None:
            self._set(issue, {SHARED: None if SHARED in issue.fields else True})

    def delete(self, which: int) -> None:
        issue = self._issue(which)
        if issue is None:
            return
        try:
            self.side.desk.delete(self._key(issue))
        except Rejected:  # it has children
            return
        self._story.deleted[self.side.name].add(self.gid(issue))

    # ── comments ────────────────────────────────────────────────────────────────────────────────────────────────

    def comment(self, which: int) -> None:
        issue = self._issue(which)
        if issue is None:
            return
        number = len(self._story.born)
        few = {} if self._strict else {"visible_to": ("", "", "internal")[which % 3]}  # a Jira has words of its own
        local = self.side.desk.comment(self._key(issue), f"C{number}: said{self._of(which * 5)}", **few)
        self._wrote(issue, Kind.COMMENT, local, f"C{number}:")

    def _of(self, which: int) -> str:
        """Of which issue something is said: one that the other side may know by another key, or not yet."""
        issue = self._issue(which % 12)
        return f" of {self.side.called(issue.ref.local)}" if issue is not None else ""

    def _wrote(self, issue: Entry | Item, kind: Kind, local: str, words: str) -> None:
        made = next(one for one in self.below(issue.ref.local, kind) if one.ref.local == local)
        self._story.born[self.gid(made)] = self.gid(issue)
        self._story.words[self.gid(made)] = words

    def attachments(self) -> list[Entry | Item]:
        return [one for issue in self.issues() for one in self.below(issue.ref.local, Kind.ATTACHMENT)]

    def attach(self, which: int, size: int) -> None:
        """A file: sometimes one that another issue has too, sometimes one that goes in chunks."""
        issue = self._issue(which)
        if issue is None:
            return
        number = len(self._story.born)
        content = bytes_of(SIZES[size % len(SIZES)], str(size // len(SIZES) % 3))
        local = self.side.desk.attach(self._key(issue), f"F{number}: file", [content])
        made = next(one for one in self.attachments() if one.ref.local == local)
        self._story.born[self.gid(made)] = self.gid(issue)
        self._story.words[self.gid(made)] = f"F{number}:"

    def delete_attachment(self, which: int) -> None:
        there = self.attachments()
        if there:
            one = there[which % len(there)]
            self.side.desk.delete_attachment(self._key(one), one.ref.local)
            self._story.deleted[self.side.name].add(self.gid(one))

    def edit_comment(self, which: int, value: int) -> None:
        one = self._below(which, Kind.COMMENT)
        if one is not None:
            text = f"{str(one.fields['body']).split(':')[0]}: {('so', 'or so', 'said')[value % 3]}{self._of(which + value)}"
            few = {} if self._strict else {"visible_to": (None, "internal", "")[value % 3]}
            self.side.desk.edit_comment(self._key(one), one.ref.local, text, **few)
            self._bends(one, ("body", VISIBLE_TO))

    def delete_comment(self, which: int) -> None:
        one = self._below(which, Kind.COMMENT)
        if one is not None:
            self.side.desk.delete_comment(self._key(one), one.ref.local)
            self._story.deleted[self.side.name].add(self.gid(one))

    def _bends(self, one: Entry | Item, names: Iterable[str]) -> None:
        """Remember an edit of what came from the other side: it is not told where that side alone tells such."""
        gid = self.gid(one)
        if home(gid) != self.side.config.site:
            row = self._row(self._source, gid)
            for name in names:
                self._story.bent[gid, name] = row.shadow(name).told if row is not None else NEVER

    def _row(self, side: Side, gid: Gid) -> Entity | None:
        """What a ledger has of it."""
        x = side.exchange().id
        with side.site.ledger.begin() as conn:
            return shadows.entities(conn, x, [gid]).get(gid)

    # ── worklogs ────────────────────────────────────────────────────────────────────────────────────────────────

    def log_work(self, which: int) -> None:
        issue = self._issue(which)
        if issue is not None:
            number = len(self._story.born)
            local = self.side.desk.log_work(self._key(issue), 60 * (1 + which % 12), text=f"W{number}: done")
            self._wrote(issue, Kind.WORKLOG, local, f"W{number}:")

    def edit_worklog(self, which: int, value: int) -> None:
        """How long it took, or when it began, or what was done; all of it one time out of four."""
        one = self._below(which, Kind.WORKLOG)
        if one is None:
            return
        changes: dict[str, Value] = {"seconds": ("600", "5400")[value % 2], "started": f"2026-11-2{value % 3}T08:00:00Z"}
        if "body" in one.fields:
            changes["body"] = f"{str(one.fields['body']).split(':')[0]}: {('done', 'nearly done')[value % 2]}"
        only = list(changes)[value % 4 :][:1] if value % 4 < 3 else list(changes)
        self.side.desk.edit_worklog(self._key(one), one.ref.local, {name: changes[name] for name in only})
        self._bends(one, only)

    def delete_worklog(self, which: int) -> None:
        one = self._below(which, Kind.WORKLOG)
        if one is not None:
            self.side.desk.delete_worklog(self._key(one), one.ref.local)
            self._story.deleted[self.side.name].add(self.gid(one))

    # ── links ───────────────────────────────────────────────────────────────────────────────────────────────────

    def link(self, which: int, other: int, link_type: int) -> None:
        """One of two types, so that both sides often make the same link, and one issue has several."""
        here, there = self._issue(which), self._issue(other)
        if here is not None and there is not None and here.ref != there.ref:
            self.side.desk.link(self._key(here), LINKS[link_type % len(LINKS)], self._key(there))

    def unlink(self, which: int) -> None:
        there = [(issue, parts) for issue in self.issues() for parts in map(link_parts, issue.fields) if parts is not None]
        if there:
            issue, (link_type, end) = there[which % len(there)]
            self.side.desk.unlink(self._key(issue), link_type, self.side.key(end))
