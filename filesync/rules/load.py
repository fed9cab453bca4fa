"""mapping.yaml and the contract put together, with every inconsistency named; and what a tracker leaves uncovered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem
from filesync.model.ids import Kind
from filesync.model.links import LINK
from filesync.model.people import ANYBODY, People
from filesync.model.values import FieldKind, FieldSpec
from filesync.rules.contract import Contract, ContractField, Site, load_contract, strangers
from filesync.rules.ending import endings
from filesync.rules.fitting import allowed_words, locals_of, problems
from filesync.rules.given import constants_of, given_problems, presets_of
from filesync.rules.leaving import make_leaving
from filesync.rules.mapping import Rules
from filesync.rules.partner import partner_of, partner_problems
from filesync.rules.sieve import make_sieves
from filesync.rules.sound import among_the_sound
from filesync.rules.standing import NOBODY, Condition, FieldRule, Form, LinkRule, VisibilityRule, Way
from filesync.rules.users import By, Users
from filesync.rules.ways import WHY
from filesync.rules.words import SAME, Words
from filesync.settings import Document, did_you_mean, load, parse, place_in_file, quoted

_NO_MAPPING = Document("mapping.yaml", {}, {}, {})
_TWO = 2  # sites have a contract


def load_rules(contract_path: Path, mapping_path: Path | None, *, site: str, people: People = ANYBODY) -> Rules:
    """The rules of the site of this name. Raises ConfigError with every problem; without a mapping the words are the same.

    `people`: the users of the tracker that the rules are for.
    """
    try:
        contract = _of_two(contract_path, site=site)
    except ConfigError as error:
        raise _with_what_else(error, mapping_path) from error

    def unfit(said: Document) -> Iterator[Problem]:
        return _problems(contract, said, _said_of_issues(said)[1], site=site)

    def look(said: Document) -> Iterable[Problem]:
        return among_the_sound(said, "mapping", unfit)

    mapping = None if mapping_path is None else load(mapping_path, "mapping", look)
    return make_rules(contract, mapping, site=site, people=people)


def load_between(
    contract_path: Path, mapping_path: Path | None, *, us: Site, them: Site, one_way: bool, people: People = ANYBODY
) -> Rules:
    """As `load_rules`, for an exchange with this partner: a contract that names other sites is refused, too."""
    rules = load_rules(contract_path, mapping_path, site=us.name, people=people)
    if found := strangers(rules.contract, us=us, them=them, one_way=one_way):
        raise ConfigError(found, hint=f"Mend {contract_path} on both sides; nothing was sent or applied.")
    return rules


def _of_two(path: Path, *, site: str) -> Contract:
    contract = load_contract(path)
    others = contract.sites() - {site}
    if len(others) >= _TWO:
        what = f"names the sites {', '.join(sorted(contract.sites()))}; this site is {site}{did_you_mean(site, others)}"
        raise ConfigError([Problem(path.name, what)], hint="A contract is between two sites: mend a name.")
    return contract


def _with_what_else(error: ConfigError, mapping: Path | None) -> ConfigError:
    """What is wrong with the contract, and what is wrong with the mapping whatever the contract says."""
    try:
        if mapping is not None:
            load_mapping(mapping)
    except ConfigError as more:
        return ConfigError((*error.problems, *more.problems), hint=f"{error.hint} {more.hint}")
    return error


def read_mapping(text: str, *, name: str, hint: str) -> Document:
    """The text of a mapping that is no file here. Raises ConfigError with every problem."""
    return parse(text.encode(), "mapping", name=name, hint=hint)


def load_mapping(path: Path) -> Document:
    """Read mapping.yaml; a file of comments alone says nothing. Raises ConfigError with every problem."""
    return load(path, "mapping")


def make_rules(contract: Contract, mapping: Document | None = None, *, site: str, people: People = ANYBODY) -> Rules:
    """A contract seen through the mapping of the site of this name. Raises ConfigError with every inconsistency of the two."""
    document = mapping or _NO_MAPPING
    data: Mapping[str, Any] = document.data
    said, wrong = _said_of_issues(document)
    found = sorted(_problems(contract, document, wrong, site=site), key=place_in_file)
    if found:
        raise ConfigError(found, hint=f"Mend {document.name}; the contract is what both sites agreed on.")
    by = data.get("users_by")
    users = Users(data.get("users", {}), None if by is None else By(by), data.get("users_prefix", ""), people)
    links = LinkRule(Words(data.get("links", {})), frozenset(contract.links))
    return Rules(
        contract,
        tuple(_rules(contract, data, users, said)),
        links,
        endings(contract, data),
        users,
        make_sieves(data.get("attachments", {})),
        VisibilityRule(Words(data.get("visibilities", {})), frozenset(contract.visibilities)),
        leaving=make_leaving(data.get("leaving", {})),
        constants=constants_of(contract, data),
        presets=presets_of(contract, data),
        partner=partner_of(data),
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
        if rule is None and rules.carries(Kind.ISSUE, name):
            continue  # a constant
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
        if rule.form is None and (spec.kind, spec.many) != (field.spec.kind, field.spec.many):
            found.append(Problem(name, f"is {_shape(field.spec)} in the contract and {_shape(spec)} in the tracker"))
        known = {FieldKind.TYPE: types, FieldKind.STATUS: statuses}.get(field.spec.kind, spec.options)
        if rule.field.spec.kind is not FieldKind.USER and rule.stand_in is None:
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


def _rules(contract: Contract, data: Mapping[str, Any], users: Users, compiled: _Said) -> Iterator[FieldRule]:
    named = locals_of(data)
    local = {theirs: ours for ours, theirs in named.items()}
    for name, field in contract.fields.items():
        ours = local.get(name) or (None if name in named else name)
        if ours is not None and name not in data.get("constants", {}):
            yield _rule(contract, data, ours=ours, field=field, users=users, compiled=compiled)


def _problems(contract: Contract, document: Document, wrong: Iterable[Problem], *, site: str) -> Iterator[Problem]:
    """In what a mapping, which fits the schema, and the contract do not go together; `wrong`: its conditions and texts."""
    return chain(
        problems(contract, document, site=site),
        given_problems(contract, document, site=site),
        partner_problems(contract, document),
        wrong,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What of a mapping is compiled, by our names of the fields."""

    when: Mapping[str, Condition]
    text: Mapping[str, Form]


def _said_of_issues(document: Document) -> tuple[_Said, list[Problem]]:
    """Conditions and texts, and what is wrong with them. What compiles them is loaded only where a mapping has any."""
    entries = {ours: entry for ours, entry in document.data.get("fields", {}).items() if isinstance(entry, dict)}
    sources = [(ours, key, entry[key]) for ours, entry in entries.items() for key in ("when", "text") if key in entry]
    when: dict[str, Condition] = {}
    text: dict[str, Form] = {}
    wrong: list[Problem] = []
    if sources:
        from filesync.rules import expressions  # noqa: PLC0415, start-up time

        for ours, key, source in sources:
            try:
                if key == "when":
                    when[ours] = expressions.Condition(source)
                else:
                    text[ours] = expressions.Form(source)
            except ValueError as error:
                wrong.append(document.problem(("fields", ours, key), shown(str(error), limit=WHY)))
    return _Said(when, text), wrong


def _rule(
    contract: Contract, data: Mapping[str, Any], *, ours: str, field: ContractField, users: Users, compiled: _Said
) -> FieldRule:
    kind = field.spec.kind
    named = data.get("fields", {}).get(ours, {})
    said: Mapping[str, Any] = named if isinstance(named, dict) else {}
    match kind:
        case FieldKind.USER:
            words: Words = users
        case FieldKind.TYPE | FieldKind.STATUS:
            words = Words(data.get(_TABLES[kind], {}))
        case _:
            words = Words(said["options"]) if "options" in said else SAME
    default = said.get("default", {})
    anybody = data.get("users_default") if kind is FieldKind.USER else None
    if anybody == _NONE:
        anybody = NOBODY
    elif field.spec.many:
        anybody = None  # in a set, one name standing for several users could not be taken out for one of them
    return FieldRule(
        local=ours,
        field=field,
        words=words,
        allowed=allowed_words(contract, field),
        stand_in=default.get("in", anybody),
        spare=default.get("out"),
        way=Way(said.get("way", Way.BOTH)),
        born_only="only" in said,
        when=compiled.when.get(ours),
        form=compiled.text.get(ours),
    )


_TABLES = {FieldKind.TYPE: "types", FieldKind.STATUS: "statuses"}
_NONE = "none"  # what `users_default` says to have nobody stand in
