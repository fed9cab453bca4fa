"""What search sees: each issue as it was when the index was last told of it."""

from __future__ import annotations

import copy
from itertools import count

from tests.support.jira.clock import Clock
from tests.support.jira.faults import Faults
from tests.support.jira.records import Issue

MINUTE = 60_000


class Index:
    """Entries by issue id. Without lag an entry is the issue itself; with lag, a copy of what it was before."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock, self._faults = clock, faults
        self._entries: dict[str, Issue] = {}
        self._pending: dict[str, tuple[int, Issue | None]] = {}  # when it shows, and what then (None: nothing)
        self._order: dict[str, int] = {}  # when an entry was written last: how rows of one moment stand
        self._numbers = count()

    def before(self, issue: Issue) -> None:
        """The issue is about to change: search keeps showing what it shows now, where the index lags."""
        if self._lags and self._entries.get(issue.id) is issue:
            self._entries[issue.id] = copy.deepcopy(issue)

    def after(self, issue: Issue, *, gone: bool = False) -> None:
        """The issue has changed, or is there no longer."""
        shown = None if gone or issue.archived else issue
        if self._lags:
            self._faults.strike("index lag")
            self._pending[issue.id] = (self._clock.now() + round(self._faults.index_lag * 1000), shown)
        else:
            self._show(issue.id, shown)

    def refresh(self, issue: Issue) -> None:
        """Show this issue as it is now, whatever the lag: Cloud's `reconcileIssues`."""
        if issue.id in self._pending:
            self._show(issue.id, None if issue.archived else issue)

    def entries(self) -> list[Issue]:
        """All that search sees now, in the order in which it was last written."""
        if not self._faults.index_held:
            now = self._clock.now()
            for issue in [one for one, (due, _) in self._pending.items() if due <= now]:
                self._show(issue, self._pending[issue][1])
        return sorted(self._entries.values(), key=lambda issue: self._order[issue.id])

    def moment(self, moment: int) -> int:
        """A date-time as the index keeps it."""
        return moment if self._faults.index_exact else moment - moment % MINUTE

    @property
    def _lags(self) -> bool:
        return self._faults.index_held or self._faults.index_lag > 0

    def _show(self, issue: str, shown: Issue | None) -> None:
        self._pending.pop(issue, None)
        self._order[issue] = next(self._numbers)
        if shown is None:
            self._entries.pop(issue, None)
        else:
            self._entries[issue] = shown
