"""What changes beside a run: files in the inboxes (a hint to look at once), and the files that the site is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from filesync.agent.events import Event
from filesync.agent.running import news
from filesync.agent.running.lanes import POLL, STILL
from filesync.bundle.verdict import shown
from filesync.config import Config, load_config
from filesync.errors import ConfigError
from filesync.rules.load import load_rules

_HINTS: Final[list[type[FileSystemEvent]]] = [FileCreatedEvent, FileClosedEvent, FileMovedEvent, DirMovedEvent]


class _Ringer(FileSystemEventHandler):
    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - what it was, the next look sees
        self._ring()


@contextmanager
def watching(folders: Iterable[Path], ring: Callable[[], None], tell: Callable[[Event], None]) -> Iterator[None]:
    """Ring when something comes into one of the folders. It is a hint: a folder that cannot be watched is told of."""
    observer = Observer()
    observer.start()
    try:
        for folder in sorted(set(folders)):
            try:
                observer.schedule(_Ringer(ring), str(folder), event_filter=_HINTS)
            except OSError as error:
                why = error.strerror or str(error)
                tell(news.NotWatched(folder=shown(str(folder)), why=why, poll_s=int(POLL)))
        yield
    finally:
        observer.stop()
        observer.join()


Stamp = tuple[int, int, int] | None  # mtime_ns, size, inode; None: not there


class Files:
    """The files that a site is made of: its configuration, contracts and mappings. Looked at from before they are read."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        stamp = _stamp(path)
        self.config = load_config(path)  # raises ConfigError
        self._read: Mapping[Path, Stamp] = {one: _stamp(one) for one in _made_of(self.config)} | {self.config.path: stamp}
        self._seen, self._since = self._read, monotonic()

    def changed(self, exchanges: Iterable[str], tell: Callable[[Event], None]) -> bool:
        """Whether there is something new to be read, and all of it is usable. What is not is told, once.

        A file counts as changed when it stayed the same for a moment: one that is being written is left to its writer.
        """
        now = {one: _stamp(one) for one in self._read}
        if now != self._seen:
            self._seen, self._since = now, self._monotonic()
        if now == self._read or self._monotonic() - self._since < STILL:
            return False
        files = [one for one, stamp in now.items() if stamp != self._read[one]]
        self._read = now
        problems = self._problems(exchanges)
        if problems:
            tell(news.NotRead(problems=problems))
            return False
        tell(news.ReadAgain(files=[one.name for one in files]))
        return True

    def _problems(self, exchanges: Iterable[str]) -> list[str]:
        try:
            config = load_config(self._path)
        except ConfigError as error:
            return [shown(str(problem)) for problem in error.problems]
        found: list[str] = []
        for rules in dict.fromkeys(map(config.rules_of, exchanges)):
            try:
                load_rules(rules.contract, rules.mapping, site=config.name)
            except ConfigError as error:
                found += [shown(str(problem)) for problem in error.problems]
        return found


def _made_of(config: Config) -> list[Path]:
    """All of the files, each once."""
    rules = [config.rules_of(""), *config.exchanges.values()]
    return list(dict.fromkeys(path for one in rules for path in (one.contract, one.mapping) if path is not None))


def _stamp(path: Path) -> Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
