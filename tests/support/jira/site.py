"""A simulated Jira that listens: `with JiraSite(CLOUD) as site: ... site.url ...`.

`site.person("a.lindqvist")` does what people do, `site.faults` makes things go wrong, `site.requests()` says what was
asked. The agent's account is `filesync`: `site.password`, `site.token`, on Cloud with `site.email`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import tests.support.jira.rest_agile
import tests.support.jira.rest_attachment
import tests.support.jira.rest_comment
import tests.support.jira.rest_issue
import tests.support.jira.rest_link
import tests.support.jira.rest_meta
import tests.support.jira.rest_project
import tests.support.jira.rest_properties
import tests.support.jira.rest_search
import tests.support.jira.rest_user  # noqa: F401 (each registers its routes)
from tests.support.jira.clock import Clock, SiteClock
from tests.support.jira.faults import Faults
from tests.support.jira.flavours import CLOUD, DC9, DC10, FLAVOURS, Flavour
from tests.support.jira.media import MediaServer
from tests.support.jira.person import Person
from tests.support.jira.records import Item, Sprint
from tests.support.jira.server import JiraServer, Seen
from tests.support.jira.store import Store

__all__ = ["CLOUD", "DC9", "DC10", "FLAVOURS", "Flavour", "JiraSite", "SiteClock"]


class JiraSite:
    """One Jira with the projects ABC and XYZ, empty. Cloud keeps its files on a second host (another port)."""

    def __init__(
        self,
        flavour: Flavour,
        *,
        clock: Clock | None = None,
        context: str = "",  # "/jira" where it does not stand at the root of its host
        account_zone: str = "UTC",  # the agent's account's own time zone
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.flavour = flavour
        self.clock: Clock = clock or SiteClock()
        self.faults = Faults()
        self._spool = Path(tempfile.mkdtemp(prefix="jira-"))
        self.store = Store(flavour, clock=self.clock, faults=self.faults, spool=self._spool, account_zone=account_zone)
        self.server = JiraServer(self.store, context=context, address=address)
        self.media = MediaServer(self.store)
        self.server.media = self.media.url
        account = self.store.person("filesync")
        self.user, self.email, self.password, self.token = account.name, account.email, account.password, account.token

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self.server.url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if error is None:
            self._check()

    def start(self) -> None:
        """Listen."""
        self.server.start()
        self.media.start()

    def stop(self) -> None:
        """Stop listening; nothing is left. Raises AssertionError when the simulator itself failed at a request."""
        self.server.stop()
        self.media.stop()
        shutil.rmtree(self._spool)
        crashes, self.server.crashes = self.server.crashes, []
        assert not crashes, "\n".join(crashes)

    def person(self, name: str) -> Person:
        """A user at work, besides the agent."""
        return Person(self.store, self.store.person(name))

    def local_user(self, name: str) -> str:
        """What names a user in this Jira's own JSON: the account id on Cloud, else the name."""
        user = self.store.person(name)
        return user.account if self.flavour.cloud else user.name

    def add_sprint(self, name: str, state: str = "active", goal: str = "") -> int:
        """A sprint on the only board; answers its id."""
        sprint = Sprint(len(self.store.sprints) + 1, name, state, goal)
        self.store.sprints[sprint.id] = sprint
        return sprint.id

    def deny(self, *permissions: str, user: str = "filesync", project: str = "ABC") -> None:
        """Take permissions away from a user in a project."""
        place = self.store.project(project)
        assert place is not None
        place.denied.setdefault(self.store.person(user).key, set()).update(permissions)

    def deactivate(self, name: str) -> None:
        """The user has left: shown where it was, chosen no more."""
        self.store.person(name).active = False

    def remove_user(self, name: str) -> None:
        """The user is no longer known: shown where it was, by name only."""
        user = self.store.person(name)
        user.active, user.gone, user.display = False, True, user.name

    def write_history_silently(self, issue: str) -> None:
        """A workflow migration: a line of history, a status, and `updated` as it was."""
        found = self.store.issues[issue]
        with self.store.lock, self.store.changing(found, bump=False) as moment:
            items = [Item("Workflow", "1", "old workflow", "2", "new workflow")]
            found.status = "10002"
            self.store.note(found, self.store.person("admin"), moment, items)

    def rename_project(self, old: str, new: str) -> None:
        """Another key for the project and all its issues; the old ones keep leading there, and no issue has changed."""
        place = self.store.project(old)
        assert place is not None
        with self.store.lock:
            place.old_keys.append(place.key)
            place.key = new
            for issue in self.store.issues.values():
                if issue.project == place.id:
                    issue.key = f"{new}-{issue.key.rpartition('-')[2]}"
                    self.store.keys[issue.key] = issue.id

    def rename_version(self, old: str, new: str, *, project: str = "ABC") -> None:
        """Every issue shows the new name, and none has changed."""
        place = self.store.project(project)
        assert place is not None
        next(version for version in place.versions.values() if version.name == old).name = new

    def requests(self, path: str = "") -> list[Seen]:
        """What was asked so far, where the path holds this text."""
        return [seen for seen in list(self.server.seen) if path in seen.path]

    def counts(self) -> Counter[str]:
        """How often each method was used."""
        return Counter(seen.method for seen in self.requests())

    def forget_requests(self) -> None:
        """Begin counting again."""
        self._check()
        self.server.seen.clear()

    def _check(self) -> None:
        """In tests, hold what filesync asked against the descriptions of the API. Raises AssertionError."""
        if "PYTEST_CURRENT_TEST" in os.environ:
            from tests.support.jira import described  # it needs libraries that only tests have

            described.check(self.flavour, self.requests(), context=self.server.context)

    def site_clock(self) -> SiteClock:
        """The clock, where it is the one that tests set."""
        return cast(SiteClock, self.clock)
