"""From the inbox to the store: steps I1-I11 of docs/format.md.

Every file is copied before anything looks into it, and nothing is decompressed here. What is verified and has its
place in the stream goes to store/; what fails stays where it is until it has settled, then to quarantine/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from filesync.agent.events import Arriving, Damaged, Duplicate, Foreign, NameDiffers, NewerFormat, Received, Stopped, Warned
from filesync.agent.record import Record, micros
from filesync.agent.site import Paired, Site
from filesync.agent.staged import LIMITS, check_signature, read_whole
from filesync.bundle.header import Follows, file_name, unknown_features
from filesync.bundle.read import Bundle, Head
from filesync.bundle.verdict import BadBundle, Code, Incomplete, bad, shown
from filesync.errors import DiskProblem, StorageFailure
from filesync.exchange import files, inbox
from filesync.exchange.guard import read_guard
from filesync.exchange.inbox import Candidate, Disposal, Look, Mounted, Staged
from filesync.exchange.judge import Arrival, Judgement, Place, StreamState, Verdict, judge
from filesync.keys import age
from filesync.keys.age import CannotDecrypt
from filesync.ledger import streams
from filesync.ledger.streams import SeenFile, State, Taken
from filesync.model.ids import Generation

_SECOND: Final = 1_000_000  # microseconds
_ARRIVING: Final = "arriving"
_FOREIGN: Final = "foreign"
_LEFT: Final = frozenset({Verdict.OWN_BUNDLE, Verdict.WRONG_RECIPIENT, Verdict.UNKNOWN_PARTNER})
_WAITS_OUTSIDE: Final = frozenset({Verdict.HOLD_NEWER_GENERATION, Verdict.HOLD_NEWER_FORMAT, Verdict.SWITCH})
_STORED: Final = frozenset({Verdict.APPLY, Verdict.HOLD_GAP, Verdict.HOLD_FIRST, Verdict.HOLD_CONTRACT})


class _NotOurs(Exception):
    """The head says that the file is for someone else; the rest of it is not read."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


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
        self._stage = site.config.folders.stage
        self._foreign = 0

    def run(self) -> None:
        """Look at everything that was not finally judged before. Raises InboxUnavailable, StorageFailure, KeyProblem."""
        self._stage.mkdir(parents=True, exist_ok=True)
        inbox.clear_stage(self._stage)
        folder = self._site.inbox(self._x)
        candidates = inbox.scan(folder, self._mounted(folder))  # I1
        with self._site.ledger.begin() as conn:
            known = streams.seen_files(conn, self._x.id)
            for name in known.keys() - {one.name for one in candidates}:
                streams.forget_file(conn, self._x.id, name)
        self._site.step("I1")
        for candidate in candidates:
            seen = known.get(candidate.name)
            if seen is not None and seen.verdict != _ARRIVING and _same(seen, candidate):
                continue  # I2: judged for good
            self._look(candidate, seen)
            with self._site.ledger.begin() as conn:
                stopped = streams.exchange_of(conn, self._x.id).state is State.STOPPED
            if stopped:
                break
        if self._foreign:
            self._record.add(Foreign(files=self._foreign))
        with self._site.ledger.begin() as conn:
            self._record.write(conn)
        self._record.done()

    def _mounted(self, folder: Path) -> Mounted:
        """What was remembered of the folder; remembered now if it was never looked at."""
        fact = f"inbox {self._x.id} {folder}"
        with self._site.ledger.begin() as conn:
            text = streams.site_fact(conn, fact)
        if text is not None:
            return msgspec.json.decode(text, type=Mounted)
        mounted = inbox.mark_mounted(folder)
        with self._site.ledger.begin() as conn:
            streams.set_site_fact(conn, fact, msgspec.json.encode(mounted).decode())
        return mounted

    # ── one file ────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, candidate: Candidate, seen: SeenFile | None) -> None:
        try:
            staged = inbox.stage(candidate, self._stage, limit_bytes=LIMITS.bundle)  # I3, I4
        except inbox.Vanished:
            return  # the next look sees what is there
        except BadBundle as error:
            self._refuse(candidate, None, error)
            return
        except StorageFailure:
            raise
        except DiskProblem as error:  # one file that cannot be read, or no room for it: what is here already goes on
            self._record.add(Warned(what=f"{error}. Other files and issues already here go on. {error.hint}".strip()))
            return
        self._site.step("I4")
        plain = staged.path
        try:
            if age.is_age(staged.first):
                plain = staged.path.with_suffix(".tar")
                age.decrypt(staged.path, plain, identity=self._site.config.keys.age)  # I5
            self._site.step("I5")
            self._judge(_Copy(candidate, staged, plain), seen)
        except CannotDecrypt as error:
            self._unreadable(candidate, staged, seen, error)
        finally:
            for path in {staged.path, plain}:
                path.unlink(missing_ok=True)

    def _unreadable(self, candidate: Candidate, staged: Staged, seen: SeenFile | None, error: CannotDecrypt) -> None:
        """Not to be opened: another site's in a shared folder, or for an old key of ours, or damaged. Its name is a hint."""
        if self._x.in_stream[:8] in candidate.name.lower():
            self._fails(candidate, staged, seen, bad(Code.CANNOT_DECRYPT, "", str(error), hint=error.hint))
        else:
            self._leave(candidate, staged.sha256, "it is encrypted for another site")

    def _judge(self, copy: _Copy, seen: SeenFile | None) -> None:
        try:
            whole = read_whole(copy.plain, check=self._check_head)  # I6, I7, I8
        except _NotOurs as error:
            self._not_ours(copy, error.judgement)
            return
        except BadBundle as error:
            if error.code is Code.NEWER_FORMAT:
                self._record.add(NewerFormat(file=shown(copy.candidate.name), what=str(error.problems[0].what)))
            else:
                self._fails(copy.candidate, copy.staged, seen, error)
            return
        if isinstance(whole, Incomplete):
            short = f"short by {whole.need - whole.have} bytes" if whole.need else "its head has not arrived"
            self._fails(copy.candidate, copy.staged, seen, bad(Code.MISSING_FILE, whole.what, short))
            return
        self._site.step("I8")
        self._place(copy, whole)

    def _check_head(self, head: Head) -> None:
        """I6 and I7: for us, from whom we know, and signed by it."""
        judgement = self._judged(head)
        if judgement.verdict in _LEFT:
            raise _NotOurs(judgement)
        check_signature(head, self._site.partner_keys(self._x), signer=self._x.partner_name)

    def _judged(self, head: Head) -> Judgement:
        header = head.header
        generation = Generation(header.generation.n, header.generation.id)
        guard = read_guard(self._site.config.folders.guard, self._x.out_stream)
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x.id)
            known = streams.taken(conn, x.id, generation=generation.n, seq=header.seq)
            held = {one.seq: one.id for one in streams.held(conn, x.id) if one.generation == x.in_generation.n}
        state = StreamState(
            partner=x.partner_site,
            stream=x.in_stream,
            generation=x.in_generation,
            applied_seq=x.in_seq,
            applied_id=x.in_id,
            held=held,
            signed=True,
            contract=self._paired.rules.contract.digest,
            window=self._site.config.limits.window,
            partner_generation_seen=guard.partner_generation if guard is not None else 0,
        )
        follows = header.follows
        arrival = Arrival(
            from_site=header.from_.site,
            to_site=header.to.site,
            stream=header.stream,
            generation=generation,
            seq=header.seq,
            prev=header.prev,
            bundle_id=head.bundle_id,
            kind=header.kind,
            follows=_place(follows),
            contract=header.contract,
            signed=True,
            format_known=not unknown_features(header),
        )
        return judge(arrival, state, us=self._site.config.site, known_id=known.id if known is not None else None)

    # ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────

    def _place(self, copy: _Copy, bundle: Bundle) -> None:
        head = bundle.head
        judgement = self._judged(head)  # I9
        self._site.step("I9")
        name = copy.candidate.name
        encrypted = copy.plain != copy.staged.path
        if name != file_name(head.header, head.bundle_id, encrypted=encrypted) and judgement.verdict is not Verdict.FORK:
            self._record.add(NameDiffers(seq=head.header.seq, file=shown(name)))
        if judgement.verdict in _STORED:
            self._store(copy, head)
        elif judgement.verdict is Verdict.DUPLICATE:
            applied = head.header.seq <= self._x.in_seq
            self._record.add(Duplicate(seq=head.header.seq, file=shown(name), state="applied" if applied else "held"))
            self._done(copy, "duplicate")
        elif judgement.verdict is Verdict.FORK:
            self._fork(copy, judgement)
        elif judgement.verdict in _WAITS_OUTSIDE:
            self._record.add(Warned(what=f"{shown(name)} stays in the inbox: {judgement.reason}"))
        else:
            self._refuse(copy.candidate, copy.staged, bad(Code(judgement.verdict), "bundle.json", judgement.reason))

    def _store(self, copy: _Copy, head: Head) -> None:
        header = head.header
        stored = file_name(header, head.bundle_id, encrypted=False)
        files.keep(copy.plain, self._site.config.folders.store / stored)  # I10
        self._site.step("I10")
        now = micros(self._site.clock())
        with self._site.ledger.begin() as conn:
            if streams.taken(conn, self._x.id, generation=header.generation.n, seq=header.seq) is None:
                streams.add_taken(
                    conn,
                    self._x.id,
                    Taken(
                        generation=header.generation.n,
                        seq=header.seq,
                        id=head.bundle_id,
                        prev=header.prev,
                        file=stored,
                        arrived_as=copy.candidate.name,
                        contract=header.contract,
                        state="received",
                        changes=sum(header.counts.values()),
                        decided=b"",
                        received=now,
                        applied=0,
                    ),
                )
            streams.update_exchange(conn, self._x.id, in_last_file=copy.candidate.name, in_last_seen=now)
            self._record.add(Received(seq=header.seq, file=shown(copy.candidate.name)))
            self._record.write(conn)
        self._record.done()
        self._done(copy, "received")
        self._site.step("I11")

    def _done(self, copy: _Copy, verdict: str) -> None:
        """I11: remembered, so that it is never opened again, and disposed of as the site wants it."""
        self._remember(copy.candidate, copy.staged.sha256, verdict, "")
        self._dispose(copy.candidate)

    def _dispose(self, candidate: Candidate) -> None:
        to = self._site.config.folders.store / "arrived"
        to.mkdir(exist_ok=True)
        problem = inbox.dispose(candidate, Disposal(self._site.config.inbox_policy), to=to)
        if problem is not None:
            self._record.add(Warned(what=str(problem)))

    def _not_ours(self, copy: _Copy, judgement: Judgement) -> None:
        """Files of others stay untouched: the folder may be shared, or be somebody's outbox."""
        if judgement.verdict is Verdict.OWN_BUNDLE:
            self._record.add(Warned(what=f"OWN_BUNDLE {shown(copy.candidate.name)}: {judgement.reason}. It was left there."))
            self._remember(copy.candidate, copy.staged.sha256, Code.OWN_BUNDLE, judgement.reason)
        else:
            self._leave(copy.candidate, copy.staged.sha256, f"{judgement.verdict}: {judgement.reason}")

    def _leave(self, candidate: Candidate, sha256: str, why: str) -> None:
        self._foreign += 1
        self._remember(candidate, sha256, _FOREIGN, why)

    def _fork(self, copy: _Copy, judgement: Judgement) -> None:
        kept = self._quarantine(copy.candidate, copy.staged, f"FORK: {judgement.reason}")
        why = (
            f"FORK: {judgement.reason}. Both files are kept: the first in {self._site.config.folders.store}, "
            f"the second as {kept}. Nothing more is applied on this exchange; others go on. "
            f"Was {self._x.partner_name} restored from a backup, or cloned? Settle that with them first."
        )
        with self._site.ledger.begin() as conn:
            now = micros(self._site.clock())
            streams.update_exchange(conn, self._x.id, state=State.STOPPED, stopped_why=why, stopped_since=now)
            self._record.add(Stopped(partner=self._x.partner_name, why=why))
            self._record.write(conn)
        self._record.done()
        self._done(copy, Code.FORK)

    def _fails(self, candidate: Candidate, staged: Staged, seen: SeenFile | None, error: BadBundle) -> None:
        """A file that is not what it should be is arriving until it stayed the same for a while; then it is refused."""
        now = micros(self._site.clock())
        before = Look(seen.size, seen.mtime_ns, seen.sha256, seen.since / _SECOND) if seen is not None else None
        look = Look(candidate.size, candidate.mtime_ns, staged.sha256, now / _SECOND)
        settle = self._site.config.limits.settle.total_seconds()
        state = inbox.settling(before, look, settle_s=settle)
        if state.settled or settle == 0:
            self._refuse(candidate, staged, error)
            return
        if state.since is look:  # told once, and again when it changed
            problem = "; ".join(str(one) for one in error.problems[:3])
            self._record.add(Arriving(file=shown(candidate.name), problem=problem, settle_s=int(settle)))
        self._remember(candidate, staged.sha256, _ARRIVING, str(error), since=int(state.since.at * _SECOND))

    def _refuse(self, candidate: Candidate, staged: Staged | None, error: BadBundle) -> None:
        """Into quarantine, with the reason beside it. What cannot be copied (a link, a pipe) stays, known by name."""
        if staged is not None:
            self._quarantine(candidate, staged, "\n".join(f"{error.code}: {problem}" for problem in error.problems))
        self._record.add(
            Damaged(
                file=shown(candidate.name),
                code=error.code,
                problems=[str(problem) for problem in error.problems],
                hint=error.hint,
            )
        )
        self._remember(candidate, staged.sha256 if staged is not None else "", error.code, str(error))
        if staged is not None:
            self._dispose(candidate)

    def _quarantine(self, candidate: Candidate, staged: Staged, why: str) -> Path:
        name = f"{staged.sha256[:16]}.bundle"  # a name of ours: theirs is data
        target = self._site.config.folders.quarantine / name
        files.keep(staged.path, target)
        since = self._site.clock().isoformat(timespec="seconds")
        text = f"{shown(candidate.name, limit=255)}\n{since}\n{why}\n"
        files.write_whole(target.with_suffix(".txt"), [text.encode()])
        return target

    def _remember(self, candidate: Candidate, sha256: str, verdict: str, note: str, *, since: int | None = None) -> None:
        seen = SeenFile(
            name=candidate.name,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            inode=candidate.inode,
            sha256=sha256,
            verdict=str(verdict),
            note=note,
            since=micros(self._site.clock()) if since is None else since,
        )
        with self._site.ledger.begin() as conn:
            streams.remember_file(conn, self._x.id, seen)
            self._record.write(conn)
        self._record.done()


def _place(follows: Follows | None) -> Place | None:
    if follows is None:
        return None
    return Place(Generation(follows.generation.n, follows.generation.id), follows.seq, follows.id)


def _same(seen: SeenFile, candidate: Candidate) -> bool:
    return (seen.size, seen.mtime_ns, seen.inode) == (candidate.size, candidate.mtime_ns, candidate.inode)
