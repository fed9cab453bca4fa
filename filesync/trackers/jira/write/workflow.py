"""The way through Jira's workflows, which REST tells one status at a time: what is known of them, and the search in it.

Jira lists the transitions that our account may carry out on one issue now. What it listed for other issues of the same
type in other statuses is remembered, and what the settings name is believed; so the way is known after a while, and
until then a step into a status nobody has looked from yet is tried where it leads the right way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from filesync.model.workflow import shortest

_RANK: Final = {"new": 0, "indeterminate": 1, "done": 2}  # Jira's three categories of statuses


@dataclass(frozen=True, slots=True)
class Step:
    """A transition as Jira lists it: its id, the name of its button, the status it leads to and that one's category."""

    id: str
    name: str
    to: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issue stands: its type, its status and that one's category, and the steps it may take now, in Jira's order."""

    type: str
    status: str
    category: str
    steps: tuple[Step, ...]


def read_place(issue: Mapping[str, Any]) -> Place:
    """From an issue's JSON with `fields=status,issuetype` and `expand=transitions`."""
    fields = issue.get("fields") or {}
    status = fields.get("status") or {}
    return Place(
        type=str((fields.get("issuetype") or {}).get("name", "")),
        status=str(status.get("name", "")),
        category=_category(status),
        steps=tuple(_step(one) for one in issue.get("transitions") or ()),
    )


def _step(transition: Mapping[str, Any]) -> Step:
    to = transition.get("to") or {}
    return Step(str(transition.get("id", "")), str(transition.get("name", "")), str(to.get("name", "")), _category(to))


def _category(status: Mapping[str, Any]) -> str:
    return str((status.get("statusCategory") or {}).get("key", ""))


class Seen:
    """What Jira told of the workflows so far. Many threads may tell and ask."""

    def __init__(self, known: Sequence[tuple[str, str]] = ()) -> None:
        self._known = tuple(known)  # from the settings: of every type
        self._steps: dict[tuple[str, str], tuple[Step, ...]] = {}  # (type, status) -> what led out of there
        self._category: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, place: Place) -> None:
        """Take over what an issue showed."""
        with self._lock:
            self._steps[place.type, place.status] = place.steps
            self._category[place.status] = place.category
            self._category.update((step.to, step.category) for step in place.steps)

    def place(self, kind: str, status: str) -> Place | None:
        """Where an issue of this type stands in this status, if it may do what the last one there might; None: none was."""
        with self._lock:
            steps = self._steps.get((kind, status))
            return None if steps is None else Place(kind, status, self._category.get(status, ""), steps)

    def way(self, place: Place, goal: str) -> tuple[str, ...] | None:
        """The shortest way that is known, by what this issue may do now; () when there; None: none is known."""
        return shortest(self._pairs(place), place.status, goal)

    def unseen(self, place: Place) -> tuple[str, ...]:
        """The statuses that can be reached from here and that nothing is known to lead out of, nearest first."""
        pairs = self._pairs(place)
        sources = {source for source, _ in pairs} | {status for kind, status in self._seen() if kind == place.type}
        reach = [(len(way), target) for target in dict.fromkeys(to for _, to in pairs) if (way := self.way(place, target))]
        return tuple(target for _, target in sorted(reach, key=lambda one: one[0]) if target not in sources)

    def forward(self, place: Place, goal: str) -> tuple[str, ...] | None:
        """The way to the nearest unseen status that lies in the direction of the goal; None: there is none.

        In the direction: its category lies between ours and the goal's, and work is not declared done on the way, unless
        it goes from one end to another.
        """
        here, there = self._rank(place.status), self._rank(goal)
        low, high = min(here, there), max(here, there)
        for status in self.unseen(place):
            rank = self._rank(status)
            if low <= rank <= high and (rank < _RANK["done"] or low == _RANK["done"]):
                return self.way(place, status)
        return None

    def note(self, status: str, category: str) -> None:
        """A status' category, as the project declares it."""
        with self._lock:
            self._category.setdefault(status, category)

    def _pairs(self, place: Place) -> tuple[tuple[str, str], ...]:
        """Every step known for this type; out of where the issue stands only those that Jira lists for it."""
        here = [(place.status, step.to) for step in place.steps]
        seen = [(status, step.to) for (kind, status), steps in self._seen().items() if kind == place.type for step in steps]
        beyond = [(source, to) for source, to in (*self._known, *seen) if source != place.status]
        return tuple(dict.fromkeys((*here, *beyond)))

    def _seen(self) -> dict[tuple[str, str], tuple[Step, ...]]:
        with self._lock:
            return dict(self._steps)

    def _rank(self, status: str) -> int:
        with self._lock:
            return _RANK.get(self._category.get(status, ""), _RANK["indeterminate"])


def choose(steps: Iterable[Step], target: str, button: str | None) -> tuple[Step, ...]:
    """The transitions that lead to a status, the one that is meant first; none where the settings name one that is not listed.

    `button`: the transition's name that the settings have for this pair of statuses.
    """
    fits = tuple(step for step in steps if step.to == target)
    return fits if button is None else tuple(step for step in fits if step.name == button)
