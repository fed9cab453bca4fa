"""A simulated Jira in another organisation's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tests.support.jira.records import Field, IssueType, Option, Status, User
from tests.support.jira.site import JiraSite


def rename(site: JiraSite, words: Mapping[str, Mapping[str, str]]) -> None:
    """Types, statuses, priorities, fields, options and users under other names; what is not named keeps its own.

    `words`: types, statuses, priorities, fields, users: {its name until now: the new one}; `options of FIELD`, by its new
    name. Raises AssertionError for a name that is not there.
    """
    store = site.store
    kinds: dict[str, Iterable[IssueType | Status | Field | User]] = {
        "types": store.types.values(),
        "statuses": store.statuses.values(),
        "fields": store.fields.values(),
        "users": store.users.values(),
    }
    for kind, named in kinds.items():
        new = words.get(kind, {})
        _all_there(new, (one.name for one in named), kind)
        for one in named:
            one.name = new.get(one.name, one.name)
    new = words.get("priorities", {})
    _all_there(new, (one.name for one in store.priorities), "priorities")
    store.priorities = [replace(one, name=new.get(one.name, one.name)) for one in store.priorities]
    _flow(site, words.get("statuses", {}))
    for field in store.fields.values():
        new = words.get(f"options of {field.name}", {})
        _all_there(new, [one.value for top in field.options for one in (top, *top.children)], field.name)
        _options(field.options, new)


def _flow(site: JiraSite, new: Mapping[str, str]) -> None:
    for flow in site.store.workflows.values():
        flow.initial = new.get(flow.initial, flow.initial)
        for step in flow.transitions:
            step.sources = tuple(new.get(one, one) for one in step.sources)
            step.target = new.get(step.target, step.target)


def _options(options: Iterable[Option], new: Mapping[str, str]) -> None:
    for one in options:
        one.value = new.get(one.value, one.value)
        _options(one.children, new)


def _all_there(new: Mapping[str, str], there: Iterable[str], kind: str) -> None:
    missing = set(new) - set(there)
    assert not missing, f"{kind}: {missing}"
