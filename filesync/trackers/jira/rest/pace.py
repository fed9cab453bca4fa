"""How fast Jira is asked: so many requests a second from all threads together, and writes to one issue one by one.

Data Center keeps a bucket of tokens for each user and node, Cloud one for each tenant, and on Cloud an issue takes 20
writes in 2 seconds and 100 in 30 (developer.atlassian.com, Rate limiting). Who goes over that is answered 429.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_BURST: Final = 1.0  # seconds' worth of requests may come at once
_SLOWEST: Final = 1.0  # seconds between two requests, however often Jira said that it is too much
_RECOVERY: Final = 0.95  # what each request that went through takes from that pause
CLOUD_WRITES: Final = ((20, 2.0), (100, 30.0))  # to one issue: so many in so many seconds
_REMEMBERED: Final = 1_000  # issues whose last writes are known


@dataclass(frozen=True, slots=True)
class Waiting:
    """Time and chance, to be replaced where nobody wants to wait."""

    now: Callable[[], float] = time.monotonic  # seconds
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random  # from 0 to 1


class Limiter:
    """Lets through so many requests a second. What one thread was told (come again in 30 s) holds for all."""

    def __init__(self, *, per_second: float, waiting: Waiting) -> None:
        self._waiting = waiting
        self._lock = threading.Lock()
        self._own_gap = 1 / per_second
        self._gap = self._own_gap
        self._next = waiting.now()  # when the next request would be due if there were no bursts
        self._held = self._next

    def take(self, *, within: float) -> float:
        """Wait for a turn and return 0.0; where Jira asked for more than `within` seconds of quiet, return those at once."""
        while True:
            with self._lock:
                now = self._waiting.now()
                if self._held - now > max(within, 0.0):
                    return self._held - now
                wait = max(self._held, self._next - _BURST) - now
                if wait <= 0:
                    self._next = max(self._next, now) + self._gap
                    self._gap = max(self._own_gap, self._gap * _RECOVERY)
                    return 0.0
            self._waiting.sleep(wait)
            within -= wait

    def hold(self, seconds: float) -> None:
        """Nobody asks for so long, and then more slowly for a while."""
        with self._lock:
            self._held = max(self._held, self._waiting.now() + seconds)
            self._next = max(self._next, self._held + _BURST)
            self._gap = max(self._own_gap, min(self._gap * 2, _SLOWEST))


@dataclass(slots=True)
class _Issue:
    """What is known of the writes to one issue."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0  # threads that have or want the lock
    written: deque[float] = field(default_factory=lambda: deque(maxlen=max(count for count, _ in CLOUD_WRITES)))


class Turns:
    """Writes to one issue come one after the other, not faster than it takes them."""

    def __init__(self, *, pause: float, limits: tuple[tuple[int, float], ...], waiting: Waiting) -> None:
        self._pause = pause
        self._limits = limits
        self._waiting = waiting
        self._lock = threading.Lock()
        self._issues: dict[str, _Issue] = {}

    @contextmanager
    def turn(self, issue: str) -> Iterator[None]:
        """One write to this issue; to none where the name is empty."""
        if not issue:
            yield
            return
        with self._lock:
            if len(self._issues) >= _REMEMBERED:
                self._forget()
            one = self._issues.setdefault(issue, _Issue())
            one.users += 1
        try:
            with one.lock:
                self._wait(one)
                try:
                    yield
                finally:
                    one.written.append(self._waiting.now())
        finally:
            with self._lock:
                one.users -= 1

    def _wait(self, one: _Issue) -> None:
        now = self._waiting.now()
        due = [one.written[-1] + self._pause] if one.written else []
        due += [one.written[-count] + span for count, span in self._limits if len(one.written) >= count]
        if due and max(due) > now:
            self._waiting.sleep(max(due) - now)

    def _forget(self) -> None:
        """Let go of issues that may be written to at once again."""
        longest = max([self._pause, *(span for _, span in self._limits)])
        old = self._waiting.now() - longest
        kept = {name: one for name, one in self._issues.items() if one.users or (one.written and one.written[-1] > old)}
        self._issues = kept
