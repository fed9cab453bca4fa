"""Carrying out a group's steps on our tracker: written down before (doubts), recorded after, call by call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from filesync.agent.events import LandedDifferently, Spilled
from filesync.agent.merge import plan
from filesync.agent.merge.births import STATUS, Births
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.filed import texts_with_files
from filesync.agent.merge.outcome import End, Outcome
from filesync.agent.merge.scope import not_said
from filesync.agent.merge.shortage import landing
from filesync.agent.merge.steps import Erase, Make, ShowScope, Step, Write
from filesync.agent.merge.view import Shown, View
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Gone, Rejected, Unreadable, Unwritten
from filesync.ledger import journal, shadows
from filesync.ledger.journal import Conflict, Wait
from filesync.model.change import Create, Told
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Ref
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life, Shadows
from filesync.model.shortfall import Cause
from filesync.model.values import EMPTY, Flat, Value, digest
from filesync.rules.mapping import Inward
from filesync.trackers import base
from filesync.trackers.base import Born


class _Asked(msgspec.Struct, gc=False, frozen=True):
    """What an entity's `Write` asks of our tracker, converted once for the intent and for the call."""

    inward: Inward
    there: dict[str, Value]  # what our tracker will show, in its words, as far as our rules can say
    wire: dict[str, Value]  # the same in the contract's words
    digests: dict[str, str]  # of these


class Carry:
    """The calls of one group."""

    def __init__(self, site: Site, paired: Paired, view: View, merge: Merge) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange.id
        self._view = view
        self._merge = merge
        self.births = Births(site, paired, view)
        self._written_down: dict[tuple[Gid, str], str] = {}
        self._asked: dict[Gid, _Asked] = {}  # a group has one change of an entity

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
                    rows += self._doubts_of(step)
                case Erase():
                    rows.append((step.row.gid, "", EMPTY))
                case Outcome() | ShowScope():
                    continue  # what it shows is told to nobody
            met += step.outcome.conflicts  # both values are kept before one of them is written over
        self._doubt(rows, met)

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
                return self._write(step)
            case Erase():
                return self._erase(step)
            case ShowScope():
                return self._show(step)

    def _doubts_of(self, step: Write) -> list[tuple[Gid, str, str]]:
        """What our tracker will show of each field, as far as our rules can say: a stand-in for a user, one of our options."""
        gid = step.row.gid
        inward = self._view.inward(step.row.kind, step.writes, step.outcome.unnamed)
        there = {local: one for local, one in inward.fields.items() if one is not None}
        wire = self._view.wire(step.row.kind, there)
        digests = {name: digest(value) for name, value in wire.items()}
        self._asked[gid] = _Asked(inward, there, wire, digests)
        return [(gid, name, digests.get(name, EMPTY)) for name in step.writes]

    def _doubt(self, rows: Iterable[tuple[Gid, str, str]], met: Sequence[Conflict] = ()) -> None:
        new = [row for row in rows if self._written_down.get((row[0], row[1])) != row[2]]
        if new or met:
            with self._site.ledger.begin() as conn:
                shadows.put_doubts(conn, self._x, new, now=micros(self._site.clock()))
                journal.add_conflicts(conn, self._x, met)
            self._written_down.update(((gid, name), value) for gid, name, value in new)

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
        self._spilled(outcome, change.kind, born.item.fields, born.key)
        outcome.unfiled += texts_with_files(self._site, self._paired, change, outcome.work.mark, view=self._view)
        return self._rest(step, row, born)

    def _attached(self, outcome: Outcome, change: Create, born: Born, shown: Mapping[str, Value]) -> dict[str, Value]:
        """An attachment never changes: as it was born it is decided, under whatever name."""
        for name in [name for name in change.fields if shown.get(name) != change.fields[name]]:
            self._otherwise(outcome, name, change.fields[name], shown.get(name), key=born.key)
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
        self._doubt(self._doubts_of(again), outcome.conflicts)
        return self._write(again)

    # ── set ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, step: Write) -> Outcome:
        plain = {name: value for name, value in step.writes.items() if name != STATUS}
        try:
            if plain:
                with self._failing(step, plain):
                    self._fields(step, plain)
            if STATUS in step.writes:
                with self._failing(step, (STATUS,)):
                    self._status(step, step.writes[STATUS])
        except Gone:
            step.outcome.revisit.add(step.shown.item.ref.issue)
            step.refused.clear()
            step.failed.clear()
            return self._merge.written(step)
        return self._merge.written(step)

    @contextmanager
    def _failing(self, step: Write, names: Iterable[str]) -> Iterator[None]:
        """Around the writing of these fields: what a call that goes wrong leaves open is tried again by itself."""
        try:
            yield
        except Unwritten as error:
            self._view.reach.unwritten(step.shown.item.ref.issue, error)
            mark = step.outcome.work.mark
            open_ = (name for name in names if name not in step.refused)  # a step on the way of a status decides nothing
            there = {name: step.shadows.get(name, step.row.shadow(name)) for name in open_}
            step.failed.update((name, error) for name, shadow in there.items() if not plan.decided(shadow, mark))

    def _fields(self, step: Write, plain: Flat) -> None:
        """In one call where the tracker takes it; else one by one, so that what can land does. Raises Gone, Unavailable."""
        asked = self._asked[step.row.gid] if len(plain) == len(step.writes) else None
        inward = asked.inward if asked else self._view.inward(step.row.kind, plain, step.outcome.unnamed)
        step.refused.update(inward.refused)
        step.outcome.short.update(dict.fromkeys(inward.refused, Cause.NO_WORD))
        few = self._paired.rules.restriction(step.row.kind)
        if lost := next((name for name in inward.refused if self._paired.rules.restricts(step.row.kind, name)), None):
            self._refuse_all(step, plain, lost)
            return
        rest = {name: value for name, value in plain.items() if name not in inward.refused}
        if not rest:
            return
        try:
            landed = self._apply(step, inward.fields)
        except Rejected as error:
            if few in rest:  # not field by field: what few may see would stand where all do, for a moment or for good
                step.refused[few] = "; ".join(error.fields.values()) or str(error)
                self._refuse_all(step, rest, few)
                return
            if len(rest) == 1:
                step.refused.update(dict.fromkeys(rest, "; ".join(error.fields.values()) or str(error)))
                return
            for name, value in rest.items():
                self._fields(step, {name: value})
            return
        self._landed(step, rest, landed)

    def _refuse_all(self, step: Write, names: Iterable[str], few: str) -> None:
        """Nothing of a change is written while it cannot be kept who alone may see the item (`few`: the field that says so)."""
        step.refused[few] += "; until that can be kept nothing of this change is written, for others would see it"
        why = f"until it can be kept who may see it ({few}), nothing of this change is written"
        step.refused.update(dict.fromkeys((name for name in names if name not in step.refused), why))

    def _apply(self, step: Write, local: Flat) -> Flat:
        return self._site.tracker.apply(step.shown.item.ref, base.Write(local), step.outcome.work.mark)

    def _landed(self, step: Write, wrote: Flat, landed: Flat) -> None:
        """The shadow is the value as it landed, whatever was asked for."""
        there = {name: value for name, value in landed.items() if value is not None}
        asked = self._asked.get(step.row.gid)
        if asked is not None and there == asked.there:  # as it was asked for: nothing to convert
            wire, digests = asked.wire, asked.digests
        else:
            wire = self._view.wire(step.row.kind, there)
            digests = {name: digest(value) for name, value in wire.items()}
        mark = step.outcome.work.mark
        for name in {**wrote, **wire}:
            value = wire.get(name)
            before = step.row.shadow(name)
            here = digests.get(name, EMPTY)
            taken = plan.taken(before, here, mark=mark) if name in wrote else msgspec.structs.replace(before, here=here)
            step.shadows[name] = taken
            if name in wrote and value != wrote[name]:
                self._otherwise(step.outcome, name, wrote[name], value, key=step.shown.key)

        self._spilled(step.outcome, step.row.kind, there, step.shown.key)

    def _otherwise(self, outcome: Outcome, name: str, told: Value | None, landed: Value | None, *, key: str) -> None:
        """Count a field that stands here otherwise than it was told, and say so unless the mapping itself wants that."""
        cause = outcome.short[name] = landing(self._paired.rules, name, told, landed)
        if cause not in {Cause.STAND_IN, Cause.NO_WORD}:
            outcome.events.append(LandedDifferently(key=key, field=name))

    def _spilled(self, outcome: Outcome, kind: Kind, there: Mapping[str, Value], key: str) -> None:
        """Say of which texts our tracker shows only the beginning."""
        about = outcome.work.change.about
        for local in self._site.tracker.spills(kind, there, about):
            for name in self._view.wire(kind, {local: there[local]}):
                outcome.events.append(Spilled(key=key, field=name))
                outcome.short[name] = Cause.ATTACHED

    def _status(self, step: Write, status: Value | None) -> None:
        """Walk the workflow; each step that lands is recorded at once. Raises Gone, Unavailable."""
        inward = self._view.inward(step.row.kind, {STATUS: status}, set())
        if inward.refused:
            step.refused.update(inward.refused)
            step.outcome.short[STATUS] = Cause.NO_WORD
            return
        ((name, goal),) = inward.fields.items()
        assert isinstance(goal, str)
        try:
            landed = self._walk(step, name, goal)
        except Rejected as error:
            step.refused[STATUS] = str(error)
            return
        self._landed(step, {STATUS: status}, landed)

    def _walk(self, step: Write, name: str, goal: str) -> Flat:
        """Step by step to a status, asking again where only a part of the way was known. Answers it as it landed."""
        for local in self._way(step.shown.item.ref, goal):
            wire = self._view.wire(step.row.kind, {name: local}).get(STATUS)
            self._doubt([(step.row.gid, STATUS, digest(wire))])
            landed = self._apply(step, {name: local})
            if local == goal:
                return landed
            self._passed(step, landed)
        return {name: goal}

    def _way(self, ref: Ref, goal: str) -> Iterator[str]:
        """The statuses on the way to one, each of them to be reached before the next is asked for."""
        ends: set[str] = set()  # a way may lead back through where we were, but never to the same end twice
        while route := self._site.tracker.route(ref, goal):
            if route[-1] in ends:
                raise Rejected(f"the way to the status {goal!r} goes in circles", hint="Move the issue there by hand.")
            ends.add(route[-1])
            yield from route
            if route[-1] == goal:
                return  # it is there: the tracker need not be asked

    def _passed(self, step: Write, landed: Flat) -> None:
        """A step on the way: our tracker shows it now, and nothing of it is ever told."""
        there = {name: value for name, value in landed.items() if value is not None}
        here = digest(self._view.wire(step.row.kind, there).get(STATUS))
        before = step.row.shadow(STATUS)
        step.shadows[STATUS] = msgspec.structs.replace(before, here=here)
        with self._site.ledger.begin() as conn:
            shadows.save(conn, self._x, [step.row.with_shadows(step.shadows)])

    # ── delete ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _erase(self, step: Erase) -> Outcome:
        outcome, ref = step.outcome, step.shown.item.ref
        try:
            self._site.tracker.apply(ref, step.action, outcome.work.mark)
            goal = str(step.close.get(STATUS, ""))
            for status in self._way(ref, goal) if goal else ():
                write = base.Write(step.close if status == goal else {STATUS: status})
                self._site.tracker.apply(ref, write, outcome.work.mark)
        except Rejected as error:
            return self._stuck(outcome, str(error))
        except Gone:
            pass  # deleted here meanwhile: both sides wanted it
        outcome.rows += self._merge.buried(step.row, step.life)
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
