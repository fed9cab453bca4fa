"""A draft of mapping.yaml: our words for a contract's, as far as that is sure; guesses and gaps are comments. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Final

from filesync.agent.drafts.layout import comment, comment_lines
from filesync.agent.drafts.likeness import Likeness, compare, folded
from filesync.bundle.verdict import shown
from filesync.errors import Problem
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.contract import MAY_LIST, OWN_NAME, Contract, is_cascade
from filesync.settings import quoted, spelt
from filesync.trackers.base import Description

_PEOPLE: Final = (
    "Who is who is for a person to say: no name is matched by guess. Ours is left, and the name that travels right.",
    "Who has the same name on both sides needs no line; `users_by: email` on both sides finds them by address.",
)
_STAND_IN: Final = "users_default: NAME    # who stands here for everybody whom no line names: our own account, say"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDraft:
    """The text of the file, and the contract's words that nothing here stands for, with the nearest of ours."""

    text: str
    unmatched: tuple[Problem, ...]


@dataclass(slots=True)
class _Section:
    """One table of the mapping on its way: lines that count, and comments."""

    name: str
    lines: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def text(self) -> str:
        if self.lines:
            return "\n".join([f"{self.name}:", *self.lines, *self.said, ""])
        return "\n".join([comment(f"{self.name}:"), *self.said, ""]) if self.said else ""


def draft_mapping(contract: Contract, have: Description, names: Mapping[str, str], template: str, *, site: str) -> MappingDraft:
    """The words of the site of this name for a contract's. `names`: its fields that are known to stand for the contract's."""
    unmatched: list[Problem] = []
    sections = [
        _words("types", compare(have.types, contract.types, labels={}), unmatched),
        _words("statuses", compare(have.statuses, contract.statuses, labels={}), unmatched),
        _fields(contract, have, names, unmatched, site=site),
        _words("links", compare(have.links, contract.links, labels={}), unmatched),
        _people(contract, have),
    ]
    tables = "\n".join(text for one in sections if (text := one.text()))
    text = Template(template).substitute(tracker=shown(have.name), tables=tables)
    return MappingDraft(text=f"{text.rstrip()}\n", unmatched=tuple(unmatched))


def _words(name: str, found: Likeness, unmatched: list[Problem]) -> _Section:
    lines = [f"  {spelt(ours)}: {spelt(theirs)}" for ours, theirs in found.sure.items()]
    return _Section(name, lines, list(_gaps(name, found, unmatched, indent=2)))


def _gaps(where: str, found: Likeness, unmatched: list[Problem], *, indent: int) -> Iterator[str]:
    """Comments about the words on either side that stand alone."""
    for theirs in found.absent:
        near = found.perhaps.get(theirs)
        unmatched.append(Problem(where, _absent(theirs, near)))
    guesses = [f"{spelt(ours)}: {spelt(theirs)}    # perhaps" for theirs, ours in found.perhaps.items()]
    yield from comment_lines(guesses, indent=indent)
    alone = [theirs for theirs in found.absent if theirs not in found.perhaps]
    yield from comment_lines([f"nothing here stands for {quoted(one)}" for one in alone], indent=indent)
    ours = [one for one in found.left if one not in found.perhaps.values()]
    yield from comment_lines([f"the contract has no word for our {quoted(one)}" for one in ours], indent=indent)


def _absent(theirs: str, near: str | None) -> str:
    return f"nothing here stands for {quoted(theirs)}" + (f"; did you mean our {quoted(near)}?" if near is not None else "")


def _fields(
    contract: Contract, have: Description, names: Mapping[str, str], unmatched: list[Problem], *, site: str
) -> _Section:
    specs = {one.name: one for one in have.fields if one.name not in OWN_NAME}
    wires = {name: one.spec for name, one in contract.fields.items() if name not in OWN_NAME}

    def fits(ours: str, theirs: str) -> bool:
        mappable = ":" not in ours and ours.isprintable()
        goes = not specs[ours].read_only or contract.fields[theirs].source == site
        return mappable and goes and (specs[ours].kind, specs[ours].many) == (wires[theirs].kind, wires[theirs].many)

    specs = {name: one for name, one in specs.items() if not one.read_only or any(fits(name, wire) for wire in wires)}
    rest = [name for name in specs if name not in names]
    found = compare(rest, [name for name in wires if name not in names.values()], labels=have.labels, fits=fits)
    pairs = {**{ours: wire for ours, wire in names.items() if wire in wires}, **found.sure}
    pairs |= {name: name for name in wires if name in rest and fits(name, name) and name not in pairs}
    section = _Section("fields")
    for name, wire in pairs.items():
        _field(section, specs[name], wires[wire], unmatched)
    section.said += list(_gaps("fields", found, unmatched, indent=2))
    if FieldKind.PARENT in contract.fields and not any(one.kind is FieldKind.PARENT for one in have.fields):
        unmatched.append(Problem("fields", _absent(FieldKind.PARENT, None)))
    others = _other_kinds(found.absent, specs, have.labels)
    section.said += comment_lines([f"{wire} is a {wires[wire].kind} there: {why}" for wire, why in others.items()], indent=2)
    return section


def _field(section: _Section, ours: FieldSpec, theirs: FieldSpec, unmatched: list[Problem]) -> None:
    """One field of ours that stands for one of the contract's, and the words of both for its values."""
    options: Sequence[str] = ()
    said: list[str] = []
    if theirs.kind in MAY_LIST and theirs.options and ours.options:
        here = [one for one in ours.options if theirs.kind is not FieldKind.CASCADE or is_cascade(one)]
        found = compare(here, theirs.options, labels={})
        options = [f"      {spelt(one)}: {spelt(word)}" for one, word in found.sure.items()]
        said = list(_gaps(theirs.name, found, unmatched, indent=6 if options else 4))
    if options:
        section.lines += [f"  {spelt(ours.name)}:", f"    field: {spelt(theirs.name)}", "    options:", *options, *said]
    elif ours.name != theirs.name:
        section.lines += [f"  {spelt(ours.name)}: {spelt(theirs.name)}", *said]
    elif said:
        section.said += [comment(f"{theirs.name}, in the options:", indent=2), *said]


def _other_kinds(absent: Iterable[str], specs: Mapping[str, FieldSpec], labels: Mapping[str, str]) -> dict[str, str]:
    """Of fields of the contract that nothing stands for, those of ours that are called so and hold something else."""
    by_key = {key: one for one in specs.values() for key in (folded(labels.get(one.name, one.name)), folded(one.name))}
    called = {wire: by_key[folded(wire)] for wire in absent if folded(wire) in by_key}
    return {wire: f"our {quoted(one.name)} is a {one.kind}{', and a set' if one.many else ''}" for wire, one in called.items()}


def _people(contract: Contract, have: Description) -> _Section:
    if not have.users or not any(one.spec.kind is FieldKind.USER for one in contract.fields.values()):
        return _Section("users")
    agreed = contract.users or ()
    found = compare(have.users, agreed, labels=have.people)
    near = {ours: theirs for theirs, ours in found.perhaps.items()} | dict(found.sure)
    lines = [
        f"{spelt(one)}: {spelt(near.get(one) or 'NAME')}    # {have.people.get(one, one)}"
        for one in have.users
        if one not in agreed
    ]
    said = [*(comment(one, indent=2) for one in _PEOPLE), *comment_lines(lines, indent=2), comment(_STAND_IN)]
    return _Section("users", said=said) if lines else _Section("users")
