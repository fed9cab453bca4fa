"""Drafts as files of a site. What a person wrote, or something was exchanged under, is never written over.

What `init` wrote for everybody and nobody touched is neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filesync.agent.asked.reading import reading
from filesync.agent.drafts.contract import draft_contract
from filesync.agent.drafts.mapping import draft_mapping
from filesync.agent.record import Clock
from filesync.config import Config, TrackerSettings, template
from filesync.errors import ConfigError, Problem, disk_problem
from filesync.exchange.files import write_whole
from filesync.ledger import streams
from filesync.rules.load import load_rules
from filesync.trackers.base import Description
from filesync.trackers.registry import open_tracker

_CONTRACT, _MAPPING = "contract.yaml", "mapping.yaml"
_MODE = 0o644  # no secrets


class Made(StrEnum):
    """Where a file comes from."""

    DRAFTED = "drafted"
    TAKEN = "taken"  # as the partner has it
    KEPT = "kept"  # it was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What became of contract and mapping. `unmatched`: words of the contract that nothing in our tracker stands for."""

    tracker: str
    contract: Made
    mapping: Made
    in_use: bool  # something was exchanged under them
    unmatched: tuple[Problem, ...]


def describe(settings: TrackerSettings, *, folder: Path, clock: Clock) -> Description:
    """Ask the tracker what there is. `folder`: what paths in its settings are relative to. Raises as opening does."""
    opened = open_tracker(settings.kind, project=settings.project, settings=settings.settings, folder=folder, clock=clock)
    with closing(opened) as tracker:
        return tracker.describe()


def draft_site(config: Config, *, agreed: Path | None, clock: Clock) -> Drafted:
    """Draft what is missing at a site that is there. `agreed`: the partner's contract.

    Raises ConfigError (another contract is there; the configuration names no mapping), and what asking the tracker raises.
    """
    if config.mapping is None:
        problem = Problem(str(config.path), "names no `mapping`: without one the words are the contract's")
        raise ConfigError([problem], hint=f"Write `mapping: {_MAPPING}` there, and run it again.")
    with reading(config) as conn:
        in_use = any(one.out_seq or one.in_seq for one in streams.exchanges(conn))
    have = describe(config.tracker, folder=config.tracker.base, clock=clock)
    return draft_files(config.contract, config.mapping, have, site=config.name, agreed=agreed, in_use=in_use)


def draft_files(
    contract: Path, mapping: Path, have: Description, *, site: str, agreed: Path | None, in_use: bool = False
) -> Drafted:
    """Write the files that are not there, or as `init` wrote them and not `in_use`. Raises ConfigError, DiskProblem."""
    names: Mapping[str, str] = {}
    contract_made = Made.KEPT
    if agreed is not None:
        contract_made = take_contract(agreed, contract, site=site, in_use=in_use)
    elif _free(contract, _CONTRACT, in_use=in_use):
        draft = draft_contract(have, template(f"draft-{_CONTRACT}"))
        _write(contract, draft.text.encode())
        names, contract_made = draft.names, Made.DRAFTED
    rules = load_rules(contract, None, site=site)
    if not _free(mapping, _MAPPING, in_use=in_use):
        return Drafted(tracker=have.name, contract=contract_made, mapping=Made.KEPT, in_use=in_use, unmatched=())
    found = draft_mapping(rules.contract, have, names, template(f"draft-{_MAPPING}"), site=site)
    _write(mapping, found.text.encode())
    return Drafted(tracker=have.name, contract=contract_made, mapping=Made.DRAFTED, in_use=in_use, unmatched=found.unmatched)


def take_contract(agreed: Path, contract: Path, *, site: str, in_use: bool = False) -> Made:
    """Take the partner's contract as it is. Raises ConfigError: it is none, or another one is there."""
    load_rules(agreed, None, site=site)
    said = _read(agreed)
    if _free(contract, _CONTRACT, in_use=in_use):
        _write(contract, said)
        return Made.TAKEN
    if _read(contract) != said:
        problem = Problem(str(contract), f"is there already, and is not the contract in {agreed}")
        other = (
            "A contract that is in use is changed by `filesync contract propose`." if in_use else "Move one of the two away."
        )
        raise ConfigError([problem], hint=f"Nothing was written. {other}")
    return Made.KEPT


def _free(path: Path, name: str, *, in_use: bool) -> bool:
    """Whether it may be written: it is not there, or as `init` wrote it and nothing was exchanged under it."""
    return not path.exists() or (not in_use and _read(path) == template(name).encode())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error


def _write(path: Path, text: bytes) -> None:
    write_whole(path, [text], mode=_MODE)
