"""Whether a mapping fits the contract: every inconsistency of the two, each where it stands in the file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from filesync.errors import Problem
from filesync.model.ids import Kind
from filesync.model.issue import RESTRICTION
from filesync.model.values import FieldKind
from filesync.rules.contract import MAY_LIST, OWN_NAME, Contract, ContractField, Mode, is_cascade
from filesync.rules.standing import Way
from filesync.settings import At, Document, did_you_mean, quoted

_BOTH_WAYS: Final = (FieldKind.TYPE, FieldKind.PARENT)  # without these nothing can be made
_WORDED: Final = (*MAY_LIST, FieldKind.USER, FieldKind.TYPE, FieldKind.STATUS)


def locals_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The mapping's fields, ours to the contract's, without what more is said of them."""
    return {ours: entry if isinstance(entry, str) else entry["field"] for ours, entry in data.get("fields", {}).items()}


def allowed_words(contract: Contract, field: ContractField) -> frozenset[str] | None:
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


def problems(contract: Contract, document: Document, *, site: str) -> Iterator[Problem]:
    """Everything in which the mapping of the site of this name does not fit the contract."""
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
    if not any(field.spec.kind is FieldKind.USER for field in contract.fields.values()):
        said = [key for key in ("users_by", "users_prefix", "users_default") if key in data]
        yield from (document.problem((key,), "no user travels under the contract", key=True) for key in said)
    if "attachments" in data and Kind.ATTACHMENT not in contract.below:
        yield document.problem(("attachments",), "no attachment travels under the contract", key=True)
    first: dict[str, str] = {}
    for ours, theirs in locals_of(data).items():
        at: At = ("fields", ours)
        if theirs not in contract.fields:
            yield document.problem(at, f"the contract has no field {quoted(theirs)}{did_you_mean(theirs, contract.fields)}")
        elif theirs in first:
            yield document.problem(at, f"{quoted(first[theirs])} stands for {quoted(theirs)} already", key=True)
        else:
            first[theirs] = ours
            if ours != theirs and (theirs in OWN_NAME or ours in OWN_NAME):
                yield document.problem(at, "the fields type, status and parent have the same name everywhere", key=True)
            if isinstance(data["fields"][ours], dict):
                yield from _Entry(contract, document, ours, site).problems()


class _Entry:
    """What a mapping says of one field, beyond its name."""

    def __init__(self, contract: Contract, document: Document, ours: str, site: str) -> None:
        self._document = document
        self._at: At = ("fields", ours)
        self._ours = ours
        self._said: Mapping[str, Any] = document.data["fields"][ours]
        self._theirs: str = self._said["field"]
        self._field = contract.fields[self._theirs]
        self._allowed = allowed_words(contract, self._field)
        self._tables = {FieldKind.TYPE: "types", FieldKind.STATUS: "statuses", FieldKind.USER: "users"}
        self._site = site

    def problems(self) -> Iterator[Problem]:
        """All of them."""
        yield from self._options()
        yield from self._default()
        yield from self._flow()

    def _problem(self, what: str, *keys: str) -> Problem:
        return self._document.problem((*self._at, *keys), what, key=True)

    def _options(self) -> Iterator[Problem]:
        kind = self._field.spec.kind
        options: Mapping[str, str] = self._said.get("options", {})
        if "options" in self._said and kind not in MAY_LIST:
            yield self._problem(f"{quoted(self._theirs)} is a {kind}: it has no options", "options")
            return
        yield from _unknown_words(self._document, (*self._at, "options"), options, self._allowed)
        if kind is FieldKind.CASCADE:
            for option in options:
                if not is_cascade(option):
                    yield self._problem(f"{quoted(option)} is neither `parent` nor `parent/child`", "options", option)

    def _default(self) -> Iterator[Problem]:
        if "default" not in self._said:
            return
        spec, said = self._field.spec, self._said["default"]
        if spec.kind not in _WORDED:
            yield self._problem(f"{quoted(self._theirs)} is a {spec.kind}: it has no words, and so no default", "default")
            return
        if spec.many:
            what = "in a set, one word standing for several could not be taken out for one of them: leave `default` out"
            yield self._problem(what, "default")
            return
        out, into = said.get("out"), said.get("in")
        if out is not None and self._allowed is None:
            yield self._problem("the contract takes every word here, so none of ours is without one", "default", "out")
        elif out is not None:
            yield from _unknown_words(self._document, (*self._at, "default"), {"out": out}, self._allowed)
        if into is None:
            return
        if spec.kind is FieldKind.CASCADE and not is_cascade(into):
            yield self._problem(f"{quoted(into)} is neither `parent` nor `parent/child`", "default", "in")
        table = self._tables.get(spec.kind)
        words = self._document.data.get(table, {}) if table else self._said.get("options", {})
        if spec.kind is not FieldKind.USER and out is None and self._allowed is not None:
            word = words.get(into, into)
            if word not in self._allowed:
                what = f"{quoted(into)} would go out as nothing: give it a word of the contract's, or say `default: {{out: …}}`"
                yield self._problem(what, "default", "in")

    def _flow(self) -> Iterator[Problem]:
        said = [key for key in ("way", "only", "when", "text") if key in self._said]
        kind, source = self._field.spec.kind, self._field.source
        if said and kind in _BOTH_WAYS:
            yield self._problem(f"nothing can be made without its {kind}: it always flows both ways", said[0])
            return
        if said and self._ours in RESTRICTION.values():
            yield self._problem(f"{quoted(self._ours)} says who may see an issue: it always flows both ways", said[0])
            return
        way = Way(self._said.get("way", Way.BOTH))
        if way is Way.IN and source == self._site:
            yield self._problem(f"the contract has this site, {self._site}, as the source of {quoted(self._theirs)}", "way")
        if way is Way.OUT and source not in (None, self._site):
            yield self._problem(f"the contract has {source} as the only source of {quoted(self._theirs)}", "way")
        if "text" in self._said:
            yield from self._text(sends=way is Way.OUT or source == self._site)
        if "only" in self._said and source == self._site and self._field.mode is Mode.GUARD:
            yield self._problem("the contract wants edits at the partner's answered from here (mode: guard)", "only")

    def _text(self, *, sends: bool) -> Iterator[Problem]:
        spec = self._field.spec
        if spec.kind is not FieldKind.TEXT or spec.many or spec.options:
            yield self._problem(f"{quoted(self._theirs)} is no free text in the contract", "text")
        elif not sends:
            yield self._problem("what is told as a text cannot be read back: say `way: out`", "text")


def _unknown_words(document: Document, at: At, table: Mapping[str, str], words: Iterable[str] | None) -> Iterator[Problem]:
    known = None if words is None else frozenset(words)
    for ours, theirs in table.items():
        if known is not None and theirs not in known:
            yield document.problem((*at, ours), f"{quoted(theirs)} is not in the contract{did_you_mean(theirs, known)}")
