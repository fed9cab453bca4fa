"""What a run has to do with the system it runs on: a bell that wakes it, signals that stop it, and the service manager.

The manager is told by datagrams to the socket that NOTIFY_SOCKET names: sd_notify(3) of systemd.
"""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from types import FrameType, TracebackType
from typing import Final, Self

from filesync.errors import ConfigError, Problem

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Bell:
    """Wakes whoever waits. It may be rung from a signal handler and from other threads: it takes no lock. For a `with`."""

    def __init__(self) -> None:
        self._hear, self._ring = socket.socketpair()
        self._hear.setblocking(False)
        self._ring.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hear.close()
        self._ring.close()

    def ring(self) -> None:
        """End the wait, this one or the next. After the end nobody waits."""
        with suppress(OSError):  # full: it was rung often enough; closed: nobody waits
            self._ring.send(b"\0")

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is rung."""
        if select.select([self._hear], [], [], seconds)[0]:
            with suppress(BlockingIOError):
                while self._hear.recv(4096):
                    pass


@contextmanager
def stop_signals(ring: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Take SIGTERM and SIGINT as a request, and answer whether there was one. The second one ends the process at once."""
    asked: list[int] = []
    before = {one: signal.getsignal(one) for one in _SIGNALS}

    def hear(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)  # not as an exception: threads that are at work would be waited for
        ring()

    for one in _SIGNALS:
        signal.signal(one, hear)
    try:
        yield lambda: bool(asked)
    finally:
        for one in _SIGNALS:
            signal.signal(one, before[one])


class Pulse:
    """Whether all is well: told on only when each of those at work has told it since the last time."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._lock = Lock()
        self._at_work: set[object] = set()
        self._silent: set[object] = set()

    def joins(self, who: object) -> None:
        """From now on it is waited for."""
        with self._lock:
            self._at_work.add(who)

    def leaves(self, who: object) -> None:
        """It has nothing to do any more."""
        with self._lock:
            self._at_work.discard(who)
            self._silent.discard(who)

    def alive(self, who: object) -> None:
        """All is well with it."""
        with self._lock:
            self._silent.discard(who)
            if not self._silent:
                self._silent = set(self._at_work)
                self._beat()


class Manager:
    """The service manager that started us, if any."""

    def __init__(self, environment: Mapping[str, str], monotonic: Callable[[], float]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._monotonic = monotonic
        usec = environment.get("WATCHDOG_USEC", "")
        # a third of the time in which it wants to hear of us; None: it does not ask
        self.beat = int(usec) / 3e6 if self._address and usec.isdecimal() and int(usec) else None
        self._next = 0.0
        self._said: set[str] = set()

    def once(self, state: str) -> None:
        """Send a state, unless it was sent before."""
        if state not in self._said:
            self._said.add(state)
            self.tell(state)

    def tell(self, state: str) -> None:
        """Send a state: READY=1, STOPPING=1, WATCHDOG=1.

        Raises ConfigError: a manager that cannot hear us would kill us later.
        """
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.sendto(state.encode(), address)
        except OSError as error:
            raise ConfigError(
                [Problem("NOTIFY_SOCKET", f"the service manager cannot be told {state}: {error.strerror or error}")],
                hint="Start filesync from its unit, or without NOTIFY_SOCKET in its environment. No work was lost.",
            ) from error

    def alive(self) -> None:
        """Tell that all is well, as often as the manager wants to hear it."""
        if self.beat is not None and self._monotonic() >= self._next:
            self._next = self._monotonic() + self.beat
            self.tell("WATCHDOG=1")
