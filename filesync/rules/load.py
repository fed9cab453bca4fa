"""mapping.yaml and the contract put together, with every inconsistency named; and what a tracker leaves uncovered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filesync.errors import ConfigError, Problem
from filesync.model.ids import Kind
from filesync.model.links import LINK
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.contract import MAY_LIST, OWN_NAME, Contract, ContractField, DeletePolicy, is_cascade, load_contract
from filesync.rules.mapping import Rules
from filesync.rules.sieve import make_sieves
from filesync.rules.standing import FieldRule, LinkRule, VisibilityRule
from filesync.rules.words import SAME, Words
from filesync.settings import At, Document, did_you_mean, load, place_in_file, quoted

_NO_MAPPING = Document("mapping.yaml", {}, {}, {})
_TWO = 2  # sites have a contract


def load_rules(contract_path: Path, mapping_path: Path | None, *, site: str) -> Rules:
    """The rules of the site of this name. Raises ConfigError with every problem; without a mapping the words are the same."""
    contract = load_contract(contract_path)
    others = contract.sites() - {site}
    if len(others) >= _TWO:
        what = f"names the sites {', '.join(sorted(contract.sites()))}; this site is {site}{did_you_mean(site, others)}"
        raise ConfigError([Problem(contract_path.name, what)], hint="A contract is between two sites: mend a name.")
    return make_rules(contract, None if mapping_path is None else load_mapping(mapping_path))


def load_mapping(path: Path) -> Document:
    """Read mapping.yaml; a file of comments alone says nothing. Raises ConfigError with every problem."""
    return load(path, "mapping")


def make_rules(contract: Contract, mapping: Document | None = None) -> Rules:
    """A contract seen through a mapping. Raises ConfigError with every inconsistency of the two."""
    document = mapping or _NO_MAPPING
    data: Mapping[str, Any] = document.data
    problems = sorted(_problems(contract, document), key=place_in_file)
    if problems:
        raise ConfigError(problems, hint=f"Mend {document.name}; the contract is what both sites agreed on.")
    own = {Kind(kind): DeletePolicy(policy) for kind, policy in data.get("deletes", {}).items()}
    links = LinkRule(Words(data.get("links", {})), frozenset(contract.links))
    return Rules(
        contract,
        tuple(_rules(contract, data)),
        links,
        {**contract.deletes, **own},
        Words(data.get("users", {})),
        make_sieves(data.get("attachments", {})),
        VisibilityRule(Words(data.get("visibilities", {})), frozenset(contract.visibilities)),
    )


def gaps(
    rules: Rules,
    *,
    fields: Sequence[FieldSpec],
    types: Sequence[str],
    statuses: Sequence[str],
    links: Sequence[str],
    left_out: Mapping[str, str],
) -> tuple[Problem, ...]:
    """What travels under the contract and has no place in a tracker of this description, by wire field.

    `left_out`: fields that the tracker has and does not carry, and why.
    """
    here = {spec.name: spec for spec in fields}
    found: list[Problem] = []
    for name, field in rules.contract.fields.items():
        rule = rules.rule(name)
        if rule is None:
            found.append(Problem(name, "no field here stands for it: our own of this name stands for another"))
            continue
        spec = here.get(rule.local)
        if spec is None:
            near = did_you_mean(rule.local, here)
            what = (
                f"the tracker's field {quoted(rule.local)} is not carried: {left_out[rule.local]}"
                if rule.local in left_out
                else f"the tracker has no field {quoted(rule.local)}{near}"
            )
            found.append(Problem(name, what))
            continue
        if (spec.kind, spec.many) != (field.spec.kind, field.spec.many):
            found.append(Problem(name, f"is {_shape(field.spec)} in the contract and {_shape(spec)} in the tracker"))
        known = {FieldKind.TYPE: types, FieldKind.STATUS: statuses}.get(field.spec.kind, spec.options)
        if rule.field.spec.kind is not FieldKind.USER:
            found += [Problem(name, what) for what in _uncovered(rule.words, rule.allowed or (), known)]
    if rules.contract.links and not links:
        found.append(Problem(LINK, "the tracker has no links"))
    found += [Problem(LINK, what) for what in _uncovered(rules.links.words, rules.links.allowed, links)]
    return tuple(found)


def _uncovered(words: Words, allowed: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for word in sorted(allowed):
        ours = words.back(word)
        if not ours:
            yield f"nothing here stands for {quoted(word)}: our own word of this name stands for another"
        elif known and ours[0] not in known:
            yield f"the tracker has no {quoted(ours[0])}{did_you_mean(ours[0], known)}"


def _shape(spec: FieldSpec) -> str:
    return f"of kind {spec.kind} (a set)" if spec.many else f"of kind {spec.kind}"


def _locals(data: Mapping[str, Any]) -> dict[str, str]:
    """The mapping's fields, ours to the contract's, without the options."""
    return {ours: entry if isinstance(entry, str) else entry["field"] for ours, entry in data.get("fields", {}).items()}


def _rules(contract: Contract, data: Mapping[str, Any]) -> Iterator[FieldRule]:
    named = _locals(data)
    local = {theirs: ours for ours, theirs in named.items()}
    for name, field in contract.fields.items():
        ours = local.get(name) or (None if name in named else name)
        if ours is not None:
            yield _rule(contract, data, ours=ours, field=field)


def _rule(contract: Contract, data: Mapping[str, Any], *, ours: str, field: ContractField) -> FieldRule:
    kind = field.spec.kind
    entry = data.get("fields", {}).get(ours, {})
    match kind:
        case FieldKind.TYPE | FieldKind.STATUS | FieldKind.USER:
            words = Words(data.get(_TABLES[kind], {}))
        case _:
            words = Words(entry["options"]) if isinstance(entry, dict) and "options" in entry else SAME
    # in a set, one name standing for several users could not be taken out for one of them
    stand_in = data.get("users_default") if kind is FieldKind.USER and not field.spec.many else None
    return FieldRule(ours, field, words, _allowed(contract, field), stand_in)


_TABLES = {FieldKind.TYPE: "types", FieldKind.STATUS: "statuses", FieldKind.USER: "users"}


def _allowed(contract: Contract, field: ContractField) -> frozenset[str] | None:
    """The contract's words for the values of a field; None: any."""
    match field.spec.kind:
        case FieldKind.TYPE:
            return frozenset(contract.types)
        case FieldKind.STATUS:
            return frozenset(contract.statuses)
        case FieldKind.USER:
            return None if contract.users is None else frozenset(contract.users)
        case _:
            return frozenset(field.spec.options) or None


def _problems(contract: Contract, document: Document) -> Iterator[Problem]:
    data = document.data
    tables: tuple[tuple[str, Iterable[str] | None], ...] = (
        ("types", contract.types),
        ("statuses", contract.statuses),
        ("users", contract.users),
        ("links", contract.links),
        ("visibilities", contract.visibilities),
    )
    for table, words in tables:
        yield from _unknown_words(document, (table,), data.get(table, {}), words)
    if "users_default" in data and not any(field.spec.kind is FieldKind.USER for field in contract.fields.values()):
        yield document.problem(("users_default",), "no user travels under the contract", key=True)
    if "attachments" in data and not contract.attachments:
        yield document.problem(("attachments",), "no attachment travels under the contract", key=True)
    first: dict[str, str] = {}
    for ours, theirs in _locals(data).items():
        at: At = ("fields", ours)
        if theirs not in contract.fields:
            yield document.problem(at, f"the contract has no field {quoted(theirs)}{did_you_mean(theirs, contract.fields)}")
        elif theirs in first:
            yield document.problem(at, f"{quoted(first[theirs])} stands for {quoted(theirs)} already", key=True)
        else:
            first[theirs] = ours
            yield from _field_problems(contract, document, ours, theirs)


def _field_problems(contract: Contract, document: Document, ours: str, theirs: str) -> Iterator[Problem]:
    at: At = ("fields", ours)
    if ours != theirs and (theirs in OWN_NAME or ours in OWN_NAME):
        yield document.problem(at, "the fields type, status and parent have the same name everywhere", key=True)
    entry = document.data["fields"][ours]
    if isinstance(entry, str) or "options" not in entry:
        return
    field = contract.fields[theirs]
    if field.spec.kind not in MAY_LIST:
        yield document.problem((*at, "options"), f"{quoted(theirs)} is a {field.spec.kind}: it has no options", key=True)
        return
    yield from _unknown_words(document, (*at, "options"), entry["options"], _allowed(contract, field))
    if field.spec.kind is FieldKind.CASCADE:
        for option in entry["options"]:
            if not is_cascade(option):
                what = f"{quoted(option)} is neither `parent` nor `parent/child`"
                yield document.problem((*at, "options", option), what, key=True)


def _unknown_words(document: Document, at: At, table: Mapping[str, str], words: Iterable[str] | None) -> Iterator[Problem]:
    known = None if words is None else frozenset(words)
    for ours, theirs in table.items():
        if known is not None and theirs not in known:
            yield document.problem((*at, ours), f"{quoted(theirs)} is not in the contract{did_you_mean(theirs, known)}")
