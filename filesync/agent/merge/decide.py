"""Deciding what arriving changes become here: verdicts of plan.py over what view.py has read. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from filesync.agent.events import Dropped, FileLeftOut
from filesync.agent.merge import plan
from filesync.agent.merge.deletions import Deletions
from filesync.agent.merge.ends import Ends
from filesync.agent.merge.listed import not_taken
from filesync.agent.merge.outcome import End, Outcome, Work
from filesync.agent.merge.people import People
from filesync.agent.merge.plan import OnCreate, OnEnd, OnSet, Verdict
from filesync.agent.merge.scope import heard
from filesync.agent.merge.steps import Make, Step, Write
from filesync.agent.merge.view import Shown, View
from filesync.agent.merge.winning import Winning
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Rejected, Unreadable
from filesync.ledger import journal
from filesync.ledger.journal import Wait
from filesync.model.change import Create, Delete, Scoped, Set, Told, rest_of
from filesync.model.ids import Gid, Kind, home, kind_of
from filesync.model.links import link_end
from filesync.model.moments import micros
from filesync.model.outside import Outside
from filesync.model.shadow import Entity, Life, Shadow
from filesync.model.shortfall import Cause
from filesync.model.values import Value, split_name

_TOLD_AGAIN: Final = (Verdict.KEEP_UNSENT, Verdict.OPEN)  # the partner is to hear of ours
_SaysT = TypeVar("_SaysT", Create, Set)


class Merge:
    """The verdicts for one group."""

    def __init__(self, site: Site, paired: Paired, view: View) -> None:
        self._site = site
        self._paired = paired
        self._view = view
        self._people = People(site, paired, view)
        self.ends = Ends(site, paired, view)
        self.deletions = Deletions(site, paired, view, self.ends, self._people)

    def step(self, work: Work, *, blocked: bool) -> Step:
        """What one change becomes. `blocked`: one of the same entity, before it, is not decided. Raises Unavailable."""
        change, doubted = work.change, work.change.gid in self._view.doubts
        if work.since is None:  # what waited was told under the contract of its time
            if isinstance(change, Set) and not change.names:
                # what its sender calls the issue is learned when it is booked; of calls of ours this finds out nothing
                return Outcome(work, doubted=doubted)
            if isinstance(change, Delete) and not self._paired.receives(kind := kind_of(change.gid)):
                return self.ends.drop(Outcome(work), f"is not taken: no {kind} is deleted from outside under our contract")
        if blocked:
            return self.ends.queue(Outcome(work), Wait.BEHIND)
        if closed := self._view.closed(self._view.about(work.change)):
            return self.ends.put_off(work, *closed, doubted=doubted)
        try:
            return self._step(work)
        except Unreadable as error:
            return self.ends.put_off(work, journal.UNREAD, str(error), doubted=doubted)

    def _step(self, work: Work) -> Step:
        change = work.change
        if why := not_taken(self._paired, self._view, change, work.mark):
            return self.ends.drop(Outcome(work), why)
        match change:
            case Create() if not self._takes(change.kind, work):
                return self.ends.drop(Outcome(work), f"is not taken: no {change.kind} comes to us under our contract")
            case Create():
                return self._create(Outcome(work), change)
            case Set():
                return self._set(Outcome(work), change)
            case Delete():
                return self.deletions.step(Outcome(work), change)
            case Scoped():
                return self._scoped(Outcome(work), change)

    def _takes(self, kind: Kind, work: Work) -> bool:
        """Whether what arrives of this kind is made here. What waited was told under the contract of its time, and once."""
        return self._paired.receives(kind) or (work.since is not None and self._paired.rules.travels(kind))

    # ── create ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _create(self, outcome: Outcome, change: Create) -> Step:
        view = self._view
        row = view.row(change.gid)
        shown = view.shown(row) if row is not None and row.state is Life.LIVE else None
        doubted = change.gid in view.doubts
        verdict = plan.on_create(
            state=view.life(change.gid),
            there=shown is not None,
            parent=view.life(change.parent),
            top=change.parent is None,
            deleted=change.gid in view.deletes,
            doubted=doubted,
        )
        match verdict:
            case OnCreate.DROP:
                return self.ends.drop(outcome, "came again for something deleted or kept apart here; dropped")
            case OnCreate.BURY | OnCreate.CANCEL:
                why = "its issue was deleted here" if verdict is OnCreate.BURY else "it was deleted before it came"
                outcome.rows.append(Entity(gid=change.gid, kind=change.kind, parent=change.parent, state=Life.DEAD))
                return self.ends.drop(outcome, f"is not created: {why}")
            case OnCreate.WAIT:
                return self.ends.queue(outcome, Wait.WAITS, waits_for=change.parent or change.gid)
            case OnCreate.LEAVE:
                return self.ends.leave(outcome, row)
            case OnCreate.MERGE:
                assert row is not None
                assert shown is not None
                whole = self._whole(outcome, change) if change.texts else change  # an attachment that is here needs no bytes
                return whole if isinstance(whole, Outcome) else self.fields(outcome, row, shown, self._all_told(whole, shown))
            case OnCreate.MAKE:
                return self._make(outcome, change, doubted=doubted)

    def _whole(self, outcome: Outcome, change: _SaysT) -> _SaysT | Outcome:
        """The change with its long texts; or what becomes of it where bytes of it are not here, or not what it names."""
        if change.gid in self._view.lacks:
            return self.ends.queue(outcome, Wait.WAITS, waits_for=journal.BLOB, reason=self._view.lacks[change.gid].words())
        try:
            return self._view.whole(change)
        except Rejected as error:
            return self.ends.queue(outcome, Wait.STUCK, reason=str(error))

    def _make(self, outcome: Outcome, change: Create, *, doubted: bool) -> Step:
        if not doubted and (rule := self._not_taken(change)):
            outcome.rows.append(Entity(gid=change.gid, kind=change.kind, parent=change.parent, state=Life.APART))
            key = self._view.keys.ours(change.about.key) or change.about.key or change.gid
            outcome.short[""] = Cause.KEPT
            outcome.events.append(FileLeftOut(mark=outcome.work.mark, key=key, rule=rule))
            return outcome
        fields = dict(change.fields)
        for name, target in self._view.references(change):
            if link_end(name) is not None:
                continue  # made once the issue is there: two that are new may link each other
            match plan.on_end(self._view.named(target), adds=True):
                case OnEnd.WAIT:
                    return self.ends.queue(outcome, Wait.WAITS, waits_for=target)
                case OnEnd.DROP:
                    del fields[name]  # a reference to what is gone here is dropped, not waited for
                case _:
                    pass
        whole = self._whole(outcome, msgspec.structs.replace(change, fields=fields))
        above = self._view.row(change.parent) if change.parent is not None else None
        issue = above.local if above is not None else None
        return whole if isinstance(whole, Outcome) else Make(outcome, whole, issue, doubted)

    def _not_taken(self, change: Create) -> str:
        """The rule of the mapping by which an attachment is not made here, in words; "" for all else."""
        if change.kind is not Kind.ATTACHMENT or change.blob is None:
            return ""
        return self._paired.rules.sieves.into.stops(str(change.fields.get("name", "")), change.blob.size)

    def _all_told(self, change: Create, shown: Shown) -> dict[str, Told]:
        """A create as a set: it tells every field, so one that is absent is empty; but a link may only not be told yet.

        An attachment is what it was made as.
        """
        if change.kind is Kind.ATTACHMENT:
            return {}
        return {name: Told(change.fields.get(name)) for name in (*change.fields, *self.emptied(change, shown.fields))}

    def emptied(self, change: Create, names: Iterable[str]) -> list[str]:
        """Those of these fields that a creation has empty, though it does not name them, and that are to be so here."""
        if change.kind is Kind.VERSION:
            return []  # both sides may have made it, and each says what it has
        told, paired = {*change.fields, *change.untold}, self._paired
        silent = [one for one in names if link_end(one) is None and not {one, split_name(one)[0]} & told]
        silent = [one for one in silent if not paired.rules.is_preset(one)]
        return [one for one in silent if paired.rules.carries(change.kind, one) and paired.takes(change.kind, one, new=True)]

    # ── set ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _set(self, outcome: Outcome, change: Set) -> Step:
        row = self._view.row(change.gid)
        asked = (*change.names, *self._paired.rules.deciders)
        shown = self._view.shown(row, only=asked) if row is not None and row.state is Life.LIVE else None
        if row is None or shown is None or self._on_set(change, shown) is not OnSet.FIELDS:
            return self._not_met(outcome, row, self._on_set(change, shown))
        whole = self._whole(outcome, change)
        return whole if isinstance(whole, Outcome) else self.fields(outcome, row, shown, whole.fields)

    def _on_set(self, change: Set | Scoped, shown: Shown | None) -> OnSet:
        return plan.on_set(state=self._view.life(change.gid), there=shown is not None, deleted=change.gid in self._view.deletes)

    def _not_met(self, outcome: Outcome, row: Entity | None, verdict: OnSet) -> Outcome:
        """What becomes of an edit of what is not here."""
        match verdict:
            case OnSet.DROP:
                return self.ends.drop(outcome, "an edit of something deleted or kept apart here; dropped")
            case OnSet.ABSORB:
                return self.ends.drop(outcome, "an edit that could not be taken before the partner deleted it; dropped")
            case OnSet.LEAVE:
                return self.ends.leave(outcome, row)
            case _:
                return self.ends.queue(outcome, Wait.WAITS, waits_for=outcome.work.change.gid)

    def _scoped(self, outcome: Outcome, change: Scoped) -> Step:
        """The partner's left its scope, or is back."""
        row = self._view.row(change.gid)
        shown = self._view.shown(row, only=()) if row is not None and row.state is Life.LIVE else None
        if row is None or shown is None or self._on_set(change, shown) is not OnSet.FIELDS:
            return self._not_met(outcome, row, self._on_set(change, shown))
        return heard(outcome, change, shown, self._view.outside.get(change.gid, Outside()), self._paired)

    def fields(self, outcome: Outcome, row: Entity, shown: Shown, told: Mapping[str, Told]) -> Write | Outcome:
        """Each field by its own verdict; what is left to write, if anything."""
        outcome.called = shown.key
        row = self._recovered(row, shown)
        shadows: dict[str, Shadow] = {}
        waits: dict[str, Gid] = {}
        writes: dict[str, Value | None] = {}
        arriving = {name: one.now for name, one in told.items()}
        targets = dict(self._view.ends(arriving))
        new = plan.being_made(row, outcome.work.mark) and home(row.gid) != self._paired.us.id
        asleep = self._view.asleep(row.kind, arriving, item=shown.item, key=shown.key)
        winning = Winning(self._paired, shown, outcome.work.change, new=new)
        for name, one in winning.ordered(told):
            shadow = row.shadow(name)
            if plan.decided(shadow, outcome.work.mark):
                continue
            if not self._paired.course(row.kind, name).carries:
                # who alone may see it is not left out: it is refused, and with it all that others would see
                few = one.now is not None and self._paired.rules.restricts(row.kind, name)
                writes.update({name: one.now} if few else self._no_place(outcome, row, shown, name))
                continue
            again = shadow.open and plan.crosses(shadow, one.base)  # what is open stays so, and needs no writing
            if not again and ((bare := split_name(name)[0]) in asleep or not self._paired.takes(row.kind, name, new=new)):
                shadows[name] = shadow.passed(outcome.work.mark)
                outcome.untaken[bare] = asleep.get(bare, "")
                outcome.short[name] = Cause.KEPT
                continue
            if name in targets and (end := self._end(outcome, row, shown, name, one, targets[name])) is not OnEnd.MEET:
                if end is OnEnd.WAIT:
                    waits[name] = targets[name]
                else:
                    shadows[name] = msgspec.structs.replace(shadow, took=outcome.work.mark)
                continue
            meeting = winning.meeting(name, one, shadow)
            decision = plan.decide(meeting)
            if name in shown.untold and decision.verdict is Verdict.APPLY:
                # who alone may see it, those included for whom there is no word, nobody changes from outside
                few = name == self._paired.rules.restriction(row.kind)
                decision = plan.Decision(Verdict.KEEP_UNSENT if few else Verdict.APPLY, "untold")
            self._people.met(outcome, shown, meeting, decision)
            if decision.verdict is Verdict.APPLY:
                writes[name] = winning.held[name] = one.now
            else:
                shadows[name] = plan.settle(meeting, decision.verdict, mark=outcome.work.mark)
            if decision.verdict in _TOLD_AGAIN or plan.chosen(shadow, outcome.work.mark):
                outcome.revisit.add(shown.item.ref.issue)
        step = Write(outcome, row, shown, writes, told, shadows, {}, waits)
        return step if writes else self.written(step)

    def _no_place(self, outcome: Outcome, row: Entity, shown: Shown, name: str) -> dict[str, Value | None]:
        why = f"{split_name(name)[0]} has no place here under our mapping; left out"
        outcome.events.append(Dropped(mark=outcome.work.mark, gid=row.gid, key=shown.key, why=why))
        outcome.short[name] = Cause.NO_PLACE
        return {}

    def _end(self, outcome: Outcome, row: Entity, shown: Shown, name: str, told: Told, target: Gid) -> OnEnd:
        """What becomes of a field that names another issue."""
        verdict = plan.on_end(self._view.named(target), adds=told.now is not None)
        if verdict is OnEnd.DROP:
            why = f"{self._people.field(name)} names an issue that was deleted or is kept apart here; left out"
            outcome.events.append(Dropped(mark=outcome.work.mark, gid=row.gid, key=shown.key, why=why))
        return verdict

    def _recovered(self, row: Entity, shown: Shown) -> Entity:
        """The row with what a call of ours had written when we were cut off."""
        doubts = {name: value for name, value in self._view.doubts.get(row.gid, {}).items() if name}  # "": the entity itself
        if not doubts:
            return row
        return row.with_shadows(
            {name: plan.recovered(row.shadow(name), doubt=value, have=shown.fields.get(name)) for name, value in doubts.items()}
        )

    def written(self, step: Write) -> Outcome:
        """The outcome once every field of a `Write` is decided, refused or waits."""
        outcome = step.outcome
        outcome.rows = [*outcome.rows, step.row.with_shadows(step.shadows)]
        if outcome.end is End.SKIPPED and not step.writes.keys().isdisjoint(step.shadows):
            outcome.end = End.APPLIED
        if rest := step.undecided:
            left, now = rest_of(outcome.work.change, rest), micros(self._site.clock())
            named = {self._people.field(name): why for name, why in step.refused.items()}
            reasons = [f"{name}: {why}" for name, why in named.items()]
            outcome.refused = list(named)
            outcome.short = {**dict.fromkeys(step.refused, Cause.REFUSED), **outcome.short}
            if step.failed:
                outcome.later(*step.failed.values(), rest=left, now=now, reasons=reasons)
            elif reasons:
                outcome.leave(Wait.STUCK, rest=left, now=now, reason="; ".join(reasons))
            else:
                outcome.leave(Wait.WAITS, rest=left, now=now, waits_for=next(iter(step.waits.values())))
        else:
            self.ends.told(outcome, step.shown.key)
        return outcome
