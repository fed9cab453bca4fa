"""The schemas: two validators that must agree, and nothing in them on which validators differ."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.bundle import schema
from filesync.bundle.changes import encode_change
from filesync.bundle.header import encode_header, encode_report
from filesync.bundle.introduction import Introduction, encode_introduction
from tests.support.bundles import CHANGES, HEADER, REPORT_1

FOLDER = Path(__file__).parent.parent.parent / "schemas"
ALL = sorted(path.stem for path in FOLDER.glob("*.json"))
WIRE = ["header", "report", "change", "keys"]  # what travels; others may check it with other validators

SAMPLES: dict[str, list[Any]] = {
    "header": [
        json.loads(encode_header(HEADER)),
        json.loads(encode_header(msgspec.structs.replace(HEADER, report=REPORT_1, features=["a"]))),
    ],
    "report": [json.loads(encode_report(REPORT_1))],
    "change": [json.loads(encode_change(change)) for change in CHANGES],
    "keys": [
        json.loads(encode_introduction(Introduction(n=1, key="ssh-ed25519 AAAA"))),
        json.loads(encode_introduction(Introduction(n=1, key="ssh-ed25519 AAAA", recipient="age1qqqq"))),
    ],
}


def parts(node: object) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema; not what stands under names of properties."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key in {"properties", "$defs", "patternProperties", "dependentSchemas"}:
                for inner in value.values():
                    yield from parts(inner)
            elif key not in {"const", "enum", "default", "examples"}:
                yield from parts(value)
    elif isinstance(node, list):
        for inner in node:
            yield from parts(inner)


@pytest.mark.parametrize("name", ALL)
def test_a_schema_is_one_and_says_what_it_is(name: str) -> None:
    document = schema.schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].endswith(f"/{name}.json")
    assert document["title"]
    for part in parts(document):
        for key, value in part.get("properties", {}).items():
            if "type" in part or "allOf" in part:  # not in the short forms under if and then
                target = document["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else {}
                assert "description" in target | value, f"{name}: {key} has no description"


@pytest.mark.parametrize("name", ALL)
def test_nothing_stands_in_a_schema_on_which_validators_differ(name: str) -> None:
    for part in parts(schema.schema(name)):
        assert not part.keys() & {"multipleOf", "format", "contentEncoding", "contentMediaType", "$dynamicRef"}
        for pattern in (part.get("pattern"), *part.get("patternProperties", {})):
            if isinstance(pattern, str):
                assert pattern.isascii()
                for differs in (r"\d", r"\w", r"\s", r"\b", r"\p", r"\D", r"\W", r"\S", "(?"):
                    assert differs not in pattern, f"{name}: {pattern}"


PATTERNS = [(name, part) for name in WIRE for part in parts(schema.schema(name)) if str(part.get("pattern", "")).endswith("$")]


@pytest.mark.parametrize(("name", "part"), PATTERNS)
@given(data=st.data())
def test_no_line_end_slips_in_behind_a_pattern(name: str, part: dict[str, Any], data: st.DataObject) -> None:
    text = data.draw(st.from_regex(part["pattern"].removesuffix("$") + r"\Z"))
    alone = {key: value for key, value in part.items() if key != "$ref"}
    fits = jsonschema.Draft202012Validator(alone).is_valid(text)
    assert fits == jsonschema_rs.validator_for(alone).is_valid(text)
    for judge in (jsonschema.Draft202012Validator(alone), jsonschema_rs.validator_for(alone)):
        assert not judge.is_valid(text + "\n")


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, -1, 9999, 10000, 2**53 - 1, 2**53]),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.sampled_from(["", "0" * 32, "0" * 64, "a\n", "fs1", "set", "create", "issue", "١", "ａ", "0001.0000000001.000001"]),
)
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3))
)


def places(document: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


@st.composite
def nearly_right(draw: st.DrawFn, name: str) -> Any:
    """A right document with up to three things changed: what validators are most likely to differ on."""
    document: Any = {"": copy.deepcopy(draw(st.sampled_from(SAMPLES[name])))}
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([path for path in places(document) if path]))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "add", "extend"])):
            case "remove" if len(path) > 1:
                del parent[path[-1]]
            case "add" if isinstance(parent[path[-1]], dict):
                parent[path[-1]][draw(st.sampled_from(["x", "n", "", "now", "parent", "files"]))] = draw(anything)
            case "extend" if isinstance(parent[path[-1]], str):
                parent[path[-1]] += draw(st.sampled_from(["\n", "0", " ", "é"]))
            case _:
                parent[path[-1]] = draw(anything)
    return document[""]


@pytest.mark.parametrize("name", WIRE)
@given(data=st.data())
def test_both_validators_agree(name: str, data: st.DataObject) -> None:
    document = data.draw(nearly_right(name))
    fits = schema.valid(name, document)
    assert fits == jsonschema.Draft202012Validator(schema.schema(name)).is_valid(document)
    assert fits == (not schema.problems(name, document))


@pytest.mark.parametrize("name", WIRE)
def test_the_samples_fit(name: str) -> None:
    for document in SAMPLES[name]:
        assert schema.problems(name, document) == ()


def test_problems_name_the_place_and_are_cut() -> None:
    document = SAMPLES["header"][0] | {"files": [{"path": "x" * 5000, "size": 1, "content_size": 1, "sha256": "0" * 64}]}
    found = schema.problems("header", document)
    assert [problem.where for problem in found] == ["files[0].path"] * 2
    assert [problem.what[41:] for problem in found][1] == " is too long"
    assert all(len(problem.what) < 250 for problem in found)
    (problem,) = schema.problems("header", SAMPLES["header"][0] | {"features": ["a"] * 1000})
    assert problem.what == "['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a',… is too long"


def test_of_a_million_problems_the_first_hundred_are_named() -> None:
    document = SAMPLES["header"][0] | {"files": [{}] * 250_000}
    assert len(schema.problems("header", document)) == schema.MOST


def test_a_text_that_is_not_unicode_is_a_problem_not_a_crash() -> None:
    for document in ("\ud800", {"counts": {"\ud800": 1}}):
        assert not schema.valid("header", document)
        assert schema.problems("header", document)
    (problem,) = schema.problems("change", SAMPLES["change"][0] | {"fields": {"\ud800": "x"}})
    assert "surrogate" in problem.what


def test_where_the_explainer_sees_nothing_the_judge_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "teacher", lambda name: jsonschema.Draft202012Validator({}))
    (problem,) = schema.problems("report", SAMPLES["report"][0] | {"held": [1, "two"]})
    assert problem.where == "held[1]"
    assert "two" in problem.what


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        schema.schema("nonsense")
