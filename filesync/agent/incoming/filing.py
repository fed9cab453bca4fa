"""How a file in the inbox ends: taken, left alone, still arriving, or in quarantine; and that it is remembered.

What happened is in the journal before the file is disposed of, and the file is disposed of before it is remembered: a
crash in between makes the next look come to the same end, and no judged file stays behind for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filesync.agent.events import Warned, ended
from filesync.agent.incoming.arrivals import Arriving, Damaged, Foreign, KeyNotKnown, Mistrusted, NotTaken, UnknownStream
from filesync.agent.record import Record
from filesync.agent.site import Site
from filesync.agent.staged import OtherSigner
from filesync.bundle.read import Head
from filesync.bundle.verdict import BadBundle, Code, shown
from filesync.errors import DiskProblem, StorageFailure, disk_problem
from filesync.exchange import files, inbox
from filesync.exchange.inbox import Candidate, Disposal, Look, Staged
from filesync.ledger import looked_at, streams
from filesync.ledger.endings import endings
from filesync.ledger.looked_at import ARRIVING, EARLY, SeenFile
from filesync.ledger.refusals import add_refusal
from filesync.ledger.streams import Exchange
from filesync.model.ids import StreamId
from filesync.model.moments import micros, moment

NAME_SHOWN: Final = 255  # characters of a file's name that are kept for people
_SECOND: Final = 1_000_000  # microseconds
_CUT_OFF: Final = frozenset({Code.MISSING_FILE, Code.CANNOT_DECRYPT})  # what a file that is cut off is refused with
_FOREIGN: Final = "foreign"
_NAMED: Final = 5  # files that a warning names; the others are counted
_STREAM: Final = re.compile(r"fs1_([0-9a-f]{8})_.*", re.DOTALL)
_NUMBER: Final = re.compile(r"fs1_[0-9a-f]{8}_g([0-9]{4,9})_([0-9]{10,16})_.*", re.DOTALL)


class NotNow(Exception):
    """This file cannot be taken in now; others can."""

    def __init__(self, problem: DiskProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@contextmanager
def room() -> Iterator[None]:
    """Lack of room or of a right stops one file, not the import; a disk that failed stops everything."""
    try:
        yield
    except StorageFailure:
        raise
    except DiskProblem as error:
        raise NotNow(error) from error


def for_stream(name: str, stream: StreamId) -> bool | None:
    """Whether a file's name says that it is of this stream; None where it says nothing. A name is a hint only."""
    said = _STREAM.fullmatch(name.lower())
    return None if said is None else said[1] == stream[:8]


def number_in(name: str) -> tuple[int, int] | None:
    """The generation and number that a file's name says, if it does. A hint only: of a damaged file there is nothing else."""
    said = _NUMBER.fullmatch(name.lower())
    return None if said is None else (int(said[1]), int(said[2]))


class Filing:
    """The ends of files of one exchange's inbox, in one run."""

    def __init__(self, site: Site, exchange: Exchange, record: Record) -> None:
        self._site = site
        self._x = exchange
        self._record = record
        self._foreign = 0
        self._not_now: dict[int | None, list[tuple[str, DiskProblem]]] = {}  # by the system's word for it

    def judged(self, candidates: Iterable[Candidate]) -> dict[str, SeenFile]:
        """What is known of the files that are there; what is not there any more is forgotten."""
        names = {one.name for one in candidates}
        with self._site.ledger.begin() as conn:
            known = looked_at.files(conn, self._x.id)
            for name in known.keys() - names:
                looked_at.forget(conn, self._x.id, name)
        return {name: seen for name, seen in known.items() if name in names}

    def close(self) -> None:
        """Tell what is told of many files at once."""
        if self._foreign:
            self._record.add(Foreign(files=self._foreign))
        for group in self._not_now.values():
            names, first = [name for name, _ in group], group[0][1]
            self._record.add(
                NotTaken(files=names[:_NAMED], more=len(names[_NAMED:]), why=str(first), hint=first.hint),
            )
        self._journal()

    # ── the ends ────────────────────────────────────────────────────────────────────────────────────────────────

    def done(self, candidate: Candidate, verdict: str) -> None:
        """I11: what it was is told and recorded; disposed of as the site wants it, and what stays is never opened again."""
        self._journal()
        self._dispose(candidate)
        self._remember(candidate, verdict, "")

    def leave(self, candidate: Candidate, why: str) -> None:
        """Someone else's: it stays untouched, the folder may be shared, or be somebody's outbox."""
        self._foreign += 1
        self._remember(candidate, _FOREIGN, why)

    def our_own(self, candidate: Candidate, why: str) -> None:
        """A bundle of ours that came back: told, and left alone, the folder may be our outbox."""
        self._record.add(Warned(what=f"{Code.OWN_BUNDLE} {shown(candidate.name)}: {ended(why)} It was left there."))
        self._remember(candidate, Code.OWN_BUNDLE, why)

    def another_stream(self, candidate: Candidate, stream: StreamId, *, ours: bool) -> None:
        """To us, on a stream that this exchange does not have. `ours`: it says that it is from this exchange's partner.

        Another exchange's is left to that one. A partner's on a stream that none has is told: it is never taken as it is.
        """
        with self._site.ledger.begin() as conn:
            known = any(one.in_stream == stream for one in streams.exchanges(conn))
            before = next((one for one in endings(conn) if one.in_stream == stream), None)
        if known:
            self._remember(candidate, _FOREIGN, "another exchange's")
            return
        if not ours and before is None:
            self.leave(candidate, f"stream {stream[:8]} is not paired")
            return
        partner, when = (self._x.partner_name, "") if before is None else (before.partner_name, f"{moment(before.at):%Y-%m-%d}")
        self._record.add(UnknownStream(file=shown(candidate.name), partner=partner, stream=stream[:8], ended=when))
        self._remember(candidate, _FOREIGN, f"stream {stream[:8]} is not paired")

    def not_now(self, candidate: Candidate, problem: DiskProblem) -> None:
        """It stays and is tried again; told once for all files that the same is wrong with."""
        cause = problem.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        self._not_now.setdefault(number, []).append((shown(candidate.name), problem))

    def fails(self, candidate: Candidate, staged: Staged, seen: SeenFile | None, error: BadBundle) -> None:
        """A file that is not what it should be is arriving until it stayed the same for a while; then it is refused."""
        if for_stream(candidate.name, self._x.in_stream) is False:
            # in a shared folder, and too damaged to say for whom it is: whoever waits for it names the damage
            self.leave(candidate, f"named as another stream's: {error}")
            return
        now, sha256 = micros(self._site.clock()), staged.hashed()
        before = Look(seen.size, seen.mtime_ns, seen.sha256, seen.since / _SECOND) if seen is not None else None
        look = Look(candidate.size, candidate.mtime_ns, sha256, now / _SECOND)
        settle = self._site.config.limits.settle.total_seconds()
        state = inbox.settling(before, look, settle_s=settle)
        if state.settled or settle == 0:
            self.refuse(candidate, staged, error)
            return
        if state.since is look:  # told once, and again when it changed
            problem, name = "; ".join(str(one) for one in error.problems[:3]), shown(candidate.name)
            if isinstance(error, OtherSigner):  # more bytes will not change who signed; another file in its place may
                self._record.add(Mistrusted(file=name, problem=problem, hint=error.hint, settle_s=int(settle)))
            else:
                self._record.add(Arriving(file=name, code=error.code, problem=problem, settle_s=int(settle)))
        self._remember(candidate, ARRIVING, str(error), sha256=sha256, since=int(state.since.at * _SECOND))

    def waits(self, candidate: Candidate, staged: Staged, seen: SeenFile | None, why: KeyNotKnown, refusal: BadBundle) -> None:
        """It stays as it is and is looked at by every import: with a number, until its turn comes; without, for `keep_for`."""
        sha256 = staged.hashed()
        since = seen.since if seen is not None and seen.sha256 == sha256 else micros(self._site.clock())
        if not why.missing and since < micros(self._site.clock() - self._site.config.limits.keep_for):
            self.refuse(candidate, staged, refusal)
            return
        self._record.add(why)
        self._remember(candidate, ARRIVING, why.sentence(), sha256=sha256, since=since)

    def put_off(self, candidate: Candidate, chunk: Head) -> None:
        """A piece of an attachment that no change names yet, and there are too many of these: it stays where it is."""
        self._remember(candidate, EARLY, f"{chunk.bundle_id} {chunk.header.files[0].size}")

    def refuse(self, candidate: Candidate, staged: Staged | None, error: BadBundle) -> None:
        """Into quarantine, with the reason beside it. What cannot be copied (a link, a pipe) stays, known by name."""
        hint = error.hint
        if staged is not None:
            kept = self.quarantine(candidate, staged, "\n".join(f"{error.code}: {problem}" for problem in error.problems))
            if error.code in _CUT_OFF and (seq := self._applied(candidate.name)):
                drop = f"filesync quarantine drop {kept.stem}"
                hint = f"By its name it is bundle {seq}, which is applied already: if so, nothing is missing; drop it: {drop}"
        self._record.add(
            Damaged(
                file=shown(candidate.name),
                code=error.code,
                problems=[str(problem) for problem in error.problems],
                hint=hint,
                kept=staged is not None,
            )
        )
        self._tell_partner(candidate.name, error.code)
        if staged is not None:
            self.done(candidate, error.code)
        else:
            self._remember(candidate, error.code, str(error))

    def _applied(self, name: str) -> int:
        """The number of a bundle that is applied, where the name says that the file is that one; else 0."""
        generation, seq = (number_in(name) if for_stream(name, self._x.in_stream) else None) or (0, 0)
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x.id)
        return seq if generation == x.in_generation.n and seq <= x.in_seq else 0

    def _tell_partner(self, name: str, code: Code) -> None:
        """With the next report, where the name says that it is the partner's and has a number that is still to come."""
        said = number_in(name) if for_stream(name, self._x.in_stream) else None
        with self._site.ledger.begin() as conn:
            x = streams.exchange_of(conn, self._x.id)
            ahead = said[1] - x.in_seq if said is not None and said[0] == x.in_generation.n else 0
            if said is not None and 0 < ahead <= self._site.config.limits.window:
                add_refusal(conn, x, seq=said[1], code=code, now=micros(self._site.clock()))

    def quarantine(self, candidate: Candidate, staged: Staged, why: str) -> Path:
        """Keep our copy, and why, under a name of ours: theirs is data. Raises NotNow, StorageFailure."""
        target = self._site.config.folders.quarantine / f"{staged.hashed()[:16]}.bundle"
        since = self._site.clock().isoformat(timespec="seconds")
        text = f"{shown(candidate.name, limit=NAME_SHOWN)}\n{since}\n{why}\n"
        with room():
            files.write_whole(target.with_suffix(".txt"), [text.encode()])  # first: nothing lies there without its reason
            files.keep(staged.path, target)
        return target

    # ── what all of them need ───────────────────────────────────────────────────────────────────────────────────

    def _dispose(self, candidate: Candidate) -> None:
        policy = Disposal(self._site.config.inbox_policy)
        to = self._site.config.folders.store / "arrived"
        try:
            if policy is Disposal.MOVE:
                to.mkdir(exist_ok=True)
        except OSError as error:
            problem = disk_problem(error, to)
            self._record.add(Warned(what=f"{shown(candidate.name)} stays in the inbox, and is not taken again: {problem}"))
            return
        problem_there = inbox.dispose(candidate, policy, to=to)
        if problem_there is not None:
            self._record.add(Warned(what=str(problem_there)))

    def _remember(self, candidate: Candidate, verdict: str, note: str, *, sha256: str = "", since: int | None = None) -> None:
        """`sha256`: of a file that may still change. One that was judged for good is known by its place on the disk."""
        seen = SeenFile(
            name=candidate.name,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            ctime_ns=candidate.ctime_ns,
            inode=candidate.inode,
            sha256=sha256,
            verdict=str(verdict),
            note=note,
            since=micros(self._site.clock()) if since is None else since,
        )
        with self._site.ledger.begin() as conn:
            looked_at.remember(conn, self._x.id, seen)
            self._record.write(conn)
        self._record.done()

    def _journal(self) -> None:
        if not self._record.pending:
            return
        with self._site.ledger.begin() as conn:
            self._record.write(conn)
        self._record.done()


def settled(seen: SeenFile | None, candidate: Candidate) -> bool:
    """Whether the very file was judged for good before (I2)."""
    return seen is not None and seen.verdict not in {ARRIVING, EARLY} and same(seen, candidate)


def same(seen: SeenFile, candidate: Candidate) -> bool:
    """Whether it is the very file that was looked at before."""
    before = (seen.size, seen.mtime_ns, seen.ctime_ns, seen.inode)
    return before == (candidate.size, candidate.mtime_ns, candidate.ctime_ns, candidate.inode)
