"""For every contract, mapping and value: what comes in and goes out again is what came in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.ids import Kind
from filesync.model.values import FieldKind, Value, digest, flat_name, normal, split_name, utc_text
from filesync.rules.mapping import Rules
from tests.rules.build import LEAST, as_yaml, gid, issue, rules

WORDS = ["A", "B", "C", "D", "a b", "ü"]  # few, so that ours and theirs are often the same
PLAIN = st.text(min_size=1, max_size=12).map(lambda text: normal(FieldKind.TEXT, text)).filter(bool)
YEAR_1000 = dt.datetime(1000, 1, 2)  # noqa: DTZ001 (Hypothesis wants its bounds without an offset)
MOMENTS = st.datetimes(min_value=YEAR_1000, timezones=st.just(dt.UTC)).map(utc_text)
PARENTS = {gid(local): local for local in ("1", "2", "3")}

tables = st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS), max_size=5)
lists = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5, unique=True)


def fitting(table: Mapping[str, str], words: list[str]) -> dict[str, str]:
    return {ours: theirs for ours, theirs in table.items() if theirs in words}


@st.composite
def settings(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A contract with every kind of field, and a mapping that fits it."""
    types, statuses, options, users = draw(lists), draw(lists), draw(lists), draw(st.one_of(st.none(), lists))
    pairs = draw(st.lists(st.sampled_from(["A", "A/B", "A/C", "B", "B/B"]), min_size=1, max_size=5, unique=True))
    contract = {
        **LEAST,
        "types": types,
        "statuses": statuses,
        "users": "any" if users is None else users,
        "fields": {
            **{kind: {"kind": kind} for kind in ("text", "number", "date", "datetime", "user", "parent", "label", "version")},
            **{f"{kind}s": {"kind": kind, "many": True} for kind in ("text", "number", "date", "datetime", "user", "label")},
            "option": {"kind": "option", "options": options},
            "options": {"kind": "option", "options": options, "many": True},
            "cascade": {"kind": "cascade", "options": pairs},
        },
    }
    places = draw(st.permutations(["text", "number", "Headline", "Count"]))
    mapping = {
        "types": fitting(draw(tables), types),
        "statuses": fitting(draw(tables), statuses),
        "users": draw(tables) if users is None else fitting(draw(tables), users),
        "fields": {
            places[0]: "text",
            places[1]: "number",
            "Choice": {"field": "option", "options": fitting(draw(tables), options)},
            "Choices": {"field": "options", "options": fitting(draw(tables), options)},
            "Place": {"field": "cascade", "options": fitting({"X": "A", "X/Y": "A/B", "Y/Z": "A/B", "A": "B"}, pairs)},
        },
    }
    return contract, mapping


def values(contract: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Value]]:
    """Flat wire fields as the contract allows them."""
    of_kind: dict[str, st.SearchStrategy[str]] = {
        "text": PLAIN,
        "number": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(
            lambda number: normal(FieldKind.NUMBER, str(number))
        ),
        "date": st.dates().map(dt.date.isoformat),
        "datetime": MOMENTS,
        "user": PLAIN if contract["users"] == "any" else st.sampled_from(contract["users"]),
        "label": PLAIN,
        "version": PLAIN,
        "option": st.sampled_from(contract["fields"]["option"]["options"]),
        "parent": st.sampled_from(sorted(PARENTS)),
        "type": st.sampled_from(contract["types"]),
        "status": st.sampled_from(contract["statuses"]),
    }
    single: dict[str, st.SearchStrategy[Value]] = dict(of_kind)
    single["cascade"] = st.sampled_from(contract["fields"]["cascade"]["options"]).map(lambda option: option.split("/"))
    sets = st.dictionaries(
        st.sampled_from(["text", "number", "date", "datetime", "user", "label", "option"]).flatmap(
            lambda kind: of_kind[kind].map(lambda element: flat_name(f"{kind}s", element))
        ),
        st.just(True),
        max_size=6,
    )
    return st.tuples(st.fixed_dictionaries({}, optional=single), sets).map(lambda both: {**both[0], **both[1]})


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, dict[str, Value]]:
    contract, mapping = draw(settings())
    return as_yaml(contract), as_yaml(mapping), draw(values(contract))


def made(factory: pytest.TempPathFactory, contract: str, mapping: str) -> Rules:
    return rules(factory.getbasetemp(), contract, mapping)


def gid_of(local: str) -> Any:
    return gid(local) if gid(local) in PARENTS else None


@given(cases())
def test_what_comes_in_goes_out_as_it_came(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, str, dict[str, Value]]
) -> None:
    contract, mapping, wire = case
    ours = made(tmp_path_factory, contract, mapping)
    taken = ours.inward(Kind.ISSUE, wire, PARENTS.get)
    assert all("stands for" in why for why in taken.refused.values()), "only a word that nothing here stands for is refused"
    here = {name: value for name, value in taken.fields.items() if value is not None}
    told = ours.outward(issue(here), gid_of)
    assert told.fields == {name: value for name, value in wire.items() if name not in taken.refused}
    assert (told.dropped, told.unresolved, told.untold) == ((), (), frozenset())


ours_words = st.sampled_from([*WORDS, "nobody's"])
single_words: dict[str, st.SearchStrategy[Value]] = dict.fromkeys(
    ["type", "status", "user", "Choice", "text", "Headline"], ours_words
)
local_values: st.SearchStrategy[dict[str, Value]] = st.tuples(
    st.fixed_dictionaries({}, optional=single_words),
    st.fixed_dictionaries({}, optional={"Place": st.sampled_from([["X"], ["X", "Y"], ["Y", "Z"], ["A"], ["B", "B"], ["Q"]])}),
    st.dictionaries(
        st.builds(flat_name, st.sampled_from(["Choices", "users", "labels"]), ours_words), st.just(True), max_size=8
    ),
).map(lambda parts: {**parts[0], **parts[1], **parts[2]})


@given(cases(), local_values)
def test_what_goes_out_is_stable_when_it_comes_back(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, str, dict[str, Value]], local: dict[str, Value]
) -> None:
    """Several of ours for one of the contract's: another of them may stand here afterwards, the digest is the same."""
    contract, mapping, _ = case
    ours = made(tmp_path_factory, contract, mapping)
    told = ours.outward(issue(local), gid_of)
    taken = ours.inward(Kind.ISSUE, told.fields, PARENTS.get)
    assert taken.refused == {}
    again = ours.outward(issue({name: value for name, value in taken.fields.items() if value is not None}), gid_of)
    assert {name: digest(value) for name, value in again.fields.items()} == {
        name: digest(value) for name, value in told.fields.items()
    }


@given(cases(), local_values)
def test_an_element_taken_out_is_gone_whichever_of_ours_stood_for_it(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, str, dict[str, Value]], local: dict[str, Value]
) -> None:
    contract, mapping, _ = case
    ours = made(tmp_path_factory, contract, mapping)
    told = ours.outward(issue(local), gid_of)
    elements = [name for name in told.fields if split_name(name)[1] is not None]
    taken = ours.inward(Kind.ISSUE, dict.fromkeys(elements), PARENTS.get)
    assert taken.refused == {}
    left = {name: value for name, value in local.items() if name not in taken.fields}
    rest = {name: value for name, value in told.fields.items() if name not in elements}
    assert ours.outward(issue(left), gid_of).fields == rest


FIELDS = [
    "type",
    "status",
    "text",
    "number",
    "date",
    "datetime",
    "user",
    "parent",
    "label",
    "option",
    "cascade",
    "labels",
    "numbers",
]
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    ours_words,
    st.sampled_from(
        ["1", "01", "-0", "1e3", "2026-02-30", "2026-02-28", "0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00.000Z"]
    ),
    st.lists(st.one_of(ours_words, st.text(max_size=3)), max_size=3),
)
any_names = st.one_of(
    st.sampled_from(FIELDS),
    st.builds(flat_name, st.sampled_from(FIELDS), st.one_of(ours_words, st.text(max_size=3), st.just("01"))),
    st.text(max_size=6),
)


@given(cases(), st.dictionaries(any_names, anything, max_size=8))
def test_whatever_arrives_is_refused_by_name_or_is_a_value_of_the_contract(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, str, dict[str, Value]], wire: dict[str, Value | None]
) -> None:
    contract, mapping, _ = case
    ours = made(tmp_path_factory, contract, mapping)
    taken = ours.inward(Kind.ISSUE, wire, PARENTS.get)
    told = ours.outward(issue({name: value for name, value in taken.fields.items() if value is not None}), gid_of)
    let_in = {name: value for name, value in wire.items() if name not in taken.refused and value is not None}
    assert told.fields == let_in
    assert told.untold == frozenset()
    for name in wire.keys() - taken.refused.keys() - let_in.keys():
        assert all(taken.fields[local] is None for local in ours.local_names(name))
