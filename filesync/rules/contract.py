"""The contract: what two sites share, equal on both, and who wins where both edit one field.

Read from contract.yaml (schemas/contract.json). `digest`, the SHA-256 of it as canonical JSON with every default written out,
stands in the header of every bundle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Any, Final

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.model import versions
from filesync.model.ids import ASK, FIRST, Kind, SiteId
from filesync.model.links import LINK
from filesync.model.manner import Markup
from filesync.model.values import ELEMENTS, FieldKind, FieldSpec, split_name
from filesync.rules import winner as winners
from filesync.rules.sound import among_the_sound
from filesync.rules.winner import NEVER_ASKED, ByValue, Winner
from filesync.settings import At, Document, did_you_mean, load, parse, place_in_file, quoted

BODY: Final = "body"
# the fields of what belongs to an issue, and of a version of the project: the same in every contract
BELOW: Final[Mapping[Kind, Mapping[str, FieldKind]]] = {
    Kind.COMMENT: {BODY: FieldKind.TEXT},
    Kind.ATTACHMENT: {"name": FieldKind.TEXT, "size": FieldKind.NUMBER},
    Kind.WORKLOG: {"started": FieldKind.DATETIME, "seconds": FieldKind.NUMBER, BODY: FieldKind.TEXT},
    Kind.VERSION: {
        versions.NAME: FieldKind.TEXT,
        versions.DESCRIPTION: FieldKind.TEXT,
        versions.START: FieldKind.DATE,
        versions.RELEASE: FieldKind.DATE,
        versions.RELEASED: FieldKind.TEXT,
        versions.ARCHIVED: FieldKind.TEXT,
    },
}
# of a comment or worklog, where the contract has words for it: who alone may see it (model/issue.py, RESTRICTION)
VISIBLE_TO: Final = "visible_to"
TAKEN: Final = frozenset({LINK, VISIBLE_TO, *(name for fields in BELOW.values() for name in fields)})

OWN_NAME: Final = (FieldKind.TYPE, FieldKind.STATUS, FieldKind.PARENT)  # kinds that stand once, under their own name
MUST_LIST: Final = (FieldKind.OPTION, FieldKind.CASCADE)
MAY_LIST: Final = (*MUST_LIST, FieldKind.VERSION, FieldKind.COMPONENT, FieldKind.LABEL)
CASCADE_DEPTH: Final = 2  # parent and child
_canonical = msgspec.json.Encoder(order="sorted")


class DeletePolicy(StrEnum):
    """What the receiver does when the partner deleted something."""

    MARK = "mark"  # say so on it
    MIRROR = "mirror"  # delete it too
    IGNORE = "ignore"  # leave it
    ORIGIN = "origin"  # mirror what was made at the partner's, ignore the rest
    CLOSE = "close"  # mark, and bring the issue to a status: a mapping alone says it, since the status is its site's


class Mode(StrEnum):
    """Of a one-way field, what becomes of an edit where it is received: it stays for now, or the source answers it."""

    DRIFT = "drift"
    GUARD = "guard"


class Flow(Enum):
    """Which way a field goes, seen from one site.

    drift: the receiver never tells and always takes. guard: the receiver tells its edit, and the source, which
    never takes, answers with its own value.
    """

    BOTH = auto()
    WE_SEND_DRIFT = auto()
    WE_TAKE_DRIFT = auto()
    WE_SEND_GUARD = auto()
    WE_TAKE_GUARD = auto()


@dataclass(frozen=True, slots=True)
class Site:
    """One of the two, as far as the rules ask."""

    id: SiteId
    name: str


@dataclass(frozen=True, slots=True)
class ContractField:
    """A field that travels. `source` is the name of a site; `mode` is given where `source` is."""

    spec: FieldSpec
    winner: Winner | None
    source: str | None
    mode: Mode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What two sites share. `fields` holds type, and status and parent where they travel; those of BELOW are not in it."""

    version: int
    winner: Winner
    fields: Mapping[str, ContractField]
    types: tuple[str, ...]
    statuses: tuple[str, ...]
    users: tuple[str, ...] | None  # None: any
    deletes: Mapping[Kind, DeletePolicy]
    below: Mapping[Kind, str | None]  # the kinds besides issues that travel, and the only site that tells each
    links: tuple[str, ...]  # types
    keys: bool  # whether each side tells what it calls the other's issues
    markup: Markup | None  # in which texts travel; None: the contract does not say
    visibilities: tuple[str, ...]  # words for those who alone may see a comment or worklog
    digest: str
    # where its file names each site, and by which key: for messages
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)

    def sites(self) -> frozenset[str]:
        """The names of sites that it speaks of."""
        said = [
            self.winner,
            *(one for field in self.fields.values() for one in (field.winner, field.source)),
            *self.below.values(),
        ]
        return frozenset(name for one in said for name in winners.named(one))

    def deciders(self) -> frozenset[str]:
        """The fields whose value says who wins others."""
        said = (self.winner, *(field.winner for field in self.fields.values()))
        return frozenset(one.field for one in said if isinstance(one, ByValue))

    def penned(self) -> frozenset[str]:
        """The fields, links with them, that only the side may edit which a value names."""
        by = ((name, winner_of(self, name)) for name in (*self.fields, LINK))
        return frozenset(name for name, one in by if isinstance(one, ByValue) and one.pen)


def load_contract(path: Path) -> Contract:
    """Read contract.yaml. Raises ConfigError with every problem."""
    return _agreed(load(path, "contract", _look), hint=f"Mend {path}, and the partner's copy with it.")


def read_contract(text: str, *, name: str, hint: str) -> Contract:
    """The same of a text that is no file here. Raises ConfigError with every problem."""
    return _agreed(parse(text.encode(), "contract", name=name, hint=hint, look=_look), hint=hint)


def winner_of(contract: Contract, field: str) -> Winner:
    """Who wins a field, given by its wire name, flat or bare: the source of a one-way field, its own winner, the contract's.

    Where the contract's follows a value, the field that holds this, and those of what belongs to an issue, have its `else`.
    Where a person is to decide, links, sets, and what says what an issue is have `first`, as has all that belongs to one.
    """
    name = split_name(field)[0]
    entry = contract.fields.get(name)
    chosen = (entry.source or entry.winner if entry else None) or contract.winner
    if chosen == ASK and (entry is None or entry.spec.many or entry.spec.kind in NEVER_ASKED):
        return FIRST
    if isinstance(chosen, ByValue) and (name == chosen.field or name in TAKEN - {LINK}):
        return chosen.otherwise
    return chosen


def asks(contract: Contract, field: str) -> bool:
    """Whether edits of both sides of a field, given by its wire name, wait for a person."""
    return winner_of(contract, field) == ASK


def wins(contract: Contract, field: str, *, us: Site, them: Site) -> bool:
    """Whether our value stands where both edited a field, given by its wire name; of one that follows a value, without any.

    Both sites come to opposite answers, for every field and whatever the contract says; where a person decides, they matter
    to nothing.
    """
    winner = winner_of(contract, field)
    return is_us(winner.otherwise if isinstance(winner, ByValue) else winner, us=us, them=them)


def is_us(chosen: str, *, us: Site, them: Site) -> bool:
    """Whether a winner by name is our site: one that is neither of the two is as `first`."""
    if us.name != them.name and chosen in (us.name, them.name):
        return chosen == us.name
    return (us.name, us.id) < (them.name, them.id)


def flow(contract: Contract, field: str, us_name: str) -> Flow:
    """Which way a field, given by its wire name, goes, seen from the site of this name."""
    entry = contract.fields.get(split_name(field)[0])
    if entry is None or entry.source is None:
        return Flow.BOTH
    if entry.mode is Mode.GUARD:
        return Flow.WE_SEND_GUARD if entry.source == us_name else Flow.WE_TAKE_GUARD
    return Flow.WE_SEND_DRIFT if entry.source == us_name else Flow.WE_TAKE_DRIFT


def strangers(contract: Contract, *, us: Site, them: Site, one_way: bool = False) -> tuple[Problem, ...]:
    """What a contract says of sites that are not the two of the exchange. To be asked when they are paired.

    `one_way`: of the two only one sends.
    """
    names = (us.name, them.name)
    if any(asks(contract, field) for field in contract.fields):
        if one_way:
            what = "says `winner: ask`, and only one side sends: edits of the two never meet. Leave it out"
            return (Problem("contract", what),)
        if ASK in names:
            return (Problem("contract", "says `winner: ask`, and a site is called so: it means a person. Name another winner"),)
    if us.name == them.name and contract.sites():
        return (Problem("contract", f"names a site, and both sites are called {quoted(us.name)}"),)
    unknown = ((name, *contract.places.get(name, ("contract", "it"))) for name in sorted(contract.sites() - set(names)))
    two = " and ".join(names)
    return tuple(
        Problem(where, f"{key} names a site {quoted(name)}, but the two are {two}{did_you_mean(name, names)}")
        for name, where, key in unknown
    )


def is_cascade(option: str) -> bool:
    """Whether an option of a cascading field is written as `parent` or `parent/child`."""
    parts = option.split("/")
    return len(parts) <= CASCADE_DEPTH and all(parts)


def _agreed(document: Document, *, hint: str) -> Contract:
    """The contract that a document, which fits the schema, says. Raises ConfigError."""
    problems = _problems(document)
    if problems:
        raise ConfigError(sorted(problems, key=place_in_file), hint=hint)
    full = _filled(document.data)
    below: dict[Kind, bool | dict[str, str]] = {kind: full.get(f"{kind}s", False) for kind in BELOW}
    return Contract(
        version=full["version"],
        winner=winners.winner(full["winner"]),
        fields={name: _field(name, entry) for name, entry in full["fields"].items()},
        types=tuple(full["types"]),
        statuses=tuple(full["statuses"]),
        users=None if full["users"] == "any" else tuple(full["users"]),
        deletes={Kind(kind): DeletePolicy(policy) for kind, policy in full["deletes"].items()},
        below={kind: said["from"] if isinstance(said, dict) else None for kind, said in below.items() if said},
        links=tuple(full["links"]),
        visibilities=tuple(full.get("visibilities", ())),
        keys=full.get("keys", False),
        markup=Markup(full["markup"]) if "markup" in full else None,
        digest=hashlib.sha256(_canonical.encode(full)).hexdigest(),
        places=winners.named_at(document),
    )


def _look(document: Document) -> Iterable[Problem]:
    return among_the_sound(document, "contract", _problems)


def _problems(document: Document) -> list[Problem]:
    """What the schema cannot see."""
    problems = [problem for name in document.data["fields"] for problem in _field_problems(document, name)]
    return [*problems, *winners.problems(document)]


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every default written out and every list sorted: what both sides must be equal in."""
    fields = {FieldKind.TYPE.value: {"kind": FieldKind.TYPE.value}}
    if data.get("statuses"):
        fields[FieldKind.STATUS.value] = {"kind": FieldKind.STATUS.value}
    fields |= data["fields"]
    users = data.get("users", "any")
    # not written out where there are none: a contract of before there could be any keeps its digest
    some: dict[str, Any] = {"visibilities": sorted(data["visibilities"])} if data.get("visibilities") else {}
    some |= {"markup": data["markup"]} if data.get("markup") else {}
    some |= {"keys": True} if data.get("keys") else {}
    some |= {"versions": data["versions"]} if data.get("versions") else {}
    return {
        "version": int(data["version"]),  # JSON Schema takes 3.0 for a whole number too
        "winner": winners.filled(data.get("winner")) or FIRST,
        "deletes": {"issue": "mark", "comment": "mirror", "attachment": "mirror", "worklog": "mirror"}
        | data.get("deletes", {}),
        "types": sorted(data["types"]),
        "statuses": sorted(data.get("statuses", [])),
        "users": users if users == "any" else sorted(users),
        "comments": data.get("comments", True),
        "attachments": data.get("attachments", True),
        "worklogs": data.get("worklogs", True),
        "links": sorted(data.get("links", [])),
        "fields": {name: _filled_field(entry) for name, entry in fields.items()},
        **some,
    }


def _filled_field(entry: Mapping[str, Any]) -> dict[str, Any]:
    source = entry.get("from")
    return {
        "kind": entry["kind"],
        "many": entry.get("many", False),
        "options": sorted(entry.get("options", [])),
        "winner": winners.filled(entry.get("winner")),
        "from": source,
        "mode": (entry.get("mode") or Mode.DRIFT.value) if source else None,
    }


def _field(name: str, entry: Mapping[str, Any]) -> ContractField:
    spec = FieldSpec(name, FieldKind(entry["kind"]), many=entry["many"], options=tuple(entry["options"]))
    return ContractField(spec, winners.winner(entry["winner"]), entry["from"], Mode(entry["mode"]) if entry["mode"] else None)


def _field_problems(document: Document, name: str) -> Iterator[Problem]:
    entry = document.data["fields"][name]
    kind = FieldKind(entry["kind"])
    at: At = ("fields", name)
    if name in TAKEN:
        yield document.problem(
            at,
            f"`{name}` is what links, or a field of what belongs to an issue, are called: call this one something else",
            key=True,
        )
    if (kind in OWN_NAME or name in OWN_NAME) and name != kind:
        yield document.problem(
            (*at, "kind"), "the fields type, status and parent have the kind of their name, and no other has it"
        )
    if kind is FieldKind.STATUS and not document.data.get("statuses"):
        yield document.problem(at, "status travels only where `statuses` lists some", key=True)
    if entry.get("many") and kind not in ELEMENTS:
        yield document.problem((*at, "many"), f"a field of kind {kind} has one value")
    yield from _option_problems(document, at, kind)
    if entry.get("from") and entry.get("winner"):
        yield document.problem((*at, "winner"), "the source of a one-way field always wins: leave `winner` out")
    yield from winners.problems(document, "fields", name)
    if entry.get("mode") and not entry.get("from"):
        yield document.problem((*at, "mode"), "`mode` says something of a field with `from` only")


def _option_problems(document: Document, at: At, kind: FieldKind) -> Iterator[Problem]:
    options = document.data["fields"][at[-1]].get("options", [])
    if options and kind not in MAY_LIST:
        yield document.problem((*at, "options"), f"a field of kind {kind} has no options")
    if kind in MUST_LIST and not options:
        yield document.problem(at, f"a field of kind {kind} lists its options", key=True)
    if kind is FieldKind.CASCADE:
        for index, option in enumerate(options):
            if not is_cascade(option):
                yield document.problem((*at, "options", index), f"{quoted(option)} is neither `parent` nor `parent/child`")
