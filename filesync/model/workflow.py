"""The way through a workflow, as pure search: which statuses to go through to reach one."""

from __future__ import annotations

from collections.abc import Sequence


def shortest(transitions: Sequence[tuple[str, str]], start: str, goal: str) -> tuple[str, ...] | None:
    """The statuses to go through from `start` to `goal`, the last being `goal`; () when there already; None: no way.

    `transitions` are (from, to) pairs. Of ways with the same number of steps, the one whose first differing step
    is declared earlier is taken, so that the answer is the same on every machine.
    """
    if start == goal:
        return ()
    steps: dict[str, list[str]] = {}
    for source, target in transitions:
        steps.setdefault(source, []).append(target)
    came_from: dict[str, str] = {start: start}
    edge = [start]
    while edge and goal not in came_from:
        following: list[str] = []
        for status in edge:
            for target in steps.get(status, ()):
                if target not in came_from:
                    came_from[target] = status
                    following.append(target)
        edge = following
    if goal not in came_from:
        return None
    way = [goal]
    while came_from[way[-1]] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
