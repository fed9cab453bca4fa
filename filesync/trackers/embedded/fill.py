"""Fill a project from a file of issues (samples/acme-issues.yaml), each edit by its author and at its time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec
import yaml

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem
from filesync.model.ids import Kind
from filesync.model.issue import Ref
from filesync.model.links import link_name
from filesync.model.prepare import prepare
from filesync.model.values import Value, flat_name, utc_text
from filesync.trackers.embedded.desk import Desk
from filesync.trackers.embedded.entry import By
from filesync.trackers.embedded.project import Definition
from filesync.trackers.embedded.work import Work

# libyaml's parser takes a tenth of the time; where PyYAML was built without it, the other one does the same
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WHY = 300  # characters of what the reader says


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment."""

    by: str
    at: dt.datetime
    text: str


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attachment; its content is a text."""

    by: str
    at: dt.datetime
    name: str
    text: str


class Logged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A worklog, written down when the work was done."""

    by: str
    at: dt.datetime
    seconds: int
    text: str = ""


class Linked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link outward to another issue, by its number in this file; it is there by then."""

    by: str
    at: dt.datetime
    type: str
    to: int


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"fields": "set"}):
    """An edit. Fields are as people write them: a list for many values and for a cascading option."""

    by: str
    at: dt.datetime
    fields: dict[str, str | list[str]]


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An issue; `n` is its number in this file, by which `parent` names another."""

    n: int
    type: str
    by: str
    at: dt.datetime
    fields: dict[str, str | list[str]]
    parent: int | None = None
    steps: tuple[Edit, ...] = ()
    comments: tuple[Said, ...] = ()
    attachments: tuple[File, ...] = ()
    worklogs: tuple[Logged, ...] = ()
    links: tuple[Linked, ...] = ()


prepare(Sample)


Event: TypeAlias = Sample | Edit | Said | File | Logged | Linked


@dataclass(frozen=True, slots=True)
class Filled:
    """How much was made."""

    issues: int
    comments: int
    attachments: int
    worklogs: int
    links: int


def fill(desk: Desk, path: Path) -> Filled:
    """Make everything in the file, in the order of its times; all of it or nothing.

    Raises ConfigError (not such a file), Rejected (the project does not take something in it), Unavailable.
    """
    samples = read_samples(path)
    local: dict[int, str] = {}
    with desk.store.writing() as work:
        for sample, event in in_time(samples):
            _make(desk, work, sample, event, local)
    return Filled(
        issues=len(samples),
        comments=sum(len(sample.comments) for sample in samples),
        attachments=sum(len(sample.attachments) for sample in samples),
        worklogs=sum(len(sample.worklogs) for sample in samples),
        links=sum(len(sample.links) for sample in samples),
    )


def read_samples(path: Path) -> tuple[Sample, ...]:
    """The issues of a file, in its order. Raises ConfigError: it cannot be read, or is not such a file."""
    try:
        return msgspec.convert(yaml.load(path.read_bytes(), _LOADER), tuple[Sample, ...])  # noqa: S506, a safe loader
    except OSError as error:
        hint = "Is it the right name, and may this account read it?"
        raise ConfigError([Problem(path.name, f"cannot be read: {error.strerror}")], hint=hint) from error
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        what = f"not a file of issues: {shown(' '.join(str(error).split()), limit=_WHY)}"
        raise ConfigError(
            [Problem(path.name, what)], hint="samples/acme-issues.yaml shows the form. Nothing was made."
        ) from error


def in_time(samples: tuple[Sample, ...]) -> Iterator[tuple[Sample, Event]]:
    """All that is to be made, oldest first, each with the issue it belongs to."""
    events: list[tuple[Sample, Event]] = []
    for sample in samples:
        made: list[Event] = [sample, *sample.steps, *sample.comments, *sample.attachments, *sample.worklogs, *sample.links]
        events += [(sample, event) for event in made]
    yield from sorted(events, key=lambda pair: pair[1].at)


def _make(desk: Desk, work: Work, sample: Sample, event: Event, local: dict[int, str]) -> None:
    by = By(event.by, event.at)
    if isinstance(event, Sample):
        parent = {} if sample.parent is None else {"parent": local.get(sample.parent, str(sample.parent))}
        local[sample.n] = work.create({"type": sample.type, **flat(work.definition, sample.fields), **parent}, by).ref.local
        return
    issue = local[sample.n]
    match event:
        case Edit():
            work.edit(Ref(Kind.ISSUE, issue, issue), flat(work.definition, event.fields), by)
        case Linked():
            end = local.get(event.to, str(event.to))
            work.edit(Ref(Kind.ISSUE, issue, issue), {link_name(event.type, end): True}, by)
        case Said():
            work.create_below(Kind.COMMENT, issue, {"body": event.text}, by)
        case Logged():
            said = {"body": event.text} if event.text else {}
            work.create_below(Kind.WORKLOG, issue, {"started": utc_text(event.at), "seconds": str(event.seconds), **said}, by)
        case File():
            with desk.store.files.arriving([event.text.encode()]) as (arrived, size):
                made = work.create_below(Kind.ATTACHMENT, issue, {"name": event.name, "size": str(size)}, by)
                desk.store.files.take(arrived, made.ref.local)


def flat(definition: Definition, fields: Mapping[str, str | list[str]]) -> dict[str, Value]:
    """Fields as people write them, made flat: the elements of a set are fields of their own."""
    found: dict[str, Value] = {}
    for name, value in fields.items():
        if isinstance(value, list) and name in definition.fields and definition.fields[name].many:
            found.update({flat_name(name, element): True for element in value})
        else:
            found[name] = value
    return found
