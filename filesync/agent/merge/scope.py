"""What becomes here of the partner's word that an issue left its scope, or is back."""

from __future__ import annotations

from filesync.agent.events import ScopeHeard
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.steps import ShowScope
from filesync.agent.merge.view import Shown
from filesync.agent.paired import Paired
from filesync.model.change import Scoped
from filesync.model.issue import Scope
from filesync.model.outside import Outside
from filesync.trackers.base import MarkScope


def heard(outcome: Outcome, change: Scoped, shown: Shown, before: Outside, paired: Paired) -> Outcome | ShowScope:
    """Ours stays as it is. It may say so to people, or say it no more."""
    them = paired.them.name
    marks = change.now is not Scope.IN and paired.rules.leaving.marks
    outcome.called = shown.key
    outcome.outside = Outside(theirs=change.now, marked=marks)
    outcome.events.append(
        ScopeHeard(mark=outcome.work.mark, gid=change.gid, key=shown.key, now=change.now, partner=them, marked=marks)
    )
    if marks or before.marked:
        return ShowScope(outcome, shown, MarkScope(them, change.now if marks else Scope.IN))
    return outcome
