"""What needs a person, as it is found after imports and exports: what they told, how they failed, and what the ledger shows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import sqlalchemy as sa

from filesync.agent.asked.look import event_of, sentence_of
from filesync.agent.discreet import unquoting, without_values
from filesync.agent.events import Event, LostEdit, Met, MetOpen, Severity, Stopped, Stuck
from filesync.agent.incoming.arrivals import Behind, FirstImport, KeyNotKnown, NewerFormat, NotTaken, Outside
from filesync.agent.incoming.bundles import ContractDiffers, Held
from filesync.agent.incoming.pieces import BytesMissing, ChunksWait
from filesync.agent.mailing.events import Mailed, NotMailed
from filesync.agent.mailing.remembered import Row
from filesync.agent.partners.agreements import ContractDeclined, ContractProposed, NotAccepted
from filesync.agent.running.lanes import Job
from filesync.bundle.verdict import shown
from filesync.errors import FilesyncError, StreamStopped, Unavailable
from filesync.ledger import journal, since, streams
from filesync.ledger.journal import Conflict, Entry
from filesync.ledger.since import Place
from filesync.ledger.streams import Direction, Exchange, State
from filesync.mail.settings import MailSettings, Topic
from filesync.model.moments import moment

MOST: Final = 1_000  # of each kind that one letter is about
STUCK: Final = "stuck"
STOPPED: Final = "stopped"
SILENT: Final = "silent"
OPENED: Final = "opened"
HASTE: Final = 15 * 60 * 1_000_000  # microseconds that what may be over by itself is given
VALUE: Final = 500  # characters of a value that a letter shows
_TEXT: Final = 1_000  # characters
_LOUD: Final = frozenset({Severity.WARNING, Severity.STOP})
# found by every import for as long as it lasts, so that it is over when one does not
_FOUND_AGAIN: Final = (
    Behind,
    BytesMissing,
    ContractDiffers,
    ContractProposed,
    FirstImport,
    Held,
    KeyNotKnown,
    NewerFormat,
    NotAccepted,
    NotTaken,
    Outside,
)
# the ledger's tables show these, and when they are over; or they are about letters; or they are no news yet
_ELSEWHERE: Final = (Met, MetOpen, Stuck, Stopped, Mailed, NotMailed, ChunksWait)
_LOOKED_UP: Final = tuple(kind.__name__ for kind in (*_FOUND_AGAIN, *_ELSEWHERE))  # not from the journal
_WHICH: Final = (
    "key",
    "file",
    "field",
    "fields",
    "name",
    "seq",
    "since",
    "version",
)  # what does not change of an event while it lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One import or export of an exchange: what needs a person of what it told (without values), or how it failed."""

    exchange: str
    job: Job
    events: Sequence[Event] = ()
    error: FilesyncError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that needs a person. `ends` as in Row; `after`: it is mailed when it has lasted so long (microseconds)."""

    exchange: str
    topic: Topic
    text: str
    ends: str = ""
    since: int = 0  # microseconds since 1970; 0: now
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was found. `whole`: exchanges and `ends` of which everything was found that lasts. `more`: beyond MOST.

    `exchanges`: those that there are; None where nobody looked. `topics`: what may be told of it.
    """

    place: Place  # up to here the ledger was read
    met: Sequence[tuple[str, Conflict]]
    findings: Mapping[str, Finding]
    whole: frozenset[tuple[str, str]]
    exchanges: frozenset[str] | None = None
    topics: frozenset[Topic] = frozenset(Topic)
    more: bool = False


def loud(event: Event) -> bool:
    """Whether it needs a person here, now: what is missing may be on its way; a contract may be the partner's to look at."""
    match event:
        case ContractProposed(ours=True) | ContractDeclined(ours=False):
            return False
    return event.severity in _LOUD and getattr(event, "ask", True) and not isinstance(event, _ELSEWHERE)


def find(
    conn: sa.Connection, settings: MailSettings, passes: Iterable[Pass], *, place: Place, known: Mapping[str, Row], now: int
) -> Found:
    """Look at what the passes came to, and at what the ledger has since `place`. `known`: what need not be worded again."""
    there = [one for one in streams.exchanges(conn) if one.state is not State.OFFERED]
    findings: dict[str, Finding] = {}
    whole = {("", OPENED)}
    for one in there:
        whole |= {(one.name, STOPPED)} | ({(one.name, SILENT)} if one.state is State.PAIRED else set())
        findings |= _stopped(one) | _silent(one, settings.silence, now=now)
        stuck = since.refused(conn, one.id, limit=MOST)
        whole |= {(one.name, STUCK)} if len(stuck) < MOST else set()
        findings |= _stuck(conn, one.name, stuck, known)
    entries = since.loud_entries(conn, place, without=_LOOKED_UP, limit=MOST)
    for entry in entries:
        event = event_of(entry)
        if event is None:
            findings |= _unknown(entry)
        elif loud(event):
            findings |= _told(entry.exchange, event)
    paired = {one.name for one in there if one.state is State.PAIRED}
    for one_pass in sorted(passes, key=lambda one: one.job is not Job.IMPORT):
        for event in one_pass.events:
            for name, finding in _told(one_pass.exchange, event, job=one_pass.job).items() if loud(event) else ():
                findings.setdefault(name, finding)  # of an import and an export that tell the same, the import knows its end
        if one_pass.error is not None:
            findings |= _failed(one_pass, one_pass.error)
        elif one_pass.exchange in paired:  # one that came to be stopped did not look at everything
            whole.add((one_pass.exchange, one_pass.job.value))
    met = [
        (one.name, each)
        for one in there
        for each in since.conflicts(conn, place, exchange_id=one.id, limit=MOST, longest=VALUE + 1)
    ]
    return Found(
        place=since.end(conn),
        met=met if Topic.CONFLICTS in settings.topics else (),
        findings=findings,
        whole=frozenset(whole),
        exchanges=frozenset(one.name for one in there),
        topics=settings.topics,
        more=MOST in {len(entries), len(met)},
    )


def site_failure(error: FilesyncError) -> dict[str, Finding]:
    """That a site could not be opened, or had to be left alone."""
    text = f"nothing is sent or applied: {error}. {error.hint}"
    finding = Finding(exchange="", topic=Topic.TROUBLE, text=text, ends=OPENED, after=_patience(error))
    return _named("", type(error).__name__, finding)


def _patience(error: FilesyncError) -> int:
    return HASTE if isinstance(error, Unavailable) else 0


def _named(exchange: str, which: str, finding: Finding) -> dict[str, Finding]:
    return {f"{exchange} {which}": replace(finding, text=shown(finding.text.rstrip(), limit=_TEXT))}


def _told(exchange: str, event: Event, *, job: Job | None = None) -> dict[str, Finding]:
    """An event. `job`: of the pass that told it; None: it stands in the journal."""
    event = without_values(event)
    fields = msgspec.to_builtins(event)
    lasting = {name: fields[name] for name in _WHICH if name in fields} if event.standing else fields
    finding = Finding(
        exchange=exchange,
        topic=Topic.CONFLICTS if isinstance(event, LostEdit) else Topic.TROUBLE,
        text=event.sentence(),
        ends=Job.IMPORT.value if job is Job.IMPORT and isinstance(event, _FOUND_AGAIN) else "",
    )
    return _named(exchange, _digest(msgspec.json.encode([type(event).__name__, lasting])), finding)


def _unknown(entry: Entry) -> dict[str, Finding]:
    """What another version wrote into the journal."""
    finding = Finding(exchange=entry.exchange, topic=Topic.TROUBLE, text=sentence_of(entry))
    return _named(entry.exchange, _digest(entry.detail), finding)


def _digest(which: bytes) -> str:
    return hashlib.sha256(which).hexdigest()[:24]


def _failed(one: Pass, error: FilesyncError) -> dict[str, Finding]:
    if isinstance(error, StreamStopped):
        return {}  # the exchange itself shows it
    text = f"{one.job} fails: {error}. It is tried again by itself, and nothing is lost. {error.hint}"
    finding = Finding(exchange=one.exchange, topic=Topic.TROUBLE, text=text, ends=one.job.value, after=_patience(error))
    return _named(one.exchange, f"{one.job} {type(error).__name__}", finding)


def _stopped(x: Exchange) -> dict[str, Finding]:
    if x.state is not State.STOPPED:
        return {}
    text = f"{Stopped(partner=x.partner_name, why=unquoting(x.stopped_why)).sentence()} See: filesync status"
    return _named(x.name, STOPPED, Finding(exchange=x.name, topic=Topic.TROUBLE, text=text, ends=STOPPED))


def _silent(x: Exchange, silence: dt.timedelta, *, now: int) -> dict[str, Finding]:
    span = silence // dt.timedelta(microseconds=1)
    if now - x.in_last_seen < span or x.direction is Direction.SEND or x.state is not State.PAIRED:
        return {}
    last = f" since {moment(x.in_last_seen):%Y-%m-%d %H:%M} UTC" if x.in_last_seen else " yet, ever"
    text = (
        f"nothing has come from {x.partner_name}{last}. What is here is fine. Ask {x.partner_name} whether filesync "
        "runs there, and the carrier whether files are carried."
    )
    after = 0 if x.in_last_seen else span  # since when it could have come is not known: since it is found
    return _named(x.name, SILENT, Finding(exchange=x.name, topic=Topic.SILENCE, text=text, ends=SILENT, after=after))


def _stuck(conn: sa.Connection, exchange: str, rows: Sequence[since.Refused], known: Mapping[str, Row]) -> dict[str, Finding]:
    names = {row.mark: f"{exchange} {STUCK} {row.mark}" for row in rows}
    new = [row for row in rows if names[row.mark] not in known]
    told = dict(_told_stuck(conn, exchange, since=min(row.since for row in new))) if new else {}
    found: dict[str, Finding] = {}
    for row in rows:
        again = row.waits_for in journal.AGAIN
        if (before := known.get(names[row.mark])) is not None:
            text = before.text
        else:
            event = told.get(row.mark) or Stuck(mark=row.mark, key="a change", why="", again=again)
            text = without_values(event).sentence()
        finding = Finding(
            exchange=exchange, topic=Topic.TROUBLE, text=text, ends=STUCK, since=row.since, after=HASTE if again else 0
        )
        found |= _named(exchange, f"{STUCK} {row.mark}", finding)
    return found


def _told_stuck(conn: sa.Connection, exchange: str, *, since: int) -> Iterator[tuple[str, Stuck]]:
    for entry in journal.entries(conn, exchange=exchange, since=since):
        if entry.kind == Stuck.__name__ and isinstance(event := event_of(entry), Stuck):
            yield event.mark, event
