"""Which of what was found is news, and the letter that tells it. Pure: what was remembered goes in, what is to be comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from filesync.agent.events import count_text
from filesync.agent.mailing.found import VALUE, Finding, Found
from filesync.agent.mailing.remembered import Remembered, Row
from filesync.agent.met import UNSAID, how_met
from filesync.bundle.verdict import shown
from filesync.ledger.journal import Conflict
from filesync.mail.settings import Topic
from filesync.model.values import split_name

_SECOND: Final = 1_000_000  # microseconds
QUIET: Final = 24 * 3_600 * _SECOND  # the same words about something that has no end are not mailed again for so long
_FRESH: Final = 3_600 * _SECOND  # how late it may be remembered that something was found again
_PASSING: Final = 5_000  # things without an end that are remembered
_LISTED: Final = 100  # lines of each part of a letter
_TEXT: Final = 300  # characters that are remembered, to say what is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is to be told: edits that met, what is new, what is over. And what to remember when it was told, and when not."""

    met: Sequence[tuple[str, Conflict]]
    new: Sequence[Finding]
    over: Sequence[Row]
    more: bool
    told: Remembered
    untold: Remembered

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.met or self.new or self.over)


def digest(before: Remembered, found: Found, *, now: int) -> Digest:
    """Hold what was found against what is remembered."""
    told: dict[str, Row] = {}
    untold: dict[str, Row] = {}
    new: list[Finding] = []
    over: list[Row] = []
    for name, one in found.findings.items():
        row = before.rows.get(name) or Row(
            exchange=one.exchange, text=shown(one.text, limit=_TEXT), ends=one.ends, since=one.since or now, seen=now, sent=0
        )
        row = replace(row, ends=row.ends or one.ends)
        if now - row.seen >= _FRESH and not row.ends:
            row = replace(row, seen=now)
        told[name] = untold[name] = row
        if not row.sent and one.topic in found.topics and now - row.since >= one.after:
            new.append(one)
            told[name] = replace(row, sent=now)
    for name, row in before.rows.items():
        gone = found.exchanges is not None and row.exchange != "" and row.exchange not in found.exchanges
        if name in found.findings or (gone and row.ends):
            continue
        if (row.exchange, row.ends) not in found.whole:
            if row.ends or now - row.seen < QUIET:
                told[name] = untold[name] = row
        elif row.sent:
            over.append(row)
            untold[name] = row
    return Digest(
        met=found.met,
        new=new,
        over=over,
        more=found.more,
        told=Remembered(place=found.place, rows=_bounded(told)),
        untold=Remembered(place=before.place, rows=_bounded(untold)),
    )


def _bounded(rows: Mapping[str, Row]) -> Mapping[str, Row]:
    """Without the oldest of what has no end, where it is very much: whoever writes into an inbox could make it grow all day."""
    passing = sorted((name for name, row in rows.items() if not row.ends), key=lambda name: rows[name].seen, reverse=True)
    gone = set(passing[_PASSING:])
    return {name: row for name, row in rows.items() if name not in gone} if gone else rows


def subject(one: Digest) -> str:
    """What a letter is about, in numbers: no header quotes anybody."""
    met = len(one.met) + sum(each.topic is Topic.CONFLICTS for each in one.new)
    trouble = sum(each.topic is Topic.TROUBLE for each in one.new)
    silent = sum(each.topic is Topic.SILENCE for each in one.new)
    parts = [f"{count_text(met, 'edit')} met"] if met else []
    parts += [f"{trouble} to look at"] if trouble else []
    parts += [f"{count_text(silent, 'partner')} silent"] if silent else []
    parts += [f"{len(one.over)} over"] if one.over else []
    return ", ".join(parts)


def lines(one: Digest, *, values: bool) -> Iterator[str]:
    """The text. What came from a partner is escaped and cut: a line is one of ours."""
    trouble = [_line(each.exchange, each.text) for each in one.new if each.topic is Topic.TROUBLE]
    lost = [_line(each.exchange, each.text) for each in one.new if each.topic is Topic.CONFLICTS]
    silent = [_line(each.exchange, each.text) for each in one.new if each.topic is Topic.SILENCE]
    met = [line for exchange, each in one.met[:_LISTED] for line in _met(exchange, each, values=values)]
    yield from _part("To look at", trouble)
    yield from _part("A partner is silent", silent)
    yield from _part(
        "Edits that met, or were lost (both values: filesync conflicts)", [*lost, *met], of=len(lost) + len(one.met)
    )
    yield from _part("Over", [_line(each.exchange, each.text) for each in one.over])
    if one.more:
        yield from ("There is more than a letter holds: filesync log, filesync conflicts.", "")
    yield "Each is mailed once, and once more when it is over, where filesync can tell. How it all stands now: filesync status"


def _part(title: str, found: Sequence[str], *, of: int | None = None) -> Iterator[str]:
    if found:
        number = len(found) if of is None else of
        yield f"{title}: {number}"
        yield from found[: 3 * _LISTED if of is not None else _LISTED]
        if number > _LISTED:
            yield f"- and {number - _LISTED} more"
        yield ""


def _met(exchange: str, one: Conflict, *, values: bool) -> Iterator[str]:
    field = one.field if values else split_name(one.field)[0]  # a label is part of its field's name
    yield _line(exchange, f"{shown(one.key)}: {shown(field)} was {how_met(one.rule, shown(one.winner))}.")
    if values:
        yield f"    ours:   {shown(one.ours, limit=VALUE)}"
    if values and one.rule != UNSAID:  # what the partner has is not known
        yield f"    theirs: {shown(one.theirs, limit=VALUE)}"


def _line(exchange: str, text: str) -> str:
    return f"- {exchange}: {text}" if exchange else f"- {text}"
