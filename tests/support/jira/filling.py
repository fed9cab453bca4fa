"""Sample issues (samples/acme-issues.yaml) in a simulated Jira, as if people had worked there: each by its author, at its time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filesync.model.values import Value, flat_name, utc_text
from filesync.trackers.embedded.fill import Edit, Event, File, Linked, Logged, Said, Sample, in_time, read_samples
from tests.support.jira.clock import WallClock
from tests.support.jira.records import Field, FieldType
from tests.support.jira.site import JiraSite

_OTHERS: Final = {"fix_versions": "fixVersions", "affects_versions": "versions", "due_date": "duedate"}
_LINKS: Final = {"blocks": "Blocks", "duplicates": "Duplicate", "relates": "Relates"}
_USERS: Final = (FieldType.USER, FieldType.USERS)
_SETS: Final = (FieldType.USERS, FieldType.LABELS, FieldType.COMPONENTS, FieldType.VERSIONS, FieldType.OPTIONS)


class ToldClock(WallClock):
    """Real time, but for what is told of the past."""

    def __init__(self) -> None:
        super().__init__()
        self._past: int | None = None

    def now(self) -> int:
        return super().now() if self._past is None else self._past

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Within this it is as late as `at` said last."""
        yield
        self._past = None

    def at(self, moment: dt.datetime) -> None:
        self._past = int(moment.timestamp() * 1000)


def fill_jira(site: JiraSite, clock: ToldClock, path: Path, *, count: int) -> int:
    """Make the first `count` issues of the file with all that belongs to them; fields that a Jira has not are left out.

    Answers how many there are.
    """
    samples = read_samples(path)[:count]
    local: dict[int, str] = {}
    with clock.telling():
        for sample, event in in_time(samples):
            clock.at(event.at)
            _make(site, sample, event, local)
    return len(samples)


def _make(site: JiraSite, sample: Sample, event: Event, local: dict[int, str]) -> None:
    person = site.person(event.by)
    if isinstance(event, Sample):
        above = {} if sample.parent is None else _above(site, sample.type, local[sample.parent])
        local[sample.n] = person.create({"type": sample.type, **_fields(site, sample.fields), **above})
        return
    issue = local[sample.n]
    match event:
        case Edit():
            fields = dict(event.fields)
            if isinstance(status := fields.pop("status", None), str):
                person.transition(issue, status)
            if fields:
                person.edit(issue, _fields(site, fields))
        case Linked():
            if event.to in local:
                person.link(issue, _LINKS[event.type], local[event.to])
        case Said():
            person.comment(issue, event.text)
        case Logged():
            person.log_work(issue, event.seconds, event.text)
        case File():
            person.attach(issue, event.name, event.text.encode())


def _above(site: JiraSite, issue_type: str, parent: str) -> dict[str, Value]:
    """What says that an issue belongs under another: on Data Center what is no sub-task has an epic."""
    return {"parent" if site.flavour.cloud or issue_type == "Sub-task" else "Epic Link": parent}


def _fields(site: JiraSite, fields: Mapping[str, str | list[str]]) -> dict[str, Value | None]:
    """Fields as people write them, as a Person of this Jira gives them."""
    there = {name: field for field in site.store.fields.values() for name in (field.id, field.name)}
    found: dict[str, Value | None] = {}
    for name, value in fields.items():
        field = there.get(_OTHERS.get(name, name)) or there.get(name.replace("_", " ").title())
        if field is None:
            continue
        if field.type in _SETS:
            found.update({flat_name(field.id, _told(site, field, one)): True for one in value})
        else:
            found[field.id] = value if isinstance(value, list) else _told(site, field, value)
    return found


def _told(site: JiraSite, field: Field, value: str) -> str:
    if field.type in _USERS:
        return site.local_user(value)
    return utc_text(dt.datetime.fromisoformat(value)) if field.type is FieldType.DATETIME else value
