"""How an arriving change ends without a call to our tracker: dropped, left to our own deletion, queued, or decided."""

from __future__ import annotations

from filesync.agent.events import Applied, Dropped
from filesync.agent.merge.outcome import End, Outcome, Work
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger import journal
from filesync.ledger.journal import Wait
from filesync.model.change import Change
from filesync.model.moments import micros
from filesync.model.shadow import Entity


class Ends:
    """The ends of the changes of one group."""

    def __init__(self, site: Site, paired: Paired, view: View) -> None:
        self._site, self._paired, self._view = site, paired, view

    def drop(self, outcome: Outcome, why: str) -> Outcome:
        """It is not taken, which is told."""
        change = outcome.work.change
        outcome.events.append(Dropped(mark=outcome.work.mark, gid=change.gid, key=change.about.key, why=why))
        return outcome

    def leave(self, outcome: Outcome, row: Entity | None) -> Outcome:
        """Our tracker has it no more: our own delete goes out with the next export, where we tell anything of its kind."""
        if row is not None and not self._paired.sends(row.kind):
            return self.drop(outcome, f"was deleted here, which is not told: we only receive {row.kind}s")
        local = self._view.issue_of(row) if row is not None else None
        if local is not None:
            outcome.revisit.add(local)
        return self.drop(outcome, "was deleted here; our deletion goes out")

    def queue(self, outcome: Outcome, state: Wait, *, waits_for: str = "", reason: str = "") -> Outcome:
        """It waits, or is stuck until a person decides."""
        now = micros(self._site.clock())
        gid = outcome.work.change.gid
        outcome.doubted = gid in self._view.doubts and self._view.row(gid) is None
        outcome.leave(state, rest=outcome.work.change, now=now, waits_for=waits_for, reason=reason)
        return outcome

    def put_off(self, work: Work, waits_for: str, why: str, *, doubted: bool) -> Outcome:
        """Its issue is out of reach, for now. `doubted`: a call of ours may have gone through."""
        outcome = Outcome(work, doubted=doubted)
        state = Wait.STUCK if waits_for in journal.AGAIN else Wait.WAITS
        outcome.leave(state, rest=work.change, now=micros(self._site.clock()), waits_for=waits_for, reason=why)
        return outcome

    def told(self, outcome: Outcome, key: str) -> None:
        """It is decided, which is told. `key`: of its issue."""
        change = outcome.work.change
        outcome.events.append(
            Applied(
                mark=outcome.work.mark,
                gid=change.gid,
                key=key,
                what=word(change),
                skipped=outcome.end is End.SKIPPED,
            )
        )


def word(change: Change) -> str:
    """What a change is counted as."""
    return str(change.__struct_config__.tag)
