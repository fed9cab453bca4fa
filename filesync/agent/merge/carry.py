"""Carrying out a group's steps on our tracker: written down before (doubts), recorded after, call by call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from filesync.agent.merge import plan
from filesync.agent.merge.births import STATUS, Births
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.filed import texts_with_files
from filesync.agent.merge.outcome import End, Outcome
from filesync.agent.merge.scope import not_said
from filesync.agent.merge.steps import Erase, Make, ShowScope, Step, Write
from filesync.agent.merge.view import Shown, View
from filesync.agent.merge.writing import Writing
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Gone, Rejected, Unreadable, Unwritten
from filesync.ledger import journal
from filesync.ledger.journal import Conflict, Wait
from filesync.model.change import Create, Told
from filesync.model.ids import Gid, Kind
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life, Shadows
from filesync.model.shortfall import Cause
from filesync.model.values import EMPTY, Value, digest
from filesync.trackers import base
from filesync.trackers.base import Born


class Carry:
    """The calls of one group."""

    def __init__(self, site: Site, paired: Paired, view: View, merge: Merge) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange.id
        self._view = view
        self._merge = merge
        self.births = Births(site, paired, view)
        self._writing = Writing(site, paired, view, merge)

    def intend(self, steps: Iterable[Step]) -> None:
        """Write down what the tracker is about to be asked, in one transaction, before the first call."""
        rows: list[tuple[Gid, str, str]] = []
        met: list[Conflict] = []
        for step in steps:
            match step:
                case Make():
                    rows.append((step.change.gid, "", EMPTY))
                    if STATUS in step.change.fields:  # reached after the birth
                        rows.append((step.change.gid, STATUS, digest(step.change.fields[STATUS])))
                case Write():
                    rows += self._writing.doubts_of(step)
                case Erase():
                    rows.append((step.row.gid, "", EMPTY))
                case Outcome() | ShowScope():
                    continue  # what it shows is told to nobody
            met += step.outcome.conflicts  # both values are kept before one of them is written over
        self._writing.doubt(rows, met)

    def out(self, step: Step) -> Outcome:
        """Carry out one step. Raises Unavailable: then nothing of it is known, and its doubts stay."""
        if isinstance(step, Outcome):
            return step
        issue = step.issue if isinstance(step, Make) else step.shown.item.ref.issue
        try:
            if issue is not None:
                self._view.reach.check(issue)
            return self._called(step)
        except Unreadable as error:
            if issue is not None:
                self._view.reach.unread(issue, error)
            return self._merge.ends.put_off(step.outcome.work, journal.UNREAD, str(error), doubted=True)
        except Unwritten as error:
            self._view.reach.unwritten(issue, error)
            outcome = Outcome(step.outcome.work)
            outcome.later(error, rest=outcome.work.change, now=micros(self._site.clock()))
            return outcome

    def _called(self, step: Make | Write | Erase | ShowScope) -> Outcome:
        match step:
            case Make():
                return self._make(step)
            case Write():
                return self._writing.write(step)
            case Erase():
                return self._erase(step)
            case ShowScope():
                return self._show(step)

    # ── create ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _make(self, step: Make) -> Outcome:
        outcome, change = step.outcome, step.change
        refused: dict[str, str] = {}
        try:
            born = self.births.born(step, refused)
        except Rejected as error:
            outcome.doubted = step.doubted  # refused now: that says nothing of the call before the crash
            outcome.refused = [*{**error.fields, **refused}]
            outcome.short = dict.fromkeys(refused or [""], Cause.REFUSED)
            return self._stuck(outcome, _reason(error, refused))
        except Gone:
            outcome.rows.append(Entity(gid=change.gid, kind=change.kind, parent=change.parent, state=Life.DEAD))
            if step.issue is not None:
                outcome.revisit.add(step.issue)
            return outcome
        shown_born = self._view.wire(change.kind, born.item.fields)
        as_told = {name: value for name, value in change.fields.items() if name not in refused}
        if change.kind is Kind.ATTACHMENT:
            as_told = self._attached(outcome, change, born, shown_born)
        elif born.again and not step.doubted:
            as_told = {}  # not ours to assume: the ledger was restored, every field is planned
        row = Entity(
            gid=change.gid,
            kind=change.kind,
            parent=change.parent,
            local=born.item.ref.local,
            shadows=Shadows.of(plan.born(as_told, shown_born, mark=outcome.work.mark)),
        )
        self._view.keep([row])
        if change.kind is Kind.ISSUE:
            self._view.reach.made(born.item.ref.local)
        if change.kind is Kind.ISSUE and change.about.key:
            outcome.named = (born.key, change.about.key)
            self._view.keys.learn(*outcome.named)
        outcome.end = End.APPLIED
        if born.again:
            outcome.revisit.add(born.item.ref.issue)
        if change.kind is Kind.ATTACHMENT:
            outcome.rows.append(row)
            return outcome
        self._writing.spilled(outcome, change.kind, born.item.fields, born.key)
        outcome.unfiled += texts_with_files(self._site, self._paired, change, outcome.work.mark, view=self._view)
        return self._rest(step, row, born)

    def _attached(self, outcome: Outcome, change: Create, born: Born, shown: Mapping[str, Value]) -> dict[str, Value]:
        """An attachment never changes: as it was born it is decided, under whatever name."""
        for name in [name for name in change.fields if shown.get(name) != change.fields[name]]:
            self._writing.otherwise(outcome, name, change.fields[name], shown.get(name), key=born.key)
        return dict(shown)

    def _rest(self, step: Make, row: Entity, born: Born) -> Outcome:
        """What was not born as told: the status, what was refused, defaults that the partner has empty."""
        change, outcome = step.change, step.outcome
        shown = Shown(born.item, self._view.wire(change.kind, born.item.fields), born.key)
        if born.again:
            now = self._view.shown(row, fresh=True)
            if now is None:
                outcome.rows.append(row)
                return outcome
            shown = now
        names = [*change.fields, *self._merge.emptied(change, row.shadows.here)]
        again = self._merge.fields(outcome, row, shown, {name: Told(change.fields.get(name)) for name in names})
        if isinstance(again, Outcome):
            return again
        self._writing.doubt(self._writing.doubts_of(again), outcome.conflicts)
        return self._writing.write(again)

    # ── delete ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _erase(self, step: Erase) -> Outcome:
        outcome, ref = step.outcome, step.shown.item.ref
        try:
            self._site.tracker.apply(ref, step.action, outcome.work.mark)
            goal = str(step.close.get(STATUS, ""))
            for status in self._writing.way(ref, goal) if goal else ():
                write = base.Write(step.close if status == goal else {STATUS: status})
                self._site.tracker.apply(ref, write, outcome.work.mark)
        except Rejected as error:
            return self._stuck(outcome, str(error))
        except Gone:
            pass  # deleted here meanwhile: both sides wanted it
        else:
            if isinstance(step.action, base.MarkDeleted) and step.row.kind is Kind.ISSUE:
                outcome.marked = step.shown.key
        outcome.rows += self._merge.deletions.buried(step.row, step.life)
        outcome.end = End.APPLIED
        return outcome

    def _show(self, step: ShowScope) -> Outcome:
        outcome, ref = step.outcome, step.shown.item.ref
        try:
            self._site.tracker.apply(ref, step.action, outcome.work.mark)
        except Rejected as error:
            not_said(outcome, step, error)
        except Gone:
            outcome.revisit.add(ref.issue)
        outcome.end = End.APPLIED
        return outcome

    def _stuck(self, outcome: Outcome, reason: str) -> Outcome:
        now = micros(self._site.clock())
        outcome.leave(Wait.STUCK, rest=outcome.work.change, now=now, reason=reason)
        return outcome


def _reason(error: Rejected, known: Mapping[str, str]) -> str:
    """The tracker's words, once."""
    words = [f"{name}: {why}" for name, why in {**error.fields, **known}.items()]
    return "; ".join(words) if words else str(error)
