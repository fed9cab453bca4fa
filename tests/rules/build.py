"""Contracts and mappings for tests, out of text or data, through the readers that everybody uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from filesync.model.ids import Gid, Kind, SiteId
from filesync.model.issue import Item, Ref
from filesync.model.values import Value
from filesync.rules.contract import Contract, Site, load_contract
from filesync.rules.load import load_mapping, make_rules
from filesync.rules.mapping import Rules

ACME = Site(SiteId("00000000-0000-4000-8000-00000000000a"), "acme")
GLOBEX = Site(SiteId("00000000-0000-4000-8000-000000000009"), "globex")
LEAST = {"version": 1, "types": ["Bug"], "fields": {}}


def contract(folder: Path, text: str) -> Contract:
    path = folder / "contract.yaml"
    path.write_text(text)
    return load_contract(path)


def rules(folder: Path, contract_text: str, mapping_text: str | None = None) -> Rules:
    agreed = contract(folder, contract_text)
    if mapping_text is None:
        return make_rules(agreed, site="acme")
    path = folder / "mapping.yaml"
    path.write_text(mapping_text)
    return make_rules(agreed, load_mapping(path), site="acme")


def as_yaml(data: Mapping[str, Any]) -> str:
    """JSON is YAML, as far as the data here goes."""
    return msgspec.json.encode(data).decode()


def issue(fields: Mapping[str, Value]) -> Item:
    return Item(ref=Ref(Kind.ISSUE, "1", "1"), stamp="1", origin=None, fields=fields)


def comment(fields: Mapping[str, Value]) -> Item:
    return Item(ref=Ref(Kind.COMMENT, "1", "7"), stamp="1", origin=None, fields=fields)


def gid(local: str) -> Gid:
    return Gid(f"{ACME.id}/issue/{local}/1")


def nobody(_: str) -> None:
    """A look-up that knows nothing."""
