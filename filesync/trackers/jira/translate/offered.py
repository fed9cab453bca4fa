"""Which fields of a Jira are offered, under which names, and why the others are not. Pure.

A field of Jira itself has a plain name (`summary`, `fix_versions`). A custom field is called as people see it, where no other
field is called so, and else by its id (`customfield_10011`); the settings may name it otherwise. What Jira or an app keeps
itself is offered to be told, and written by nobody, where the settings name it: when and by whom the issue was made, when it
was resolved, and fields of types that are not known, which may be calculated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Problem
from filesync.model.links import LINK
from filesync.model.values import FieldKind, FieldSpec
from filesync.settings import did_you_mean, quoted
from filesync.trackers.jira.translate.shapes import Shape, member

VISIBILITY: Final = "visibility"  # of a comment or worklog that not everybody sees; no field of an issue is called so
INTERNAL: Final = "service-desk:internal"  # the visibility of a comment that a service desk shows to its agents alone
SERVICE_DESK: Final = "sd.public.comment"  # the property of a comment that says so, and makes it so
EPIC_LINK: Final = "com.pyxis.greenhopper.jira:gh-epic-link"
EPIC_NAME: Final = "com.pyxis.greenhopper.jira:gh-epic-label"
ESTIMATES: Final = {"original_estimate": "originalEstimate", "remaining_estimate": "remainingEstimate"}  # ours: Jira's
_SHOWN: Final = 60  # characters of a field's name


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraField:
    """A field that is offered: `id` is Jira's name for it, `name` ours, `label` what people see."""

    id: str
    name: str
    label: str
    shape: Shape
    kind: FieldKind
    many: bool = False
    required: bool = False  # in every type of issue
    options: tuple[str, ...] = ()  # of all types of issue; none: Jira knows
    ids: Mapping[str, str] = field(default_factory=dict)  # of those options that are written by their id
    adds: bool = False  # one element of the set can be written without the others
    read_only: bool = False  # Jira or an app keeps it, and nobody else writes it

    def spec(self) -> FieldSpec:
        """The field as `Tracker.describe` tells it."""
        return FieldSpec(
            name=self.name,
            kind=self.kind,
            many=self.many,
            required=self.required,
            options=self.options,
            read_only=self.read_only,
        )


# Jira's id: our name, its form, its kind, whether it holds many
_SYSTEM: Final[Mapping[str, tuple[str, Shape, FieldKind, bool]]] = {
    "summary": ("summary", Shape.LINE, FieldKind.TEXT, False),
    "description": ("description", Shape.TEXT, FieldKind.TEXT, False),
    "issuetype": ("type", Shape.ID, FieldKind.TYPE, False),
    "status": ("status", Shape.STATUS, FieldKind.STATUS, False),
    "parent": ("parent", Shape.PARENT, FieldKind.PARENT, False),
    "priority": ("priority", Shape.NAME, FieldKind.OPTION, False),
    "labels": ("labels", Shape.TEXT, FieldKind.LABEL, True),
    "components": ("components", Shape.NAME, FieldKind.COMPONENT, True),
    "fixVersions": ("fix_versions", Shape.NAME, FieldKind.VERSION, True),
    "versions": ("versions", Shape.NAME, FieldKind.VERSION, True),
    "assignee": ("assignee", Shape.USER, FieldKind.USER, False),
    "reporter": ("reporter", Shape.USER, FieldKind.USER, False),
    "duedate": ("due", Shape.DATE, FieldKind.DATE, False),
    "environment": ("environment", Shape.TEXT, FieldKind.TEXT, False),
    "resolution": ("resolution", Shape.NAME, FieldKind.OPTION, False),
    "security": ("security", Shape.ID, FieldKind.OPTION, False),
}
# what Jira keeps itself: its form and kind
_KEPT: Final[Mapping[str, tuple[Shape, FieldKind]]] = {
    "created": (Shape.DATETIME, FieldKind.DATETIME),
    "resolutiondate": (Shape.DATETIME, FieldKind.DATETIME),
    "creator": (Shape.USER, FieldKind.USER),
}
_ALWAYS: Final = frozenset({"summary", "issuetype", "status", "parent"})
_STANDARD: Final = "com.atlassian.jira.plugin.system.customfieldtypes:"
# the type of a custom field: its form, its kind, whether it holds many
_CUSTOM: Final[Mapping[str, tuple[Shape, FieldKind, bool]]] = {
    _STANDARD + "textfield": (Shape.LINE, FieldKind.TEXT, False),
    _STANDARD + "textarea": (Shape.TEXT, FieldKind.TEXT, False),
    _STANDARD + "url": (Shape.LINE, FieldKind.TEXT, False),
    _STANDARD + "float": (Shape.NUMBER, FieldKind.NUMBER, False),
    _STANDARD + "datepicker": (Shape.DATE, FieldKind.DATE, False),
    _STANDARD + "datetime": (Shape.DATETIME, FieldKind.DATETIME, False),
    _STANDARD + "userpicker": (Shape.USER, FieldKind.USER, False),
    _STANDARD + "multiuserpicker": (Shape.USER, FieldKind.USER, True),
    _STANDARD + "select": (Shape.VALUE, FieldKind.OPTION, False),
    _STANDARD + "radiobuttons": (Shape.VALUE, FieldKind.OPTION, False),
    _STANDARD + "multiselect": (Shape.VALUE, FieldKind.OPTION, True),
    _STANDARD + "multicheckboxes": (Shape.VALUE, FieldKind.OPTION, True),
    _STANDARD + "cascadingselect": (Shape.CASCADE, FieldKind.CASCADE, False),
    _STANDARD + "labels": (Shape.TEXT, FieldKind.LABEL, True),
    _STANDARD + "version": (Shape.NAME, FieldKind.VERSION, False),
    _STANDARD + "multiversion": (Shape.NAME, FieldKind.VERSION, True),
    EPIC_NAME: (Shape.LINE, FieldKind.TEXT, False),
    "com.pyxis.greenhopper.jira:gh-sprint": (Shape.SPRINT, FieldKind.TEXT, False),
    "com.pyxis.greenhopper.jira:jsw-story-points": (Shape.NUMBER, FieldKind.NUMBER, False),
}
# what an app may calculate: the type in the schema of a custom field whose own type is not known, and how such a one is read
_CALCULATED: Final[Mapping[str, tuple[Shape, FieldKind]]] = {
    "string": (Shape.LINE, FieldKind.TEXT),
    "number": (Shape.NUMBER, FieldKind.NUMBER),
    "date": (Shape.DATE, FieldKind.DATE),
    "datetime": (Shape.DATETIME, FieldKind.DATETIME),
}
_WHY_NOT: Final[Mapping[str, str]] = {
    EPIC_LINK: "the epic of an issue is its `parent`",
    "com.pyxis.greenhopper.jira:gh-lexo-rank": "a rank says nothing outside of its board",
    "com.atlassian.jpo:jpo-custom-field-parent": "plans' parents are not carried",
    _STANDARD + "project": "a project of one Jira is none of another",
    _STANDARD + "grouppicker": "groups of one Jira are none of another",
    _STANDARD + "multigrouppicker": "groups of one Jira are none of another",
    "watches": "who watches is the field `watchers`, where `tracker.settings` have `watchers: true`",
    "votes": "Jira lets nobody vote for another",
}
_UNNAMED: Final = "Jira or an app keeps it, and nobody else writes it: it can be told where tracker.settings.fields names it"
_OFF_SCREEN: Final = "it is on no screen on which issues of the project are made; name it in tracker.settings.fields"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is. `epic_link` and `epic_name` are ids of fields ("" where Jira has none)."""

    fields: tuple[JiraField, ...]
    left_out: Mapping[str, str]  # by what people see and by id: why
    problems: tuple[Problem, ...]  # with the names that the settings give
    epic_link: str
    epic_name: str


def offer(
    listed: Sequence[Mapping[str, Any]],
    *,
    project: str,
    names: Mapping[str, str],
    screens: Collection[str] | None,
    cloud: bool,
) -> Offer:
    """The fields that are offered, of all that Jira lists, in the project with this id.

    `names`: ours by Jira's id, from the settings. `screens`: ids of the fields on some screen of the project: a custom field
    that is on none is offered only where the settings name it. None: nobody knows, and all are. Raises ValueError.
    """
    known = {member(one, "id"): one for one in listed if _of_project(one, project)}
    fields = [_system(id_, str(known.get(id_, {}).get("name") or id_)) for id_ in _SYSTEM if id_ in known or id_ in _ALWAYS]
    if "timetracking" in known:
        fields += [_estimate(name) for name in ESTIMATES]
    custom = {id_: one for id_, one in known.items() if id_.startswith("customfield_")}
    called = Counter(_label(one).casefold() for one in custom.values())
    taken = {name for name, *_ in _SYSTEM.values()} | {LINK, VISIBILITY, *ESTIMATES}
    left_out = {name: why for id_, why in _WHY_NOT.items() if id_ in known for name in (id_, _label(known[id_]))}
    kept = {id_: how for id_, one in known.items() if (how := _kept(id_, one)) is not None}
    for id_, (shape, kind) in kept.items():
        label = _label(known[id_])
        if id_ in names:
            fields.append(JiraField(id=id_, name=names[id_], label=label, shape=shape, kind=kind, read_only=True))
        else:
            left_out |= dict.fromkeys((label, id_), _UNNAMED)
    for id_, one in custom.items():
        if id_ in kept:
            continue
        form, label = _CUSTOM.get(_custom_type(one)), _label(one)
        if form is None or (screens is not None and id_ not in {*screens, *names}):
            why = _why_not(one) if form is None else _OFF_SCREEN
            left_out |= {label: why, id_: why}
            continue
        plain = called[label.casefold()] == 1 and _usable(label) and label not in {*taken, *names.values()}
        name = names.get(id_, label if plain else id_)
        shape, kind, many = form
        fields.append(JiraField(id=id_, name=name, label=label, shape=shape, kind=kind, many=many))
    types = {_custom_type(one): id_ for id_, one in custom.items()}
    return Offer(
        fields=tuple(fields),
        left_out=left_out,
        problems=tuple(_wrong_names(names, {**custom, **kept}, taken)),
        epic_link="" if cloud else types.get(EPIC_LINK, ""),
        epic_name="" if cloud else types.get(EPIC_NAME, ""),
    )


def _of_project(one: Mapping[str, Any], project: str) -> bool:
    """Whether a field is not one of another project's own: Jira Cloud has such."""
    scope = one.get("scope")
    owner = scope.get("project") if isinstance(scope, Mapping) else None
    return not isinstance(owner, Mapping) or str(owner.get("id")) == project


def _system(id_: str, label: str) -> JiraField:
    name, shape, kind, many = _SYSTEM[id_]
    required = id_ in {"summary", "issuetype", "status"}
    return JiraField(id=id_, name=name, label=label, shape=shape, kind=kind, many=many, required=required)


def _estimate(name: str) -> JiraField:
    label = name.replace("_", " ").capitalize()
    return JiraField(id="timetracking", name=name, label=label, shape=Shape.ESTIMATE, kind=FieldKind.NUMBER)


def _label(one: Mapping[str, Any]) -> str:
    return str(one.get("name") or one.get("id") or "").strip()


def _custom_type(one: Mapping[str, Any]) -> str:
    schema = one.get("schema")
    return str(schema.get("custom", "")) if isinstance(schema, Mapping) else ""


def _kept(id_: str, one: Mapping[str, Any]) -> tuple[Shape, FieldKind] | None:
    """How a field is read that Jira keeps itself, or an app as far as anybody knows; None for others."""
    schema, custom = one.get("schema"), _custom_type(one)
    if not isinstance(schema, Mapping) or not custom or custom in _CUSTOM or custom in _WHY_NOT:
        return _KEPT.get(id_)
    return _CALCULATED.get(str(schema.get("type")))


def _why_not(one: Mapping[str, Any]) -> str:
    held = _custom_type(one)
    return _WHY_NOT.get(held, f"a field of the type {shown(held, limit=_SHOWN) or 'that Jira does not name'} is not carried")


def _usable(name: str) -> bool:
    return (
        bool(name.strip())
        and name == name.strip()
        and ":" not in name
        and name.isprintable()
        and not name.startswith("customfield_")
    )


def _wrong_names(names: Mapping[str, str], custom: Mapping[str, object], taken: Collection[str]) -> Iterator[Problem]:
    given = Counter(names.values())
    for id_, name in names.items():
        where = f"tracker.settings.fields.{shown(id_, limit=_SHOWN)}"
        if id_ not in custom:
            yield Problem(where, f"Jira has no custom field of this id{did_you_mean(id_[:_SHOWN], custom)}")
        elif not _usable(name):
            yield Problem(where, f"{quoted(name)} is no name of a field: it is one line, and holds no colon")
        elif name in taken or given[name] > 1:
            yield Problem(where, f"there is another field called {quoted(name)}")
