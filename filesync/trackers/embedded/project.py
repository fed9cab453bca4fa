"""What a project of the embedded tracker is: types, workflows, fields, users. Read from YAML, kept in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec
import yaml

from filesync.errors import ConfigError, Problem
from filesync.model.links import LINK
from filesync.model.prepare import prepare
from filesync.model.values import ELEMENTS, FieldKind, FieldSpec

# one of each, under the kind's own name: the tracker interface gives them obligations of their own
_SPECIAL: Final = {"summary": FieldKind.TEXT, "type": FieldKind.TYPE, "status": FieldKind.STATUS, "parent": FieldKind.PARENT}
_WITH_OPTIONS: Final = frozenset({FieldKind.OPTION, FieldKind.CASCADE})
DEFAULT: Final = Path(__file__).with_name("default_project.yaml")


class IssueType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type: a parent must be of a higher level than its child."""

    level: int
    workflow: str


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sources": "from"}):
    """A step that people may take from any of `sources` to `to`."""

    name: str
    sources: tuple[str, ...]
    to: str


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The statuses of a type and the steps between them. A new issue has the status `initial`."""

    initial: str
    statuses: tuple[str, ...]
    transitions: tuple[Transition, ...]

    def steps(self) -> tuple[tuple[str, str], ...]:
        """Every (from, to), in declared order."""
        return tuple((source, step.to) for step in self.transitions for source in step.sources)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field. `options` of a cascading field are {parent: [child]}; of an option field a list."""

    kind: FieldKind
    many: bool = False
    required: bool = False
    one_line: bool = False
    options: tuple[str, ...] | dict[str, tuple[str, ...]] = ()

    def allowed(self) -> tuple[str, ...]:
        """The options in the shape of `FieldSpec.options`."""
        if isinstance(self.options, tuple):
            return self.options
        pairs = ((parent, *(f"{parent}/{child}" for child in children)) for parent, children in self.options.items())
        return tuple(chain.from_iterable(pairs))


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole project."""

    types: dict[str, IssueType]
    workflows: dict[str, Workflow]
    fields: dict[str, Field]
    users: dict[str, str]
    addresses: dict[str, str] = {}  # of users, by e-mail
    versions: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    visibilities: tuple[str, ...] = ()  # who alone may see a comment or worklog, where it says so
    links: dict[str, str] = {}  # a type of link as it reads at its outward end: as it reads at the other

    def workflow(self, issue_type: str) -> Workflow:
        """The workflow that issues of this type go through."""
        return self.workflows[self.types[issue_type].workflow]

    def statuses(self) -> tuple[str, ...]:
        """Every status of every workflow, each once, in declared order."""
        return tuple(dict.fromkeys(chain.from_iterable(flow.statuses for flow in self.workflows.values())))

    def allowed(self, name: str) -> tuple[str, ...] | None:
        """The values that a field takes; None: any of its kind."""
        field = self.fields[name]
        if field.kind in _WITH_OPTIONS:
            return field.allowed()
        return {
            FieldKind.USER: tuple(self.users),
            FieldKind.VERSION: self.versions,
            FieldKind.COMPONENT: self.components,
            FieldKind.TYPE: tuple(self.types),
            FieldKind.STATUS: self.statuses(),
        }.get(field.kind)

    def specs(self) -> tuple[FieldSpec, ...]:
        """The fields as `Tracker.describe` tells them."""
        return tuple(
            FieldSpec(
                name=name,
                kind=field.kind,
                many=field.many,
                required=field.required,
                # users are told once, in Description.users
                options=() if field.kind is FieldKind.USER else self.allowed(name) or (),
            )
            for name, field in self.fields.items()
        )


prepare(Definition)


def read_definition(path: Path = DEFAULT) -> Definition:
    """Read a project's definition from YAML. Raises ConfigError with everything that is wrong in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        definition = msgspec.convert(document, Definition)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError([Problem(path.name, " ".join(str(error).split()))], hint="Mend the project definition.") from error
    problems = [Problem(f"{path.name}: {where}", what) for where, what in _wrong(definition)]
    if problems:
        raise ConfigError(problems, hint="Mend the project definition.")
    return definition


def _wrong(definition: Definition) -> Iterator[tuple[str, str]]:
    yield from _wrong_types(definition)
    if not definition.users:
        yield "users", "there must be one at least"
    for name in definition.addresses.keys() - definition.users.keys():
        yield f"addresses.{name}", "there is no such user"
    if not all(words.strip() for pair in definition.links.items() for words in pair):
        yield "links", "a type of link is OUTWARD: INWARD, both in words"
    for name, field in definition.fields.items():
        yield from ((f"fields.{name}", what) for what in _wrong_field(name, field))
    for name, kind in _SPECIAL.items():
        if name not in definition.fields or definition.fields[name].kind is not kind:
            yield "fields", f"there must be a field `{name}` of kind {kind}"


def _wrong_types(definition: Definition) -> Iterator[tuple[str, str]]:
    if not definition.types:
        yield "types", "there must be one at least"
    for name, issue_type in definition.types.items():
        if issue_type.workflow not in definition.workflows:
            yield f"types.{name}", f"there is no workflow {issue_type.workflow!r}"
    for name, flow in definition.workflows.items():
        used = [flow.initial, *chain.from_iterable((*step.sources, step.to) for step in flow.transitions)]
        for status in dict.fromkeys(used):
            if status not in flow.statuses:
                yield f"workflows.{name}", f"{status!r} is not among its statuses"


def _wrong_field(name: str, field: Field) -> Iterator[str]:
    if ":" in name or not name.strip():
        yield "a field's name is not empty and holds no colon"
    if name == LINK:
        yield "no field is called so: the types of links stand under `links`"
    if field.many and field.kind not in ELEMENTS:
        yield f"a field of kind {field.kind} has one value"
    if field.kind in set(_SPECIAL.values()) - {FieldKind.TEXT} and _SPECIAL.get(name) is not field.kind:
        yield f"only the field `{field.kind}` has this kind"
    if bool(field.options) != (field.kind in _WITH_OPTIONS):
        yield "options are needed for the kinds option and cascade, and only there"
    if isinstance(field.options, Mapping) != (field.kind is FieldKind.CASCADE):
        yield "options of a cascade are `parent: [child]`, of an option field a list"
    if field.kind is FieldKind.CASCADE and any("/" in part for part in _parts(field)):
        yield "options of a cascade hold no slash"


def _parts(field: Field) -> Iterator[str]:
    if isinstance(field.options, dict):
        yield from chain(field.options, chain.from_iterable(field.options.values()))
