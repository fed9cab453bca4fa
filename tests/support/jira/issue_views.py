"""A whole issue in JSON: its fields, one by one, and what was asked for besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.support.jira.records import Field, FieldType, Issue, Json, Project, every_option
from tests.support.jira.shown import SETS
from tests.support.jira.values import duration, java_double
from tests.support.jira.views import View

EMBEDDED_WORKLOGS = 20
HEAVY = {"comment", "attachment", "worklog", "issuelinks"}  # what `*navigable` leaves out, roughly


def show_issue(view: View, issue: Issue, *, fields: Iterable[str] = ("*all",), expand: str = "", properties: str = "") -> Json:
    """The issue as a read or a search shows it."""
    wanted = _wanted(view, list(fields))
    shown: Json = {"id": issue.id, "key": issue.key, "self": view.url(f"issue/{issue.id}"), "expand": "names,schema,changelog"}
    if wanted:
        shown["fields"] = {name: _value(view, issue, view.store.fields[name]) for name in wanted}
        if issue.archived and view.store.flavour.dc:
            shown["fields"]["archiveddate"] = view.moment(issue.archived)
    expanded = {part.split(".")[0].strip() for part in expand.split(",")}
    if "names" in expanded:
        shown["names"] = {name: view.store.fields[name].name for name in wanted}
    if "schema" in expanded:
        shown["schema"] = {name: view.store.fields[name].schema for name in wanted}
    if "changelog" in expanded:
        shown["changelog"] = changelog(view, issue)
    keys = [key.strip() for key in properties.split(",") if key.strip()]
    if keys:
        kept = issue.properties
        shown["properties"] = {key: kept[key] for key in kept if key in keys or "*all" in keys}
    return shown


def changelog(view: View, issue: Issue) -> Json:
    """`expand=changelog`: all of it on Data Center, oldest first; the newest forty on Cloud, newest first."""
    histories = issue.histories
    total = len(histories)
    if view.store.flavour.newest_first:
        histories = histories[::-1][:40]
    shown = [view.history(history) for history in histories]
    return {"startAt": 0, "maxResults": len(shown), "total": total, "histories": shown}


def _wanted(view: View, fields: list[str]) -> list[str]:
    every = list(view.store.fields)
    names = [name.strip() for part in fields for name in part.split(",") if name.strip()]
    wanted: list[str] = []
    for name in names or ["*all"]:
        if name == "*all":
            wanted += every
        elif name == "*navigable":
            wanted += [one for one in every if one not in HEAVY]
        elif name in view.store.fields and not name.startswith("-"):
            wanted.append(name)
    taken_out = {name[1:] for name in names if name.startswith("-")}
    if taken_out and not wanted:
        wanted = every
    return [name for name in dict.fromkeys(wanted) if name not in taken_out]


def _value(view: View, issue: Issue, field: Field) -> Json:
    computed = COMPUTED.get(field.id)
    if computed is not None:
        return computed(view, issue)
    return show_value(view, issue, field, issue.values.get(field.id))


def show_value(view: View, issue: Issue, field: Field, value: Json) -> Json:
    """A kept value in JSON. Empty sets of Jira's own fields are [], those of custom fields null."""
    if value is None:
        return [] if field.type in {*SETS, FieldType.LABELS} and not field.custom else None
    if field.type in CHOICES:
        return CHOICES[field.type](view, field, value)
    show = SHOWN.get(field.type)
    return value if show is None else show(view, issue, value)


def show_option(view: View, field: Field, one: str) -> Json:
    """An option of a custom field."""
    option = next(option for option in every_option(field.options) if option.id == one)
    shown = {"self": view.url(f"customFieldOption/{one}"), "value": option.value, "id": one}
    return shown if view.cloud else {**shown, "disabled": option.disabled}


def show_sprint(view: View, one: int) -> Json:
    """A sprint inside an issue: an object on Cloud, a Java object's text on Data Center."""
    sprint = view.store.sprints[one]
    if view.cloud:
        return {"id": one, "name": sprint.name, "state": sprint.state, "boardId": sprint.board, "goal": sprint.goal}
    inside = (
        f"id={one},rapidViewId={sprint.board},state={sprint.state.upper()},name={sprint.name},startDate=<null>,"
        f"endDate=<null>,completeDate=<null>,activatedDate=<null>,sequence={one},goal={sprint.goal},"
        "autoStartStop=false,synced=false"
    )
    return f"com.atlassian.greenhopper.service.sprint.Sprint@1f{one:04x}[{inside}]"


def comments(view: View, issue: Issue) -> Json:
    """`fields.comment`: all that the user may see, oldest first."""
    project = view.store.projects[issue.project]
    seen = [one for one in issue.comments if view.hands().sees(one, project)]
    limit = view.store.faults.embedded_comments
    embedded = seen if limit is None else seen[:limit]
    if len(embedded) < len(seen):
        view.store.faults.strike("embedded comments")
    shown = [view.comment(one, issue) for one in embedded]
    size = len(seen) if limit is None else limit
    return {"comments": shown, "maxResults": size, "total": len(seen), "startAt": 0}


def worklogs(view: View, issue: Issue) -> Json:
    """`fields.worklog`: the first twenty."""
    project = view.store.projects[issue.project]
    seen = [one for one in issue.worklogs if view.hands().sees(one, project)]
    shown = [view.worklog(one, issue) for one in seen[:EMBEDDED_WORKLOGS]]
    return {"startAt": 0, "maxResults": EMBEDDED_WORKLOGS, "total": len(seen), "worklogs": shown}


def links(view: View, issue: Issue) -> Json:
    """`fields.issuelinks`: those whose other end the user sees."""
    store = view.store
    shown = []
    for link in store.links_of(issue.id):
        other = store.issues.get(link.target if link.source == issue.id else link.source)
        if other is not None and store.sees(view.user, other):
            shown.append(view.link(link, issue.id))
    return shown


def times(issue: Issue) -> Json:
    """`fields.timetracking`."""
    spent = sum(worklog.seconds for worklog in issue.worklogs) or None
    shown: dict[str, Json] = {}
    parts = {"originalEstimate": "timeoriginalestimate", "remainingEstimate": "timeestimate"}
    for name, seconds in [*((name, issue.values.get(kept)) for name, kept in parts.items()), ("timeSpent", spent)]:
        if seconds is not None:
            shown |= {name: duration(seconds), f"{name}Seconds": seconds}
    return shown


def subtasks(view: View, issue: Issue) -> Json:
    """`fields.subtasks`."""
    return [view.stub(child) for child in view.store.subtasks(issue.id) if view.store.sees(view.user, child)]


def cascade(view: View, field: Field, value: Json) -> Json:
    """A cascading option, with its child where it has one."""
    parent = show_option(view, field, value[0])
    return {**parent, "child": show_option(view, field, value[1])} if value[1] else parent


def epic_key(view: View, value: Json) -> Json:
    """The key of the epic that a link names, while there is one."""
    return view.store.issues[value].key if value in view.store.issues else None


def place(view: View, issue: Issue) -> Project:
    return view.store.projects[issue.project]


CHOICES: dict[FieldType, Callable[[View, Field, Json], Json]] = {
    FieldType.OPTION: show_option,
    FieldType.OPTIONS: lambda view, field, value: [show_option(view, field, one) for one in value],
    FieldType.CASCADE: cascade,
}
SHOWN: dict[FieldType, Callable[[View, Issue, Json], Json]] = {
    FieldType.TEXTAREA: lambda view, issue, value: view.text(value),
    FieldType.NUMBER: lambda view, issue, value: java_double(value),
    FieldType.DATETIME: lambda view, issue, value: view.moment(value),
    FieldType.USER: lambda view, issue, value: view.person(value),
    FieldType.USERS: lambda view, issue, value: [view.person(one) for one in value],
    FieldType.VERSION: lambda view, issue, value: view.version(place(view, issue).versions[value]),
    FieldType.VERSIONS: lambda view, issue, value: [view.version(place(view, issue).versions[one]) for one in value],
    FieldType.COMPONENTS: lambda view, issue, value: [view.component(place(view, issue).components[one]) for one in value],
    FieldType.PRIORITY: lambda view, issue, value: view.priority(value),
    FieldType.RESOLUTION: lambda view, issue, value: view.resolution(value),
    FieldType.SECURITY: lambda view, issue, value: view.level(place(view, issue), value),
    FieldType.PARENT: lambda view, issue, value: view.stub(view.store.issues[value]),
    FieldType.EPIC_LINK: lambda view, issue, value: epic_key(view, value),
    FieldType.SPRINT: lambda view, issue, value: [show_sprint(view, one) for one in value],
}
COMPUTED: dict[str, Callable[[View, Issue], Json]] = {
    "project": lambda view, issue: view.project(view.store.projects[issue.project]),
    "issuetype": lambda view, issue: view.type(view.store.types[issue.type]),
    "status": lambda view, issue: view.status(view.store.statuses[issue.status]),
    "creator": lambda view, issue: view.person(issue.creator),
    "created": lambda view, issue: view.moment(issue.created),
    "updated": lambda view, issue: None if issue.id in view.store.faults.updated_missing else view.moment(issue.updated),
    "resolutiondate": lambda view, issue: view.moment(issue.values.get("resolutiondate")),
    "comment": comments,
    "worklog": worklogs,
    "issuelinks": links,
    "subtasks": subtasks,
    "attachment": lambda view, issue: [view.attachment(one) for one in issue.attachments],
    "timetracking": lambda view, issue: times(issue),
    "timespent": lambda view, issue: sum(worklog.seconds for worklog in issue.worklogs) or None,
    "workratio": lambda view, issue: -1,
    "lastViewed": lambda view, issue: None,
    "votes": lambda view, issue: {"votes": len(issue.voters), "hasVoted": view.user.key in issue.voters},
    "watches": lambda view, issue: {
        "watchCount": len(issue.watchers),
        "isWatching": view.user.key in issue.watchers,
    },
}
