"""What becomes here of the partner's word that an issue left its scope, or is back."""

from __future__ import annotations

import msgspec

from filesync.agent.events import Event, ScopeHeard, Severity, ended
from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.steps import ShowScope
from filesync.agent.merge.view import Shown
from filesync.agent.paired import Paired
from filesync.errors import Rejected
from filesync.model.change import Scoped
from filesync.model.issue import Scope
from filesync.model.outside import Outside
from filesync.trackers.base import MarkScope


class NotSaid(Event, frozen=True, kw_only=True):
    """Our tracker does not take what an issue is to say of the partner's scope, or does not let it go again."""

    severity = Severity.WARNING
    key: str
    partner: str
    now: Scope
    why: str

    def sentence(self) -> str:
        """See Event."""
        what = "still says that" if self.now is Scope.IN else "does not say that"
        what = f"{self.key} {what} {self.partner} does not send its own any more: {ended(self.why)}"
        return f"{what} filesync knows it all the same, and nothing waits for this. The partner's next word tries it again."


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
        return ShowScope(outcome, shown, MarkScope(them, change.now if marks else Scope.IN), before)
    return outcome


def not_said(outcome: Outcome, step: ShowScope, error: Rejected) -> None:
    """What the partner said stands, and no edit waits for words on the issue; that these are missing, or left, is told."""
    now, before = step.action.now, step.before
    outcome.outside = Outside(theirs=now, marked=before.marked)
    outcome.events = [
        msgspec.structs.replace(one, marked=False) if isinstance(one, ScopeHeard) else one for one in outcome.events
    ]
    outcome.events.append(NotSaid(key=step.shown.key, partner=step.action.by, now=now, why=str(error)))
