"""Several issues at a time: which changes of a group may be carried out side by side, and doing so.

A lane is what must stay in order: an issue with what belongs to it, and with the issues of the group that it names (a
tracker deletes no parent before what is below it was given another). Lanes do not know each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import chain
from threading import Event
from types import TracebackType
from typing import Final, Generic, Self, TypeAlias, TypeVar

from filesync.agent.merge.outcome import Outcome
from filesync.agent.merge.steps import Erase, Make, ShowScope, Step, Write
from filesync.agent.merge.view import View
from filesync.errors import Unavailable
from filesync.model.ids import LONGEST_GID, Gid
from filesync.model.links import link_end
from filesync.model.values import Flat

Lane: TypeAlias = list[int]  # places in the group, in order
R = TypeVar("R")
_PATIENCE: Final = 0.002  # s: a lane that takes longer waits for the tracker


@dataclass(slots=True)
class Came(Generic[R]):
    """What came of the places that were reached, and what ended it before all were."""

    begun: set[int] = field(default_factory=set)
    results: dict[int, R] = field(default_factory=dict)
    troubles: dict[int, Unavailable] = field(default_factory=dict)

    @property
    def trouble(self) -> Unavailable | None:
        """That of the first place that met one."""
        return self.troubles[min(self.troubles)] if self.troubles else None


def by_issue(issues: Iterable[Gid]) -> list[Lane]:
    """Lanes for looking: what is about one issue asks the tracker for it once."""
    lanes: dict[Gid, Lane] = {}
    for place, issue in enumerate(issues):
        lanes.setdefault(issue, []).append(place)
    return list(lanes.values())


def in_hand(issues: Iterable[Gid], view: View) -> set[str]:
    """The issues of our tracker that a group is about, by local id; those that are not here yet nobody else can have."""
    rows = map(view.row, issues)
    return {row.local for row in rows if row is not None and row.local is not None}


def by_family(issues: Sequence[Gid], steps: Sequence[Step]) -> list[Lane]:
    """Lanes for writing: issues of the group that name each other, or did until now, are one lane."""
    joined: dict[Gid, Gid] = {issue: issue for issue in issues}  # each issue -> another of its lane, at last the first

    def first(issue: Gid) -> Gid:
        while joined[issue] != issue:
            issue = joined[issue]
        return issue

    for issue, step in zip(issues, steps, strict=True):
        for named in _named(step):
            if named in joined:
                joined[first(issue)] = first(Gid(named))
    lanes: dict[Gid, Lane] = {}
    for place, issue in enumerate(issues):
        lanes.setdefault(first(issue), []).append(place)
    return list(lanes.values())


class Team:
    """The calling thread and those beside it: `workers` in all. They are started when they are needed; use it in a `with`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._beside: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._beside is not None:
            self._beside.shutdown()

    def abreast(self, lanes: Sequence[Lane], call: Callable[[int], R], *, stopping: Callable[[], bool]) -> Came[R]:
        """Make one call for each place, of several lanes at the same time, of one lane in order.

        Once a call raises Unavailable or it is asked to stop, nothing new is begun, and what is in hand is finished. Any
        other error is raised, after that.
        """
        came = Came[R]()
        over = Event()
        left = deque(lanes)

        def ended() -> bool:
            return over.is_set() or stopping()

        def work() -> None:
            try:
                while True:
                    try:
                        lane = left.popleft()
                    except IndexError:
                        return
                    _go(lane, call, came, ended)
                    if came.troubles:
                        over.set()
            except BaseException:
                over.set()
                raise

        if self._workers == 1 or len(lanes) == 1:
            left = deque([sorted(place for lane in lanes for place in lane)])
            work()
            return came
        done = Event()
        beside = self._helper().submit(self._join, left, work, done)
        try:
            work()
        finally:  # also where it was interrupted
            done.set()
            wait([beside])
        beside.result()
        return came

    def _join(self, left: Sized, work: Callable[[], None], done: Event) -> None:
        """The others, once the calling thread waits for the tracker. While it gets on by itself they would only hold it up.

        Python runs one thread at a time: where calls cost nothing but its work, four threads take half as long again as one.
        """
        before = -1
        while before != len(left):
            before = len(left)
            if done.wait(_PATIENCE):
                return
        others = [self._helper().submit(work) for _ in range(min(self._workers - 2, len(left)))]
        try:
            work()
        finally:
            wait(others)
        for one in others:
            one.result()

    def _helper(self) -> ThreadPoolExecutor:
        if self._beside is None:
            self._beside = ThreadPoolExecutor(max_workers=self._workers - 1, thread_name_prefix="issue")
        return self._beside


def _go(lane: Iterable[int], call: Callable[[int], R], came: Came[R], over: Callable[[], bool]) -> None:
    for place in lane:
        if over():
            return
        came.begun.add(place)
        try:
            came.results[place] = call(place)
        except Unavailable as error:
            came.troubles[place] = error
            return


def _named(step: Step) -> Iterator[str]:
    """What may be gids among the values of a step, and the other ends of its links."""
    match step:
        case Make():
            fields: Iterable[Flat] = (step.change.fields,)
        case Write():
            fields = (step.writes, step.shown.fields)
        case Erase():
            fields = (step.shown.fields,)
        case Outcome() | ShowScope():
            fields = ()
    for name, value in chain.from_iterable(one.items() for one in fields):
        if isinstance(value, str):
            if len(value) <= LONGEST_GID:
                yield value
        elif (end := link_end(name)) is not None:
            yield end
