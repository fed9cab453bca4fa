"""From the inbox to the store: steps I1-I11 of docs/format.md.

Every file is copied before anything looks into it, and nothing is decompressed here. What is verified and has its
place in the stream goes to store/; what fails stays where it is until it has settled, then to quarantine/.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Duplicate, NameDiffers, NewerFormat, Outside, Received
from filesync.agent.incoming.chunks import Early, note_inline, store_again, take_chunk
from filesync.agent.incoming.clocks import ahead
from filesync.agent.incoming.filing import NAME_SHOWN, Filing, NotNow, for_stream, room, settled
from filesync.agent.incoming.mounts import mounted
from filesync.agent.incoming.said import Said, came_alone, strange, take
from filesync.agent.incoming.signed import Unintroduced, check_signer, waits
from filesync.agent.paired import Paired
from filesync.agent.progress import Doing
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.agent.staged import LIMITS, read_whole
from filesync.bundle.header import Header, file_name
from filesync.bundle.read import Bundle, Head
from filesync.bundle.verdict import BadBundle, Code, Incomplete, bad, shown
from filesync.errors import disk_problem, size_text
from filesync.exchange import files, inbox
from filesync.exchange.arrival import arrival
from filesync.exchange.guard import read_guard
from filesync.exchange.inbox import Candidate, Staged
from filesync.exchange.judge import NEEDS_THE_CONTRACT, NO_CONTRACT, Judgement, StreamState, Verdict, judge
from filesync.keys import age
from filesync.keys.age import CannotDecrypt, ForAnotherKey
from filesync.ledger import streams
from filesync.ledger.looked_at import SeenFile
from filesync.ledger.streams import State, Taken
from filesync.model.ids import MAX_N, BundleId
from filesync.model.moments import micros

_LEFT: Final = frozenset({Verdict.OWN_BUNDLE, Verdict.WRONG_RECIPIENT, Verdict.UNKNOWN_PARTNER})
_WAITS_OUTSIDE: Final = frozenset({Verdict.HOLD_NEWER_GENERATION, Verdict.HOLD_NEWER_FORMAT, Verdict.SWITCH})
_STORED: Final = frozenset({Verdict.APPLY, Verdict.HOLD_GAP, Verdict.HOLD_FIRST, Verdict.HOLD_CONTRACT})


class _NotOurs(Exception):
    """The head says that the file is for someone else; the rest of it is not read."""

    def __init__(self, judgement: Judgement, header: Header) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement
        self.header = header


@dataclass(frozen=True, slots=True)
class _Copy:
    """A file under examination: what lies in the inbox, our copy, and the copy in the clear."""

    candidate: Candidate
    staged: Staged
    plain: Path


class Receiver:
    """One look at one exchange's inbox."""

    def __init__(self, site: Site, paired: Paired, record: Record) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange
        self._record = record
        self._filing = Filing(site, paired.exchange, record)
        self._stage = site.stage(paired.exchange)
        self._held: dict[int, BundleId] = {}  # of the current generation: read once, there may be thousands
        self._held_prev: dict[int, BundleId] = {}  # what each of them follows
        self._partner_generation = 0
        self.stopped = False  # by what came: nothing more is applied
        self._clock_told = False
        self.early = Early(site, paired.exchange, [])

    def run(self) -> None:
        """Look at everything that was not finally judged before. Raises InboxUnavailable, DiskProblem, KeyProblem."""
        try:
            self._stage.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_problem(error, self._stage) from error
        inbox.clear_stage(self._stage)
        guard = read_guard(self._site.config.folders.guard, self._x.out_stream)
        self._partner_generation = guard.partner_generation if guard is not None else 0
        folder = self._site.inbox(self._x)
        candidates = inbox.scan(folder, mounted(self._site, self._x, folder))  # I1
        known = self._filing.judged(candidates)
        self.early = Early(self._site, self._x, [one.name for one in candidates])
        with self._site.ledger.begin() as conn:
            held = streams.held(conn, self._x.id)
        self._held = {one.seq: one.id for one in held if one.generation == self._x.in_generation.n}
        self._held_prev = {one.seq: one.prev for one in held if one.generation == self._x.in_generation.n}
        self._site.step("I1")
        for number, candidate in enumerate(candidates):
            self._site.progress(Doing.TAKING, number, len(candidates))
            seen = known.get(candidate.name)
            if settled(seen, candidate) or self.early.skips(candidate, seen):
                continue  # I2
            try:
                self._look(candidate, seen)
            except NotNow as later:
                self._filing.not_now(candidate, later.problem)
            if self.stopped:
                break
        self._filing.close()

    # ── one file ────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, candidate: Candidate, seen: SeenFile | None) -> None:
        try:
            with room():
                staged = inbox.stage(candidate, self._stage, limit_bytes=LIMITS.bundle)  # I3, I4
        except NotNow as later:
            if isinstance(later.problem, inbox.Vanished):
                return  # the next look sees what is there
            raise
        except BadBundle as error:
            self._filing.refuse(candidate, None, error)
            return
        self._site.step("I4")
        plain = staged.path
        try:
            if age.is_age(staged.first):
                plain = staged.path.with_suffix(".tar")
                with room():
                    age.decrypt(staged.path, plain, identity=self._site.config.keys.age)  # I5
            self._site.step("I5")
            self._judge(_Copy(candidate, staged, plain), seen)
        except ForAnotherKey as error:
            self._unreadable(candidate, staged, seen, error)
        except CannotDecrypt as error:
            self._filing.fails(candidate, staged, seen, bad(Code.CANNOT_DECRYPT, "", str(error), hint=error.hint))
        finally:
            for path in {staged.path, plain}:
                with suppress(OSError):  # what stays is removed before the next look, which tells what is wrong there
                    path.unlink(missing_ok=True)

    def _unreadable(self, candidate: Candidate, staged: Staged, seen: SeenFile | None, error: ForAnotherKey) -> None:
        """Not to be opened: another site's in a shared folder, or for an old key of ours. Its name is a hint."""
        if for_stream(candidate.name, self._x.in_stream):
            self._filing.fails(candidate, staged, seen, bad(Code.CANNOT_DECRYPT, "", str(error), hint=error.hint))
        else:
            self._filing.leave(candidate, "it is encrypted for another site")

    def _judge(self, copy: _Copy, seen: SeenFile | None) -> None:
        try:
            whole = read_whole(copy.plain, check=self._check_head)  # I6, I7, I8
        except _NotOurs as error:
            self._not_ours(copy, error.judgement, error.header)
            return
        except Unintroduced as error:
            told = waits(self._x, error, self._held, us=self._paired.us.name, file=copy.candidate.name)
            self._filing.waits(copy.candidate, copy.staged, seen, told, error.refusal)
            return
        except BadBundle as error:
            if error.code is Code.NEWER_FORMAT:
                self._record.add(NewerFormat(file=shown(copy.candidate.name), what=str(error.problems[0].what)))
            else:
                self._filing.fails(copy.candidate, copy.staged, seen, error)
            return
        if isinstance(whole, Incomplete):
            short = f"short by {size_text(whole.need - whole.have)}" if whole.need else "its head has not arrived"
            self._filing.fails(copy.candidate, copy.staged, seen, bad(Code.MISSING_FILE, whole.what, short))
            return
        self._site.step("I8")
        self._place(copy, whole)

    def _check_head(self, head: Head) -> None:
        """I6 and I7: for us, from whom we know, and signed by it."""
        judgement = self._judged(head)
        if judgement.verdict in _LEFT:
            raise _NotOurs(judgement, head.header)
        check_signer(self._site, self._x, head, judgement.verdict)

    def _judged(self, head: Head) -> Judgement:
        header = head.header
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x.id)
            known = streams.taken(conn, x.id, generation=header.generation.n, seq=header.seq)
        state = StreamState(
            partner=x.partner_site,
            stream=x.in_stream,
            generation=x.in_generation,
            applied_seq=x.in_seq,
            applied_id=x.in_id,
            held=self._held,
            held_prev=self._held_prev,
            signed=True,
            contract=self._paired.rules.contract.digest,
            window=self._site.config.limits.window,
            partner_generation_seen=self._partner_generation,
        )
        known_id = known.id if known is not None else None
        return judge(arrival(header, head.bundle_id), state, us=self._site.config.site, known_id=known_id)

    # ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────

    def _place(self, copy: _Copy, bundle: Bundle) -> None:
        head = bundle.head
        judgement = self._judged(head)  # I9
        self._site.step("I9")
        if judgement.verdict is Verdict.REPORT:
            self._report(copy, head)
            return
        if judgement.verdict is Verdict.CHUNK:
            if not self.early.admits(copy.candidate, head):
                self._filing.put_off(copy.candidate, head)
                return
            new = take_chunk(self._site, self._x, self._record, copy.plain, bundle, name=shown(copy.candidate.name))
            self._filing.done(copy.candidate, "chunk" if new else "duplicate")
            return
        name = copy.candidate.name
        encrypted = copy.plain != copy.staged.path
        if name != file_name(head.header, head.bundle_id, encrypted=encrypted) and judgement.verdict is not Verdict.FORK:
            self._record.add(NameDiffers(seq=head.header.seq, file=shown(name)))
        if judgement.verdict in _STORED:
            self._store(copy, bundle)
        elif judgement.verdict is Verdict.DUPLICATE:
            store_again(self._site, self._x, copy.plain, bundle)
            self._duplicate(copy, head.header, "applied")
        elif judgement.verdict is Verdict.FORK:
            self._fork(copy, judgement)
        elif judgement.verdict in _WAITS_OUTSIDE:
            self._record.add(Outside(file=shown(name), why=judgement.reason))
        else:
            error = bad(Code(judgement.verdict), "bundle.json", judgement.reason)
            self._filing.refuse(copy.candidate, copy.staged, error)

    def _store(self, copy: _Copy, bundle: Bundle) -> None:
        """I10: durable in the store, then known to the ledger. A file that was lost from the store comes back so."""
        head, header = bundle.head, bundle.head.header
        stored = file_name(header, head.bundle_id, encrypted=False)
        target = self._site.config.folders.store / stored
        there = target.exists()
        with room():
            files.keep(copy.plain, target)
        self._site.step("I10")
        now = micros(self._site.clock())
        with self._site.ledger.begin() as conn:
            known = streams.taken(conn, self._x.id, generation=header.generation.n, seq=header.seq)
            if known is None:
                taken = Taken(
                    generation=header.generation.n,
                    seq=header.seq,
                    id=head.bundle_id,
                    prev=header.prev,
                    file=stored,
                    arrived_as=shown(copy.candidate.name, limit=NAME_SHOWN),
                    contract=header.contract if header.kind in NEEDS_THE_CONTRACT else NO_CONTRACT,
                    state="received",
                    changes=min(sum(header.counts.values()), MAX_N),  # a claim for people; counted when it is applied
                    decided=b"",
                    received=now,
                    applied=0,
                )
                streams.add_taken(conn, self._x.id, taken)
                note_inline(conn, self._x, bundle)
            strange(conn, self._x, head, self._record)
            said = take(conn, self._site, self._x, head, self._record)
            self.stopped = self.stopped or said is Said.STOPPED
            last = shown(copy.candidate.name, limit=NAME_SHOWN)
            streams.update_exchange(conn, self._x.id, in_last_file=last, in_last_seen=now)
            if known is None or not there:
                self._record.add(Received(seq=header.seq, file=shown(copy.candidate.name)))
            self._record.write(conn)
        self._record.done()
        self._held[header.seq] = head.bundle_id
        self._held_prev[header.seq] = header.prev
        if known is not None and there:
            self._duplicate(copy, header, "held")
            return
        self._watch_clock(header)
        self._filing.done(copy.candidate, "received")
        self._site.step("I11")

    def _report(self, copy: _Copy, head: Head) -> None:
        name = shown(copy.candidate.name, limit=NAME_SHOWN)
        said = came_alone(self._site, self._x, head, self._record, name=name)
        self.stopped = self.stopped or said is Said.STOPPED
        self._filing.done(copy.candidate, "report")

    def _duplicate(self, copy: _Copy, header: Header, state: str) -> None:
        """Success: the next export reports again, for the partner may have missed what we said."""
        with self._site.ledger.begin() as conn:
            streams.update_exchange(conn, self._x.id, report_told="")
        self._record.add(Duplicate(seq=header.seq, file=shown(copy.candidate.name), state=state))
        self._filing.done(copy.candidate, "duplicate")

    def _watch_clock(self, header: Header) -> None:
        differs = ahead(header, now=self._site.clock(), partner=self._x.partner_name)
        if differs is not None and not self._clock_told:
            self._clock_told = True
            self._record.add(differs)

    def _not_ours(self, copy: _Copy, judgement: Judgement, header: Header) -> None:
        if judgement.verdict is Verdict.OWN_BUNDLE:
            self._filing.our_own(copy.candidate, judgement.reason)
        elif judgement.verdict is Verdict.UNKNOWN_PARTNER:
            known = header.from_.site == self._x.partner_site
            self._filing.another_stream(copy.candidate, header.stream, ours=known)
        else:
            self._filing.leave(copy.candidate, f"{judgement.verdict}: {judgement.reason}")

    def _fork(self, copy: _Copy, judgement: Judgement) -> None:
        """The stream stops, even where there is no room to keep the second file: then that one stays where it lies."""
        try:
            kept = f"as {self._filing.quarantine(copy.candidate, copy.staged, f'FORK: {judgement.reason}')}"
            room_left = True
        except NotNow as later:
            kept, room_left = f"in the inbox as {shown(copy.candidate.name)} ({later.problem})", False
        why = (
            f"FORK: {judgement.reason}. Both files are kept: the first in {self._site.config.folders.store}, "
            f"the second {kept}. Nothing more is applied on this exchange; others go on. "
            f"Was {self._x.partner_name} restored from a backup, or cloned? Settle that with them first."
        )
        with self._site.ledger.begin() as conn:
            now = micros(self._site.clock())
            streams.update_exchange(conn, self._x.id, state=State.STOPPED, stopped_why=why, stopped_since=now)
            self._record.add(Stopped(partner=self._x.partner_name, why=why))
            self._record.write(conn)
        self._record.done()
        self.stopped = True
        if room_left:
            self._filing.done(copy.candidate, Code.FORK)
