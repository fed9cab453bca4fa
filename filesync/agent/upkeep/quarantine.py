"""What a person does about files that could not be taken: look at them, try them again, or drop them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filesync.agent.incoming.arrivals import Discarded
from filesync.agent.incoming.importer import Imports, import_once
from filesync.agent.site import Site
from filesync.bundle.verdict import shown
from filesync.config import Config
from filesync.errors import NotHere, PairingError, disk_problem
from filesync.exchange.files import fsync_folder, size_of
from filesync.exchange.outbox import publish
from filesync.ledger import streams
from filesync.ledger.streams import Direction, State

_REASON: Final = 64 << 10  # bytes of a reason that are read
_LINE: Final = 200  # bytes of a file's first line


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in quarantine. `name` is what it was called in the inbox, escaped; `id` what it is called here."""

    id: str
    name: str
    since: dt.datetime | None  # None: the reason beside it is gone or cannot be read
    code: str
    problems: tuple[str, ...]
    size: int  # bytes
    path: Path


def entries(config: Config) -> list[Entry]:
    """Everything in quarantine, oldest first. Raises DiskProblem."""
    folder = config.folders.quarantine
    try:
        found = [_entry(path) for path in folder.glob("*.bundle")]
    except OSError as error:
        raise disk_problem(error, folder, doing="read") from error
    return sorted(found, key=lambda one: (one.since or dt.datetime.max.replace(tzinfo=dt.UTC), one.id))


def entry(config: Config, ident: str) -> Entry:
    """The one whose id begins so. Raises NotHere where there is none, or more than one."""
    found = [one for one in entries(config) if ident and one.id.startswith(ident)]
    if len(found) != 1:
        what = "several files" if found else "no file"
        raise NotHere(f"there is {what} {shown(ident)} in quarantine", hint="see which are: filesync quarantine list")
    return found[0]


def first_line(one: Entry) -> str:
    """How the file begins, escaped and cut: what a carrier put there instead says so in its first line. Raises DiskProblem."""
    try:
        with one.path.open("rb") as file:
            return shown(file.read(_LINE).partition(b"\n")[0], limit=_LINE)
    except OSError as error:
        raise disk_problem(error, one.path, doing="read") from error


def retry(site: Site, one: Entry, exchange: str | None) -> Imports:
    """Put the file back into the inbox and import. What is still wrong with it brings it back, once it has settled.

    Raises PairingError where there is more than one inbox it could have come from, DiskProblem, and what an import raises.
    """
    with site.ledger.begin() as conn:
        able = [x for x in streams.exchanges(conn) if x.state is State.PAIRED and x.direction is not Direction.SEND]
    chosen = [x for x in able if exchange in {None, x.name}]
    inboxes = {site.inbox(x) for x in chosen}
    if len(inboxes) != 1:
        names = ", ".join(x.name for x in able) or "none"
        raise PairingError(
            "it is not known from which inbox the file came", hint=f"name it with --exchange (there are: {names})"
        )
    publish(one.path, inboxes.pop(), one.path.name)
    _remove(one)
    done = [import_once(site, x.name) for x in chosen]
    return next((each for each in done if each.bundles), done[0])


def drop(site: Site, one: Entry) -> None:
    """Remove the file for good; the journal keeps that it was there, and why it was refused. Raises DiskProblem."""
    record = site.record("-")
    record.add(Discarded(file=one.name, id=one.id, code=one.code))
    with site.ledger.begin() as conn:
        record.write(conn)
    _remove(one)
    record.done()


def _entry(path: Path) -> Entry:
    beside = path.with_suffix(".txt")
    text = beside.read_bytes()[:_REASON].decode("utf-8", "replace") if beside.is_file() else ""
    name, since, *why = [*text.splitlines(), "", ""]
    problems = tuple(shown(line, limit=1_000) for line in why if line)
    return Entry(
        id=path.stem,
        name=shown(name, limit=1_000) or "?",
        since=_moment(since),
        code=problems[0].partition(":")[0] if problems else "?",
        problems=problems,
        size=size_of(path),
        path=path,
    )


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _remove(one: Entry) -> None:
    try:
        one.path.unlink(missing_ok=True)
        one.path.with_suffix(".txt").unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error, one.path, doing="remove") from error
    fsync_folder(one.path.parent)
