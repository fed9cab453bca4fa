"""Where every stream stands, for people and for monitoring."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from filesync.agent import position
from filesync.agent.record import moment
from filesync.bundle.verdict import shown
from filesync.config import Config
from filesync.errors import ExitCode
from filesync.ledger import journal, streams
from filesync.ledger.journal import Wait
from filesync.ledger.streams import Direction, Exchange, State

_SILENT = 2  # times `report_every`: the partner's carrier may be a person who comes once a day
_ARRIVING = "arriving"  # what the receiver notes of a file that is not whole, or damaged: nobody can tell yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The stream we write."""

    generation: int
    position: int  # the last bundle that has a number
    to_publish: int  # of these, not in the outbox yet
    acknowledged: int  # the last one the partner says it applied
    backlog: int  # made, and not acknowledged

    @property
    def work_left(self) -> bool:
        """Whether the next export has something to finish."""
        return self.to_publish > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """The stream we read."""

    generation: int
    position: int  # the last bundle applied
    held: tuple[int, ...]  # verified and stored, not applied
    missing: tuple[tuple[int, int], ...]  # waited for: from, to
    arriving: tuple[str, ...]  # names of files that are not whole yet, or damaged
    last_file: str
    last_seen: dt.datetime | None
    silent: dt.timedelta | None  # since the last file, where that is too long: the partner sends at least a report
    expected: dt.timedelta  # how often

    @property
    def work_left(self) -> bool:
        """Whether something is waited for."""
        return bool(self.held or self.missing or self.arriving)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStatus:
    """One exchange: its streams, and the changes that are not decided."""

    name: str
    partner: str
    state: State
    stopped_why: str
    stopped_since: dt.datetime | None
    encrypt: bool
    words: str
    sending: Sending | None  # None: this direction is not used
    receiving: Receiving | None
    waiting: int  # changes that wait for an entity or another change
    stuck: int  # changes that the tracker or the mapping refused

    @property
    def exit_code(self) -> ExitCode:
        """What a script is to know of it."""
        if self.state is State.STOPPED:
            return ExitCode.STOPPED
        streams_left = any(one is not None and one.work_left for one in (self.sending, self.receiving))
        return ExitCode.WORK_LEFT if streams_left or self.waiting or self.stuck else ExitCode.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """A site and all its exchanges."""

    name: str
    site: str
    exchanges: tuple[ExchangeStatus, ...]
    refused: int  # files in quarantine


def status(conn: sa.Connection, config: Config, *, now: dt.datetime) -> SiteStatus:
    """Where everything stands now."""
    quarantine = config.folders.quarantine
    return SiteStatus(
        name=config.name,
        site=config.site,
        exchanges=tuple(_exchange(conn, one, now=now, every=config.limits.report_every) for one in streams.exchanges(conn)),
        refused=len(list(quarantine.glob("*.bundle"))) if quarantine.is_dir() else 0,
    )


def _exchange(conn: sa.Connection, x: Exchange, *, now: dt.datetime, every: dt.timedelta) -> ExchangeStatus:
    waits = Counter(row.state for row in journal.queued(conn, x.id))
    return ExchangeStatus(
        name=x.name,
        partner=x.partner_name,
        state=x.state,
        stopped_why=x.stopped_why,
        stopped_since=moment(x.stopped_since) if x.stopped_since else None,
        encrypt=x.encrypt,
        words=x.words,
        sending=None if x.direction is Direction.RECEIVE else _sending(conn, x),
        receiving=None if x.direction is Direction.SEND else _receiving(conn, x, now=now, every=every),
        waiting=waits[Wait.WAITS] + waits[Wait.BEHIND],
        stuck=waits[Wait.STUCK],
    )


def _sending(conn: sa.Connection, x: Exchange) -> Sending:
    return Sending(
        generation=x.out_generation.n,
        position=x.out_seq,
        to_publish=len(streams.unpublished(conn, x.id)),
        acknowledged=x.acked_seq,
        backlog=x.out_seq - x.acked_seq,
    )


def _receiving(conn: sa.Connection, x: Exchange, *, now: dt.datetime, every: dt.timedelta) -> Receiving:
    last = moment(x.in_last_seen) if x.in_last_seen else None
    held = tuple(one.seq for one in streams.held(conn, x.id) if one.generation == x.in_generation.n)
    return Receiving(
        generation=x.in_generation.n,
        position=x.in_seq,
        held=held,
        missing=tuple((gap.first, gap.last) for gap in position.missing(conn, x)),
        arriving=tuple(sorted(shown(one.name) for one in streams.seen_files(conn, x.id).values() if one.verdict == _ARRIVING)),
        last_file=x.in_last_file,
        last_seen=last,
        silent=now - last if last is not None and now - last >= _SILENT * every else None,
        expected=every,
    )
