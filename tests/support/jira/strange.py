"""Answers as nobody expects them, and as every reader has to take them."""

from __future__ import annotations

from tests.support.jira.records import Json

UNTOUCHED = {"properties", "value", "historyMetadata", "errors", "schema", "names"}  # what is not Jira's own to change


def strange(body: Json) -> Json:
    """The answer with unknown keys in each of Jira's objects, ids as numbers, and without what is null."""
    if isinstance(body, list):
        return [strange(one) for one in body]
    if not isinstance(body, dict):
        return body
    made = {key: value if key in UNTOUCHED else strange(value) for key, value in body.items() if value is not None}
    if "self" in made:
        if str(made.get("id", "")).isdecimal():
            made["id"] = int(made["id"])
        made["_unknown"] = {"id": None, "self": ["nobody"]}
    return made
