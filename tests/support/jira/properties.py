"""Entity properties: any JSON under a key, of an issue, a comment, a worklog, a project."""

from __future__ import annotations

import json

from tests.support.jira.records import Json, Refusal

MAX_KEY = 255
MAX_VALUE = 32_768


def set_property(properties: dict[str, Json], key: Json, value: Json) -> bool:
    """Keep it; True when it is new. Raises Refusal."""
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise Refusal(400, f"The property key cannot be longer than {MAX_KEY} characters.")
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_VALUE:
        raise Refusal(400, f"The property value cannot be longer than {MAX_VALUE} characters.")
    new = key not in properties
    properties[key] = value
    return new
