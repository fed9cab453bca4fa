"""A site, open: its configuration, ledger, tracker and keys, locked against a second process."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from copy import copy
from pathlib import Path
from threading import Lock, RLock
from types import TracebackType
from typing import Self

import msgspec
from filelock import FileLock

from filesync.agent.busy import Busy
from filesync.agent.discreet import unquoting
from filesync.agent.lock import lock_site
from filesync.agent.paired import Paired
from filesync.agent.partners import key_files
from filesync.agent.progress import Progress, untold
from filesync.agent.record import Clock, Record, Sink
from filesync.agent.traces import SITE_ID, SITE_NAME, check_ledger, check_traces
from filesync.config import Config
from filesync.errors import (
    LedgerBehind,
    PairingError,
    Paused,
    StreamStopped,
    disk_problem,
)
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import CommandSigner, FileSigner, Signer
from filesync.ledger import streams
from filesync.ledger.ledger import Ledger
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.moments import moment
from filesync.model.prepare import prepare
from filesync.rules import contract as agreed
from filesync.rules.load import load_between
from filesync.rules.mapping import Rules
from filesync.trackers.base import Tracker
from filesync.trackers.registry import open_tracker, outlook


class Halted(Exception):
    """It was asked to stop, and did where nothing is half done."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The last bundle applied, as the tracker remembers it (I14)."""

    stream: str
    generation: int
    seq: int
    id: str


prepare(Checkpoint)


def checkpoint_name(x: Exchange) -> str:
    """Under which name the tracker remembers it."""
    return f"filesync-{x.in_stream[:8]}"


class Site:
    """One site, for the length of one command. Use it in a `with`."""

    def __init__(
        self,
        config: Config,
        *,
        ledger: Ledger,
        tracker: Tracker,
        clock: Clock,
        random: Callable[[int], str],
        sinks: Sequence[Sink] = (),
        lock: FileLock | None = None,
    ) -> None:
        self.config = config
        self.ledger = ledger
        self.tracker = tracker
        self.clock = clock
        self.random = random  # so many bytes as hex
        self.sinks = list(sinks)
        self.step: Callable[[str], None] = lambda _: None  # told each numbered step, X1-X12 and I1-I15, as it is done
        self.progress: Progress = untold  # told how far long work is
        self.stopping: Callable[[], bool] = lambda: (
            False
        )  # asked before each change that is applied and each issue that is read
        self._lock = lock
        self._turns: dict[Path, AbstractContextManager[object]] = {}
        self.busy = Busy()
        self._turns_lock = Lock()
        self._checked: set[int] = set()  # exchanges whose place was held against the tracker's checkpoint
        self._rules: dict[str, Rules] = {}  # read once: one command sees one contract
        self._bases: dict[str, str] = {}  # made with them: what was looked at under old rules is not booked under new ones

    @classmethod
    def open(cls, config: Config, *, clock: Clock | None = None, sinks: Sequence[Sink] = ()) -> Self:
        """Lock the site and open what it works with. Raises Locked, ConfigError, DiskProblem, LedgerBehind, Unavailable."""
        clock = clock or utc_now
        lock = lock_site(config.folders.state, clock)
        with ExitStack() as undo:
            undo.callback(lock.release)
            if not config.folders.ledger.exists():
                check_traces(config, known=())  # before one is made: an empty ledger would look like a new site's
                make_ledger_file(config.folders.ledger)
            ledger = Ledger.open(config.folders.ledger)
            undo.callback(ledger.close)
            site = cls(
                config,
                ledger=ledger,
                tracker=open_tracker(
                    config.tracker.kind,
                    project=config.tracker.project,
                    settings=config.tracker.settings,
                    folder=config.tracker.base,
                    clock=clock,
                ),
                clock=clock,
                random=secrets.token_hex,
                sinks=sinks,
                lock=lock,
            )
            undo.callback(site.tracker.close)
            site.check_ledger()
            undo.pop_all()
        return site

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self.tracker.close()
        self.ledger.close()
        if self._lock is not None:
            self._lock.release()

    def check_ledger(self) -> None:
        """Hold the ledger against what stands outside it. Raises ConfigError, LedgerBehind, KeyProblem, DiskProblem."""
        with self.ledger.begin() as conn:
            if streams.site_fact(conn, SITE_ID) is None:
                streams.set_site_fact(conn, SITE_ID, self.config.site)
                streams.set_site_fact(conn, SITE_NAME, self.config.name)
            check_ledger(conn, self.config)
            key_files.settle(conn, self.config)

    def check_restored(self, x: Exchange) -> None:
        """Hold our place in the partner's stream against what the tracker itself remembers. Once a process.

        Raises LedgerBehind when the tracker is ahead: the ledger was restored from a backup. Unavailable.
        """
        if x.id not in self._checked:
            check_checkpoint(self.tracker, x)
            self._checked.add(x.id)

    def outbox(self, exchange: Exchange) -> Path:
        """Where this exchange's bundles are offered."""
        return Path(exchange.outbox) if exchange.outbox else self.config.folders.outbox

    def inbox(self, exchange: Exchange) -> Path:
        """Where this exchange's files arrive."""
        return Path(exchange.inbox) if exchange.inbox else self.config.folders.inbox

    def paired(self, name: str) -> Paired:
        """The exchange of this name, as it stands now, with its rules.

        Raises PairingError, StreamStopped, Paused, ConfigError.
        """
        return self.ruled(self.at_work(name))

    def at_work(self, name: str) -> Exchange:
        """The exchange of this name, where something may be done on it. Raises PairingError, StreamStopped, Paused."""
        with self.ledger.begin() as conn:
            one = streams.exchange_named(conn, name)
        if one is None:
            raise PairingError(f"there is no exchange named {name!r} here", hint="make it with: filesync pair export > us.json")
        if one.state is State.OFFERED:
            raise PairingError(
                f"exchange {name!r} is not paired yet: the partner's pairing file has not been accepted here",
                hint="when you have it: filesync pair accept THEIRS.json",
            )
        if one.state is State.STOPPED:
            raise StreamStopped(f"exchange {name!r} is stopped: {unquoting(one.stopped_why)}", hint="see: filesync status")
        if one.state is State.PAUSED:
            raise Paused(paused_text(one), hint=f"go on with: filesync resume --exchange {name}")
        return one

    def ruled(self, one: Exchange) -> Paired:
        """An exchange with its rules, whatever its state. Raises ConfigError."""
        name = one.name
        us, them = self.sides(one)
        if name not in self._rules:
            which = self.config.rules_of(name)
            one_way, people = one.direction is not Direction.BOTH, self.tracker.people
            self._rules[name] = load_between(which.contract, which.mapping, us=us, them=them, one_way=one_way, people=people)
        if name not in self._bases:
            self._bases[name] = self._basis(name)
        return Paired(exchange=one, rules=self._rules[name], basis=self._bases[name], us=us, them=them)

    def sides(self, x: Exchange) -> tuple[agreed.Site, agreed.Site]:
        """We, and the partner, as the rules know them."""
        return agreed.Site(self.config.site, self.config.name), agreed.Site(x.partner_site, x.partner_name)

    def forget_rules(self, name: str) -> None:
        """Another contract is in force on this exchange: its files are read anew."""
        self._rules.pop(name, None)
        self._bases.pop(name, None)

    def _basis(self, name: str) -> str:
        which = self.config.rules_of(name)
        mapping = which.mapping.read_bytes() if which.mapping is not None else b""
        tracker = self.config.tracker
        scope = msgspec.json.encode(outlook(tracker.kind, tracker.settings), order="sorted")
        return hashlib.sha256(b"\0".join((self._rules[name].contract.digest.encode(), mapping, scope))).hexdigest()

    def exchange_names(self) -> list[str]:
        """All exchanges of the site that are paired."""
        with self.ledger.begin() as conn:
            return [one.name for one in streams.exchanges(conn) if one.state is not State.OFFERED]

    def spool(self, exchange: Exchange) -> Path:
        """Where this exchange's bundles are built."""
        return self.config.folders.spool / exchange.name

    def stage(self, exchange: Exchange) -> Path:
        """Where files of this exchange's inbox are copied to."""
        return self.config.folders.stage / exchange.name

    def beside(self, *, sinks: Sequence[Sink], step: Callable[[str], None]) -> Self:
        """The same site for one more thread, with listeners of its own. It is closed with the one it was made from."""
        other = copy(self)
        other.sinks, other.step = list(sinks), step
        return other

    @contextmanager
    def alone(self, folder: Path) -> Iterator[None]:
        """No other thread works on this folder meanwhile: exchanges may share an inbox, and all of them the store."""
        with self._turns_lock:
            turn = self._turns.setdefault(folder, RLock())
        with turn:
            yield

    def record(self, exchange: str) -> Record:
        """A fresh record of what happens in one run."""
        return Record(exchange, clock=self.clock, sinks=self.sinks)

    def signer(self) -> Signer:
        """Whoever signs for us what is made now. Raises KeyProblem."""
        keys = self.config.keys
        if keys.signing is not None:
            return FileSigner(keys.signing)
        own, *_ = read_signers(keys.allowed_signers)  # our own key stands on its first line
        return CommandSigner(keys.command, public=own.key)


def paused_text(x: Exchange) -> str:
    """That the exchange is paused, since when, and why."""
    why = f" ({x.stopped_why})" if x.stopped_why else ""
    since = moment(x.stopped_since)
    return f"exchange {x.name!r} is paused since {since:%Y-%m-%d %H:%M} UTC{why}: nothing is sent or applied on it"


def check_checkpoint(tracker: Tracker, x: Exchange) -> None:
    """Hold our place in the partner's stream against what the tracker remembers. Raises LedgerBehind, Unavailable."""
    there = _checkpoint(tracker.read_checkpoint(checkpoint_name(x)))
    here = (x.in_generation.n, x.in_seq)
    if there is not None and there.stream == x.in_stream and (there.generation, there.seq) > here:
        raise LedgerBehind(
            f"the ledger knows bundles from {x.partner_name} up to {x.in_seq}, but the tracker remembers "
            f"{there.seq}: the ledger was restored from a backup",
            hint="Nothing was sent or applied. Put the newest ledger back, or keep everything as it is: "
            "it must be recovered from.",
        )


def make_ledger_file(path: Path) -> None:
    """An empty ledger that only this account can read. Raises DiskProblem."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise disk_problem(error, path) from error


def _checkpoint(text: str | None) -> Checkpoint | None:
    try:
        return None if text is None else msgspec.json.decode(text, type=Checkpoint)
    except msgspec.DecodeError:
        return None  # people can write there, too: what is not a checkpoint says nothing


def utc_now() -> dt.datetime:
    """The time, where nobody gives another clock."""
    return dt.datetime.now(dt.UTC)
