"""Writing the fields of what is here, call by call: what is asked for is written down before, what landed is known after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from filesync.agent.events import LandedDifferently, Spilled
from filesync.agent.merge import plan
from filesync.agent.merge.births import STATUS
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.shortage import landing
from filesync.agent.merge.steps import Write
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Gone, Rejected, Unwritten
from filesync.ledger import journal, shadows
from filesync.ledger.journal import Conflict
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Ref
from filesync.model.moments import micros
from filesync.model.shortfall import Cause
from filesync.model.values import EMPTY, Flat, Value, digest
from filesync.rules.mapping import Inward
from filesync.trackers import base


class _Asked(msgspec.Struct, gc=False, frozen=True):
    """What an entity's `Write` asks of our tracker, converted once for the intent and for the call."""

    inward: Inward
    there: dict[str, Value]  # what our tracker will show, in its words, as far as our rules can say
    wire: dict[str, Value]  # the same in the contract's words
    digests: dict[str, str]  # of these


class Writing:
    """The writes of one group."""

    def __init__(self, site: Site, paired: Paired, view: View, merge: Merge) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange.id
        self._view = view
        self._merge = merge
        self._written_down: dict[tuple[Gid, str], str] = {}
        self._asked: dict[Gid, _Asked] = {}  # a group has one change of an entity

    def doubts_of(self, step: Write) -> list[tuple[Gid, str, str]]:
        """What our tracker will show of each field, as far as our rules can say: a stand-in for a user, one of our options."""
        gid = step.row.gid
        inward = self._view.inward(step.row.kind, step.writes, step.outcome.unnamed)
        there = {local: one for local, one in inward.fields.items() if one is not None}
        wire = self._view.wire(step.row.kind, there)
        digests = {name: digest(value) for name, value in wire.items()}
        self._asked[gid] = _Asked(inward, there, wire, digests)
        return [(gid, name, digests.get(name, EMPTY)) for name in step.writes]

    def doubt(self, rows: Iterable[tuple[Gid, str, str]], met: Sequence[Conflict] = ()) -> None:
        """Write these down, what is not yet, and both values of what met."""
        new = [row for row in rows if self._written_down.get((row[0], row[1])) != row[2]]
        if new or met:
            with self._site.ledger.begin() as conn:
                shadows.put_doubts(conn, self._x, new, now=micros(self._site.clock()))
                journal.add_conflicts(conn, self._x, met)
            self._written_down.update(((gid, name), value) for gid, name, value in new)

    def write(self, step: Write) -> Outcome:
        """What became of it. Raises Unavailable."""
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
                self.otherwise(step.outcome, name, wrote[name], value, key=step.shown.key)

        self.spilled(step.outcome, step.row.kind, there, step.shown.key)

    def otherwise(self, outcome: Outcome, name: str, told: Value | None, landed: Value | None, *, key: str) -> None:
        """Count a field that stands here otherwise than it was told, and say so unless the mapping itself wants that."""
        cause = outcome.short[name] = landing(self._paired.rules, name, told, landed)
        if cause not in {Cause.STAND_IN, Cause.NO_WORD}:
            outcome.events.append(LandedDifferently(key=key, field=name))

    def spilled(self, outcome: Outcome, kind: Kind, there: Mapping[str, Value], key: str) -> None:
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
        for local in self.way(step.shown.item.ref, goal):
            wire = self._view.wire(step.row.kind, {name: local}).get(STATUS)
            self.doubt([(step.row.gid, STATUS, digest(wire))])
            landed = self._apply(step, {name: local})
            if local == goal:
                return landed
            self._passed(step, landed)
        return {name: goal}

    def way(self, ref: Ref, goal: str) -> Iterator[str]:
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
