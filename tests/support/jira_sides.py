"""Sites whose tracker is a simulated Jira, beside those of two_sites: the same sites, folders, ledgers, bundles and faults.

One clock for all: when filesync waits for Jira, time goes by for everybody. A Jira's own clock never goes back.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar
from unittest.mock import patch

import msgspec
from msgspec.structs import replace

from filesync.agent.incoming.importer import Imports
from filesync.agent.outgoing.exporter import Exports
from filesync.agent.site import Site
from filesync.config import template
from filesync.errors import Rejected, Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import Issue, Item, Scope
from filesync.model.links import link_name, link_parts
from filesync.model.values import Flat, Value, flat_name, split_name, utc_text
from filesync.trackers.embedded.entry import Entry
from filesync.trackers.jira.read.inventory import read_catalogue
from filesync.trackers.jira.read.long_texts import LongTexts
from filesync.trackers.jira.rest.dialect import probe
from filesync.trackers.jira.rest.http import Http, Waiting
from filesync.trackers.jira.settings import read_settings
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.issues import read_issue
from filesync.trackers.jira.translate.markers import PROPERTIES
from tests.support.jira.issue_views import show_issue
from tests.support.jira.records import Refusal
from tests.support.jira.router import Answer
from tests.support.jira.server import ASKING
from tests.support.jira.site import Flavour, JiraSite
from tests.support.jira.views import View
from tests.support.jira.world import people as everybody
from tests.support.two_sites import MEMORY, Clock, Side, World, template_of

EMBEDDED: Final = None
End: TypeAlias = Flavour | None  # None: the embedded tracker
T = TypeVar("T")
SURE: Final = 6  # rounds: a census is every third, and what is missing must be so in two of them
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_TRIES: Final = 6
_TICK: Final = 0.25  # seconds between two changes in a Jira
# the contract's words, and a Jira's
FIELDS: Final = {
    "due_date": "due",
    "affects_versions": "versions",
    "severity": "Severity",
    "story_points": "Story Points",
    "cost_estimate": "Cost Estimate",
    "occurred_at": "Occurred At",
    "customer_reference": "Customer Reference",
    "location": "Location",
    "reviewers": "Reviewers",
    "platforms": "Platforms",
    "serial_numbers": "Serial Numbers",
    "target_version": "Target Version",
}
LINKS: Final = {"blocks": "Blocks", "duplicates": "Duplicate", "relates": "Relates"}
_USERS: Final = ("assignee", "reporter", "reviewers")
_NOT_THERE: Final = ("owner_component", "set_points", "test_dates")  # a Jira has no field of that kind


def contract(text: str = "") -> str:
    """A contract (the default one) without the fields that a Jira has not."""
    text = re.sub(rf"(?m)^  ({'|'.join(_NOT_THERE)}): .*\n", "", text or template("contract.yaml"))
    return text.replace("serial_numbers: {kind: text,", "serial_numbers: {kind: label,")


def mapping(end: End) -> str:
    """A site's own words for that contract."""
    if end is EMBEDDED:
        return ""
    fields = "".join(f"  {ours}: {word}\n" for word, ours in FIELDS.items())
    links = "".join(f"  {ours}: {word}\n" for word, ours in LINKS.items())
    users = "".join(f"  '{account}': {name}\n" for name, account in accounts(end).items() if name != account)
    return f"fields:\n{fields}links:\n{links}" + (f"users:\n{users}" if users else "")


def accounts(flavour: Flavour) -> dict[str, str]:
    """Who is named how in this Jira."""
    return {user.name: user.account if flavour.cloud else user.name for user in everybody(flavour, "UTC")}


class JiraClock:
    """A Jira's clock goes with everybody's, and never back; each change takes a moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = self._ms()
        self._ahead = 0

    def _ms(self) -> int:
        return int(self._clock.now.timestamp() * 1000)

    def now(self) -> int:
        ms = self._ms()
        self._ahead += max(0, self._seen - ms)
        self._seen = ms
        return ms + self._ahead

    def next(self) -> int:
        self._clock.advance(seconds=_TICK)
        return self.now()

    def waiting(self) -> Waiting:
        """For what waits for this Jira."""
        return Waiting(now=lambda: self.now() / 1000, sleep=self._sleep, chance=lambda: 0.5)

    def _sleep(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds + 0.001)


class Files:
    """What is attached in a Jira, as its disk has it."""

    def __init__(self, jira: JiraSite) -> None:
        self._store = jira.store

    def quote(self, text: str) -> str:
        return text

    def download(self, path: str, *, size: int, gone: str = "") -> Iterator[bytes]:
        with self._store.lock:
            (found,) = (one for issue in self._store.issues.values() for one in issue.attachments if one.id in path.split("/"))
            content = found.content.read_bytes()
        assert len(content) == size, gone
        yield content


class JiraDesk:
    """Where people work with a Jira: what they do is done at once, and read from its database. In the contract's words.

    An issue is named by its id. What Jira refuses raises Rejected.
    """

    def __init__(self, jira: JiraSite, catalogue: Catalogue, account: str, who: str = "a.lindqvist") -> None:
        self.jira, self._catalogue, self._account = jira, catalogue, account
        self.person = jira.person(who)
        self._texts = LongTexts(Files(jira), cloud=jira.flavour.cloud)
        self._accounts = accounts(jira.flavour)
        self._names = {account: name for name, account in self._accounts.items()}

    def close(self) -> None:
        """Nothing is held."""

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────────

    def issues(self) -> list[Issue]:
        """All issues of the project, oldest first."""
        project = self.jira.store.project("ABC")
        assert project is not None
        there = sorted(self.jira.store.issues.values(), key=lambda one: int(one.id))
        return [self._read(one.id) for one in there if one.project == project.id]

    def _read(self, local: str) -> Issue:
        store = self.jira.store
        with store.lock:
            issue = store.issues[local]
            view = View(store, store.person("admin"), "http://jira.example")
            json = show_issue(view, issue, properties=",".join(PROPERTIES))
            json["fields"]["comment"] = {"comments": [view.comment(one, issue, properties=True) for one in issue.comments]}
            json["fields"]["worklog"] = {"worklogs": [view.worklog(one, issue, properties=True) for one in issue.worklogs]}
            keys = dict(store.keys)
        told = _decode(Answer(200, json).bytes())
        self._texts.mend(told)
        read = read_issue(self._catalogue, told, accounts={self._account}, scope=Scope.IN, id_of=keys.get)
        return replace(read, item=replace(read.item, fields=self._ours(read.item.fields)))

    def _ours(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        """In the contract's words."""
        words, links = {ours: word for word, ours in FIELDS.items()}, {theirs: word for word, theirs in LINKS.items()}
        found: dict[str, Value] = {}
        for flat, value in fields.items():
            name, element = split_name(flat)
            parts = link_parts(flat)
            if parts is not None:
                found[link_name(links.get(parts[0], parts[0]), parts[1])] = value
            elif element is None:
                word = words.get(name, name)
                found[word] = self._names.get(str(value), value) if word in _USERS else value
            else:
                word = words.get(name, name)
                found[flat_name(word, self._names.get(element, element) if word in _USERS else element)] = value
        return found

    # ── what people do ──────────────────────────────────────────────────────────────────────────────────────────

    def create(self, issue_type: str, summary: str, fields: Mapping[str, Value] | None = None) -> str:
        """Make an issue and answer its id."""
        given = {"type": issue_type, "summary": summary, **(fields or {})}
        return _done(lambda: self.person.create(self._theirs(given, issue_type)))

    def edit(self, issue: str, fields: Flat) -> None:
        kind = self.jira.store.types[self.jira.store.issues[issue].type].name
        _done(lambda: self.person.edit(issue, self._theirs(fields, kind)))

    def transition(self, issue: str, to: str) -> None:
        """One step of the workflow. Raises Rejected where none leads there."""
        try:
            _done(lambda: self.person.transition(issue, to))
        except StopIteration:
            raise Rejected(f"no step leads to {to}") from None

    def delete(self, issue: str) -> None:
        """Raises Rejected where it has sub-tasks."""
        if self.jira.store.subtasks(issue):
            raise Rejected("it has sub-tasks")
        _done(lambda: self.person.delete(issue))

    def comment(self, issue: str, text: str) -> str:
        return _done(lambda: self.person.comment(issue, text))

    def edit_comment(self, issue: str, comment: str, text: str) -> None:
        _done(lambda: self.person.edit_comment(issue, comment, text))

    def delete_comment(self, issue: str, comment: str) -> None:
        _done(lambda: self.person.delete_comment(issue, comment))

    def log_work(self, issue: str, seconds: int, *, text: str = "") -> str:
        return _done(lambda: self.person.log_work(issue, seconds, text))

    def edit_worklog(self, issue: str, worklog: str, fields: Flat) -> None:
        given = dict(fields)
        if isinstance(started := given.get("started"), str):
            given["started"] = utc_text(dt.datetime.fromisoformat(started))
        _done(lambda: self.person.edit_worklog(issue, worklog, given))

    def delete_worklog(self, issue: str, worklog: str) -> None:
        _done(lambda: self.person.delete_worklog(issue, worklog))

    def attach(self, issue: str, name: str, content: Iterable[bytes]) -> str:
        return _done(lambda: self.person.attach(issue, name, b"".join(content)))

    def delete_attachment(self, issue: str, attachment: str) -> None:
        _done(lambda: self.person.detach(issue, attachment))

    def link(self, issue: str, link_type: str, other: str) -> None:
        """Nothing is done where they are linked so already."""
        if any(link_name(link_type, other) in one.item.fields for one in self.issues() if one.item.ref.local == issue):
            return
        _done(lambda: self.person.link(issue, LINKS[link_type], other))

    def unlink(self, issue: str, link_type: str, other: str) -> None:
        _done(lambda: self.person.unlink(issue, LINKS[link_type], other))

    def _theirs(self, fields: Flat, issue_type: str) -> dict[str, Value | None]:
        """In Jira's words, for an issue of this type."""
        found: dict[str, Value | None] = {}
        for flat, value in fields.items():
            name, element = split_name(flat)
            ours = FIELDS.get(name, name)
            if name == "parent" and not self.jira.flavour.cloud and issue_type != "Sub-task":
                ours = "Epic Link"
            if element is not None:
                found[flat_name(ours, self._accounts.get(element, element) if name in _USERS else element)] = value
            elif name in _USERS:
                found[ours] = self._accounts.get(str(value), value)
            elif name == "occurred_at" and isinstance(value, str):
                found[ours] = utc_text(dt.datetime.fromisoformat(value))
            else:
                found[ours] = value
        return found


def _done(act: Callable[[], T]) -> T:
    try:
        return act()
    except Refusal as error:
        raise Rejected(f"Jira refuses: {error}") from error


class JiraSide(Side):
    """One site with a Jira, and the people who work there."""

    desk: JiraDesk  # type: ignore[assignment]  # it does all that tests ask of a Desk

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        randomness: random.Random,
        jira: JiraSite,
        jira_clock: JiraClock,
        *,
        scope: str = "",
        settings: str = "",
    ) -> None:
        self.jira, self._jira_clock = jira, jira_clock
        self._settle_in(folder, scope, settings)
        super().__init__(folder, clock, randomness)

    def _settle_in(self, folder: Path, scope: str, settings: str) -> None:
        """Write where the tracker is into the configuration, and its token into a file."""
        path = folder / "filesync.yaml"
        kind = "jira-cloud" if self.jira.flavour.cloud else "jira-dc"
        user = f"    user: {self.jira.email}\n" if self.jira.flavour.cloud else ""
        lines = (
            f"  kind: {kind}\n  project: ABC\n  settings:\n    url: {self.jira.url}\n    token_file: keys/jira-token\n{user}"
        )
        lines += "    requests_per_second: 10000\n    sweep: 2\n    census: 3\n    census_limit: 100000\n"
        lines += f"    scope: {scope}\n" if scope else ""
        lines += f"    {settings}\n" if settings else ""
        text, found = re.subn(r'(?s)  kind: "embedded"\n.*?\n\n', lambda _: f"{lines}\n", path.read_text())
        assert found == 1
        path.write_text(text)
        token = folder / "keys" / "jira-token"
        token.touch(mode=0o600)
        token.write_text(f"{self.jira.token}\n")

    def sit_down(self) -> JiraDesk:  # type: ignore[override]  # as `desk`
        tracker = self.config.tracker
        settings = read_settings(tracker.settings, folder=tracker.base)
        http = Http.open(settings, cloud=self.jira.flavour.cloud, waiting=self._jira_clock.waiting())
        dialect = probe(http)
        catalogue = read_catalogue(http, dialect, tracker.project, names=settings.fields)
        http.close()
        (account,) = dialect.accounts
        return JiraDesk(self.jira, catalogue, account)

    def open_site(self) -> Site:
        """As the configuration says, but for the time that waiting takes."""
        opened = partial(Http.open, waiting=self._jira_clock.waiting())
        with patch.object(Http, "open", opened):
            return super().open_site()

    def export(self) -> Exports:
        return self._patiently(super().export)

    def import_(self) -> Imports:
        return self._patiently(super().import_)

    def retry(self) -> None:
        self._patiently(super().retry)

    def _patiently(self, command: Callable[[], T]) -> T:
        """As `filesync run`: it comes again when it was told to, or in a minute."""
        for left in reversed(range(_TRIES)):
            try:
                return command()
            except Unavailable as error:
                if not left:
                    raise
                self.clock.advance(seconds=(error.retry_after or 60) + 1)
        raise AssertionError

    def issues(self) -> list[Entry] | list[Item]:
        return [one.item for one in self.desk.issues()]

    def below(self, issue: str, kind: Kind) -> list[Entry] | list[Item]:
        found = next((one for one in self.desk.issues() if one.item.ref.local == issue), None)
        return [one for one in (found.children if found else ()) if one.ref.kind is kind]

    def key(self, issue: str) -> str:
        return issue

    def called(self, issue: str) -> str:
        return self.jira.store.issues[issue].key


@contextmanager
def two_trackers(
    ends: tuple[End, End],
    *,
    text: str = "",
    scope: str = "",
    base: Path | None = None,
    settings: str = "",
    mappings: tuple[str, str] = ("", ""),
) -> Iterator[World]:
    """Two paired sites over these trackers. `text`: their contract; `scope`: what acme tells; `settings`: more of a Jira's.

    `mappings`: what theirs say besides words.
    """
    of_acme = scope if ends[0] is EMBEDDED else ""
    start = template_of(
        contract(text), (mapping(ends[0]) + mappings[0], mapping(ends[1]) + mappings[1]), (of_acme, ""), False, 1
    )
    clock = Clock()
    with ExitStack() as stack:
        place = Path(tempfile.mkdtemp(prefix="filesync-", dir=base or (MEMORY if MEMORY.is_dir() else None)))
        stack.callback(shutil.rmtree, place)
        shutil.copytree(start, place, dirs_exist_ok=True)
        randomness = random.Random(0)
        sides: list[Side] = []
        for name, end in zip(("acme", "globex"), ends, strict=True):
            if end is EMBEDDED:
                side = Side(place / name, clock, randomness)
            else:
                jira_clock = JiraClock(clock)
                jira = stack.enter_context(JiraSite(end, clock=jira_clock))
                side = JiraSide(
                    place / name, clock, randomness, jira, jira_clock, scope=scope if not sides else "", settings=settings
                )
            stack.callback(side.close)
            sides.append(side)
        acme, globex = sides
        yield World(acme, globex, clock)


def calm(world: World, *, rounds: int = 30) -> None:
    """Rounds, with time between them, until several in a row bring nothing: what was deleted in a Jira is only then believed."""
    quiet = 0
    for _ in range(rounds):
        world.clock.advance(minutes=5)
        quiet = 0 if world.round() else quiet + 1
        if quiet == SURE:
            return
    raise AssertionError(f"still moving after {rounds} rounds")


def writes(side: Side) -> list[str]:
    """What was asked of a side's Jira that changes something, since requests were forgotten."""
    if not isinstance(side, JiraSide):
        return []
    seen = [
        one
        for one in side.jira.requests()
        if one.method != "GET" and not one.path.endswith(tuple(f"/{name}" for name in ASKING))
    ]
    return [f"{one.method} {one.path}" for one in seen]
