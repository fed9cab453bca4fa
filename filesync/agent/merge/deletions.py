"""Deciding what a deletion of the partner's becomes here. Nothing is deleted yet."""

from __future__ import annotations

from filesync.agent.merge import plan
from filesync.agent.merge.ends import Ends
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.people import People
from filesync.agent.merge.plan import OnDelete
from filesync.agent.merge.steps import Erase, Step
from filesync.agent.merge.view import Shown, View
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger.endings import endings
from filesync.ledger.shadows import in_others
from filesync.model.change import Delete
from filesync.model.ids import Kind, home, kind_of
from filesync.model.shadow import Entity, Life
from filesync.trackers.base import MarkDeleted, Remove


class Deletions:
    """The verdicts on those of one group."""

    def __init__(self, site: Site, paired: Paired, view: View, ends: Ends, people: People) -> None:
        self._site, self._paired, self._view = site, paired, view
        self._ends, self._people = ends, people

    def step(self, outcome: Outcome, change: Delete) -> Step:
        """What a deletion that arrives becomes. Raises Unavailable."""
        row = self._view.row(change.gid)
        shown = self._view.shown(row) if row is not None and row.state is Life.LIVE else None
        kind = kind_of(change.gid)
        ending = self._paired.rules.deletes[row.kind if row is not None else kind]
        policy = ending.of(came=shown is not None and self._theirs(shown))
        verdict = plan.on_delete(state=self._view.life(change.gid), there=shown is not None, policy=policy)
        if verdict is OnDelete.DROP:
            if row is not None and row.kind is Kind.ATTACHMENT and row.state is Life.APART and row.local is None:
                return outcome  # it was left out: nobody misses it
            return self._ends.drop(outcome, "was deleted or kept apart here already")
        if row is None or shown is None:
            row = row or Entity(gid=change.gid, kind=kind, state=Life.DEAD)
            outcome.rows += self.buried(row, Life.DEAD)
            return self._ends.drop(
                outcome, "was deleted on both sides" if row.local is not None else "is deleted before it came"
            )
        match verdict:
            case OnDelete.REMOVE:
                self._people.lost(outcome, row, shown)
                return Erase(outcome, row, shown, Remove(), Life.DEAD)
            case OnDelete.MARK | OnDelete.CLOSE:
                return Erase(outcome, row, shown, MarkDeleted(self._paired.them.name), Life.APART, ending.last_step)
            case _:
                outcome.rows += self.buried(row, Life.APART)
                self._ends.told(outcome, shown.key)
                return outcome

    def _theirs(self, shown: Shown) -> bool:
        """Whether an item was made for one of the partner's; one that stood on both sides before they were paired was not.

        What was born at a third site was, unless it came, or may have come, by way of another exchange of ours.
        """
        origin = shown.item.origin
        if origin is None or home(origin) in {self._paired.us.id, self._paired.them.id}:
            return origin is not None and home(origin) == self._paired.them.id
        with self._site.ledger.begin() as conn:
            return not endings(conn) and not in_others(conn, self._paired.exchange.id, origin)

    def buried(self, row: Entity, life: Life) -> list[Entity]:
        """The rows of an entity and of all that belongs to it, dead or apart."""
        below = self._view.children.get(row.gid, [])
        return [one.ended(life) for one in (row, *below) if one is row or one.state is Life.LIVE]
