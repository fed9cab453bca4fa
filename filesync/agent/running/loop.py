"""The loop of a run: look, do what is due, wait. What is due is decided in `lanes`; time, wait and watch are given to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import RLock
from typing import Final

import msgspec

from filesync.agent.events import Event, Stopped, Untold
from filesync.agent.incoming.importer import Imports, import_once
from filesync.agent.mailing.found import Pass, loud
from filesync.agent.mailing.post import Post
from filesync.agent.outgoing.exporter import Exports, export_once
from filesync.agent.running import lanes, news
from filesync.agent.running.lanes import POLL, Job, Lane, Listing, Seen
from filesync.agent.running.schedule import Cron, Schedule
from filesync.agent.running.service import Pulse
from filesync.agent.site import Halted, Site
from filesync.bundle.verdict import shown
from filesync.errors import FilesyncError, PairingError, Paused, StorageFailure, StreamStopped, Unavailable
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State

# Steps after which nothing is half done: a file is in the store, a group or bundle is applied, a page is not yet numbered,
# a bundle is in the outbox.
_BETWEEN: Final = frozenset({"I11", "I12", "I13", "X1", "X12"})
_TIME: Final = "%Y-%m-%d %H:%M:%SZ"
_NEVER: Final = float("inf")
_WHAT: Final = 500  # characters of an error in a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a loop has of the world; tests give it another."""

    monotonic: Callable[[], float]  # seconds of a clock that is never set
    wait: Callable[[float], None]  # so many seconds, or less when something may have happened
    stopping: Callable[[], bool]  # whether it was asked to stop
    chance: Callable[[], float]  # from 0 to 1
    ring: Callable[[], None]  # ends the wait, this one or the next
    crew: Callable[[int], Executor]  # so many threads
    pulse: Pulse  # told often while all is well
    tell: Callable[[str, str, Event], None]  # the site, the exchange ("": all of them), and what happened


@dataclass(slots=True)
class Outcome:
    """What one import and one export of every exchange came to."""

    imports: list[Imports] = field(default_factory=list)
    exports: list[Exports] = field(default_factory=list)
    failed: list[FilesyncError] = field(default_factory=list)
    halted: bool = False


class Loop:
    """The run of one open site. Sets its `stopping`."""

    def __init__(self, site: Site, *, schedule: Schedule, around: Around) -> None:
        self._site = site
        self._schedule = schedule
        self._around = around
        self._stood: dict[tuple[str, str], set[bytes]] = {}  # standing events that were told of at the last time
        self._stopped: set[str] = set()  # exchanges of which it was told here that they are stopped
        self._untold = 0
        self._telling = RLock()
        self._over = Flag()
        self._arrived = Flag()
        self._lanes = {lane.exchange: lane for lane in self._paired()}
        self._next = dict.fromkeys(self._lanes, 0.0)  # when each is to have its turn
        self._turns: dict[str, Future[Lane]] = {}  # of those that are at work
        self._post = Post(site.beside(sinks=[self._hear_of_mail], step=lambda _: None))
        self._mailing: Future[None] | None = None
        self._outcome: Outcome | None = None  # gathered by `once` alone: a run has no end
        self._tell = partial(around.tell, site.config.name)
        site.stopping = self._ending

    @property
    def exchanges(self) -> list[str]:
        """Their names."""
        return list(self._lanes)

    def once(self, outcome: Outcome) -> None:
        """One import and one export of every exchange; adds what they came to. Raises StorageFailure."""
        self._outcome = outcome
        try:
            for lane in self._lanes.values():
                after = self._do(lane, Job.IMPORT) if lane.receives else lane
                if after.sends and not after.left_alone and not after.paused:
                    self._do(after, Job.EXPORT)
        except Halted:
            outcome.halted = True
            self.say("", news.Ended())
        self._post.send()

    def run(self, *, changed: Callable[[], bool]) -> None:
        """Until it is asked to stop, or something changed that the site is made of. Raises StorageFailure.

        Each exchange has a thread of its own, and so has the mail: what is slow or stuck holds up nobody else.
        """
        self.say("", news.Started(exchanges=self.exchanges, schedule=str(self._schedule)))
        self._around.pulse.joins(self)
        with self._around.crew(len(self._lanes) + 1) as crew:
            try:
                while not self._ending() and not changed():
                    self._around.pulse.alive(self)
                    self._begin(crew)
                    self._collect()
                    self._mail(crew)
                    idle = [due for name, due in self._next.items() if name not in self._turns]
                    self._around.wait(max(0.0, min([POLL, *(due - self._around.monotonic() for due in idle)])))
                    self._collect()
            finally:
                self._over.set()  # whoever is at work ends where nothing is half done; it is waited for
                self._around.pulse.leaves(self)
        self._collect()
        if self._mailing is not None:
            self._mailing.result()

    def look(self) -> None:
        """Something may have arrived. From any thread."""
        self._arrived.set()
        self._around.ring()

    def _begin(self, crew: Executor) -> None:
        """Let every exchange whose time has come have its turn."""
        if self._arrived.is_set():
            self._arrived.clear()
            self._next = dict.fromkeys(self._next, 0.0)
        for name in self.exchanges:
            if name not in self._turns and self._next[name] <= self._around.monotonic():
                self._next[name] = _NEVER  # unless something arrives meanwhile
                self._turns[name] = crew.submit(self._turn, self._lanes[name])
                self._turns[name].add_done_callback(lambda _: self._around.ring())

    def _collect(self) -> None:
        """What came of the turns that are over. Raises what ended one of them and is no failure of its exchange."""
        for name, turn in list(self._turns.items()):
            if not turn.done():
                continue
            del self._turns[name]
            with suppress(Halted):
                lane = self._lanes[name] = turn.result()
                now, wall = self._around.monotonic(), self._site.clock()
                again = now + lanes.pause(lane, mono=now, wall=wall, schedule=self._schedule)
                self._next[name] = min(self._next[name], again)

    def _mail(self, crew: Executor) -> None:
        """Let letters be written of what passes came to, one at a time. Raises what ended the last one: StorageFailure."""
        if self._mailing is not None and self._mailing.done():
            self._mailing.result()
            self._mailing = None
        if self._mailing is None and self._post.waits:
            self._mailing = crew.submit(self._post.send)

    def _ending(self) -> bool:
        return self._over.is_set() or self._around.stopping()

    def say(self, exchange: str, event: Event) -> None:
        """Tell what happened. A listener that cannot take it is no reason to stop; it is told later."""
        with self._telling:
            try:
                if self._untold:
                    self._tell("", Untold(lines=self._untold, why="it could not be written"))
                    self._untold = 0
                self._tell(exchange, event)
            except OSError:
                self._untold += 1

    def _paired(self) -> list[Lane]:
        with self._site.ledger.begin() as conn:
            found = [one for one in streams.exchanges(conn) if one.state is not State.OFFERED]
        if not found:
            raise PairingError(
                "paired with nobody yet, so there is nobody to exchange with",
                hint="Give the partner what `filesync pair export` prints, and accept theirs: filesync pair accept FILE",
            )
        # a cron line counts from now on; an interval begins with an export
        exported = self._site.clock() if isinstance(self._schedule, Cron) else None
        return [
            Lane(
                exchange=one.name,
                receives=one.direction is not Direction.SEND,
                sends=one.direction is not Direction.RECEIVE,
                exported=exported,
                failing={},
            )
            for one in found
        ]

    # ── one exchange ────────────────────────────────────────────────────────────────────────────────────────────

    def _turn(self, lane: Lane) -> Lane:
        if self._ending():
            raise Halted
        wall, mono = self._site.clock(), self._around.monotonic()
        if lane.exported is not None and lane.exported > wall:
            lane = replace(lane, exported=wall)  # the clock was set back
        if lane.paused and self._exchange(lane).state is not State.PAUSED:
            self.say(lane.exchange, news.GoesOn())
            lane = replace(lane, paused=False)
        if lane.receives and not lane.left_alone:
            lane = lanes.looked(lane, self._listing(lane), mono)
        for job in lanes.due(lane, mono=mono, wall=wall, schedule=self._schedule):
            if not lane.left_alone and not lane.paused:
                lane = self._do(lane, job)
        return lane

    def _listing(self, lane: Lane) -> Listing:
        """What lies in the inbox. A folder that cannot be read shows nothing here: the import says what is wrong with it."""
        return listing(self._site.inbox(self._exchange(lane)))

    def _exchange(self, lane: Lane) -> Exchange:
        with self._site.ledger.begin() as conn:
            one = streams.exchange_named(conn, lane.exchange)
        assert one is not None  # it is there as long as we hold the lock
        return one

    def _do(self, lane: Lane, job: Job) -> Lane:
        name, stands, heard = lane.exchange, set[bytes](), list[Event]()
        site = self._site.beside(sinks=[partial(self._hear, name, job, stands, heard)], step=partial(self._step, name))
        self._around.pulse.joins((self, name))
        wall = self._site.clock()
        before = lane.seen
        try:
            self._work(site, name, job)
        except StorageFailure:
            raise
        except Paused as error:
            self.say(name, news.PausedHere(what=str(error), hint=error.hint))
            return replace(lane, paused=True)
        except FilesyncError as error:
            self._note_failure(error)
            self._post.note(Pass(exchange=name, job=job, error=error))
            if name in self._stopped:
                return replace(lane, left_alone=True)  # why was told
            if isinstance(error, StreamStopped):
                self.say(name, news.LeftAlone(what=f"{shown(str(error), limit=_WHAT)}.", hint=error.hint))
                return replace(lane, left_alone=True)
            return self._failed(lane, job, error)
        finally:
            self._around.pulse.leaves((self, name))
        self._stood[name, job] = stands
        self._post.note(Pass(exchange=name, job=job, events=heard))
        if (trouble := lane.failing.get(job)) is not None:
            since = trouble.since.strftime(_TIME)
            self.say(name, news.WorksAgain(job=job, attempts=trouble.attempts, since=since))
        lane = replace(lanes.worked(lane, job), left_alone=name in self._stopped)
        if job is Job.EXPORT:
            return replace(lane, exported=wall)
        return replace(lane, taken=before, new_since=None, imported=self._around.monotonic())

    def _work(self, site: Site, name: str, job: Job) -> None:
        match job:
            case Job.IMPORT:
                imports = import_once(site, name)
                if self._outcome is not None:
                    self._outcome.imports.append(imports)
            case Job.EXPORT:
                exports = export_once(site, name)
                if self._outcome is not None:
                    self._outcome.exports.append(exports)

    def _note_failure(self, error: FilesyncError) -> None:
        if self._outcome is not None:
            self._outcome.failed.append(error)

    def _failed(self, lane: Lane, job: Job, error: FilesyncError) -> Lane:
        before = lane.failing.get(job)
        what = shown(str(error), limit=_WHAT)
        asked = (error.retry_after or 0.0) if isinstance(error, Unavailable) else 0.0
        wait = lanes.backoff(before.attempts + 1 if before else 1, self._around.chance(), least=asked)
        wall = self._site.clock()
        lane = lanes.failed(lane, job, what=what, mono=self._around.monotonic(), wall=wall, wait=wait)
        if before is None or before.what != what:
            since = lane.failing[job].since.strftime(_TIME)
            self.say(lane.exchange, news.Failing(job=job, what=what, hint=error.hint, since=since))
        return lane

    # ── what the site tells while it works ──────────────────────────────────────────────────────────────────────

    def _step(self, exchange: str, step: str) -> None:
        self._around.pulse.alive((self, exchange))
        if step in _BETWEEN and self._ending():
            raise Halted

    def _hear(self, exchange: str, job: Job, stands: set[bytes], heard: list[Event], event: Event) -> None:
        """A state that every import finds again is told when it comes, not every minute."""
        if loud(event):
            heard.append(event)
        if isinstance(event, Stopped):
            self._stopped.add(exchange)
        if event.standing:
            word = msgspec.json.encode(event)
            stands.add(word)
            if word in self._stood.get((exchange, job), ()):
                return
        with self._telling:
            self._tell(exchange, event)

    def _hear_of_mail(self, event: Event) -> None:
        """What became of a letter. A server that takes none is told of once, until it does."""
        before, self._stood["", "mail"] = self._stood.get(("", "mail"), set()), {msgspec.json.encode(event)}
        if not before >= self._stood["", "mail"] or not event.standing:
            self.say("", event)


def listing(folder: Path) -> Listing:
    """What lies in a folder; nothing where it cannot be read."""
    found = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    with suppress(FileNotFoundError):  # the carrier took it back meanwhile
                        stat = entry.stat(follow_symlinks=False)
                        found.add(Seen(entry.name, stat.st_size, stat.st_ctime_ns, stat.st_ino))
    except OSError:
        return frozenset()
    return frozenset(found)
