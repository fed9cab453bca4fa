"""A small Jira as JSON: what it lists, and issues as it would show them after a write. Not a server: only shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from filesync.errors import Gone, Rejected
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.translate.catalogue import Catalogue

STANDARD = "com.atlassian.jira.plugin.system.customfieldtypes:"
HOPPER = "com.pyxis.greenhopper.jira:"
SETS = ["add", "set", "remove"]


class Flavour:
    def __init__(self, *, cloud: bool) -> None:
        self.cloud = cloud


def custom(number: int, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"customfield_{number}", "name": name, "custom": True, "schema": {"custom": kind, "customId": number}, **more}


SYSTEM = [
    {"id": id_, "name": name, "custom": False}
    for id_, name in {
        "summary": "Summary",
        "description": "Description",
        "issuetype": "Issue Type",
        "status": "Status",
        "priority": "Priority",
        "labels": "Labels",
        "components": "Component/s",
        "fixVersions": "Fix Version/s",
        "versions": "Affects Version/s",
        "assignee": "Assignee",
        "reporter": "Reporter",
        "duedate": "Due Date",
        "environment": "Environment",
        "resolution": "Resolution",
        "security": "Security Level",
        "timetracking": "Time Tracking",
        "votes": "Votes",
        "watches": "Watchers",
        "created": "Created",
    }.items()
]
CUSTOM = [
    custom(10100, "Customer reference", STANDARD + "textfield"),
    custom(10101, "Steps", STANDARD + "textarea"),
    custom(10102, "Home page", STANDARD + "url"),
    custom(10103, "Story Points", STANDARD + "float"),
    custom(10104, "Tested on", STANDARD + "datepicker"),
    custom(10105, "Occurred at", STANDARD + "datetime"),
    custom(10106, "Owner", STANDARD + "userpicker"),
    custom(10107, "Reviewers", STANDARD + "multiuserpicker"),
    custom(10108, "Severity", STANDARD + "select"),
    custom(10109, "Risk", STANDARD + "radiobuttons"),
    custom(10110, "Platforms", STANDARD + "multiselect"),
    custom(10111, "Checks", STANDARD + "multicheckboxes"),
    custom(10112, "Location", STANDARD + "cascadingselect"),
    custom(10113, "Keywords", STANDARD + "labels"),
    custom(10114, "Target", STANDARD + "version"),
    custom(10115, "Seen in", STANDARD + "multiversion"),
    custom(10116, "Epic Link", HOPPER + "gh-epic-link"),
    custom(10117, "Epic Name", HOPPER + "gh-epic-label"),
    custom(10118, "Sprint", HOPPER + "gh-sprint"),
    custom(10119, "Rank", HOPPER + "gh-lexo-rank"),
    custom(10120, "Cost", STANDARD + "float"),
    custom(10121, "Cost", STANDARD + "float"),
    custom(10122, "a:b", STANDARD + "textfield"),
    custom(10123, "Summary", STANDARD + "textfield"),
    custom(10124, "Mood", "com.example.moods:mood"),
    custom(10125, "Elsewhere", STANDARD + "textfield"),
    custom(10126, "summary", STANDARD + "textarea"),
]
ALLOWED: dict[str, list[dict[str, Any]]] = {
    "priority": [{"id": "1", "name": "High"}, {"id": "2", "name": "Low"}],
    "customfield_10108": [{"id": "11", "value": "Major"}, {"id": "12", "value": "Minor"}],
    "customfield_10109": [{"id": "13", "value": "Yes"}],
    "customfield_10110": [{"id": "14", "value": "HPC, 200"}, {"id": "15", "value": "Sim"}],
    "customfield_10111": [{"id": "16", "value": "Leak"}, {"id": "17", "value": "Noise"}],
    "customfield_10112": [
        {"id": "18", "value": "Pump", "children": [{"id": "19", "value": "Seal"}, {"id": "20", "value": "Shaft"}]},
        {"id": "21", "value": "Bench"},
    ],
}
OFF_SCREEN = {"status", "resolution", "votes", "watches", "created", "customfield_10125"}
TYPES = [("1", "Bug", False), ("2", "Epic", False), ("3", "Sub-task", True)]
USERS = {"anna": "Anna Li", "boris": "Борис", "filesync": "filesync"}


def screen(type_id: str, *, cloud: bool) -> list[dict[str, Any]]:
    """What createmeta lists for a type."""
    names = [one for one in (*SYSTEM, *CUSTOM) if one["id"] not in OFF_SCREEN]
    names += [{"id": "parent", "name": "Parent"}] if cloud or type_id == "3" else []
    if type_id != "2":
        names = [one for one in names if one["id"] != "customfield_10117"]
    if type_id == "3":
        names = [one for one in names if one["id"] != "customfield_10105"]
    return [
        {
            "fieldId": one["id"],
            "name": one["name"],
            "required": one["id"] in {"summary", "issuetype", "customfield_10117"},
            "hasDefaultValue": False,
            "operations": SETS if one["id"] in {"labels", "components", "fixVersions", "customfield_10110"} else ["set"],
            "allowedValues": ALLOWED.get(str(one["id"]), []),
        }
        for one in names
    ]


class FakeJira:
    """Answers what the catalogue asks, a page of two entries at a time."""

    def __init__(self, *, cloud: bool) -> None:
        self.cloud = cloud
        self.asked: list[str] = []
        api, agile = "rest/api/2/", "rest/agile/1.0/"
        self.answers: dict[str, Any] = {
            api + "project/ABC": {"id": "10000", "key": "ABC", "name": "Pumps"},
            api + "field": [*SYSTEM, *CUSTOM],
            api + "project/10000/statuses": [
                {
                    "id": id_,
                    "name": name,
                    "subtask": sub,
                    "statuses": [{"id": "1", "name": "To Do"}, {"id": "2", "name": "Done"}],
                }
                for id_, name, sub in TYPES
            ],
            api + "project/10000/versions": [{"id": "1", "name": "1.0"}, {"id": "2", "name": "2.0, rev. C"}],
            api + "project/10000/components": [{"id": "1", "name": "Firmware"}, {"id": "2", "name": "Field bus"}],
            api + "project/10000/securitylevel": {"levels": [{"id": "10", "name": "Staff"}]},
            api + "priority": [{"id": "1", "name": "High"}],
            api + "resolution": [{"id": "1", "name": "Fixed"}],
            api + "issueLinkType": {
                "issueLinkTypes": [{"id": "1", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}]
            },
            api + "user/assignable/search": [
                {"accountId": f"5:{name}", "displayName": shown}
                if cloud
                else {"name": name, "key": f"K{name}", "displayName": shown}
                for name, shown in USERS.items()
            ],
        }
        self.pages: dict[str, list[dict[str, Any]]] = {
            api + "issue/createmeta/10000/issuetypes": [{"id": id_, "name": name, "subtask": sub} for id_, name, sub in TYPES],
            agile + "board": [{"id": 1}, {"id": 2}],
            agile + "board/1/sprint": [
                {"id": 3, "name": "S 1", "state": "active"},
                {"id": 4, "name": "S 2", "state": "future"},
            ],
            agile + "board/2/sprint": [{"id": 5, "name": "S 2", "state": "future"}],
        }
        for id_, *_ in TYPES:
            self.pages[f"{api}issue/createmeta/10000/issuetypes/{id_}"] = screen(id_, cloud=cloud)

    def get(self, path: str, *, params: Mapping[str, str] | None = None, gone: str = "") -> Any:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path not in self.pages:
            raise Gone(f"no {path}")
        start = int((params or {}).get("startAt", "0"))
        page = self.pages[path][start : start + 2]
        if self.cloud and "createmeta" in path:
            return {"fields" if path[-1].isdigit() else "issueTypes": page, "startAt": start, "total": len(self.pages[path])}
        return {"values": page, "startAt": start, "isLast": start + 2 >= len(self.pages[path])}


class NoCreating(FakeJira):
    """A Jira where our account may make no issue."""

    def get(self, path: str, *, params: Mapping[str, str] | None = None, gone: str = "") -> Any:
        if "createmeta" in path:
            raise Rejected("no permission to create issues")
        return super().get(path, params=params, gone=gone)


def catalogue(*, cloud: bool, names: Mapping[str, str] | None = None) -> Catalogue:
    return read_catalogue(FakeJira(cloud=cloud), Flavour(cloud=cloud), "ABC", names=names)


def as_jira_shows(body: Mapping[str, Any], *, held: Mapping[str, Any], cloud: bool) -> dict[str, Any]:
    """The `fields` of an issue after a body of ours was written, as Jira would show them."""
    fields = dict(held)
    for id_, value in body["fields"].items():
        fields[id_] = _shown(id_, value, fields)
    for id_, changes in body["update"].items():
        for change in changes:
            for operation, value in change.items():
                before = list(fields.get(id_) or [])
                if operation == "add":
                    fields[id_] = [*before, value]
                elif operation == "remove":
                    fields[id_] = [one for one in before if one != value]
                else:
                    assert (id_, value) == ("parent", {"none": True})
                    fields[id_] = None
    return fields


def _shown(id_: str, value: Any, fields: Mapping[str, Any]) -> Any:
    if id_ == "timetracking":
        held = dict(fields.get(id_) or {})
        for name, said in value.items():
            held.pop(name + "Seconds", None)
            if said:
                held |= {name: said, name + "Seconds": int(said.removesuffix("m")) * 60}
        return held
    if id_ == "issuetype":
        return {"id": value["id"], "name": {one: name for one, name, _ in TYPES}[value["id"]]}
    if id_ == "security" and value is not None:
        return {"id": value["id"], "name": "Staff"}
    if id_ == "customfield_10118" and value is not None:
        return [{"id": value, "name": "S 1", "state": "active"}]
    return value
