"""One group of changes at a time: intents are committed, our tracker is called, results are committed."""

from __future__ import annotations

from collections.abc import Sequence

from filesync.agent.incoming.booking import book
from filesync.agent.merge.abreast import Team, by_family, by_issue, in_hand
from filesync.agent.merge.carry import Carry
from filesync.agent.merge.decide import Merge
from filesync.agent.merge.outcome import Outcome, Work
from filesync.agent.merge.people import People
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.steps import Step
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.agent.record import Record
from filesync.agent.site import Halted, Site
from filesync.ledger import shadows, streams
from filesync.ledger.streams import Taken
from filesync.model.ids import Gid
from filesync.model.moments import micros


class Groups:
    """Those of one import."""

    def __init__(self, site: Site, paired: Paired, record: Record, *, team: Team, reach: Reach) -> None:
        self._site, self._paired, self._record = site, paired, record
        self._x = paired.exchange.id
        self._team, self._reach = team, reach

    def decide(self, works: list[Work], *, taken: Taken | None = None, done: int = 0) -> list[Outcome]:
        """Decide a group: intents, calls, results. `done`: the bits of the bundle's changes decided before.

        Raises Unavailable, Halted: what was done until then is recorded; of a call that failed only the doubt is known.
        """
        view = View(self._site, self._paired, self._reach)
        view.load(work.change for work in works)
        issues = [view.about(work.change) for work in works]
        with self._site.busy.hold(ours := in_hand(issues, view)):
            self._reach.ask(ours)
            return self._decide(works, issues, view, taken=taken, done=done)

    def _decide(self, works: list[Work], issues: list[Gid], view: View, *, taken: Taken | None, done: int) -> list[Outcome]:
        stopping = self._site.stopping
        merge = Merge(self._site, self._paired, view)
        carry = Carry(self._site, self._paired, view, merge)

        def look(place: int) -> Step:
            return merge.step(works[place], blocked=taken is not None and works[place].change.gid in view.queued)

        looked = self._team.abreast(by_issue(issues), look, stopping=stopping)
        if looked.trouble is not None:
            # that these cannot be read is known to the next import, which comes further for it
            unread = [one for one in looked.results.values() if isinstance(one, Outcome) and one.unread]
            if unread:
                self._book(unread, view, taken=taken, done=done)
            raise looked.trouble
        if len(looked.results) < len(works):
            raise Halted
        steps = [looked.results[place] for place in range(len(works))]
        carry.intend(steps)
        early = carry.births.together(self._team, steps, stopping=stopping)
        # where one of those calls failed, what the others made is finished, and nothing else is begun
        lanes = by_family(issues, steps) if early.trouble is None else [[place] for place in early.results]
        came = self._team.abreast(lanes, lambda place: carry.out(steps[place]), stopping=stopping)
        came.begun |= early.begun
        came.troubles |= early.troubles
        outcomes = [came.results[place] for place in sorted(came.results)]
        idle = [works[place].change.gid for place in range(len(works)) if place not in came.begun]
        self._book(outcomes, view, taken=taken, done=done, idle=[gid for gid in idle if gid not in view.doubts])
        if came.trouble is not None:
            raise came.trouble
        if len(outcomes) < len(works):
            raise Halted
        return outcomes

    def _book(
        self, outcomes: Sequence[Outcome], view: View, *, taken: Taken | None, done: int, idle: Sequence[Gid] = ()
    ) -> None:
        """Write down and tell what became of these. `idle`: of what was to be done, and was not begun."""
        for one in outcomes:
            done |= 1 << one.work.change.n
        people = People(self._site, self._paired, view)
        left = {one.work.mark: event for one in outcomes if (event := people.left(one)) is not None}
        with self._site.ledger.begin() as conn:
            book(conn, self._paired, outcomes, self._record, at=micros(self._site.clock()))
            shadows.drop_doubts(conn, self._x, idle)
            if taken is not None:
                streams.update_taken(conn, self._x, taken, decided=done.to_bytes(done.bit_length() // 8 + 1, "little"))
            for one in outcomes:
                for event in one.events:
                    self._record.add(event)
                if one.work.mark in left:
                    self._record.add(left[one.work.mark])
            self._record.write(conn)
        self._record.done()
