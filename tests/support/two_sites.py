"""Two whole sites in one process: real ledgers, folders, bundles, keys and embedded trackers, and a clock that tests move.

What a test may do to them: people edit at a `desk`; `export`, `carry`, `import_`; the tracker refuses, is down, or the
process dies around any tracker call, commit or step (`Faults`); a side is then opened again as after a crash.
"""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import hashlib
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from filesync.agent.asked.status import SiteStatus, status
from filesync.agent.founding import CONFIG, NewSite, create_site
from filesync.agent.incoming.importer import Imports, import_once
from filesync.agent.naming import prose
from filesync.agent.outgoing.exporter import Exports, export_once
from filesync.agent.partners import pairing
from filesync.agent.site import Site
from filesync.agent.upkeep.stuck import retry, skip
from filesync.cli.app import now
from filesync.config import load_config
from filesync.errors import Rejected, Unreadable
from filesync.ledger import journal, shadows, streams, ties
from filesync.ledger.streams import Direction
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Item, Ref
from filesync.model.links import link_end
from filesync.model.people import People
from filesync.model.shadow import Life
from filesync.model.values import Flat, split_name
from filesync.trackers.base import Action, Born, Description, Draft, Inspected, Touched, Tracker, Write
from filesync.trackers.embedded import Desk
from filesync.trackers.embedded.entry import Entry
from filesync.trackers.registry import open_desk
from tests.support.engines import share

share()
T = TypeVar("T")
EXCHANGE = "main"
MEMORY = Path("/dev/shm")  # the fast form: folders and ledgers in memory, the same code


class Crash(BaseException):
    """The process dies here. Not an Exception: nothing may catch it and go on."""


class Clock:
    """A clock that goes on by a millisecond at each look, and further when a test says so."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(milliseconds=1)
        return self.now

    def advance(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


@dataclass
class Faults:
    """What goes wrong at a side. Each is asked at every tracker call (`call`), step and commit, by name."""

    # -> why, for create and apply: of the whole call, or of each field (by our tracker's names)
    refuse: Callable[[str, object], str | dict[str, str] | None] = lambda _call, _what: None
    strike: Callable[[str], None] = lambda _place: None  # may raise Crash or Unavailable; told "before create", "after X3" …
    forbid_writes: bool = False
    kept: frozenset[str] = frozenset()  # fields of our tracker that no import may write
    calls: list[str] = field(default_factory=list)


class FaultyTracker:
    """The real tracker with faults switched on."""

    def __init__(self, real: Tracker, faults: Faults) -> None:
        self.real = real
        self.faults = faults

    def _around(self, name: str, call: Callable[[], T]) -> T:
        self.faults.calls.append(name)
        self.faults.strike(f"before {name}")
        answer = call()
        self.faults.strike(f"after {name}")
        return answer

    @property
    def people(self) -> People:
        return self.real.people

    def describe(self) -> Description:
        return self.real.describe()

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:
        return self.real.inspect(types, few)

    def offered(self) -> Collection[str]:
        return self.real.offered()

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:
        self.faults.strike("before changed")
        for one in self.real.changed(since, known):
            yield one
            self.faults.strike("within changed")

    def get(self, issue: str) -> Issue | None:
        return self._around("get", lambda: self.real.get(issue))

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        for issue in issues:
            with suppress(Unreadable):
                yield issue, self.get(issue)

    def find(self, key: str) -> str | None:
        return self.real.find(key)

    def select(self, query: str) -> Iterator[str]:
        return self.real.select(query)

    def shut(self, issues: Sequence[str]) -> Collection[str]:
        return self.real.shut(issues)

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:
        return self.real.spills(kind, fields, about)

    def create(self, origin: Gid, draft: Draft) -> Born:
        self._writing("create", draft)
        return self._around("create", lambda: self.real.create(origin, draft))

    @property
    def at_once(self) -> int:
        return self.real.at_once

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:
        assert not self.faults.forbid_writes, f"a write where none is allowed: create_all {drafts}"
        taken = {gid: draft for gid, draft in drafts.items() if self.faults.refuse("create", draft) is None}
        return self._around("create_all", lambda: self.real.create_all(taken))

    def claim(self, ref: Ref, origin: Gid) -> None:
        self.real.claim(ref, origin)

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:
        self._writing("apply", action)
        return self._around("apply", lambda: self.real.apply(ref, action, mark))

    def _writing(self, name: str, what: object) -> None:
        assert not self.faults.forbid_writes, f"a write where none is allowed: {name} {what}"
        written = {split_name(flat)[0] for flat in what.fields} if isinstance(what, Write | Draft) else set()
        assert not written & self.faults.kept, f"a write of what only goes out: {name} {what}"
        why = self.faults.refuse(name, what)
        if isinstance(why, dict):
            raise Rejected(f"refused by the test: {why}", fields=why)
        if why is not None:
            fields = what.fields if isinstance(what, Write) else {}
            raise Rejected(f"refused by the test: {why}", fields=dict.fromkeys(fields, why))

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        self.faults.strike("before fetch")
        for chunk in self.real.fetch(ref):
            yield chunk
            self.faults.strike("within fetch")

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        return self._around("route", lambda: self.real.route(ref, status))

    def read_checkpoint(self, name: str) -> str | None:
        return self.real.read_checkpoint(name)

    def write_checkpoint(self, name: str, text: str) -> None:
        self._around("write_checkpoint", lambda: self.real.write_checkpoint(name, text))

    def close(self) -> None:
        self.real.close()


class Side:
    """One site and the people who work there."""

    def __init__(self, folder: Path, clock: Clock, randomness: random.Random) -> None:
        self.folder = folder
        self.clock = clock
        self.faults = Faults()
        self._random = randomness
        self.config = load_config(folder / "filesync.yaml")
        self.desk = self.sit_down()
        self.site = self._open()

    @property
    def name(self) -> str:
        return self.config.name

    def sit_down(self) -> Desk:
        """Where people work."""
        tracker = self.config.tracker
        return open_desk(tracker.kind, settings=tracker.settings, folder=tracker.base, clock=self.clock)

    def open_site(self) -> Site:
        """As the configuration says."""
        return Site.open(self.config, clock=self.clock)

    def _open(self) -> Site:
        site = self.open_site()
        site.random = partial(_drawn, self._random)
        site.tracker = FaultyTracker(site.tracker, self.faults)
        site.step = lambda step: self.faults.strike(f"after {step}")
        begin = site.ledger.begin

        @contextmanager
        def striking() -> Iterator[sa.Connection]:
            with begin() as conn:
                yield conn
                self.faults.strike("before commit")
            self.faults.strike("after commit")

        site.ledger.begin = striking  # type: ignore[method-assign]
        return site

    def reopen(self) -> None:
        """As after a crash or at the next run: everything in memory is gone."""
        self.site.close()
        self.config = load_config(self.folder / "filesync.yaml")
        self.site = self._open()

    def close(self) -> None:
        self.desk.close()
        self.site.close()

    # ── what filesync does ──────────────────────────────────────────────────────────────────────────────────────

    def export(self) -> Exports:
        return export_once(self.site, EXCHANGE)

    def import_(self) -> Imports:
        return import_once(self.site, EXCHANGE)

    def stuck(self) -> list[journal.Queued]:
        return [row for row in self.queued() if row.state is journal.Wait.STUCK]

    def queued(self) -> list[journal.Queued]:
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            return list(itertools.chain.from_iterable(journal.queued(conn, x)))

    def retry(self) -> None:
        retry(self.site, EXCHANGE, None)

    def skip(self, mark: Mark) -> None:
        skip(self.site, EXCHANGE, mark, reason="a test said so")

    def exchange(self) -> streams.Exchange:
        with self.site.ledger.begin() as conn:
            found = streams.exchange_named(conn, EXCHANGE)
        assert found is not None
        return found

    def status(self) -> SiteStatus:
        with self.site.ledger.begin() as conn:
            return status(conn, self.config, now=self.clock())

    def conflicts(self) -> list[journal.Conflict]:
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            return journal.conflicts(conn, x)

    def doubts(self) -> dict[Gid, dict[str, str]]:
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            return shadows.doubts(conn, x)

    # ── what a person sees ──────────────────────────────────────────────────────────────────────────────────────

    def shown(self) -> dict[str, dict[str, Any]]:
        """Every issue in the contract's words, with comments and attachments, by gid: what both sides must agree on.

        Issues that are apart (marked as deleted by the partner, or skipped) are left out: each side keeps its own.
        """
        paired = self.site.paired(EXCHANGE)
        tracker = self.site.tracker.real if isinstance(self.site.tracker, FaultyTracker) else self.site.tracker
        locals_ = {one.issue for one in tracker.changed(None, lambda: iter(()))}
        issues = [issue for issue in (tracker.get(one) for one in locals_) if issue is not None]
        gids = {issue.item.ref.local: self.gid(issue.item) for issue in issues}
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            rows = shadows.entities(conn, x, list(gids.values()))
        apart = {gid for gid, row in rows.items() if row.state is Life.APART}
        found: dict[str, dict[str, Any]] = {}
        for issue in issues:
            gid = gids[issue.item.ref.local]
            if gid in apart:
                continue
            comments = {
                self.gid(one): paired.rules.outward(one, gids.get, prose=prose(self.site, paired)).fields
                for one in issue.children
                if one.ref.kind in ("comment", "worklog")
            }
            with self.site.ledger.begin() as conn:
                kept = shadows.entities(conn, x, list(comments))
            comments = {g: fields for g, fields in comments.items() if g not in kept or kept[g].state is not Life.APART}
            attached = {
                self.gid(one): {**one.fields, "sha256": hashlib.sha256(b"".join(tracker.fetch(one.ref))).hexdigest()}
                for one in issue.children
                if one.ref.kind == "attachment"
            }
            with self.site.ledger.begin() as conn:
                kept = shadows.entities(conn, x, list(attached))
            attached = {g: fields for g, fields in attached.items() if g not in kept or kept[g].state is not Life.APART}
            fields = dict(paired.rules.outward(issue.item, gids.get, prose=prose(self.site, paired)).fields)
            if fields.get("parent") in apart:
                del fields["parent"]
            fields = {name: value for name, value in fields.items() if link_end(name) not in apart}
            found[gid] = {"fields": fields, "comments": comments, "attachments": attached}
        return found

    def issues(self) -> list[Entry] | list[Item]:
        """All issues as people see them."""
        with self.desk.store.reading() as work:
            return list(work.issues())

    def below(self, issue: str, kind: Kind) -> list[Entry] | list[Item]:
        """What belongs to an issue, as people see it."""
        with self.desk.store.reading() as work:
            return list(work.below(issue, [kind]))

    def key(self, issue: str) -> str:
        """What people call the issue at the desk, by its local id."""
        return f"ABC-{issue}"

    def called(self, issue: str) -> str:
        """What texts call it."""
        return f"ABC-{issue}"

    def gid(self, item: Any) -> Gid:
        from filesync.model.ids import make_gid

        gid: Gid = item.origin or make_gid(self.config.site, item.ref.kind, item.ref.local, item.stamp)
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            return ties.tied(conn, x, [gid]).get(gid, gid)

    def key_of(self, gid: str) -> str:
        """The key under which this side shows an entity's issue."""
        x = self.exchange().id
        with self.site.ledger.begin() as conn:
            row = shadows.entities(conn, x, [Gid(gid)])[Gid(gid)]
        assert row.local is not None
        issue = self.site.tracker.get(row.local)
        assert issue is not None
        return issue.key


@dataclass
class World:
    """Both sides and what is between them."""

    acme: Side
    globex: Side
    clock: Clock
    _carried: set[tuple[str, str]] = field(default_factory=set)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.acme, self.globex

    def other(self, side: Side) -> Side:
        return self.globex if side is self.acme else self.acme

    def carry(self, *, to: Side) -> int:
        """Bring everything in the other side's outbox, taking it away there. Returns the number of files."""
        files = sorted(self.other(to).config.folders.outbox.iterdir())
        for file in files:
            shutil.move(file, to.config.folders.inbox / file.name)
        return len(files)

    def bring_again(self, *, to: Side) -> None:
        """Bring everything the other side ever archived: whatever was lost is there again."""
        for file in sorted(self.other(to).config.folders.archive.iterdir()):
            if not file.name.startswith("."):
                shutil.copy(file, to.config.folders.inbox / file.name)

    def send(self, source: Side) -> Imports:
        """Export at one side, carry, import at the other."""
        source.export()
        target = self.other(source)
        self.carry(to=target)
        return target.import_()

    def round(self) -> int:
        """Both ways once. Returns the bundles that were sent or applied."""
        moved = 0
        for source in self.sides:
            moved += source.export().bundles
            self.carry(to=self.other(source))
            moved += self.other(source).import_().bundles  # one that was cut off may be applied only now
        return moved

    def settle(self, *, rounds: int = 12) -> None:
        """Everything delivered, every refusal lifted, until a round moves nothing."""
        for side in self.sides:
            side.faults.refuse = lambda _call, _what: None
            side.faults.strike = lambda _place: None
        for _ in range(rounds):
            for side in self.sides:
                side.retry()
                self.bring_again(to=side)
            if not self.round():
                break
        else:
            raise AssertionError(f"still moving after {rounds} rounds")

    def assert_in_step(self) -> None:
        """Both trackers equal under the contract, nothing undecided, and one more round writes nothing anywhere."""
        here, there = self.acme.shown(), self.globex.shown()
        assert here == there
        for side in self.sides:
            assert side.queued() == []
            assert side.doubts() == {}
            side.faults.forbid_writes = True
        try:
            assert self.round() == 0
        finally:
            for side in self.sides:
                side.faults.forbid_writes = False

    def close(self) -> None:
        for side in self.sides:
            side.close()


def _for_good(prefix: str) -> Path:
    """A folder that is there until the tests end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder)
    return folder


def _drawn(randomness: random.Random, size: int) -> str:
    return randomness.randbytes(size).hex()


@functools.cache
def founded() -> Path:
    """Two sites as `init` leaves them, made once by the real code, to be copied."""
    folder = _for_good("filesync-founded-")
    for name in ("acme", "globex"):
        create_site(folder / name, NewSite(name=name, tracker="embedded", project="ABC"), clock=now)
    return folder


@functools.cache
def template_of(contract: str, mappings: tuple[str, str], scopes: tuple[str, str], encrypt: bool, workers: int) -> Path:
    """Two paired sites, made once by the real code, to be copied."""
    folder = shutil.copytree(founded(), _for_good("filesync-template-"), dirs_exist_ok=True)
    sites = []
    for name, mapping, scope in zip(("acme", "globex"), mappings, scopes, strict=True):
        path = folder / name / CONFIG
        text = path.read_text().replace("settle: 10m", "settle: 0s").replace("inbox_policy: move", "inbox_policy: delete")
        text = text.replace("workers: 4", f"workers: {workers}").replace("first_import: 500", "first_import: 1000000")
        if scope:
            text = text.replace("    path: state/tracker.db\n", f"    path: state/tracker.db\n    scope: {scope}\n")
        path.write_text(text)
        if contract:
            (folder / name / "contract.yaml").write_text(contract)
        if mapping:
            (folder / name / "mapping.yaml").write_text(mapping)
        site = Site.open(load_config(path))
        site.random = partial(_drawn, random.Random(name))
        sites.append(site)
    acme, globex = sites
    options: dict[str, Any] = {
        "exchange": EXCHANGE,
        "encrypt": encrypt,
        "direction": Direction.BOTH,
        "outbox": None,
        "inbox": None,
    }
    pairing.accept(globex, pairing.offer(acme, EXCHANGE), **options)
    pairing.accept(acme, pairing.offer(globex, EXCHANGE), **options)
    for site in sites:
        site.close()
    return folder


_numbers = itertools.count()


@contextmanager
def two_sites(
    *,
    contract: str = "",
    mappings: tuple[str, str] = ("", ""),
    scopes: tuple[str, str] = ("", ""),
    encrypt: bool = False,
    workers: int = 1,
    base: Path | None = None,
    like: Path | None = None,
    seed: int = 0,
) -> Iterator[World]:
    """Two paired sites with empty trackers. In memory (tmpfs), or in a new folder of `base`. A scope: `{labels: [shared]}`.

    `workers`: more than 1 makes what is born at the receiver in any order, so that keys may differ.

    `like`: a folder with both sites as they were when closed; these go on.
    """
    start = like or template_of(contract, mappings, scopes, encrypt, workers)
    place = Path(tempfile.mkdtemp(prefix="filesync-", dir=base or (MEMORY if MEMORY.is_dir() else None)))
    for name in ("acme", "globex"):
        shutil.copytree(start / name, place / name, dirs_exist_ok=True)
    clock = Clock()
    randomness = random.Random(seed)
    world = World(Side(place / "acme", clock, randomness), Side(place / "globex", clock, randomness), clock)
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(place)
