"""A loop in a world that a test plays: waits take no time, and after each the test does its next act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from filesync.agent.events import Event
from filesync.agent.founding import CONFIG, NewSite, create_site
from filesync.agent.partners import pairing
from filesync.agent.running.loop import Around
from filesync.agent.running.service import Pulse
from filesync.agent.site import Site
from filesync.config import load_config
from filesync.ledger.streams import Direction
from tests.support.two_sites import Clock, Side

SECOND = "second"
T = TypeVar("T")


class AtOnce(Executor):
    """Nobody else's thread: what is handed in is done before the next line."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor does: whoever asks for the result gets it
            future.set_exception(error)
        return future


@dataclass
class Play:
    """`acts` are done one after each wait; after the last one it is asked to stop."""

    clock: Clock
    acts: Iterable[Callable[[], object]]
    now: float = 1_000.0
    over: bool = False
    told: list[tuple[str, Event]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    stopping: Callable[[], bool] = lambda: False
    _left: Iterator[Callable[[], object]] | None = None

    def around(self) -> Around:
        self._left = iter(self.acts)
        return Around(
            monotonic=lambda: self.now,
            wait=self._wait,
            stopping=lambda: self.over or self.stopping(),
            chance=lambda: 1.0,
            ring=nothing,
            crew=lambda _: AtOnce(),
            pulse=Pulse(nothing),
            tell=lambda _site, exchange, event: self.told.append((exchange, event)),
        )

    def _wait(self, seconds: float) -> None:
        assert self._left is not None
        self.pauses.append(seconds)
        self.now += seconds
        self.clock.advance(seconds=seconds)
        act = next(self._left, None)
        if act is None:
            self.over = True
        else:
            act()

    def kinds(self, exchange: str | None = None) -> list[str]:
        """What was told, by name; of one exchange, or of all."""
        return [type(event).__name__ for name, event in self.told if exchange in {None, name}]

    def sentences(self, kind: type[Event]) -> list[str]:
        return [event.sentence() for _, event in self.told if isinstance(event, kind)]


def nothing() -> None:
    """An act that leaves everything as it is."""


def with_a_second_partner(side: Side) -> Path:
    """Pair the side with a third site, under an exchange and inbox of its own. Returns that inbox."""
    inbox = side.folder / "second-inbox"
    inbox.mkdir()
    folder = side.folder.parent / "initech"
    create_site(folder, NewSite(name="initech", tracker="embedded", project="ABC"), clock=side.clock)
    with Site.open(load_config(folder / CONFIG), clock=side.clock) as third:
        ours, theirs = pairing.offer(side.site, SECOND), pairing.offer(third, "main")
        pairing.accept(third, ours, exchange="main", encrypt=False, direction=Direction.BOTH, outbox=None, inbox=None)
    pairing.accept(side.site, theirs, exchange=SECOND, encrypt=False, direction=Direction.BOTH, outbox=None, inbox=inbox)
    return inbox
