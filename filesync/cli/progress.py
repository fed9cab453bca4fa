"""One line at the end of a terminal that says how far long work is. What it costs does not depend on how much there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Final

from filesync.agent.progress import Doing, Progress, untold
from filesync.errors import size_text

PATIENCE: Final = 0.5  # s until it is shown at all: most calls are over before
_EVERY: Final = 0.1  # s between two drawings
_TICK: Final = 0.5  # s between two looks at the clock where nothing else tells how far it is
_NEVER: Final = float("inf")
_BAR: Final = 24  # characters


class Bar:
    """The line. It stands on stderr, and is erased before anything else is printed. Calls may come from any thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._next: float | None = None  # when it may be drawn
        self._line: _Line | None = None

    def show(self, doing: Doing, done: int, of: int | None) -> None:
        """Tell how far it is; a `Progress`."""
        now = self._clock()
        if self._next is None:
            self._next = now + PATIENCE
        if now < self._next:
            return
        with self._lock:
            if now < self._next:
                return  # another thread drew it meanwhile
            self._next = now + _EVERY
            self._line = self._line or _Line()
            try:
                self._line.draw(doing, done, of)
            except OSError:  # the terminal was closed: what was to be shown there is not the work
                self._line, self._next = None, _NEVER

    def clear(self) -> None:
        """Make room for other lines."""
        with self._lock:
            if self._line is not None:
                self._next = self._clock() + _EVERY  # those are printed now
                try:
                    self._line.erase()
                except OSError:
                    self._line, self._next = None, _NEVER


@contextmanager
def waiting(show: Progress) -> Iterator[None]:
    """While the tracker is asked and nobody else tells how far that is: the seconds that it has taken."""
    if show is untold:
        yield
        return
    over, begun = Event(), time.monotonic()

    def tick() -> None:
        while not over.wait(_TICK):
            show(Doing.WAITING, int(time.monotonic() - begun), None)

    ticking = Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()


class _Line:
    """What rich makes of it. No thread of its own, and the cursor stays as it is: a kill leaves the terminal in order."""

    def __init__(self) -> None:
        # rich takes 0.1 s to load, which only work that is long shall pay
        from rich.console import Console  # noqa: PLC0415
        from rich.control import Control  # noqa: PLC0415
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.segment import ControlType, Segments  # noqa: PLC0415

        self._console = Console(stderr=True)
        columns = (BarColumn(bar_width=_BAR), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
        self._progress = Progress(*columns, console=self._console, auto_refresh=False)
        self._task = self._progress.add_task("")
        self._segments = Segments
        self._begin = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
        self._last: tuple[Doing, int] | None = None
        self._there = False
        self._able = self._console.is_terminal and not self._console.is_dumb_terminal

    def draw(self, doing: Doing, done: int, of: int | None) -> None:
        """Draw it anew. Raises OSError."""
        if not self._able:
            return
        words = _words(doing, done, of)
        if self._last is None or self._last[0] is not doing or done < self._last[1]:  # the time left is another's
            self._progress.reset(self._task, total=of, completed=done, description=words)
        else:
            self._progress.update(self._task, total=of, completed=done, description=words)
        self._last = doing, done
        table = self._progress.make_tasks_table(self._progress.tasks)
        options = self._console.options.update(max_width=self._console.width - 1, no_wrap=True)
        (line, *_) = self._console.render_lines(table, options, pad=False)
        self._console.control(self._begin)
        self._console.print(self._segments(line), end="")
        self._there = True

    def erase(self) -> None:
        """Take it away. Raises OSError."""
        if self._there:
            self._console.control(self._begin)
            self._there = False


def _words(doing: Doing, done: int, of: int | None) -> str:
    text = size_text if doing.in_bytes else "{:,}".format
    return f"{text(done)} of {text(of)} {doing}" if of is not None else f"{text(done)} {doing}"
