"""What a deletion, a way of its own and a partner's key must have come to, by what was drawn and what people did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from filesync.model.ids import NEVER, Gid, home, kind_of
from filesync.model.shadow import Life
from tests.converge.looking import Shown
from tests.converge.people import Story
from tests.converge.said import BELOW, CLOSING, Said
from tests.support.two_sites import Side

# parts of words that `Held` counts by: a campaign in which one of these never happens proves less than it says
WHAT_MAY_COME_TO_PASS: Final = (
    *(f": {end}" for end in ("mirror", "mark", "ignore", "origin mirrors theirs", "origin leaves ours", "Done")),
    *(f"{kind}: {way}" for kind in BELOW for way in ("only comes", "stays where only others come")),
    *("deleted where it only comes", "edited where it only comes: stays", "edited where it only comes: written over"),
    *("{key} of ours", "{key} of theirs", "is in step of ours", "is in step of theirs", "is apart of"),
)


@dataclass(frozen=True)
class Held:
    """One side, and the other, at the end of a run. `seen` counts what really came to pass, by a word."""

    ours: Shown
    theirs: Shown
    said: Said
    story: Story
    where: str = ""  # our field that shows what the other side calls an issue
    seen: dict[str, int] = field(default_factory=dict)

    def check(self, side: Side) -> None:
        """All of it. Raises AssertionError."""
        self._nothing_lost()
        self._apart_for_a_reason()
        self._one_way()
        if self.said.texts.get(self.ours.side):
            self._called(_not_shown(side))

    def bent(self, gid: Gid, name: str) -> bool:
        """Whether a field of what the other side alone tells was edited here, and nothing of it told since."""
        told = self.story.bent.get((gid, name))
        if told is None or home(gid) == self.ours.site or kind_of(gid) not in self.said.receives_only(self.ours.side):
            return False
        if self.said.changed:
            return True  # it may have been told once
        row = self.theirs.rows.get(gid)
        return row is None or row.shadow(name).told == told

    def travels(self, gid: Gid) -> bool:
        """Whether the other side is to have it: what is told by its home, and was not deleted where that is not told."""
        kind = kind_of(gid)
        at_home = self.ours if home(gid) == self.ours.site else self.theirs
        away = self.theirs if at_home is self.ours else self.ours
        if not self.said.tells(at_home.side, kind):
            return False
        return self.said.tells(away.side, kind) or gid not in self.story.deleted[away.side]

    # ── nothing is lost ─────────────────────────────────────────────────────────────────────────────────────────

    def _nothing_lost(self) -> None:
        for gid, issue in self.story.born.items():
            if gid not in self.ours.fields:
                assert self._may_be_missing(gid, issue), f"{self.ours.side} has lost {gid} ({self.story.words[gid]})"

    def _may_be_missing(self, gid: Gid, issue: Gid | None) -> bool:
        over = [one for one in (gid, issue) if one is not None]
        if any(one in self.story.deleted[self.ours.side] for one in over):
            return True
        deleted = [one for one in over if self._told_deleted(one)]
        row = self.ours.rows.get(gid)
        stood = home(gid) == self.ours.site or (row is not None and row.local is not None)
        if any("mirror" in self._becomes(one) for one in deleted):
            if stood and gid in deleted:
                self._count(f"{kind_of(gid)}: {'origin mirrors theirs' if self._by_origin(gid) else 'mirror'}")
            return True
        if stood:
            return False
        return (
            bool(deleted) or not self._comes(gid) or any(self.ours.is_apart(one) or self.theirs.is_apart(one) for one in over)
        )

    def _comes(self, gid: Gid) -> bool:
        return self.said.tells(self.theirs.side, kind_of(gid))

    def _told_deleted(self, gid: Gid) -> bool:
        """Whether the other side's people deleted it, and that is told."""
        return gid in self.story.deleted[self.theirs.side] and (self._comes(gid) or bool(self.said.changed))

    def _becomes(self, gid: Gid) -> frozenset[str]:
        return self.said.becomes(self.ours.side, kind_of(gid), came=home(gid) == self.theirs.site)

    # ── what is apart ───────────────────────────────────────────────────────────────────────────────────────────

    def _apart_for_a_reason(self) -> None:
        parted = self.story.parted[self.ours.side]
        for gid, row in self.ours.rows.items():
            if row.state is not Life.APART:
                continue
            over = [one for one in (gid, row.parent) if one is not None]
            policies = {end for one in over if self._told_deleted(one) for end in self._becomes(one)} - {"mirror"}
            assert policies or parted & set(over), f"{gid} is apart at {self.ours.side}, and nobody wanted that"
            whole = row.parent is None or not self.ours.is_apart(row.parent)  # else it may have been its issue that was deleted
            if whole and gid in self.ours.fields and not parted & set(over) and self._told_deleted(gid):
                self._left(gid, *self._becomes(gid) - {"mirror"})

    def _left(self, gid: Gid, policy: str) -> None:
        """It says what our policy wants said."""
        if not self.ours.is_jira:
            assert (gid in self.ours.marked) is (policy != "ignore"), f"{gid} at {self.ours.side}: {policy}"
        self._count(f"{kind_of(gid)}: {'origin leaves ours' if self._by_origin(gid) else policy}")
        if policy in CLOSING and gid not in self.story.moved[self.ours.side]:
            assert self.ours.own[gid]["status"] == policy, f"{gid} at {self.ours.side} is not closed"

    def _by_origin(self, gid: Gid) -> bool:
        kind = kind_of(gid)
        return self.said.own.get(self.ours.side, {}).get(kind, self.said.deletes[kind]) == "origin"

    # ── what one side alone tells ───────────────────────────────────────────────────────────────────────────────

    def _one_way(self) -> None:
        for gid, row in self.ours.rows.items():
            if self.said.tells(self.ours.side, row.kind) or self.said.changed:
                continue
            told = [name for name, shadow in row.fields.items() if shadow.told != NEVER]
            assert not told, f"{self.ours.side} told {told} of {gid}"
        taken = self.said.receives_only(self.ours.side)
        for gid in self.ours.fields:
            if home(gid) != self.ours.site and not self.said.changed:
                assert self._comes(gid), f"{gid} came to {self.ours.side}, and nobody tells such"
            if kind_of(gid) in taken:
                self._count(
                    f"{kind_of(gid)}: {'stays where only others come' if home(gid) == self.ours.site else 'only comes'}"
                )
        for gid in self.story.deleted[self.ours.side]:
            if kind_of(gid) in taken and gid in self.theirs.fields:
                self._count(f"{kind_of(gid)}: deleted where it only comes")
        for gid, name in self.story.bent:
            if kind_of(gid) in taken and gid in self.ours.fields and gid in self.theirs.fields and home(gid) != self.ours.site:
                over = not self.bent(gid, name)
                self._count(f"{name} edited where it only comes: {'written over' if over else 'stays'}")

    # ── what issues show of the partner's ───────────────────────────────────────────────────────────────────────

    def _called(self, refused: frozenset[str]) -> None:
        text, where = self.said.texts[self.ours.side], self.where
        for gid, fields in self.ours.own.items():
            row = self.ours.rows.get(gid)
            if row is None or self.ours.keys[gid] in refused or (row.state is not Life.LIVE and "{state}" not in text):
                continue
            known = home(gid) == self.theirs.site or self.said.keys
            shown = str(fields.get(where, ""))
            if "{key}" in text and not shown and not (known and gid in self.theirs.keys):
                continue  # an edit of the partner's may have said it, or may not
            pace = "apart" if row.state is Life.APART else "in step"
            key = self.theirs.keys.get(gid, shown.split(" ", maxsplit=1)[0])  # where it was deleted: as it was told once
            expected = text.replace("{key}", key).replace("{state}", pace)
            assert shown == expected, f"{gid} at {self.ours.side} shows {shown!r}, not {expected!r}"
            self._count(f"shows {text.replace('{state}', pace)} of {'theirs' if home(gid) == self.theirs.site else 'ours'}")

    def _count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1


def _not_shown(side: Side) -> frozenset[str]:
    """The keys of issues of which our tracker refused, some time, to show what the partner calls them."""
    with side.site.ledger.begin() as conn:
        rows = conn.exec_driver_sql("select detail from event where kind = 'NotShown'").scalars()
        return frozenset(msgspec.json.decode(one)["key"] for one in rows)
