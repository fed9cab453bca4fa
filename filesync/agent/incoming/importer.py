"""Import: take what arrived, and apply what is next. Steps I1-I15 of docs/format.md.

Changes are decided in groups: intents are committed, the tracker is called, results are committed. A change is
decided once; which ones are is a bit each, so that an interrupted bundle goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass

from filesync.agent.contract.heard import accepts, asks, hear
from filesync.agent.contract.switch import at_work
from filesync.agent.events import Event, Stopped
from filesync.agent.incoming.bundles import BundleApplied, ContractDiffers, HadWaited, MarkedDeleted
from filesync.agent.incoming.checkpoint import write_checkpoint
from filesync.agent.incoming.chunks import drop_early
from filesync.agent.incoming.first import waits_for_a_person
from filesync.agent.incoming.grouped import Groups
from filesync.agent.incoming.introduced import learn
from filesync.agent.incoming.missing import tell_missing
from filesync.agent.incoming.pieces import ChunksWait
from filesync.agent.incoming.queued import standing
from filesync.agent.incoming.receive import Receiver
from filesync.agent.incoming.stored import reread
from filesync.agent.merge.abreast import Team
from filesync.agent.merge.filed import show_files
from filesync.agent.merge.order import groups
from filesync.agent.merge.outcome import Counts, Outcome, Work
from filesync.agent.merge.reach import Reach
from filesync.agent.merge.renaming import rename
from filesync.agent.paired import Paired
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.showing import show
from filesync.agent.site import Site
from filesync.agent.staged import Changes, agreement, introduction
from filesync.bundle.changes import read_change
from filesync.bundle.header import BundleKind
from filesync.bundle.introduction import Introduction
from filesync.bundle.read import Bundle
from filesync.bundle.verdict import BadBundle
from filesync.errors import ConfigError, KeyProblem, PairingError
from filesync.exchange.judge import NO_CONTRACT
from filesync.ledger import journal, open_conflicts, proposals, streams
from filesync.ledger.streams import Direction, State, Taken
from filesync.model.ids import Gid, Mark, make_mark
from filesync.model.moments import micros


@dataclass(frozen=True, slots=True)
class Imports:
    """What one import did, and what is left: bundles held, changes undecided, fields that wait for a person."""

    bundles: int
    counts: Counts
    held: int
    queued: int
    open: int
    events: tuple[Event, ...]


def import_once(site: Site, name: str, *, first: bool = False) -> Imports:
    """Take and apply everything that has come. Raises PairingError, StreamStopped, ConfigError, Unavailable, DiskProblem.

    A stream that is stopped by what came is told by an event, and applies nothing more; so is a first import that would make
    many issues, unless a person asks for it (`first`).
    """
    paired = at_work(site, name)
    if paired.exchange.direction is Direction.SEND:
        raise PairingError(f"exchange {name!r} only sends", hint="pair it again with --direction both to receive, too")
    site.check_restored(paired.exchange)
    record = site.record(name)
    bundles, counts, again = 0, Counts(), True
    unfit: ConfigError | None = None
    while again:
        receiver = Receiver(site, site.paired(name) if bundles else paired, record)
        with site.alone(site.inbox(paired.exchange)):
            receiver.run()
        if receiver.stopped or (not (first or bundles) and waits_for_a_person(site, paired, record)):
            break
        with Team(site.config.limits.workers) as team:
            importer = Importer(site, site.paired(name), record, team)
            importer.counts = counts
            try:
                applied = importer.run()
            except ConfigError as error:
                unfit = error  # our mapping, to what the partner accepted: raised once all else is told
                break
        bundles, counts = bundles + applied, importer.counts
        # files that wait in the inbox for a key have it now; chunks that nothing named may be named now
        learned = importer.learned or accepts(site, paired, record)
        again = learned or (applied > 0 and bool(receiver.early.put_off))
    if not receiver.stopped:
        tell_missing(site, paired, record)
    if receiver.early.put_off:
        sizes = receiver.early.put_off.values()
        record.add(ChunksWait(partner=paired.exchange.partner_name, chunks=len(sizes), bytes=sum(sizes)))
    with site.ledger.begin() as conn:
        left = sum(journal.count_queued(conn, paired.exchange.id).values())
        held = len(streams.held(conn, paired.exchange.id))
        undecided, _ = open_conflicts.count(conn, paired.exchange.id)
        if (asked := asks(conn, paired)) is not None:
            record.add(asked)
        record.write(conn)
    record.done()
    drop_early(site, paired.exchange, record)
    if unfit is not None:
        raise unfit
    return Imports(bundles=bundles, counts=counts, held=held, queued=left, open=undecided, events=tuple(record.events))


class Importer:
    """Applies what is in the store and in the queue of one exchange."""

    def __init__(self, site: Site, paired: Paired, record: Record, team: Team) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange.id
        self._record = record
        self.counts = Counts()
        self._marked: list[str] = []  # keys of ours that show a deletion of the partner's
        self._past, self._there = 0, 0  # changes in the bundles that were applied here, and in all that are to be
        self.learned = False  # a key of the partner's was introduced, or another contract is in force
        with site.ledger.begin() as conn:
            self._reach = Reach(site.tracker, failing=journal.count_failing(conn, self._x))
        self._groups = Groups(site, paired, record, team=team, reach=self._reach)

    def run(self) -> int:
        """The queue as far as it goes, then every bundle that is next, then the queue again. Returns the bundles applied."""
        self._waiting()
        with self._site.ledger.begin() as conn:
            self._there = sum(one.changes for one in streams.held(conn, self._x))
        bundles = 0
        # once something was learned, what comes next is read by other keys, or under another contract
        while not self.learned and (taken := self._next()) is not None and self._bundle(taken):
            bundles += 1
        if not self.learned:  # else the next import of this run does that, by the rules that are in force now
            if bundles:
                self._waiting()
            rename(self._site, self._paired, self._record, self._reach)
            show(self._site, self._paired, self._record)
            show_files(self._site, self._paired, self._record, self._reach)
        if self._marked:
            self._record.add(MarkedDeleted(partner=self._paired.them.name, keys=self._marked))
        write_checkpoint(self._site, self._x)
        return bundles

    # ── bundles ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _next(self) -> Taken | None:
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x)
            one = streams.taken(conn, self._x, generation=x.in_generation.n, seq=x.in_seq + 1)
            under_way = proposals.of(conn, self._x)
        if one is None or x.state is not State.PAIRED:  # stopped, or paused meanwhile
            return None
        if not self._readable(one):
            if under_way is not None and under_way.digest == one.contract:
                return None  # until somebody decides, which is told
            ours = self._paired.rules.contract.digest
            self._note(ContractDiffers(partner=x.partner_name, seq=one.seq, theirs=one.contract, ours=ours))
            return None
        if one.prev != x.in_id:
            self._stop(f"FORK: bundle {one.seq} follows another {x.in_seq} than the one applied here")
            return None
        return one

    def _readable(self, taken: Taken) -> bool:
        """Whether what a bundle says means here what its sender meant: a change is read by the contract its bundle names."""
        return taken.contract in {NO_CONTRACT, self._paired.rules.contract.digest}

    def _bundle(self, taken: Taken) -> bool:
        """I12 and I13: every change decided or queued, then the bundle as a whole. Returns False where it stops the stream."""
        path = self._site.config.folders.store / taken.file
        bundle = reread(self._site, self._paired, taken)
        if bundle.head.header.kind in {BundleKind.KEYS, BundleKind.CONTRACT}:
            return self._said(taken, bundle)
        changes = Changes(path, bundle)
        try:
            lines, all_of_them = changes.checked()  # every line, before the first is applied
        except BadBundle as error:
            self._stop(f"bundle {taken.seq} is signed, but what it says is not valid: {error}")
            return False
        self._there += lines - taken.changes  # which was a claim
        counts, self.counts = self.counts, Counts()
        done = int.from_bytes(taken.decided, "little")
        todo = (
            Work(make_mark(taken.generation, taken.seq, change.n), change) for change in all_of_them if not done >> change.n & 1
        )
        for group in groups(todo):
            for outcome in self._decided(group, taken=taken, done=done):
                done |= 1 << outcome.work.change.n
            self._site.progress(Doing.APPLYING, self._past + done.bit_count(), self._there)
            self._site.step("I12")
        self._applied(taken, lines)
        self._past += lines
        self.counts = counts.plus(self.counts)
        return True

    def _said(self, taken: Taken, bundle: Bundle) -> bool:
        """I13 for a key, or a word on the contract. Returns False where it stops the stream."""
        path = self._site.config.folders.store / taken.file
        try:
            if bundle.head.header.kind is BundleKind.KEYS:
                self.learned = self._key(taken, introduction(path, bundle))
                return self.learned
            agent = bundle.head.header.agent
            self.learned = hear(self._site, self._paired, taken, agreement(path, bundle), self._record, agent=agent)
        except BadBundle as error:
            what = "key" if bundle.head.header.kind is BundleKind.KEYS else "word on the contract"
            self._stop(f"bundle {taken.seq} is signed, but the {what} that it brings is not valid: {error}")
            return False
        return True

    def _key(self, taken: Taken, said: Introduction) -> bool:
        try:
            learn(self._site, self._paired.exchange, taken, said, self._record)
        except KeyProblem as error:  # theirs: none of ours is asked
            self._stop(f"bundle {taken.seq} is signed, but the key that it brings is not valid: {error}")
            return False
        return True

    def _applied(self, taken: Taken, lines: int) -> None:
        """I13. `lines`: its changes as counted here, whatever its header says for people."""
        here = self.counts
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x)
            now = micros(self._site.clock())
            streams.update_taken(conn, self._x, taken, state="applied", decided=b"", changes=lines, applied=now)
            streams.update_exchange(
                conn, self._x, in_seq=taken.seq, in_id=taken.id, items_ok=x.items_ok + here.applied + here.skipped
            )
            self._record.add(
                BundleApplied(
                    partner=x.partner_name,
                    seq=taken.seq,
                    read=here.read,
                    applied=here.applied,
                    skipped=here.skipped,
                    refused=here.refused,
                    waiting=here.waiting,
                )
            )
            self._record.write(conn)
        self._record.done()
        self._site.step("I13")

    def _decided(self, works: list[Work], *, taken: Taken | None = None, done: int = 0) -> list[Outcome]:
        """As `Groups.decide`, and counted."""
        outcomes = self._groups.decide(works, taken=taken, done=done)
        for one in outcomes:
            self.counts.add(one.end)
        self._marked += [one.marked for one in outcomes if one.marked]
        return outcomes

    # ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, retry: frozenset[Mark] = frozenset()) -> None:
        """Try what waits, and of what is stuck the `retry`, in order, until nothing moves. Raises Unavailable."""
        while self._queue_pass(retry):
            retry = frozenset()

    def _waiting(self) -> None:
        """The queue, with what came of it told."""
        applied, skipped = self.counts.applied, self.counts.skipped
        self.queue()
        applied, skipped = self.counts.applied - applied, self.counts.skipped - skipped
        if applied or skipped:
            self._record.add(HadWaited(partner=self._paired.them.name, applied=applied, skipped=skipped))

    def _queue_pass(self, retry: frozenset[Mark]) -> bool:
        with self._site.ledger.begin() as conn:
            found = standing(conn, self._paired.exchange, retry, now=micros(self._site.clock()))
        self._reach.ask(one.shut for one in found if one.shut is not None)
        moved = False
        blocked: set[Gid] = set()
        for one in found:
            if one.gid in blocked or not one.ready or (one.shut is not None and self._reach.shuts(one.shut)):
                blocked.add(one.gid)
                continue
            with self._site.ledger.begin() as conn:
                row = journal.queued_at(conn, self._x, one.mark)
            if row is None:
                continue  # decided with one before it
            (outcome,) = self._decided([Work(row.mark, read_change(row.change), row.since)])
            if outcome.left is not None:
                blocked.add(one.gid)
            moved = moved or outcome.left is None
        return moved

    def _note(self, event: Event) -> None:
        self._record.add(event)
        with self._site.ledger.begin() as conn:
            self._record.write(conn)
        self._record.done()

    def _stop(self, why: str) -> None:
        with self._site.ledger.begin() as conn:
            now = micros(self._site.clock())
            streams.update_exchange(conn, self._x, state=State.STOPPED, stopped_why=why, stopped_since=now)
        self._note(Stopped(partner=self._paired.them.name, why=why))
