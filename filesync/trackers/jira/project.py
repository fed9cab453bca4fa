"""One project of a Jira, as an open tracker knows it: who asks, what there is, and what our account may do there."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unavailable
from filesync.model.values import FieldKind, Flat
from filesync.settings import quoted
from filesync.trackers.jira.read.apart import Apart
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.read.inventory import AGILE, read_sprints, sprints_of
from filesync.trackers.jira.read.long_texts import LongTexts
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API, Dialect, ServerTime
from filesync.trackers.jira.rest.http import Http
from filesync.trackers.jira.settings import JiraSettings
from filesync.trackers.jira.translate.bodies import unknown_entries, unknown_sprints
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.shapes import member

STALE: Final = dt.timedelta(minutes=1)  # what was read longer ago than that is read again where something is unknown
_KEYS: Final = 50_000  # that are remembered
_WHOLE: Final = ("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS")  # without these nothing goes on
_ADMINISTERS: Final = ("ADMINISTER", "ADMINISTER_PROJECTS")
# what each right in the project is for, as docs/jira.md says at length
_RIGHTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_WHOLE, "the exchange waits without it"),
    "TRANSITION_ISSUES": "statuses",
    "RESOLVE_ISSUES": "statuses",
    "ASSIGN_ISSUES": "the assignee",
    "MODIFY_REPORTER": "the reporter",
    "SCHEDULE_ISSUES": "the due date",
    "SET_ISSUE_SECURITY": "security levels",
    "LINK_ISSUES": "links",
    "EDIT_ALL_COMMENTS": "the partner's edits of comments that people here wrote",
    "DELETE_ALL_COMMENTS": "the partner's deletions of comments that people here wrote",
    "CREATE_ATTACHMENTS": "attachments",
    "DELETE_ALL_ATTACHMENTS": "the partner's deletions of attachments that people here made",
    "WORK_ON_ISSUES": "worklogs",
    "EDIT_ALL_WORKLOGS": "the partner's edits of worklogs that people here wrote",
    "DELETE_ALL_WORKLOGS": "the partner's deletions of worklogs that people here wrote",
    "DELETE_ISSUES": "the partner's deletions of issues, where they are carried out",
    "ADMINISTER_PROJECTS": "that a ledger from a backup is noticed; versions of the project; `create_missing`; `notify: false`",
}
_OF_SPRINTS: Final[Mapping[str, str]] = {"MANAGE_SPRINTS_PERMISSION": "sprints that are missing (`create_missing`)"}
_OF_WATCHERS: Final[Mapping[str, str]] = {
    "VIEW_VOTERS_AND_WATCHERS": "`watchers: true`",
    "MANAGE_WATCHERS": "watchers that the partner adds and takes away",
}


class Project:
    """The project and the means to work on it. Any number of threads may share one."""

    def __init__(
        self,
        http: Http,
        dialect: Dialect,
        settings: JiraSettings,
        *,
        accounts: Collection[str],
        read: Callable[[], Catalogue],
        clock: Callable[[], dt.datetime],
    ) -> None:
        """`accounts`: who we are and were. Raises Unavailable."""
        self.http, self.dialect, self.settings, self.clock = http, dialect, settings, clock
        self.accounts, self.time = accounts, ServerTime(http, clock)
        self.texts = LongTexts(http, cloud=dialect.cloud)
        self.apart = Apart(http, cloud=dialect.cloud, accounts=accounts)
        self._read = read
        self.catalogue = read()
        self._read_at = clock()
        self._keys: dict[str, str] = {}
        self._rights: tuple[dt.datetime, Mapping[str, bool]] | None = None
        self._stood: dt.datetime | None = None  # when our account had all that it needs
        self._lock = threading.Lock()
        self._making = threading.Lock()  # one at a time reads what there is, or adds to it

    @property
    def cloud(self) -> bool:
        """Jira Cloud; else Data Center."""
        return self.dialect.cloud

    def ours(self, author: object) -> bool:
        """Whether our account made what has this author, as Jira shows one."""
        name = "accountId" if self.cloud else "name"
        return isinstance(author, Mapping) and author.get(name) in self.accounts

    def renewed(self) -> bool:
        """Read anew what there is, unless that was done a moment ago; whether it was. Raises Unavailable."""
        with self._making:
            if self.clock() - self._read_at < STALE:
                return False
            self._renew()
            return True

    # ── issues ──────────────────────────────────────────────────────────────────────────────────────────────────

    def issue(self, local: str, *fields: str, properties: tuple[str, ...] = (), expand: str = "") -> Mapping[str, Any]:
        """An issue's JSON from the database, with these fields alone. Raises Gone, Unavailable."""
        if not is_id(local):
            raise Gone(gone_words(local))
        params = {"fields": ",".join(fields) or "created", "updateHistory": "false"}
        params |= {"properties": ",".join(properties)} if properties else {}
        params |= {"expand": expand} if expand else {}
        found = self.http.get(f"{API}/issue/{local}", params=params, gone=gone_words(local))
        if not isinstance(found, Mapping):
            raise strange(f"issue {local}")
        self.remember(local, str(found.get("key", "")))
        return found

    def key_of(self, local: str) -> str | None:
        """The key that an issue had when it was last seen; None: there is none. Raises Unavailable."""
        known = self._keys.get(local)  # once: others may make room meanwhile
        if known is not None:
            return known
        try:
            return str(self.issue(local).get("key", ""))
        except Gone:
            return None

    def id_of(self, key: str) -> str | None:
        """The id of an issue by its key; None: nobody can see one. Raises Unavailable."""
        path = f"{API}/issue/{self.http.quote(key)}"
        try:
            found = self.http.get(path, params={"fields": "created", "updateHistory": "false"}, gone=key)
            local = member(found, "id")
        except (Gone, ValueError):
            return None
        self.remember(local, key)
        return local

    def remember(self, local: str, key: str) -> None:
        """An issue's key, as it was seen just now."""
        with self._lock:
            if len(self._keys) >= _KEYS:
                self._keys.clear()
            self._keys[local] = key

    # ── rights ──────────────────────────────────────────────────────────────────────────────────────────────────

    def standing(self, *, now: bool = False) -> None:
        """After a refusal: raises Unavailable where our account has lost the project, or a right without which nothing goes on.

        So one message says it, and not one for each issue. `now`: what was seen a moment ago is not enough.
        """
        if not now and self._stood is not None and self.clock() - self._stood < STALE:
            return
        path = f"{API}/project/{self.catalogue.project}"
        lost = f"our account does not see the project {self.catalogue.key} any more"
        try:
            self.http.get(path, gone=lost)
        except (Gone, Rejected) as error:
            raise Unavailable(lost, hint="Give it back its rights in Jira, or ask who took them. Everything waits.") from error
        missing = [name for name in _WHOLE if not self._has(name)]
        if missing:
            raise Unavailable(
                f"our account has lost a right in the project {self.catalogue.key}: {', '.join(missing)}",
                hint="Give it back in Jira's permission scheme. Everything waits; nothing is lost.",
            )
        self._stood = self.clock()

    @contextmanager
    def gone_is_gone(self) -> Iterator[None]:
        """Around calls that may find something gone: that is believed only while our account sees the project."""
        try:
            yield
        except Gone:
            self.standing(now=True)
            raise

    def administers(self) -> bool:
        """Whether our account may keep Jira from mailing people. Raises Unavailable."""
        return any(self._has(name) for name in _ADMINISTERS)

    def lacks(self) -> Mapping[str, str]:
        """The rights that our account has not, as people in this Jira call them, and what each is for. Raises as `get`."""
        rights = {**_RIGHTS, **(_OF_WATCHERS if self.settings.watchers else {})}
        rights |= _OF_SPRINTS if self.settings.sprint_board is not None else {}
        listed = self._listed(rights)
        return {
            shown(str(listed[right].get("name") or right)): why
            for right, why in rights.items()
            if right in listed and listed[right].get("havePermission") is not True
        }

    def _has(self, right: str) -> bool:
        """What Jira does not speak of is not missing."""
        with self._lock:
            known = self._rights
        if known is None or self.clock() - known[0] > STALE:
            listed = self._listed((*_WHOLE, *_ADMINISTERS))
            known = (self.clock(), {name: one.get("havePermission") is True for name, one in listed.items()})
            with self._lock:
                self._rights = known
        return known[1].get(right, right not in _ADMINISTERS)

    def _listed(self, rights: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """What Jira says of these rights of our account in the project, and on Data Center of all others."""
        params = {"projectId": self.catalogue.project}
        params |= {"permissions": ",".join(rights)} if self.cloud else {}
        answer = self.http.get(f"{API}/mypermissions", params=params)
        listed = answer.get("permissions") if isinstance(answer, Mapping) else None
        if not isinstance(listed, Mapping):
            raise strange("our account's rights")
        return {str(name): one for name, one in listed.items() if isinstance(one, Mapping)}

    # ── versions, components and sprints ────────────────────────────────────────────────────────────────────────

    def make_missing(self, fields: Flat) -> dict[str, str]:
        """Make what stands in these fields and is not there, where the settings want it. Raises Unavailable.

        Returns the fields, by flat name, that name what cannot be made, and why: they are refused with whatever else is.
        """
        refused: dict[str, str] = {}
        board = self.settings.sprint_board
        if board is not None and unknown_sprints(self.catalogue, fields):
            refused |= self._make_sprints(board, fields)
        if self._wanted(fields):
            with self._making:
                for kind, names in self._wanted(fields).items():
                    for name in names:
                        if why := self._make(kind, name, fields):
                            refused |= dict.fromkeys(self._naming(kind, name, fields), f"{quoted(name)} {why}")
                self._renew()
        if refused:
            self.standing()
        return refused

    def _make(self, kind: FieldKind, name: str, fields: Flat) -> str:
        """Make a version or component that these fields name. Returns why it is not there; "": it is. Raises Unavailable."""
        project = self.catalogue.project
        of = {"projectId": int(project)} if kind is FieldKind.VERSION else {"project": self.catalogue.key}
        try:
            self.http.send("POST", f"{API}/{kind}", body={"name": name, **of})
        except (Rejected, Unknown) as error:
            # a person may have made it, or a call of ours that nobody answered
            self._renew()
            if name not in self._wanted(fields).get(kind, ()):
                return ""
            if isinstance(error, Unknown):
                raise
            return f"is not here, and cannot be made: {error}"
        return ""

    def _naming(self, kind: FieldKind, name: str, fields: Flat) -> list[str]:
        """Those of these fields, by flat name, that have a version or component which is not here."""
        return [flat for flat, value in fields.items() if name in self._wanted({flat: value}).get(kind, ())]

    def _make_sprints(self, board: int, fields: Flat) -> dict[str, str]:
        """Make a future sprint of each name, unless the board has one of that name, open or closed, however it is written.

        Jira takes a second sprint of one name without a word, and has no room for a mark. So it is looked for first. Returns
        why not, by flat name, of what is not made. Raises Unavailable.
        """
        refused: dict[str, str] = {}
        with self._making:
            self._see_sprints(board)
            for flat, name in unknown_sprints(self.catalogue, fields).items():
                try:
                    why = self.catalogue.sprints.lost or self._no_new_sprint(board, name)
                    if not why:
                        self.http.send("POST", f"{AGILE}/sprint", body={"name": name, "originBoardId": board})
                except (Gone, Rejected) as error:  # the board may be gone since a moment ago: the issue is not
                    why = str(error)
                except Unknown:
                    self._see_sprints(board)
                    if name not in self.catalogue.sprints.ids:
                        raise
                if why:
                    refused[flat] = f"{quoted(name)} is not here, and cannot be made on board {board}: {why}"
                else:
                    self._see_sprints(board)
        return refused

    def _no_new_sprint(self, board: int, name: str) -> str:
        """Why no sprint of this name is to be made; "" where one may be."""
        if name != name.strip() or "\n" in name:
            return "its name is no single line"
        there = [*self.catalogue.sprints.ids, *(one for _, one in sprints_of(self.http, str(board), "closed"))]
        near = next((one for one in there if same_name(one, name)), None)
        return "" if near is None else f"there is {quoted(near)}, or was"

    def _see_sprints(self, board: int) -> None:
        found = read_sprints(self.http, self.catalogue.project, board)
        with self._lock:
            self.catalogue = replace(self.catalogue, sprints=found)

    def has_version(self, name: str) -> None:
        """A version was made a moment ago: fields may hold it."""
        with self._lock:
            fields = tuple(
                replace(one, options=(*one.options, name)) if one.kind is FieldKind.VERSION and name not in one.options else one
                for one in self.catalogue.fields
            )
            self.catalogue = replace(self.catalogue, fields=fields)

    def _wanted(self, fields: Flat) -> dict[FieldKind, tuple[str, ...]]:
        missing = unknown_entries(self.catalogue, fields)
        return {kind: names for kind, names in missing.items() if f"{kind}s" in self.settings.create_missing}

    def _renew(self) -> None:
        read = self._read()
        with self._lock:
            self.catalogue, self._read_at = read, self.clock()


def same_name(one: str, other: str) -> bool:
    """Whether people take the names of two sprints, or versions, for one."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def gone_words(local: str) -> str:
    """What is said of an issue that is not there."""
    return f"issue {shown(local, limit=20)} is gone: it was deleted, or our account may not see it"


def new_id(answer: object, what: str) -> str:
    """The id of what a call made, from its answer. Raises Unknown: it may have been made."""
    local = str(answer.get("id", "")) if isinstance(answer, Mapping) else ""
    if not is_id(local):
        raise Unknown(
            f"Jira did not say which id {what} has",
            hint="Before it is made again, filesync looks whether it was made. Nothing was lost.",
        )
    return local


def strange(what: str) -> Unavailable:
    """Jira answered something that has no known form."""
    return Unavailable(
        f"Jira answered something else where {what} was asked for",
        hint="Nothing of it was taken over. It is asked again in the next run; if it stays so, ask whoever runs Jira.",
    )
