"""A run as a whole: each site is opened, worked on, and opened again when the files that it is made of changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Event as Flag
from threading import Lock
from typing import Final

from filesync.agent.events import Event
from filesync.agent.mailing.post import mail_failure
from filesync.agent.running import lanes, news
from filesync.agent.running.loop import Around, Loop, Outcome
from filesync.agent.running.schedule import Schedule
from filesync.agent.running.service import Manager, Pulse
from filesync.agent.running.watch import Files, watching
from filesync.agent.site import Site, utc_now
from filesync.bundle.verdict import shown
from filesync.config import Config, load_config
from filesync.errors import FilesyncError, Locked, Unavailable
from filesync.ledger import streams

_PASSES: Final = (Locked, Unavailable)  # what keeps a site from being opened, and ends without a person
_HEAR: Final = 1.0  # s between looks for a signal, where every site has a thread of its own
_WHAT: Final = 500  # characters of an error in a line


@dataclass(frozen=True, slots=True)
class Served:
    """A site of a run: its configuration, and what its loop has of the world. Each waits by itself."""

    path: Path
    around: Around


class Crowd:
    """All sites of a run, as the service manager sees them: ready when each was tried, alive when all are."""

    def __init__(self, manager: Manager, sites: Sequence[Served]) -> None:
        self._manager = manager
        self._untried = {one.path for one in sites}
        self._lock = Lock()
        self.pulse = Pulse(manager.alive)
        self.beat = manager.beat

    def tried(self, path: Path) -> None:
        """It is open, or cannot be opened now. Raises ConfigError."""
        with self._lock:
            self._untried.discard(path)
            if not self._untried:
                self._manager.once("READY=1")

    def stopping(self) -> None:
        """It was asked to stop. Raises ConfigError."""
        with self._lock:
            self._manager.once("STOPPING=1")


def serve(sites: Sequence[Served], *, schedule: Schedule, manager: Manager) -> list[FilesyncError]:
    """Work until asked to stop. Returns what ended a site before; it was told, and the others went on.

    What ends a single site is raised: what opening it raises, PairingError, StorageFailure.
    """
    crowd, over = Crowd(manager, sites), Flag()
    sites = [replace(one, around=_of_crowd(one.around, crowd, over)) for one in sites]
    if len(sites) == 1:
        _serve(sites[0], schedule=schedule, crowd=crowd)
        return []
    with ThreadPoolExecutor(len(sites), thread_name_prefix="site") as threads:
        ends = [threads.submit(_among_others, one, schedule=schedule, crowd=crowd) for one in sites]
        # this thread alone hears signals, and one that comes just before it waits does not end the wait
        while wait(ends, timeout=_HEAR, return_when=FIRST_EXCEPTION).not_done and not any(map(_broke, ends)):
            pass
        over.set()  # all have ended; or one by a fault of ours, and whoever started us shall see that
        for one in sites:
            one.around.ring()
    return [error for end in ends if (error := end.result()) is not None]


def serve_once(sites: Sequence[Served], *, schedule: Schedule) -> Outcome:
    """One import and one export of every exchange of each site, one site after the other.

    What keeps a site from it is told and gathered; of a single site it is raised, as by `serve`.
    """
    outcome = Outcome()
    for one in sites:
        try:
            config = load_config(one.path)
            with _mailing(config, one.around), Site.open(config) as site:
                Loop(site, schedule=schedule, around=one.around).once(outcome)
        except FilesyncError as error:
            if len(sites) == 1:
                raise
            one.around.tell(str(one.path), "", news.SiteFails(what=_words(error), hint=error.hint, again=False))
            outcome.failed.append(error)
        if outcome.halted:
            break
    return outcome


def _serve(one: Served, *, schedule: Schedule, crowd: Crowd) -> None:
    around = one.around
    while not around.stopping():
        files = Files(one.path, around.monotonic)
        with _mailing(files.config, around), Site.open(files.config) as site:
            loop = Loop(site, schedule=schedule, around=around)

            def tell(event: Event, loop: Loop = loop) -> None:
                loop.say("", event)

            def changed(loop: Loop = loop, files: Files = files) -> bool:
                return files.changed(loop.exchanges, lambda event: loop.say("", event))

            with site.ledger.begin() as conn:
                inboxes = [site.inbox(one) for one in streams.exchanges(conn) if one.name in loop.exchanges]
            with watching(inboxes, loop.look, tell):
                crowd.tried(one.path)
                loop.run(changed=changed)
            if around.stopping():
                crowd.stopping()
                tell(news.Ended())


@contextmanager
def _mailing(config: Config, around: Around) -> Iterator[None]:
    """People are written to of what keeps a site from being opened, or ends it."""
    try:
        yield
    except FilesyncError as error:
        mail_failure(config, error, clock=utc_now, random=token_hex, tell=partial(around.tell, config.name, ""))
        raise


def _among_others(one: Served, *, schedule: Schedule, crowd: Crowd) -> FilesyncError | None:
    """Serve a site for as long as it can be; what passes by itself is waited for. Returns what ended it."""
    around, attempts, told = one.around, 0, ""
    while True:
        try:
            _serve(one, schedule=schedule, crowd=crowd)
        except FilesyncError as error:
            crowd.tried(one.path)
            again, what = isinstance(error, _PASSES), _words(error)
            if what != told:
                around.tell(str(one.path), "", news.SiteFails(what=what, hint=error.hint, again=again))
            if not again or around.stopping():
                return error
            told = what
        else:
            return None
        attempts += 1
        until = around.monotonic() + lanes.backoff(attempts, around.chance())
        while around.monotonic() < until and not around.stopping():
            around.pulse.alive(one)
            around.wait(until - around.monotonic())


def _broke(end: Future[FilesyncError | None]) -> bool:
    return end.done() and end.exception() is not None


def _words(error: FilesyncError) -> str:
    return shown(str(error), limit=_WHAT)


def _of_crowd(around: Around, crowd: Crowd, over: Flag) -> Around:
    """Waits that end early enough to tell the manager that all is well, and a stop with the others."""

    def wait(seconds: float) -> None:
        around.wait(seconds if crowd.beat is None else min(seconds, crowd.beat))

    return replace(around, wait=wait, pulse=crowd.pulse, stopping=lambda: over.is_set() or around.stopping())
