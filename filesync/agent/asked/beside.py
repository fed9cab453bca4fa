"""Contract and mapping of a site whose filesync.yaml is wrong: one `check` tells all that is to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filesync.errors import ConfigError, Problem
from filesync.rules.contract import load_contract
from filesync.rules.load import load_mapping, load_rules
from filesync.settings import Document, load


def with_rules(error: ConfigError, path: Path) -> ConfigError:
    """What is wrong with the configuration, and with the rules that it names, as far as they can be told by it."""
    if not path.is_file():
        return error
    said = _said(path)
    site = _map(said, "site").get("name")
    found = (one for contract, mapping in _rules(said, path.parent) for one in _problems(contract, mapping, site))
    return ConfigError(tuple(dict.fromkeys((*error.problems, *found))), hint=error.hint)


def _said(path: Path) -> Mapping[str, Any]:
    """What a configuration says, whether it fits or not; one that is no YAML says nothing."""
    seen: list[Document] = []

    def look(document: Document) -> tuple[Problem, ...]:
        seen.append(document)
        return ()

    with suppress(ConfigError):  # it is told already
        seen.append(load(path, "config", look))
    return seen[0].data if seen and isinstance(seen[0].data, dict) else {}


def _map(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _rules(said: Mapping[str, Any], folder: Path) -> Iterator[tuple[Path, Path | None]]:
    """The files of the site, and of the exchanges that have their own."""
    usual = {"contract": "contract.yaml"} if said else {"contract": "contract.yaml", "mapping": "mapping.yaml"}
    own = {**usual, **said}
    for one in (own, *({**own, **_map(_map(said, "exchanges"), name)} for name in _map(said, "exchanges"))):
        contract, mapping = (_file(one.get(name), folder) for name in ("contract", "mapping"))
        if contract is not None and (said or contract.is_file()):
            yield contract, mapping if said or (mapping is not None and mapping.is_file()) else None


def _file(text: object, folder: Path) -> Path | None:
    try:
        return folder / Path(text).expanduser() if isinstance(text, str) else None
    except (RuntimeError, ValueError):
        return None  # an unknown ~user: it is told already


def _problems(contract: Path, mapping: Path | None, site: object) -> Iterator[Problem]:
    """All of them; what the two say of each other only where it is known which site they are read for."""
    looks: list[Callable[[], object]] = [lambda: load_contract(contract)]
    if mapping is not None:
        looks.append(lambda: load_mapping(mapping))
    if isinstance(site, str):
        looks = [lambda: load_rules(contract, mapping, site=site)]
    for look in looks:
        try:
            look()
        except ConfigError as error:
            yield from error.problems
