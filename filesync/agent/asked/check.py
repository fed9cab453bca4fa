"""Whether a site can work: everything a person would otherwise find out one failure at a time, asked at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final

from filesync.agent.asked.fit import NOTHING_SEEN, fit, wanted
from filesync.agent.asked.reading import reading
from filesync.agent.discreet import unquoting
from filesync.agent.events import count_text
from filesync.agent.incoming.mounts import remembered
from filesync.agent.record import Clock
from filesync.agent.site import check_checkpoint
from filesync.agent.traces import check_ledger
from filesync.config import Config, ExchangeRules, InboxPolicy
from filesync.errors import (
    ConfigError,
    ExitCode,
    FilesyncError,
    KeyProblem,
    PairingError,
    Problem,
    disk_problem,
    size_text,
)
from filesync.exchange.files import free_bytes
from filesync.exchange.inbox import scan
from filesync.keys.age import recipient_of
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import FileSigner
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State
from filesync.mail.letter import trial
from filesync.mail.server import deliver
from filesync.rules.contract import Site, strangers
from filesync.rules.load import load_rules
from filesync.trackers.base import Description, Tracker
from filesync.trackers.registry import open_tracker

_OUTBOX, _INBOX = "outbox", "inbox"
_WRITTEN: Final = (_OUTBOX, "archive", "store", "state")  # where bundles are written
_ROOM: Final = 4  # bundles of the largest size for which there must be room


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. Without problems it is as it should be."""

    what: str
    found: str = ""
    notes: tuple[Problem, ...] = ()  # to know of, not to be mended
    problems: tuple[Problem, ...] = ()
    hint: str = ""
    exit_code: ExitCode = ExitCode.DONE


def check_site(config: Config, *, clock: Clock, letter: bool = False) -> list[Check]:
    """Look at everything. Nothing is changed, and nothing stops at the first problem. `letter`: send one to try the mail."""
    tracker = _Tracker(config, clock)
    return [
        _check("folders", lambda: _folders(config)),
        _check("space", lambda: _space(config)),
        _check("signing key", lambda: _signing(config)),
        _check("age key", lambda: recipient_of(config.keys.age)),
        _check("tracker", tracker.name),
        _check("ledger", lambda: _ledger(config, tracker)),
        _check("inboxes", lambda: _inboxes(config)),
        *(_check(f"rules{which.of}", partial(tracker.rules, which)) for which in _rules(config)),
        _check("exchanges", lambda: _exchanges(config)),
        *([_check("mail", lambda: _mail(config, clock, letter=letter))] if letter or config.mail is not None else []),
    ]


class _Bad(FilesyncError):
    """Several problems of one kind."""

    def __init__(self, problems: list[Problem], *, hint: str, exit_code: ExitCode, notes: tuple[Problem, ...] = ()) -> None:
        super().__init__(str(problems[0]), hint=hint)
        self.problems = tuple(problems)
        self.notes = notes
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found, and what is to be known of it."""

    found: str
    notes: tuple[Problem, ...] = ()


def _check(what: str, look: Callable[[], Look | str]) -> Check:
    try:
        seen = look()
        return Check(what=what, found=seen) if isinstance(seen, str) else Check(what=what, found=seen.found, notes=seen.notes)
    except FilesyncError as error:
        problems = getattr(error, "problems", ()) or (Problem("", str(error)),)
        notes = getattr(error, "notes", ())
        return Check(what=what, notes=notes, problems=tuple(problems), hint=error.hint, exit_code=error.exit_code)
    except OSError as error:  # a folder on the way to something may not be entered
        problem = disk_problem(error, error.filename, doing="look at")
        return Check(what=what, problems=(Problem("", str(problem)),), hint=problem.hint, exit_code=problem.exit_code)


def _places(config: Config) -> dict[str, Path]:
    """The folders of the site, and those that an exchange alone has, by what they are called."""
    places: dict[str, Path] = {name: getattr(config.folders, name) for name in config.folders.__struct_fields__}
    with suppress(FilesyncError), reading(config) as conn:  # a ledger that cannot be read is told by _ledger
        for one in streams.exchanges(conn):
            own = {_OUTBOX: one.outbox, _INBOX: one.inbox}
            places.update({f"{kind} of {one.name}": Path(folder) for kind, folder in own.items() if folder})
    return places


def _folders(config: Config) -> str:
    keep = config.inbox_policy is InboxPolicy.KEEP
    problems = []
    places = _places(config)
    for name, folder in places.items():
        only_read = keep and name.startswith(_INBOX)
        rights = {"read": os.R_OK | os.X_OK} if only_read else {"read": os.R_OK | os.X_OK, "write": os.W_OK}
        try:
            if not folder.is_dir():
                problems.append(Problem(name, f"there is no folder {folder}"))
                continue
        except OSError as error:
            problems.append(Problem(name, str(disk_problem(error, folder, doing="look at"))))
            continue
        problems += [
            Problem(name, f"this account may not {word} {folder}")
            for word, bits in rights.items()
            if not os.access(folder, bits)
        ]
    if problems:
        raise _Bad(
            problems, hint="Make the folders, or give the account that filesync runs as its rights.", exit_code=ExitCode.DISK
        )
    return f"{len(places)} folders"


def _space(config: Config) -> str:
    need = _ROOM * config.limits.max_bundle_bytes
    written = {name: folder for name, folder in _places(config).items() if name.startswith(_WRITTEN)}
    there = {name: folder for name, folder in written.items() if folder.is_dir()}  # others: told by _folders
    free = {name: free_bytes(folder) for name, folder in there.items()}
    short = [
        Problem(name, f"{size_text(have)} free on its disk, {size_text(need)} wanted")
        for name, have in free.items()
        if have < need
    ]
    if short:
        raise _Bad(short, hint=f"Make room there: that is {_ROOM} bundles of the largest size.", exit_code=ExitCode.DISK)
    return f"{size_text(min(free.values()))} free at least" if free else ""


def _signing(config: Config) -> str:
    signers = read_signers(config.keys.allowed_signers)
    if not signers or signers[0].principal != config.name:
        raise KeyProblem(
            f"the first line of {config.keys.allowed_signers} is not the key of this site, {config.name}",
            hint="Our own key stands there first, then those of partners.",
        )
    own = signers[0].key
    if config.keys.signing is not None and FileSigner(config.keys.signing).public != own:
        raise KeyProblem(
            f"{config.keys.signing} is not the key on the first line of {config.keys.allowed_signers}, {own.fingerprint()}",
            hint="Put the key back that partners know, or pair again.",
        )
    return own.fingerprint()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """Rules that exchanges go by, and whether any of these exchanges sends or receives."""

    of: str  # " of main", or "" for those of the site
    files: ExchangeRules
    sends: bool
    receives: bool


def _rules(config: Config) -> Iterator[_Rules]:
    ways: dict[str, Direction] = {}
    with suppress(FilesyncError), reading(config) as conn:  # a ledger that cannot be read is told by _ledger
        ways = {one.name: one.direction for one in streams.exchanges(conn)}
    default = [way for name, way in ways.items() if name not in config.exchanges]
    yield _of("", ExchangeRules(contract=config.contract, mapping=config.mapping), default)
    for name in config.exchanges:
        yield _of(f" of {name}", config.rules_of(name), [ways[name]] if name in ways else [])


def _of(of: str, files: ExchangeRules, ways: list[Direction]) -> _Rules:
    """With nobody paired yet, both ways are thought of."""
    sends = not ways or any(way is not Direction.RECEIVE for way in ways)
    return _Rules(of=of, files=files, sends=sends, receives=not ways or any(way is not Direction.SEND for way in ways))


class _Tracker:
    """The tracker. What it is, is asked once."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._description: Description | None = None

    def name(self) -> Look:
        """What it calls itself; the rights that our account has not are notes: some sites need fewer."""
        with closing(self._open()) as tracker:
            self._description = have = tracker.describe()
        rights = (Problem(right, f"our account has not this right: {why}") for right, why in have.lacks.items())
        unmet = (Problem(f"tracker.settings.{name}", why) for name, why in have.unmet.items())
        return Look(have.name, (*rights, *unmet))

    def remembers(self, exchanges: Iterable[Exchange]) -> bool:
        """Hold the ledger's places against the tracker's. Returns whether it could be asked: why not, `name` has told."""
        if self._description is None:
            return False
        with closing(self._open()) as tracker:
            for one in exchanges:
                check_checkpoint(tracker, one)
        return True

    def _open(self) -> Tracker:
        settings = self._config.tracker
        return open_tracker(
            settings.kind, project=settings.project, settings=settings.settings, folder=settings.base, clock=self._clock
        )

    def rules(self, which: _Rules) -> Look:
        """Contract and mapping, with each other and with the tracker."""
        rules = load_rules(which.files.contract, which.files.mapping, site=self._config.name)
        found = f"contract {rules.contract.digest[:8]}, {len(rules.contract.fields)} fields"
        if self._description is None:
            return Look(f"{found}; not held against the tracker, which could not be asked")
        seen = NOTHING_SEEN
        if which.receives:
            with closing(self._open()) as tracker:
                seen = tracker.inspect(*wanted(rules, self._description))
        held = fit(rules, self._description, seen, us=self._config.name, receives=which.receives, sends=which.sends)
        if held.refused:
            ours = f"{which.files.mapping}, " if which.files.mapping else ""
            hint = f"Mend {ours}the tracker or, with the partner, the contract."
            hint = f"What comes in for these is refused, all else goes on. {hint}"
            raise _Bad(list(held.refused), hint=hint, exit_code=ExitCode.CONFIG, notes=held.notes)
        return Look(f"{found}; {held.unknown}" if held.unknown else found, held.notes)


def _ledger(config: Config, tracker: _Tracker) -> str:
    """What every export and import asks before it starts."""
    with reading(config) as conn:
        check_ledger(conn, config)
        found = streams.exchanges(conn)
    asked = tracker.remembers(one for one in found if one.state is not State.OFFERED)
    return "as new as the guard files and what the tracker remembers" if asked else "as new as the guard files"


def _inboxes(config: Config) -> Look:
    with reading(config) as conn:
        folders = {
            folder: remembered(conn, one, folder)
            for one in streams.exchanges(conn)
            if one.direction is not Direction.SEND and one.state is not State.OFFERED
            for folder in (Path(one.inbox) if one.inbox else config.folders.inbox,)
        }
    waiting = sum(len(scan(folder, mounted)) for folder, mounted in folders.items())
    deeper = {str(folder): count for folder in folders if (count := _in_folders(folder))}
    unseen = "in folders inside the inbox, where nothing looks: put them into the inbox itself"
    notes = tuple(Problem(where, f"{count_text(count, 'bundle')} {unseen}") for where, count in deeper.items())
    return Look(f"{waiting} to be looked at or left" if waiting else "", notes)


def _in_folders(inbox: Path) -> int:
    """How many files with names of bundles lie in folders inside the inbox. What begins with a dot is the carrier's own."""
    found = 0
    with os.scandir(inbox) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                with suppress(FileNotFoundError, PermissionError), os.scandir(entry) as inside:
                    found += sum(one.name.startswith("fs1_") for one in inside)
    return found


def _exchanges(config: Config) -> str:
    with reading(config) as conn:
        found = streams.exchanges(conn)
    if not found or any(one.state is State.OFFERED for one in found):
        which = ", ".join(one.name for one in found if one.state is State.OFFERED) or "nobody"
        raise PairingError(
            f"not paired yet: {which}" if found else "paired with nobody yet",
            hint="Give the partner what `filesync pair export` prints, and accept theirs: filesync pair accept FILE",
        )
    us = Site(config.site, config.name)
    problems = [
        Problem(f"{one.name}: {problem.where}", problem.what) for one in found for problem in _strangers(config, one, us=us)
    ]
    if problems:
        raise _Bad(
            problems, hint="Mend the contract on both sides; until then nothing is sent or applied.", exit_code=ExitCode.CONFIG
        )
    still = [one for one in found if one.state is State.STOPPED]
    if stopped := [Problem(one.name, f"is stopped: {unquoting(one.stopped_why)}") for one in still]:
        raise _Bad(stopped, hint="see: filesync status", exit_code=ExitCode.STOPPED)
    return ", ".join(f"{one.name} with {one.partner_name}{'' if one.encrypt else ' (signed, not encrypted)'}" for one in found)


def _mail(config: Config, clock: Clock, *, letter: bool) -> str:
    """As far as a letter goes, and that far where one is wanted."""
    if config.mail is None:
        raise ConfigError(
            [Problem("mail", "is not there: nobody is written to")], hint="docs/running.md says how to set it up."
        )
    refused = deliver(config.mail, trial(config.mail, site=config.name, at=clock(), ident=token_hex(16)) if letter else None)
    if refused:
        problems = [Problem(to, f"the mail server takes no mail for it ({why})") for to, why in refused.items()]
        raise _Bad(problems, hint="Mend mail.to, or the server. The others get their letters.", exit_code=ExitCode.CONFIG)
    done = "a letter is on its way to" if letter else "would take a letter for"
    return f"{config.mail.server}:{config.mail.port}, {done} {', '.join(config.mail.to)}"


def _strangers(config: Config, x: Exchange, *, us: Site) -> tuple[Problem, ...]:
    """Sites that the contract of an exchange names and that are not its two."""
    which = config.rules_of(x.name)
    try:
        contract = load_rules(which.contract, which.mapping, site=config.name).contract
    except ConfigError:
        return ()  # told as a problem of the rules
    return strangers(contract, us=us, them=Site(x.partner_site, x.partner_name), one_way=x.direction is not Direction.BOTH)
