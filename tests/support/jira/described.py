"""Requests held against the makers' own descriptions of the API, where those lie beside the repository.

The descriptions may not be shipped: they are looked for in `../shared/jira-openapi` (from the repository's root) or where
JIRA_OPENAPI says. Without them there is nothing to hold against, and tests skip. Known defects of the descriptions are
mended when they are read; each has its reason beside it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.jira.flavours import CLOUD, DC9, Flavour
from tests.support.jira.records import Json
from tests.support.jira.server import Seen

FOLDER = Path(os.environ.get("JIRA_OPENAPI", Path(__file__).parents[4] / "shared/jira-openapi"))
FILES = {
    DC9.name: ("jira-dc-9.12.0.from-wadl.json", "jira-dc-10.3.24.json"),  # of the second, the agile part alone
    "dc-10.3": ("jira-dc-10.3.24.json",),
    CLOUD.name: (
        "jira-cloud-platform-v2_2024-08.json",
        "jira-cloud-platform-v3_2025-12.json",
        "jira-cloud-software-agile_2022-07.json",
    ),
}
# what is no part of the described API, and used all the same
BESIDE = (
    re.compile(r"/secure/attachment/\d+/"),  # where Data Center's attachments are
    re.compile(r"/(?:oauth/token|rest/oauth2/latest/token)$"),  # OAuth has a description of its own
)
PLATFORM_ALONE = re.compile(r"/rest/agile/1\.0/")  # the description of 9.12 has nothing of boards and sprints
# Version 2 of these came after its description was taken; they are as in version 3.
NEWER = re.compile(r"/rest/api/2/(search/jql|search/approximate-count|issue/bulkfetch|changelog/bulkfetch)$")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    document: str
    query: dict[str, Json]  # name -> schema
    body: Json  # a schema, or None
    required: frozenset[str]
    answers: dict[str, Json]  # status -> schema


def descriptions() -> Path:
    """The folder with the descriptions. Without it the test is skipped."""
    if not FOLDER.is_dir():
        pytest.skip("the descriptions of Jira's API are not here: put them into ../shared/jira-openapi")
    return FOLDER


def check(flavour: Flavour, requests: Iterable[Seen], *, context: str = "") -> None:
    """Assert that what filesync asked is as described, where the descriptions are. What other clients ask is their matter."""
    if FOLDER.is_dir():
        ours = (seen for seen in requests if seen.headers.get("user-agent", "").startswith("filesync/"))
        found = problems(flavour, ours, context=context)
        assert not found, "\n".join(found)


def problems(flavour: Flavour, requests: Iterable[Seen], *, context: str = "") -> list[str]:
    """What is not as described, a line for each, none twice."""
    found: dict[str, None] = {}
    for seen in requests:
        path = seen.path.removeprefix(context)
        if any(beside.match(path) for beside in BESIDE) or (flavour is DC9 and PLATFORM_ALONE.match(path)):
            continue
        operation = _find(flavour, seen.method, path)
        if isinstance(operation, str):
            found[operation] = None
            continue
        words = [*_query_problems(operation, seen), *_body_problems(operation, seen)]
        found |= {f"{seen.method} {path}: {one}": None for one in words}
    return list(found)


def answer_problems(flavour: Flavour, method: str, path: str, status: int, body: Json) -> list[str]:
    """What in an answer of the simulator is not as described."""
    operation = _find(flavour, method, path)
    if isinstance(operation, str):
        return [operation]
    schema = operation.answers.get(str(status))
    if schema is None:
        return []
    validator = Draft202012Validator(schema, registry=_registry(operation.document))
    return [f"{method} {path}: {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]


def _query_problems(operation: Operation, seen: Seen) -> list[str]:
    found = [f"the parameter {name} is unknown" for name in seen.query if name not in operation.query]
    found += [f"the parameter {name} is missing" for name in sorted(operation.required - seen.query.keys())]
    for name, values in seen.query.items():
        kind = operation.query.get(name, {}).get("type")
        for value in values:
            if kind == "integer" and not re.fullmatch(r"-?\d+", value):
                found.append(f"the parameter {name} is no number: {value[:40]!r}")
            if kind == "boolean" and value not in {"true", "false"}:
                found.append(f"the parameter {name} is neither true nor false: {value[:40]!r}")
    return found


def _body_problems(operation: Operation, seen: Seen) -> list[str]:
    if seen.headers.get("content-type", "").startswith("multipart/"):
        return []
    if operation.body is None:
        return ["no body is known here"] if seen.body else []
    try:
        body = json.loads(seen.body)
    except ValueError:
        return ["the body is no JSON"]
    validator = Draft202012Validator(operation.body, registry=_registry(operation.document))
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]


@lru_cache(maxsize=10_000)  # ids are the same in every site
def _find(flavour: Flavour, method: str, path: str) -> Operation | str:
    newer = NEWER.match(path)
    wanted = f"/rest/api/3/{newer[1]}" if newer else path
    allowed: set[str] = set()
    for document in FILES[flavour.name]:
        if document == FILES["dc-10.3"][0] and flavour is DC9 and not path.startswith("/rest/agile/"):
            continue
        for template, pattern in _templates(document):
            if pattern.fullmatch(wanted):
                operations = _document(document)["paths"][template]
                if method.lower() in operations:
                    return _operation(document, template, method.lower())
                allowed |= operations.keys()
    if allowed:
        return f"{method} {path}: the method is not known here"
    return f"{method} {path}: the path is not known"


@lru_cache
def _templates(document: str) -> list[tuple[str, re.Pattern[str]]]:
    """Every path with its pattern, those without names first."""
    made = []
    for template in _document(document)["paths"]:
        full = template if template.startswith("/rest") else f"/rest{template}"
        pattern = "".join(part if index % 2 == 0 else "[^/]+" for index, part in enumerate(re.split(r"\{([^}]+)\}", full)))
        made.append((template, re.compile(pattern)))
    return sorted(made, key=lambda one: one[0].count("{"))


@lru_cache
def _operation(document: str, template: str, method: str) -> Operation:
    spec = _document(document)
    raw = spec["paths"][template][method]
    parameters = [*spec["paths"][template].get("parameters", []), *raw.get("parameters", [])]
    query = {one["name"]: one.get("schema", {}) for one in parameters if one.get("in") == "query"}
    if template.endswith("/issue/{issueIdOrKey}/transitions") and method == "get":
        query.setdefault("expand", {"type": "string"})  # Data Center's forgets how screens are asked for
    required = {one["name"] for one in parameters if one.get("in") == "query" and one.get("required")}
    content = (raw.get("requestBody") or {}).get("content", {})
    schema = content.get("application/json", {}).get("schema") if content else None
    if schema is not None and template.endswith("/properties/{propertyKey}"):
        schema = {}  # any JSON; Data Center's says a string with JSON in it
    if schema is not None and document == FILES[DC9.name][0] and template.endswith("/watchers"):
        schema = {"type": "string"}  # said to be an object; the page it was taken from shows a name in quotation marks
    if schema is None and document == FILES[DC9.name][0] and method in {"put", "post"}:
        schema = {}  # the conversion of 9.12's lost some bodies
    answers = {
        status: _anchored(one["content"]["application/json"].get("schema", {}))
        for status, one in raw.get("responses", {}).items()
        if "application/json" in one.get("content", {})
    }
    return Operation(document, query, _anchored(schema), frozenset(required), answers)


def _anchored(schema: Json) -> Json:
    """The schema with its references into the whole document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:jira{value}" if key == "$ref" and str(value).startswith("#") else _anchored(value)
            for key, value in schema.items()
        }
    return [_anchored(one) for one in schema] if isinstance(schema, list) else schema


@lru_cache
def _registry(document: str) -> Registry[Json]:
    resource: Resource[Json] = Resource.from_contents(_document(document), default_specification=DRAFT202012)
    registry: Registry[Json] = Registry().with_resource("urn:jira", resource)
    return registry


@lru_cache
def _document(name: str) -> Json:
    spec = _mended(json.loads((descriptions() / name).read_text("utf-8")))
    schemas = spec.get("components", {}).get("schemas", {})
    if "IssueUpdateBean" in schemas:  # its values are said to be objects, though most fields hold texts and numbers
        schemas["IssueUpdateBean"]["properties"]["fields"]["additionalProperties"] = {}
        schemas["FieldOperation"].clear()  # described by the bean behind it, not by what is sent: {"add": …}
        schemas["EntityPropertyBean"]["properties"]["value"] = {}  # any JSON, said to be a text
    for bean in ("Version", "VersionBean"):  # a day is taken away by null: `startDateSet` of Data Center's tells it from unsaid
        for day in ("startDate", "releaseDate"):
            if bean in schemas:
                schemas[bean]["properties"][day] = {"type": ["string", "null"]}
    return spec


def _mended(node: Json) -> Json:
    """OpenAPI 3.0 as JSON Schema: `nullable`; examples are not schemas."""
    if isinstance(node, list):
        return [_mended(one) for one in node]
    if not isinstance(node, dict):
        return node
    mended = {key: _mended(value) for key, value in node.items() if key not in {"example", "examples"}}
    if mended.pop("nullable", False) is True and isinstance(mended.get("type"), str):
        mended["type"] = [mended["type"], "null"]
    return mended
