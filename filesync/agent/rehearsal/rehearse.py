"""A site to rehearse at: a copy of its ledger, its tracker read alone, and folders that are gone afterwards."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Final

from msgspec.structs import replace

from filesync.agent.asked.look import looking
from filesync.agent.contract.switch import at_work, proposed
from filesync.agent.events import Event
from filesync.agent.incoming.arrivals import Received, Told
from filesync.agent.incoming.bundles import BundleApplied, HadWaited
from filesync.agent.incoming.importer import import_once
from filesync.agent.incoming.mounts import assume
from filesync.agent.outgoing.exporter import that_fit
from filesync.agent.outgoing.gather import Gather
from filesync.agent.paired import Paired
from filesync.agent.record import Clock
from filesync.agent.rehearsal.called import Keys
from filesync.agent.rehearsal.overlay import Overlay
from filesync.agent.rehearsal.tracker import ReadOnly
from filesync.agent.rehearsal.written import Deed, Edit, Entry, Written
from filesync.agent.site import Site
from filesync.config import Config, ExchangeRules, Folders, InboxPolicy
from filesync.errors import PairingError, disk_problem
from filesync.ledger import shadows, streams
from filesync.ledger.ledger import Ledger
from filesync.ledger.streams import Direction, Exchange
from filesync.model.diff import Tell
from filesync.model.ids import make_mark
from filesync.model.issue import Scope

_PREFIX: Final = "preview-"
_OUR_KEY: Final = "our key"  # all that an edit without fields says
_LEFT: Final = 86_400  # s: what a rehearsal that was killed left behind
_DONE: Final = (Received, BundleApplied, HadWaited, Told)  # these say what was done: nothing was
_DEEDS: Final = {"create": Deed.CREATE, "set": Deed.CHANGE, "delete": Deed.DELETE}


@dataclass(frozen=True, slots=True)
class Preview:
    """What one exchange would come to. `written` can be read as long as the rehearsal lasts."""

    written: Written
    events: tuple[Event, ...]


@contextmanager
def rehearse_export(config: Config, name: str, *, clock: Clock) -> Iterator[Preview]:
    """What an export would tell. Nothing is numbered, signed or fetched. Raises as an export."""
    with _site(config, name, clock=clock) as (site, written):
        paired = at_work(site, name)
        if paired.exchange.direction is Direction.RECEIVE:
            raise PairingError(f"exchange {name!r} only receives", hint="pair it again with --direction both to send, too")
        site.check_restored(paired.exchange)
        record = site.record(name)
        keys = Keys(site, paired)
        with written:
            held = proposed(site, paired, record)
            for found in () if held else Gather(site, paired, record).found():
                tells = that_fit(found, record)
                keys.learn(tells)
                for tell in tells:
                    written.add(_told(tell, keys))
                _as_if_numbered(site, paired, tells)
        record.done()
        yield Preview(written, tuple(record.events))


@contextmanager
def rehearse_import(config: Config, name: str, *, clock: Clock) -> Iterator[Preview]:
    """What an import would do with what lies in the inbox, what is held and what waits. Raises as an import."""
    with _site(config, name, clock=clock) as (site, written):
        with written:
            done = import_once(site, name, first=True)
        yield Preview(written, tuple(event for event in done.events if not isinstance(event, _DONE)))


def _told(tell: Tell, keys: Keys) -> Entry:
    edits = keys.edits(tell.fields)
    if not tell.says_more:
        edits.append(Edit(_OUR_KEY, tell.about.key))
    deed = _DEEDS[tell.word] if tell.scope is None else Deed.INSIDE if tell.scope is Scope.IN else Deed.OUTSIDE
    return Entry(deed=deed, key=keys.of(tell), kind=tell.row.kind, edits=edits)


def _as_if_numbered(site: Site, paired: Paired, tells: list[Tell]) -> None:
    """What comes next sees it as told: links to what is new, parents."""
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, paired.exchange.id)
        mark = make_mark(x.out_generation.n, x.out_seq + 1, 1)
        shadows.save(conn, x.id, [row for tell in tells for row in tell.rows(mark)])


@contextmanager
def _site(config: Config, name: str, *, clock: Clock) -> Iterator[tuple[Site, Written]]:
    with ExitStack() as open_:
        try:
            made = _settled_in(open_, config, name, clock=clock)
        except OSError as error:
            raise disk_problem(error, error.filename or config.folders.state) from error
        yield made


def _settled_in(open_: ExitStack, config: Config, name: str, *, clock: Clock) -> tuple[Site, Written]:
    """Everything that a rehearsal needs, in a folder that goes with `open_`."""
    _clear(config.folders.state)
    folder = Path(open_.enter_context(TemporaryDirectory(prefix=_PREFIX, dir=config.folders.state)))
    real = open_.enter_context(looking(config, clock=clock))
    x = real.paired(name).exchange  # where that raises, it names the files that a person has
    real.ledger.copy(folder / config.folders.ledger.name)  # before the files: what it knows of is among them
    copied = _copy(config, name, folder)
    ledger = open_.enter_context(closing(Ledger.existing(copied.folders.ledger)))
    _prepare(ledger, x, real.inbox(x))
    written = Written(folder / "written")
    tracker = open_.enter_context(closing(ReadOnly(real.tracker, Overlay(folder / "overlay"), written)))
    return Site(copied, ledger=ledger, tracker=tracker, clock=clock, random=token_hex), written


def _copy(config: Config, name: str, folder: Path) -> Config:
    """The configuration with copies wherever an import may write. Bundles are there by a link: no byte of them is copied."""
    there = config.folders
    mine = Folders(
        outbox=folder / "outbox",
        inbox=there.inbox,  # from there it is only read, as long as files are kept in it
        archive=_linked(there.archive, folder / "archive"),
        store=_linked(there.store, folder / "store"),
        quarantine=folder / "quarantine",
        state=folder,
        guard=_copied(there.guard, folder / "guard"),
    )
    for one in (mine.outbox, mine.quarantine):
        one.mkdir()
    rules, signers = config.rules_of(name), folder / "allowed_signers"
    own = ExchangeRules(contract=folder / "contract.yaml", mapping=None if rules.mapping is None else folder / "mapping.yaml")
    shutil.copyfile(rules.contract, own.contract)
    if rules.mapping is not None and own.mapping is not None:
        shutil.copyfile(rules.mapping, own.mapping)
    shutil.copyfile(config.keys.allowed_signers, signers)
    return replace(
        config,
        folders=mine,
        keys=replace(config.keys, allowed_signers=signers),
        limits=replace(config.limits, workers=1),  # what is made is told in the partner's order
        inbox_policy=InboxPolicy.KEEP,
        exchanges={**config.exchanges, name: own},
    )


def _linked(source: Path, target: Path) -> Path:
    target.mkdir()
    for one in source.iterdir():
        if one.is_file() and not one.name.startswith("."):
            try:
                (target / one.name).hardlink_to(one)
            except OSError:  # another filesystem, or one without hard links
                (target / one.name).symlink_to(one)
    return target


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def _prepare(ledger: Ledger, x: Exchange, inbox: Path) -> None:
    """Nothing is left in the inbox, and nothing comes into the exchange's own outbox."""
    with ledger.begin() as conn:
        assume(conn, x, inbox)
        streams.update_exchange(conn, x.id, outbox="")


def _clear(state: Path) -> None:
    """Remove what rehearsals that were killed left behind."""
    for one in state.glob(f"{_PREFIX}*"):
        if time.time() - one.stat().st_mtime > _LEFT:
            shutil.rmtree(one)
