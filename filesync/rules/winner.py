"""A winner that follows the value of another field of the same issue: whoever is responsible for it as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from filesync.errors import Problem
from filesync.model.ids import ASK, FIRST
from filesync.model.values import FieldKind, Value
from filesync.settings import At, Document, did_you_mean, quoted

FIELD: Final = "field"
ELSE: Final = "else"
PEN: Final = "pen"
_SAID: Final = frozenset({FIELD, ELSE, PEN})  # what is said besides the sites
TAKEN: Final = _SAID | {FIRST}  # no site is called so
# kinds whose one value is a word
_SAYS: Final = (
    FieldKind.OPTION,
    FieldKind.STATUS,
    FieldKind.TYPE,
    FieldKind.USER,
    FieldKind.TEXT,
    FieldKind.VERSION,
    FieldKind.COMPONENT,
)


@dataclass(frozen=True, slots=True)
class ByValue:
    """Which site wins, by what `field` of the same issue holds. `otherwise` is also the site that settles crossings."""

    field: str
    sites: Mapping[str, str]  # a value -> the name of a site
    otherwise: str  # the name of a site, or FIRST: for any other value, and for none
    pen: bool = False  # whether the other site's edits are answered with the value that was there

    def site(self, value: Value | None) -> str:
        """The name of the site that is responsible, or FIRST."""
        return self.sites.get(value, self.otherwise) if isinstance(value, str) else self.otherwise


Winner: TypeAlias = str | ByValue  # the name of a site, FIRST, ASK, or what decides
# kinds of which neither side can wait for a person: they say what an issue is, and where it hangs
NEVER_ASKED: Final = (FieldKind.TYPE, FieldKind.PARENT)


def filled(entry: Any) -> Any:
    """What a contract says of a winner, with defaults written out and lists sorted: what both sides must be equal in."""
    if not isinstance(entry, Mapping):
        return entry
    words = {site: sorted(words) for site, words in entry.items() if site not in _SAID}
    return {FIELD: entry[FIELD], ELSE: entry.get(ELSE) or FIRST, PEN: entry.get(PEN, False), **words}


def winner(entry: Any) -> Any:
    """The winner that a `filled` entry says; None where it says none."""
    if not isinstance(entry, Mapping):
        return entry
    sites = {word: site for site, words in entry.items() if site not in _SAID for word in words}
    return ByValue(entry[FIELD], sites, entry[ELSE], entry[PEN])


def named(winner: Winner | None) -> Iterator[str]:
    """The names of sites in it."""
    chosen = (winner.otherwise, *winner.sites.values()) if isinstance(winner, ByValue) else (winner,)
    return (name for name in chosen if name and name not in (FIRST, ASK))


def named_at(document: Document) -> dict[str, tuple[str, str]]:
    """Where a contract names each site first: the place, and the key with what it may say besides."""
    found: dict[str, tuple[str, str]] = {}
    both, first = f"`winner` (which may also be `{FIRST}` or `{ASK}`)", f"`{ELSE}` (which may also be `{FIRST}`)"
    said = {"winner": both, ELSE: first, "from": "`from`"}
    for at in document.values:
        *way, last = at or ("",)
        inside: Any = document.data
        for key in way:
            inside = inside[key]
        if last in said and isinstance(inside, Mapping) and isinstance(inside[last], str):
            found.setdefault(inside[last], (document.problem(at, "").where, said[str(last)]))
        elif way[-1:] == ["winner"] and last not in _SAID:
            found.setdefault(str(last), (document.problem(at, "", key=True).where, "`winner`"))
    return found


def problems(document: Document, *at: str) -> Iterator[Problem]:
    """What is wrong with the winner of the contract, or of one of its fields, that fits the schema."""
    place: At = (*at, "winner")
    entry = document.data
    for key in place:
        entry = entry.get(key) or {}
    if entry == ASK and at:
        yield from _ask_problems(document, place)
    if not isinstance(entry, Mapping) or not entry:
        return
    field, sites = entry[FIELD], [one for one in entry if one not in _SAID]
    yield from _field_problems(document, (*place, FIELD), field, of=at[-1] if at else None)
    if not sites:
        yield document.problem(place, "names no site: say which values of the field stand for which one")
    known = _words(document.data, field)
    seen: dict[str, str] = {}
    for site in sites:
        for index, word in enumerate(entry[site]):
            if word in seen:
                yield document.problem((*place, site, index), f"{quoted(word)} stands for {seen[word]} already")
            elif known is not None and word not in known:
                what = f"{quoted(word)} is no value of `{field}`{did_you_mean(word, known)}"
                yield document.problem((*place, site, index), what)
            seen.setdefault(word, site)


def _ask_problems(document: Document, place: At) -> Iterator[Problem]:
    """What is wrong with a field of which a person is to decide."""
    entry = document.data["fields"][place[1]]
    if entry["kind"] in NEVER_ASKED:
        yield document.problem(place, f"a field of kind {entry['kind']} does not wait for a person: name a site, or `first`")
    elif entry.get("many"):
        yield document.problem(
            place, "elements of a set hardly ever meet, and do not wait for a person: name a site, or `first`"
        )


def _field_problems(document: Document, at: At, field: str, *, of: str | None) -> Iterator[Problem]:
    """What is wrong with the field whose value decides. `of`: the field whose winner it is; None: all of the issue."""
    fields: Mapping[str, Any] = document.data["fields"]
    implied = {FieldKind.TYPE.value, *([FieldKind.STATUS.value] if document.data.get("statuses") else [])}
    if field not in fields.keys() | implied:
        what = f"{quoted(field)} is no field of the contract{did_you_mean(field, fields.keys() | implied)}"
        yield document.problem(at, what)
        return
    if field == of:
        yield document.problem(at, f"who wins `{field}` cannot follow its own value: name a site")
        return
    entry: Mapping[str, Any] = fields.get(field, {})
    kind = FieldKind(entry.get("kind", field))
    if kind not in _SAYS or entry.get("many"):
        what = "a set of values" if entry.get("many") else f"of kind {kind}"
        yield document.problem(at, f"`{field}` is {what}: whose value decides holds one word")
    own = entry.get("winner") or (None if entry.get("from") else document.data.get("winner"))
    if own == ASK and kind not in NEVER_ASKED and not entry.get("from"):
        yield document.problem(
            at, f"who wins `{field}` itself must not wait for a person: give it a `winner` of its own, a site"
        )
    if isinstance(own, Mapping) and (entry.get("winner") or (of is not None and own[FIELD] != field)):
        what = f"who wins `{field}` itself must not follow a value too: give it a `winner` of its own, a site"
        yield document.problem(at, what)


def _words(data: Mapping[str, Any], field: str) -> set[str] | None:
    """The values that a field may have; None: any."""
    entry = data["fields"].get(field, {"kind": field})
    match entry["kind"]:
        case FieldKind.TYPE:
            return set(data["types"])
        case FieldKind.STATUS:
            return set(data.get("statuses", ()))
        case FieldKind.USER:
            users = data.get("users", "any")
            return None if users == "any" else set(users)
    return set(entry["options"]) if entry.get("options") else None
