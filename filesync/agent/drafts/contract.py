"""A draft of contract.yaml: what a project really has, in words that two sites could share. Pure.

Nobody's name stands in it, nor where our tracker is: the file is given to a partner, and who is named there is for a person
to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Final

from filesync.agent.drafts.layout import comment, comment_lines, listed
from filesync.agent.drafts.likeness import usable, wire_name
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem
from filesync.model.ids import Kind
from filesync.model.issue import RESTRICTION
from filesync.model.values import ELEMENTS, FieldKind, FieldSpec
from filesync.rules.contract import MUST_LIST, OWN_NAME, TAKEN, is_cascade
from filesync.settings import spelt
from filesync.trackers.base import Description

_OURS: Final = re.compile(r"[^:]{1,255}")
_RESTRICTS: Final = "with it, what only some may see here travels too, with who may"
_KEPT: Final = "nobody writes it here; a field with `from: OUR NAME`, which is free at the partner, can tell it"
_UNUSABLE: Final = "cannot stand in a contract (longer than 255 characters, or not to be printed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDraft:
    """The text of the file, and the names that it gives to our fields."""

    text: str
    names: Mapping[str, str]  # ours: the contract's


def draft_contract(have: Description, template: str) -> ContractDraft:
    """A contract that names everything. Raises ConfigError where there is no type of issue to name."""
    types, statuses, links = list(usable(have.types)), list(usable(have.statuses)), list(usable(have.links))
    if not types:
        problem = Problem(have.name, "there is no type of issue that a contract could name")
        raise ConfigError([problem], hint="Make one in the tracker, or write contract.yaml by hand: docs/rules.md.")
    specs = {spec.name: spec for spec in have.fields if spec.name not in OWN_NAME or spec.name != spec.kind}
    specs |= {spec.name: spec for spec in have.fields if spec.kind is FieldKind.PARENT and spec.name == FieldKind.PARENT}
    why_not = {name: why for name, spec in specs.items() if (why := _unfit(spec))}
    names = _names([name for name in specs if name not in why_not], have.labels)
    lines = [line for name, wire in names.items() for line in _field(wire, specs[name])]
    words = {"types": (types, have.types), "statuses": (statuses, have.statuses), "links": (links, have.links)}
    odd = [f"{shown(one)}: {_UNUSABLE}" for kept, all_ in words.values() for one in dict.fromkeys(all_) if one not in kept]
    away: dict[str, list[str]] = {}  # by reason: one field may be left out under its name and under its id
    for name, why in {**have.left_out, **why_not}.items():
        away.setdefault(why, []).append(shown(name))
    odd += [f"{', '.join(those)}: {why}" for why, those in away.items()]
    said = any(not line.lstrip().startswith("#") for line in lines)
    text = Template(template).substitute(
        markup=have.markup,
        types=listed("types", types),
        statuses=listed("statuses", statuses),
        links=listed("links", links),
        fields="\n".join(["fields:" if said else "fields: {}", *lines]),
        left_out="\n".join(["# What is not carried, and why:", *comment_lines(odd)]) if odd else "",
    )
    kept = {name: wire for name, wire in names.items() if name not in RESTRICTION.values()}
    return ContractDraft(text=f"{text.rstrip()}\n", names=kept)


def _names(fields: list[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Names that can travel, out of what people see."""
    taken = {*TAKEN, *OWN_NAME}
    names: dict[str, str] = {}
    for name in fields:
        own = name == FieldKind.PARENT
        names[name] = name if own else wire_name(labels.get(name) or name, {*taken, *names.values()})
    return names


def _unfit(spec: FieldSpec) -> str:
    """Why no draft has a field; "" where one has."""
    if spec.read_only:
        return _KEPT
    own = spec.name in OWN_NAME or spec.kind in OWN_NAME
    if own and spec.name != spec.kind:
        return "the fields type, status and parent alone have these names and kinds"
    if not _OURS.fullmatch(spec.name) or not spec.name.isprintable():
        return _UNUSABLE
    if spec.many and spec.kind not in ELEMENTS:
        return f"a set of the kind {spec.kind} cannot travel"
    if spec.kind in MUST_LIST and not list(_options(spec)):
        return "the tracker does not tell its options"
    return ""


def _options(spec: FieldSpec) -> Iterator[str]:
    return (one for one in usable(spec.options) if spec.kind is not FieldKind.CASCADE or is_cascade(one))


def _field(wire: str, spec: FieldSpec) -> Iterator[str]:
    """A field's lines. Versions, components and labels come and go: none is listed, so any may travel."""
    options = list(_options(spec)) if spec.kind in MUST_LIST else []
    many = ", many: true" if spec.many else ""
    line = f"  {spelt(wire)}: {{kind: {spec.kind}{many}{', ' + listed('options', options) if options else ''}}}"
    if "\n" in line:
        lines = [f"  {spelt(wire)}:", f"    kind: {spec.kind}", *(["    many: true"] if many else [])]
        lines += listed("options", options, indent=4).split("\n")
    else:
        lines = [line]
    if spec.name == RESTRICTION[Kind.ISSUE]:
        yield comment(_RESTRICTS, indent=2)
        yield from (f"  # {one.removeprefix('  ')}" for one in lines)
    else:
        yield from lines
    lost = [one for one in dict.fromkeys(spec.options) if spec.kind in MUST_LIST and one not in options]
    yield from comment_lines((f"{shown(one)}: {_UNUSABLE}" for one in lost), indent=2)
