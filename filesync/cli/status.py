"""`filesync status`: where every stream stands."""

from __future__ import annotations

from collections.abc import Iterator

import click

from filesync.agent.events import ranges
from filesync.agent.look import reading
from filesync.agent.status import ExchangeStatus, Receiving, Sending, SiteStatus
from filesync.agent.status import status as status_of
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option, now, span_text, time_text
from filesync.errors import ExitCode
from filesync.ledger.streams import State


@click.command()
@json_option
@click.pass_obj
def status(app: App) -> ExitCode:
    """Show how far each stream is, and what waits.

    Ends with 9 where a stream is stopped, with 4 where something waits, is held or is stuck.
    """
    config = app.config()
    with reading(config) as conn:
        found = status_of(conn, config, now=now())
    for line in lines(found):
        app.tell(line)
    if app.as_json:
        app.tell_json(found)
    return max((one.exit_code for one in found.exchanges), default=ExitCode.DONE)


def lines(site: SiteStatus) -> Iterator[str]:
    """The status for people."""
    if not site.exchanges:
        yield f"{site.name}: no exchange yet. Begin with: filesync pair export > {site.name}.json"
    for one in site.exchanges:
        yield from _exchange(site.name, one)
    if site.refused:
        yield f"{site.refused} in quarantine: files that could not be taken; see: filesync quarantine list"


def _exchange(us: str, one: ExchangeStatus) -> Iterator[str]:
    locked = "encrypted" if one.encrypt else "signed, not encrypted"
    yield f"{one.name}: {us} and {shown(one.partner) or 'a partner that is not known yet'}, {one.state}, {locked}"
    if one.state is State.STOPPED:
        since = f" since {time_text(one.stopped_since)}" if one.stopped_since else ""
        yield f"  STOPPED{since}: {shown(one.stopped_why, limit=1_000)}"
    if one.sending is not None:
        yield f"  sending    {_sending(one.sending)}"
    if one.receiving is not None:
        yield f"  receiving  {_receiving(one.receiving)}"
    if one.waiting:
        yield f"  {one.waiting} changes wait for others"
    if one.stuck:
        yield f"  {one.stuck} changes are stuck; see: filesync stuck list"


def _sending(one: Sending) -> str:
    parts = [f"{one.position} made" if one.position else "nothing yet"]
    if one.position:
        parts.append(f"{one.acknowledged or 'none'} acknowledged")
    if one.backlog:
        parts.append(f"backlog {one.backlog}")
    if one.to_publish:
        parts.append(f"{one.to_publish} to be finished by the next export")
    return ", ".join(parts)


def _receiving(one: Receiving) -> str:
    parts = [f"{one.position} applied" if one.position else "nothing yet"]
    if one.held:
        parts.append(f"holding {ranges(list(one.held))}")
    if one.missing:
        parts.append("waiting for " + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in one.missing))
    if one.arriving:
        parts.append(f"arriving or damaged: {', '.join(shown(name) for name in one.arriving[:3])}")
    if one.last_seen is not None:
        parts.append(f"last file {shown(one.last_file)} at {time_text(one.last_seen)}")
    if one.silent is not None:
        parts.append(
            f"SILENT for {span_text(one.silent)}, expected every {span_text(one.expected)}: ask the partner or the carrier"
        )
    return ", ".join(parts)
