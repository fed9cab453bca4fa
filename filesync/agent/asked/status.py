"""Where every stream stands, for people and for monitoring."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from filesync.agent import gaps
from filesync.agent.asked.hands import Said, by_hand_of
from filesync.agent.traces import check_ledger
from filesync.agent.usable import unusable
from filesync.bundle.verdict import Code, shown
from filesync.config import Config
from filesync.errors import ConfigError, ExitCode, FilesyncError, disk_problem
from filesync.exchange.judge import NO_CONTRACT
from filesync.ledger import journal, looked_at, open_conflicts, proposals, shadows, streams
from filesync.ledger.journal import Wait
from filesync.ledger.looked_at import ARRIVING, EARLY
from filesync.ledger.refusals import refusals
from filesync.ledger.stream_keys import stream_keys
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.ids import parse_mark
from filesync.model.moments import moment

if TYPE_CHECKING:
    from filesync.agent.blobs import Waiting

_SILENT = 2  # times `report_every`: the partner's carrier may be a person who comes once a day
_REFUSED = 100  # numbers that are shown
_ATTACHMENTS = 1_000  # that wait for their bytes: so many are looked at


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that came to the other side, theirs or ours, so that it could not be taken."""

    seq: int
    code: str
    since: dt.datetime


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """The stream we write."""

    generation: int
    position: int  # the last bundle that has a number
    to_publish: int  # of these, not in the outbox yet
    acknowledged: int  # the last one the partner says it applied
    backlog: int  # made, and not acknowledged
    refused: tuple[Refusal, ...]  # of these, what the partner could not take
    again: int  # issues that are told once more, as a person asked for

    @property
    def work_left(self) -> bool:
        """Whether the next export has something to finish, or a person something to send again."""
        return self.to_publish > 0 or bool(self.refused)


class LackingBytes(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits for bytes, of an attachment or a long text.

    `needs` says so in words; the partner sends `chunks`, or the bundle, again.
    """

    key: str  # of its issue, as the partner shows it
    name: str  # of an attachment
    size: int  # bytes of all of it
    needs: str
    chunks: tuple[str, ...]  # ids, of the first hundred
    bundle: int  # 0: none
    since: dt.datetime


class Receiving(msgspec.Struct, frozen=True, kw_only=True):
    """The stream we read."""

    generation: int
    position: int  # the last bundle applied
    held: tuple[int, ...]  # verified and stored, not applied
    first: int  # issues that a first import would make which waits for a person; 0: none does
    other_contract: str  # where the next one waits for it: "theirs 0a1b2c3d, ours 4e5f6071"; else empty
    missing: tuple[tuple[int, int], ...]  # waited for: from, to
    arriving: tuple[str, ...]  # names of files that are not whole yet, or damaged
    refused: tuple[Refusal, ...]  # came so that they could not be taken, and no good copy came since
    attachments: tuple[LackingBytes, ...]  # what waits for bytes: attachments, and changes with a long text
    early: int  # chunks that stay in the inbox: no change names them, and limits.early_chunks is full
    own: int  # our own bundles that lie in the inbox
    last_file: str
    last_seen: dt.datetime | None
    silent: dt.timedelta | None  # since the last file, where that is too long: the partner sends at least a report
    expected: dt.timedelta  # how often

    @property
    def work_left(self) -> bool:
        """Whether something is waited for."""
        return bool(self.held or self.missing or self.arriving or self.refused or self.attachments)


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that waits for the partner's answer, or for ours."""

    version: int
    ours: bool
    withdrawn: bool
    since: dt.datetime
    instead_of: int = 0  # the version of ours that gave way to it; 0: none


class ExchangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange: its streams, and the changes that are not decided."""

    name: str
    partner: str
    state: State
    stopped_why: str  # or why it is paused
    stopped_since: dt.datetime | None
    encrypt: bool
    revoked: int  # from which bundle on the partner's key is revoked, and none has taken its place; 0: it is not
    lacks_recipient: bool  # its age key came with what is revoked: exports wait for its pairing file
    words: str
    proposal: Proposed | None
    sending: Sending | None  # None: this direction is not used
    receiving: Receiving | None
    waiting: int  # changes that wait for an entity or another change, or for a person who stopped their issue
    stuck: int  # changes that the tracker or the mapping refused
    by_hand: tuple[Said, ...]  # issues that a person stopped or started
    unusable: str = ""  # what is wrong with its contract or mapping, so that nothing is sent or applied
    waiting_stopped: int = 0  # of those that wait: for their issue to be started again
    open: int = 0  # fields of which each side keeps its own until a person decides
    open_since: dt.datetime | None = None  # the oldest of them

    @property
    def exit_code(self) -> ExitCode:
        """What a script is to know of it."""
        if self.state is State.STOPPED:
            return ExitCode.STOPPED
        if self.unusable:
            return ExitCode.CONFIG
        if self.state is State.PAUSED:
            return ExitCode.WORK_LEFT
        streams_left = any(one is not None and one.work_left for one in (self.sending, self.receiving))
        return ExitCode.WORK_LEFT if streams_left or self.waiting or self.stuck or self.open or self.revoked else ExitCode.DONE


class SiteStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A site and all its exchanges."""

    name: str
    site: str
    exchanges: tuple[ExchangeStatus, ...]
    refused: int  # files in quarantine
    trouble: str  # why no exchange works now: the ledger is behind the guard files …; else empty
    trouble_hint: str
    trouble_code: ExitCode

    @property
    def exit_code(self) -> ExitCode:
        """What a script is to know of it all."""
        return max((self.trouble_code, *(one.exit_code for one in self.exchanges)))


def status(conn: sa.Connection, config: Config, *, now: dt.datetime) -> SiteStatus:
    """Where everything stands now."""
    trouble: FilesyncError | None = None
    try:
        check_ledger(conn, config)
    except FilesyncError as error:
        trouble = error
    return SiteStatus(
        name=config.name,
        site=config.site,
        exchanges=tuple(_exchange(conn, one, config, now=now) for one in streams.exchanges(conn)),
        refused=_in(config.folders.quarantine),
        trouble=str(trouble or ""),
        trouble_hint=trouble.hint if trouble is not None else "",
        trouble_code=trouble.exit_code if trouble is not None else ExitCode.DONE,
    )


def _in(quarantine: Path) -> int:
    try:
        return len([one for one in quarantine.iterdir() if one.suffix == ".bundle"])
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise disk_problem(error, quarantine, doing="read") from error


def _exchange(conn: sa.Connection, x: Exchange, config: Config, *, now: dt.datetime) -> ExchangeStatus:
    waits = journal.count_queued(conn, x.id)
    undecided, since = open_conflicts.count(conn, x.id)
    return ExchangeStatus(
        name=x.name,
        partner=x.partner_name,
        state=x.state,
        stopped_why=x.stopped_why,
        stopped_since=moment(x.stopped_since) if x.stopped_since else None,
        encrypt=x.encrypt,
        revoked=_revoked(conn, x),
        lacks_recipient=x.lacks_recipient,
        words=x.words,
        proposal=_proposed(conn, x),
        sending=None if x.direction is Direction.RECEIVE else _sending(conn, x),
        receiving=None if x.direction is Direction.SEND else _receiving(conn, x, config, now=now, undecided=bool(waits)),
        waiting=waits.get(Wait.WAITS, 0) + waits.get(Wait.BEHIND, 0),
        stuck=waits.get(Wait.STUCK, 0),
        by_hand=by_hand_of(conn, x),
        unusable=str(unusable(conn, config, x) or ""),
        waiting_stopped=journal.count_stopped(conn, x.id) if waits else 0,
        open=undecided,
        open_since=moment(since) if undecided else None,
    )


def _proposed(conn: sa.Connection, x: Exchange) -> Proposed | None:
    one = proposals.of(conn, x.id)
    if one is None:
        return None
    withdrawn = one.state == proposals.WITHDRAWN
    return Proposed(version=one.version, ours=one.ours, withdrawn=withdrawn, since=moment(one.since), instead_of=one.instead_of)


def _revoked(conn: sa.Connection, x: Exchange) -> int:
    keys = stream_keys(conn, x.id, ours=False)
    return parse_mark(keys[-1].revoked)[1] if keys and keys[-1].revoked is not None else 0


def _sending(conn: sa.Connection, x: Exchange) -> Sending:
    return Sending(
        generation=x.out_generation.n,
        position=x.out_seq,
        to_publish=len(streams.unpublished(conn, x.id)),
        acknowledged=x.acked_seq,
        backlog=x.out_seq - x.acked_seq,
        refused=tuple(Refusal(seq=one.seq, code=one.code, since=moment(one.since)) for one in gaps.untaken(x)),
        again=shadows.left_for_last(conn, x.id),
    )


def _receiving(conn: sa.Connection, x: Exchange, config: Config, *, now: dt.datetime, undecided: bool) -> Receiving:
    last = moment(x.in_last_seen) if x.in_last_seen else None
    every = config.limits.report_every
    files = looked_at.files(conn, x.id).values()
    waiting = [one for one in streams.held(conn, x.id) if one.generation == x.in_generation.n]
    held = tuple(one.seq for one in waiting)
    following = next((one for one in waiting if one.seq == x.in_seq + 1), None)
    if following is not None and (asked := proposals.of(conn, x.id)) is not None and asked.digest == following.contract:
        following = None  # it waits for the answer to what is proposed, which is told
    return Receiving(
        generation=x.in_generation.n,
        position=x.in_seq,
        held=held,
        first=gaps.first_waits(conn, x),
        other_contract="" if following is None else _other(following.contract, config.rules_of(x.name).contract),
        missing=tuple((gap.first, gap.last) for gap in gaps.missing(conn, x)),
        arriving=tuple(sorted(shown(one.name) for one in files if one.verdict == ARRIVING)),
        refused=tuple(
            Refusal(seq=one.seq, code=one.code, since=moment(one.since)) for one in refusals(conn, x, limit=_REFUSED)
        ),
        attachments=_lacking_bytes(conn, x) if undecided else (),
        early=sum(one.verdict == EARLY for one in files),
        own=sum(one.verdict == Code.OWN_BUNDLE for one in files),
        last_file=x.in_last_file,
        last_seen=last,
        silent=now - last if last is not None and now - last >= _SILENT * every else None,
        expected=every,
    )


def _lacking_bytes(conn: sa.Connection, x: Exchange) -> tuple[LackingBytes, ...]:
    from filesync.agent.blobs import waiting  # noqa: PLC0415, start-up time: it reads changes, and mostly none wait

    return tuple(_lacking(one) for one in islice(waiting(conn, x), _ATTACHMENTS))


def _lacking(one: Waiting) -> LackingBytes:
    return LackingBytes(
        key=shown(one.key),
        name=shown(one.name),
        size=one.size,
        needs=one.lack.words(one.name),
        chunks=one.lack.first,
        bundle=one.lack.bundle,
        since=moment(one.row.since),
    )


def _other(theirs: str, path: Path) -> str:
    if theirs == NO_CONTRACT:
        return ""
    from filesync.rules.contract import load_contract  # noqa: PLC0415, start-up time: seldom does anything wait here

    try:
        ours = load_contract(path).digest
    except ConfigError:
        return ""  # `filesync check` and every import tell it in full
    return "" if ours == theirs else f"theirs {shown(theirs[:8])}, ours {ours[:8]}"
