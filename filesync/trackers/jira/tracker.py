"""A project of a Jira as filesync asks for it: `filesync.trackers.base.Tracker` over REST."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, assert_never

import msgspec

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unavailable, Unreadable, Unwritten
from filesync.model.ids import Gid, Kind, Mark
from filesync.model.issue import About, Issue, Ref
from filesync.model.manner import Markup
from filesync.model.people import People
from filesync.model.values import Flat
from filesync.model.versions import LISTS
from filesync.trackers.base import (
    Action,
    Born,
    Description,
    Draft,
    Inspected,
    MarkDeleted,
    MarkScope,
    Remove,
    Show,
    Touched,
    Write,
)
from filesync.trackers.jira.inspecting import inspect
from filesync.trackers.jira.project import Project
from filesync.trackers.jira.read.feed import Feed, Plan
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.read.lists import Lists
from filesync.trackers.jira.read.people import JiraPeople
from filesync.trackers.jira.read.reading import Reading
from filesync.trackers.jira.read.scoping import Wanted
from filesync.trackers.jira.read.search import Search
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API, probe
from filesync.trackers.jira.rest.http import Http
from filesync.trackers.jira.settings import JiraSettings
from filesync.trackers.jira.translate import entries, text, watchers, webs
from filesync.trackers.jira.translate.forms import form
from filesync.trackers.jira.translate.offered import VISIBILITY
from filesync.trackers.jira.translate.refused import refusal
from filesync.trackers.jira.write.births import Births
from filesync.trackers.jira.write.editing import Editing
from filesync.trackers.jira.write.ending import Ending
from filesync.trackers.jira.write.entering import Entering
from filesync.trackers.jira.write.moving import Moving
from filesync.trackers.jira.write.notices import Notices
from filesync.trackers.jira.write.overflowing import Overflow
from filesync.trackers.jira.write.partner import Partner
from filesync.trackers.jira.write.uploads import Uploads
from filesync.trackers.jira.write.versions import Versions
from filesync.trackers.jira.write.writing import Writing

_TYPE: Final = "type"
_STATUS: Final = "status"
_RESOLUTION: Final = "resolution"
_ON_DEMAND: Final = "they are read only where `tracker.settings` have `{}: true`"
_PROPERTY_LIMIT: Final = 32_768  # bytes of JSON, says Jira


class JiraTracker:
    """One project of a Jira Data Center or Jira Cloud, seen through one account."""

    def __init__(self, project: Project, feed: Feed, reading: Reading, search: Search, lists: Lists) -> None:
        self._project, self._feed, self._reading = project, feed, reading
        self._uploads = Uploads(project)
        files = Overflow(project, self._uploads)
        self._births, self._entering = Births(project, search, reading), Entering(project, reading, files)
        self._writing, self._editing = Writing(project, files), Editing(project, files)
        self._search = search
        self._moving = Moving(project, search)
        self._notices = Notices(project, lists)
        self._ending = Ending(project, self._notices, files)
        self._partner = Partner(project)
        self._versions = Versions(project)
        self.people: People = JiraPeople(project.http, lambda: project.catalogue)

    @classmethod
    def open(cls, http: Http, settings: JiraSettings, *, project: str, clock: Callable[[], dt.datetime]) -> JiraTracker:
        """Open the project with this key. Raises ConfigError (settings that do not fit this Jira), Unavailable."""
        dialect = probe(http)
        accounts = dialect.accounts.union(settings.former_accounts)
        apart = ((webs.FIELD, settings.web_links), (watchers.FIELD, settings.watchers))
        also = tuple(one for one, wanted in apart if wanted)
        try:
            room = Project(
                http,
                dialect,
                settings,
                accounts=accounts,
                read=lambda: read_catalogue(
                    http,
                    dialect,
                    project,
                    names=settings.fields,
                    also=also,
                    text_limit=settings.text_limit,
                    board=settings.sprint_board,
                ),
                clock=clock,
            )
        except Rejected as error:
            raise Unavailable(
                f"the project {shown(project)} cannot be opened: {error}",
                hint="Is tracker.project the project's key, and may our account browse it?",
            ) from error
        search = Search(http, dialect.cloud, room.catalogue.key)
        oldest = settings.not_before
        not_before = None if oldest is None else int(dt.datetime.combine(oldest, dt.time(), dt.UTC).timestamp() * 1000)
        wanted = Wanted(scope=settings.scope, not_before=not_before, limit=settings.census_limit)
        reading = Reading(http, search, lambda: room.catalogue, accounts=room.accounts, wanted=wanted, texts=room.texts)
        plan = Plan(
            scope=settings.scope,
            not_before=not_before,
            lag=int(settings.lag * 1000),
            sweep=settings.sweep,
            census=settings.census,
            limit=settings.census_limit,
        )
        lists = Lists(http, cloud=dialect.cloud, accounts=room.accounts)
        return cls(room, Feed(http, search, reading, plan), reading, search, lists)

    def describe(self) -> Description:
        """What there is, as it was last read, and what our account may not."""
        found = self._project.catalogue
        return Description(
            name=f"{self._project.http.name}, project {found.key}",
            fields=found.specs,
            types=tuple(found.types),
            statuses=found.statuses,
            users=found.known_users,
            links=tuple(found.links),
            left_out={
                **found.left_out,
                **{name: _ON_DEMAND.format(name) for name in (webs.NAME, watchers.NAME) if name not in found.by_name},
            },
            markup=Markup.WIKI,
            lacks=self._project.lacks(),
            forms={name: form(found, one) for name, one in found.types.items()},
            unaddressed=sum(not one for one in found.addresses.values()),
            labels={one.name: one.label for one in found.fields},
            people=found.users,
            shows=True,
            unmet={"sprint_board": found.sprints.lost} if found.sprints.lost else {},
            lists=True,
        )

    def inspect(self, types: Collection[str], few: Collection[str]) -> Inspected:
        """See Tracker, and inspecting.py for what is asked."""
        return inspect(self._project, self._search, types, few)

    def offered(self) -> Collection[str]:
        """See Tracker."""
        return self._project.catalogue.by_name.keys()

    def changed(self, since: str | None, known: Callable[[], Iterator[str]]) -> Iterator[Touched]:
        """See Tracker, and feed.py for how it knows."""
        return self._feed.changed(since, known)

    def get(self, issue: str) -> Issue | None:
        """See Tracker."""
        return self._versions.shown() if issue == LISTS else self._reading.get(issue)

    def get_all(self, issues: Sequence[str]) -> Iterator[tuple[str, Issue | None]]:
        """See Tracker."""
        return self._reading.get_all(issues)

    def find(self, key: str) -> str | None:
        """See Tracker."""
        return self._reading.find(key)

    def select(self, query: str) -> Iterator[str]:
        """See Tracker: in JQL."""
        return self._reading.scoping.select(query)

    def shut(self, issues: Sequence[str]) -> Collection[str]:
        """See Tracker. Those that do not meet `tracker.settings.incoming`."""
        gate = self._project.settings.incoming
        return self._reading.outside(issues, gate) if gate else ()

    def spills(self, kind: Kind, fields: Flat, about: About) -> Collection[str]:
        """See Tracker. What few may see never does."""
        head = text.header(self._project.settings.header, about) if kind in entries.TEXT else ""
        limit = self._project.catalogue.text_limit
        whole = () if VISIBILITY in fields else fields.items()
        return [name for name, one in whole if isinstance(one, str) and text.length(text.under(head, one)) > limit]

    def create(self, origin: Gid, draft: Draft) -> Born:
        """See Tracker, and births.py for how it is done once."""
        with self._at(draft.issue):
            match draft.kind:
                case Kind.ISSUE:
                    return self._standing(self._births.issue(origin, draft))
                case Kind.COMMENT | Kind.WORKLOG:
                    return self._entering.entry(origin, draft)
                case Kind.ATTACHMENT:
                    return self._uploads.create(origin, draft)
                case Kind.VERSION:
                    return self._versions.create(draft)
                case Kind.PROJECT:
                    raise Rejected("a project is not made from outside")

    @property
    def at_once(self) -> int:
        """See Tracker."""
        return self._births.at_once

    def create_all(self, drafts: Mapping[Gid, Draft]) -> Mapping[Gid, Born]:
        """See Tracker, and births.py for what marks them."""
        return {origin: self._standing(born) for origin, born in self._births.issues(drafts).items()}

    def _standing(self, born: Born) -> Born:
        """What was born stands in a status."""
        kind, status = (born.item.fields.get(name) for name in (_TYPE, _STATUS))
        if not born.again and isinstance(kind, str) and isinstance(status, str):
            self._moving.stands(born.item.ref.local, kind, status)
        return born

    def claim(self, ref: Ref, origin: Gid) -> None:
        """See Tracker: in what its issue says of its parts."""
        with self._at(ref.issue):
            self._uploads.claim(ref, origin)

    def apply(self, ref: Ref, action: Action, mark: Mark) -> Flat:
        """See Tracker. The mark stands in the history of an issue; a comment's or worklog's edit has no room for one."""
        if ref.kind in {Kind.VERSION, Kind.PROJECT} and not isinstance(action, Write):
            raise Rejected(f"a {ref.kind} stays, whatever becomes of the partner's")
        with self._at(ref.issue):
            match action:
                case Write(fields):
                    return self._write(ref, fields, mark)
                case Remove():
                    self._ending.remove(ref)
                case MarkDeleted(partner):
                    self._ending.mark(ref, partner)
                case Show():
                    self._partner.show(ref.issue, action)
                case MarkScope(partner, now):
                    self._notices.scope(ref, partner, now)
                case _:
                    assert_never(action)
        return {}

    def _write(self, ref: Ref, fields: Flat, mark: Mark) -> Flat:
        match ref.kind:
            case Kind.COMMENT | Kind.WORKLOG:
                return self._editing.entry(ref, fields)
            case Kind.ATTACHMENT:
                words = dict.fromkeys(fields, "an attachment is what it was made as: attach another")
                raise refusal(f"the edit of attachment {shown(ref.local, limit=20)}", words)
            case Kind.VERSION:
                return self._versions.write(ref, fields)
            case Kind.PROJECT:
                raise Rejected("nothing is told of a project itself")
            case Kind.ISSUE:
                goal = fields.get(_STATUS)
                if _STATUS not in fields:
                    return self._writing.fields(ref.local, fields, mark)
                resolution = fields.get(_RESOLUTION)
                if (
                    fields.keys() - {_STATUS, _RESOLUTION}
                    or not isinstance(goal, str)
                    or not isinstance(resolution, str | None)
                ):
                    words = {_STATUS: "the status is never empty, and reached by a transition: not together with other fields"}
                    raise refusal(f"the edit of issue {shown(ref.local, limit=20)}", words)
                return self._moving.step(ref.local, goal, mark, resolution=resolution)

    def fetch(self, ref: Ref) -> Iterator[bytes]:
        """See Tracker."""
        with self._at(ref.issue):
            yield from self._uploads.fetch(ref)

    def route(self, ref: Ref, status: str) -> tuple[str, ...]:
        """See Tracker, and moving.py for what is known of a workflow."""
        with self._at(ref.issue):
            return self._moving.route(ref.local, status)

    def read_checkpoint(self, name: str) -> str | None:
        """See Tracker. It is a property of the project."""
        try:
            found = self._project.http.get(self._property(name), gone="there is no checkpoint")
        except Gone:
            self._project.standing()  # else it may be there, and the project is hidden
            return None
        except Rejected as error:
            raise self._no_checkpoint(str(error)) from error
        value = found.get("value") if isinstance(found, dict) else None
        text = value.get("text") if isinstance(value, dict) else None
        return text if isinstance(text, str) else None

    def write_checkpoint(self, name: str, text: str) -> None:
        """See Tracker. Raises Rejected when the text is longer than there is room for."""
        value = {"text": text}
        if len(msgspec.json.encode(value)) > _PROPERTY_LIMIT:
            raise Rejected(f"the checkpoint {shown(name)} is larger than the {_PROPERTY_LIMIT:,} bytes there is room for")
        try:
            self._project.http.send("PUT", self._property(name), body=value, idempotent=True)
        except Rejected as error:
            raise self._no_checkpoint(str(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._project.http.close()

    @contextmanager
    def _at(self, issue: str | None) -> Iterator[None]:
        """Around what is done at an issue. Where Jira fails at it, and shows this or other issues, that holds up no other."""
        try:
            with self._project.gone_is_gone():
                yield
        except (Unreadable, Unwritten):
            raise
        except Unavailable as error:
            if issue is not None and error.retry_after is None:
                seen = self.get(issue)
                if seen is not None and isinstance(error, Unknown):
                    raise Unwritten(str(error), hint=error.hint) from error
            raise

    def _property(self, name: str) -> str:
        project = self._project
        return f"{API}/project/{project.catalogue.project}/properties/{project.http.quote(f'filesync.{name}')}"

    def _no_checkpoint(self, why: str) -> Unavailable:
        return Unavailable(
            f"the place that this site has come to cannot be kept in the project {self._project.catalogue.key}: {why}",
            hint="Give our account the right to administer the project: without it nobody would notice that a ledger was "
            "restored from a backup.",
        )
