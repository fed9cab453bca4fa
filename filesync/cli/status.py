"""`filesync status`: where every stream stands."""

from __future__ import annotations

from collections.abc import Iterator

import click

from filesync.agent.asked.reading import reading
from filesync.agent.asked.status import ExchangeStatus, Receiving, Refusal, Sending, SiteStatus
from filesync.agent.asked.status import status as status_of
from filesync.agent.events import count_text, ranges
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Say, json_option, now, span_text, time_text
from filesync.cli.hands import hand_lines
from filesync.errors import ExitCode
from filesync.ledger.streams import State

_LISTED = 10  # attachments that wait for their bytes
_NAMED = 3  # files that are arriving


@click.command()
@json_option
@click.pass_obj
def status(app: App) -> ExitCode:
    """Show how far each stream is, and what waits.

    Ends with 9 where a stream is stopped, with 6 where a contract or mapping cannot be used, with 4 where something waits, is
    held, stuck or paused, with 12 where the ledger is older than what was sent.
    """
    config = app.config()
    with reading(config) as conn:
        found = status_of(conn, config, now=now())
    for level, line in lines(found):
        app.tell(line, level=level)
    if app.as_json:
        app.tell_json(found)
    return found.exit_code


def lines(site: SiteStatus) -> Iterator[tuple[Say, str]]:
    """The status for people, each line with how loud it is."""
    if not site.exchanges:
        yield Say.LESS, f"{site.name}: no exchange yet. Begin with: filesync pair export > {site.name}.json"
    if site.trouble:
        yield Say.LESS, f"{site.name}: {shown(site.trouble, limit=1_000)}"
        yield Say.LESS, f"  hint: {site.trouble_hint}"
    for one in site.exchanges:
        yield from _exchange(site.name, one)
    if site.refused:
        yield Say.NORMAL, f"{site.refused} in quarantine: files that could not be taken; see: filesync quarantine list"


def _exchange(us: str, one: ExchangeStatus) -> Iterator[tuple[Say, str]]:
    locked = "encrypted" if one.encrypt else "signed, not encrypted"
    person = Say.LESS if _wants_a_person(one) else Say.NORMAL
    yield person, f"{one.name}: {us} and {shown(one.partner) or 'a partner that is not known yet'}, {one.state}, {locked}"
    if one.state is State.STOPPED:
        since = f" since {time_text(one.stopped_since)}" if one.stopped_since else ""
        yield Say.LESS, f"  STOPPED{since}: {shown(one.stopped_why, limit=1_000)}"
        yield (
            Say.LESS,
            f"  a way out, once that is settled: filesync unpair {one.name}, on both sides, then pair again; nothing doubles",
        )
    yield from _unusable(one)
    yield from _revoked(one)
    yield from _proposed(one)
    if one.state is State.PAUSED and one.stopped_since is not None:
        why = f" ({shown(one.stopped_why, limit=1_000)})" if one.stopped_why else ""
        yield Say.NORMAL, f"  PAUSED since {time_text(one.stopped_since)}{why}: filesync resume --exchange {one.name}"
    if one.sending is not None:
        yield Say.NORMAL, f"  sending    {_sending(one.sending)}"
        if one.sending.again:
            yield Say.NORMAL, f"  {count_text(one.sending.again, 'issue')} will be told once more with the next export"
        yield from ((Say.LESS, f"  REFUSED: {_refused(shown(one.partner), refusal)}") for refusal in one.sending.refused)
    if one.receiving is not None:
        yield Say.NORMAL, f"  receiving  {_receiving(one.receiving)}"
        if one.receiving.refused:
            codes = ", ".join(f"{each.seq} ({each.code})" for each in one.receiving.refused)
            numbers = ranges([each.seq for each in one.receiving.refused]).replace(",", "")
            ask = f"ask {shown(one.partner)} to run: filesync resend {us} {numbers}"
            yield Say.LESS, f"  REFUSED: {codes} came and could not be taken; {ask}"
        yield from _first(one.name, one.receiving.first)
        if one.receiving.other_contract:
            what = f"bundle {one.receiving.held[0]} was made under another contract ({one.receiving.other_contract})"
            yield Say.LESS, f"  HELD: {what}: it waits until contract.yaml here is the one it was made under"
        yield from ((Say.NORMAL, line) for line in _undone(one.receiving))
    for number, what in ((one.waiting - one.waiting_stopped, "others"), (one.waiting_stopped, "what is stopped by hand")):
        if number:
            yield Say.NORMAL, f"  {count_text(number, 'change')} {'waits' if number == 1 else 'wait'} for {what}"
    yield from _for_a_person(one)


def _for_a_person(one: ExchangeStatus) -> Iterator[tuple[Say, str]]:
    if one.stuck:
        yield (
            Say.LESS,
            f"  {count_text(one.stuck, 'change')} {'is' if one.stuck == 1 else 'are'} stuck; see: filesync stuck list",
        )
    if one.open_since is not None:
        fields = f"{count_text(one.open, 'field')} {'waits' if one.open == 1 else 'wait'} for a person"
        what = f"  OPEN since {time_text(one.open_since)}: {fields}, each side keeps its own"
        yield Say.LESS, f"{what}; see: filesync conflicts"
    yield from ((Say.NORMAL, line) for line in hand_lines(one.by_hand, one.name))


def _wants_a_person(one: ExchangeStatus) -> bool:
    return bool(
        one.state is State.STOPPED
        or one.unusable
        or one.stuck
        or one.open
        or one.revoked
        or (one.proposal and not one.proposal.ours)
        or (one.receiving and (one.receiving.first or one.receiving.other_contract or one.receiving.refused))
        or (one.sending and one.sending.refused)
    )


def _proposed(one: ExchangeStatus) -> Iterator[tuple[Say, str]]:
    if one.proposal is not None:
        since = f"contract {one.proposal.version} since {time_text(one.proposal.since)}"
        if one.proposal.withdrawn:
            yield (
                Say.NORMAL,
                f"  WITHDRAWN {since}: nothing new goes out until filesync at {shown(one.partner)} has answered",
            )
        elif one.proposal.ours:
            yield Say.NORMAL, f"  PROPOSED {since}: nothing new goes out until {shown(one.partner)} has answered"
        else:
            ours = f", and ours, contract {one.proposal.instead_of}, gave way to it" if one.proposal.instead_of else ""
            yield Say.LESS, f"  PROPOSED by {shown(one.partner)}: {since}{ours}; see: filesync contract show"


def _first(exchange: str, issues: int) -> Iterator[tuple[Say, str]]:
    if issues:
        look, go = f"filesync preview import --exchange {exchange}", f"filesync import --exchange {exchange} --first"
        yield Say.LESS, f"  FIRST IMPORT: it would make {issues} issues; see: {look}; then: {go}"


def _unusable(one: ExchangeStatus) -> Iterator[tuple[Say, str]]:
    if one.unusable:
        yield Say.LESS, f"  CANNOT GO ON: {shown(one.unusable, limit=1_000)}; see: filesync check"


def _revoked(one: ExchangeStatus) -> Iterator[tuple[Say, str]]:
    if one.revoked:
        new = "filesync pair accept --replace-key FILE"
        yield Say.LESS, f"  REVOKED: the key of {shown(one.partner)} from bundle {one.revoked} on; with its new one: {new}"
    if one.lacks_recipient:
        yield (
            Say.LESS,
            "  NOTHING IS EXPORTED: its age key came with a bundle that is revoked; the new pairing file brings another",
        )


def _undone(receiving: Receiving) -> Iterator[str]:
    """What waits for bytes, and what stays in the inbox."""
    found = receiving.attachments
    for one in found[:_LISTED]:
        yield f"  {one.key or 'an issue'} needs {one.needs}, since {time_text(one.since)}"
    if more := len(found[_LISTED:]):
        yield f"  and {more} more that wait for bytes"
    if receiving.early:
        yield f"  {count_text(receiving.early, 'chunk')} stay in the inbox until a change names them"
    if receiving.own:
        what = f"{count_text(receiving.own, 'file')} in the inbox {'is' if receiving.own == 1 else 'are'} our own"
        yield f"  OWN_BUNDLE: {what}: is the outbox wired to the inbox?"


def _sending(one: Sending) -> str:
    parts = [f"{one.position} made" if one.position else "nothing yet"]
    if one.position:
        parts.append(f"{one.acknowledged or 'none'} acknowledged")
    if one.backlog:
        parts.append(f"backlog {one.backlog}")
    if one.to_publish:
        parts.append(f"{one.to_publish} to be finished by the next export")
    return ", ".join(parts)


def _refused(partner: str, one: Refusal) -> str:
    return (
        f"{partner} refused {one.seq}: {one.code} since {time_text(one.since)}; send it again: "
        f"filesync resend {partner} {one.seq} (if it is refused again, ask what `filesync quarantine list` says there)"
    )


def _receiving(one: Receiving) -> str:
    nothing = "nothing yet" if one.last_seen is None else "nothing to apply yet"  # reports come, too
    parts = [f"{one.position} applied" if one.position else nothing]
    if one.held:
        parts.append(f"holding {ranges(list(one.held))}")
    if one.missing:
        parts.append("waiting for " + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in one.missing))
    if one.arriving:
        more = f" and {len(one.arriving) - _NAMED} more" if len(one.arriving) > _NAMED else ""
        parts.append(f"arriving or damaged: {', '.join(shown(name) for name in one.arriving[:_NAMED])}{more}")
    if one.last_seen is not None:
        parts.append(f"last file {shown(one.last_file)} at {time_text(one.last_seen)}")
    if one.silent is not None:
        parts.append(
            f"SILENT for {span_text(one.silent)}, expected every {span_text(one.expected)}: ask the partner or the carrier"
        )
    return ", ".join(parts)
