"""What people are told of a decision: edits that met, edits that are lost, and fields by names they know."""

from __future__ import annotations

import msgspec

from filesync.agent.events import Decided, Event, LostEdit, Met, MetOpen, Stuck, Waiting
from filesync.agent.merge import plan
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.plan import Decision, Meeting, Verdict
from filesync.agent.merge.view import Shown, View
from filesync.agent.naming import value_text, wordless
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger import journal
from filesync.ledger.journal import Conflict, Queued, Wait
from filesync.ledger.open_conflicts import OpenConflict
from filesync.model.links import link_end, link_parts
from filesync.model.moments import micros
from filesync.model.shadow import Entity, Life
from filesync.model.values import digest


class People:
    """Puts it into outcomes, in the words of our side."""

    def __init__(self, site: Site, paired: Paired, view: View) -> None:
        self._site = site
        self._paired = paired
        self._view = view

    def field(self, name: str) -> str:
        """A field by its wire name; a link with our key of its other end, where we have that."""
        parts = link_parts(name)
        if parts is None:
            return name
        end = link_end(name)
        local = self._view.local_of(end) if end is not None else None
        key = self._view.key(local) if local is not None else None
        return f"link {parts[0]} {key or parts[1]}"

    def met(self, outcome: Outcome, shown: Shown, meeting: Meeting, decision: Decision) -> None:
        """Two edits of one field, both values, and which of them stands: neither, where that is open."""
        work, field = outcome.work, self.field(meeting.name)
        is_open = decision.verdict is Verdict.OPEN
        if is_open:
            outcome.opened.append(self._opened(outcome, shown, meeting))
        elif meeting.shadow.open and not plan.chosen(meeting.shadow, work.mark):
            outcome.events.append(Decided(key=shown.key, field=field, by=self._paired.them.name))
            now = digest(meeting.now)
            if now in {meeting.shadow.theirs, digest(meeting.have)}:  # else it is neither of the two
                site = self._paired.them if now == meeting.shadow.theirs else self._paired.us
                outcome.decided.append((meeting.shadow.met, meeting.name, site.name))
        if not decision.rule:
            return
        awaits = meeting.judge is False and decision.verdict is Verdict.KEEP_TOLD and not meeting.wins
        winner = self._paired.them if awaits or decision.verdict is Verdict.APPLY else self._paired.us
        outcome.conflicts.append(
            Conflict(
                at=micros(self._site.clock()),
                mark=work.mark,
                gid=work.change.gid,
                key=shown.key,
                field=field,
                ours=wordless(self._paired.rules, shown.item, field) if decision.rule == "untold" else value_text(meeting.have),
                theirs=value_text(meeting.now),
                winner="" if is_open else winner.name,
                rule=decision.rule,
            )
        )
        told = MetOpen(mark=work.mark, key=shown.key, field=field, partner=self._paired.them.name, rule=decision.rule)
        stands = Met(mark=work.mark, key=shown.key, field=field, winner=winner.name, rule=decision.rule)
        outcome.events.append(told if is_open else stands)

    def _opened(self, outcome: Outcome, shown: Shown, meeting: Meeting) -> OpenConflict:
        return OpenConflict(
            gid=outcome.work.change.gid,
            field=meeting.name,
            mark=outcome.work.mark,
            key=shown.key,
            ours=value_text(meeting.have),
            theirs=value_text(meeting.now),
            told=msgspec.json.encode(meeting.now),
            base=meeting.base,
            since=outcome.work.since if outcome.work.since is not None else micros(self._site.clock()),
        )

    def lost(self, outcome: Outcome, row: Entity, shown: Shown) -> None:
        """What of ours, not told yet, goes with what the partner deleted."""
        # a link that is not there any more went with its other end, or is nothing to miss
        names = {**{name: None for name in row.shadows.here if link_end(name) is None}, **shown.fields}
        lost = [name for name in names if plan.unsent(row.shadow(name), shown.fields.get(name))]
        lost = sorted(self.field(name) for name in lost if self._paired.tells(row.kind, name, new=False))
        below = {one.local: one for one in self._view.children.get(row.gid, [])}
        for item in self._view.children_shown(row):
            known = below.get(item.ref.local)
            fields = self._view.wire(item.ref.kind, item.fields)
            if any(known is None or plan.unsent(known.shadow(name), value) for name, value in fields.items()):
                lost.append(f"{item.ref.kind} {item.ref.local}")
        if lost:
            outcome.events.append(LostEdit(key=shown.key, what=lost))

    def left(self, one: Outcome) -> Event | None:
        """A change that came to wait or is refused; None where there is nothing to tell, or it was told before."""
        if one.left is None or one.work.since is not None:
            return None
        key = self._key(one, one.left)
        if one.left.state is Wait.STUCK:
            again = one.left.waits_for in journal.AGAIN
            return Stuck(mark=one.left.mark, key=key, fields=one.refused, why=one.left.reason, again=again)
        waits = one.left.reason or one.left.waits_for or "the one before it"
        if one.left.waits_for == journal.UNWRITTEN:
            waits = f"our tracker: {waits}"
        return Waiting(mark=one.left.mark, key=key, waits_for=waits)

    def _key(self, one: Outcome, left: Queued) -> str:
        """What people here call it: our key, and the partner's in brackets; its alone where we have none."""
        change = one.work.change
        theirs = change.about.key or change.gid
        row = self._view.row(change.gid)
        stopped = self._view.stops(self._view.about(change))
        silent = left.state is Wait.BEHIND or left.waits_for in journal.AGAIN  # the tracker was not asked, or does not tell
        if stopped is not None:
            ours = stopped.called or None
        elif silent or row is None or row.state is not Life.LIVE:
            ours = self._view.keys.ours(change.about.key)
        else:
            shown = self._view.shown(row)
            ours = None if shown is None else shown.key
        return theirs if ours is None else f"{ours} ({theirs} at {self._paired.them.name})"
