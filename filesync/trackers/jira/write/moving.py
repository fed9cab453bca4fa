"""Issues through their workflows: which statuses to go through, and one step of the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected
from filesync.model.ids import Mark
from filesync.model.values import Flat
from filesync.settings import did_you_mean, quoted
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.read.search import Search, objects
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.settings import Transition, statuses_of
from filesync.trackers.jira.translate.catalogue import read_screen
from filesync.trackers.jira.translate.refused import refusal
from filesync.trackers.jira.write.workflow import Place, Seen, Step, choose, read_place
from filesync.trackers.jira.write.writing import note_of

_STATUS: Final = "status"
_RESOLUTION: Final = "resolution"
_FRESH: Final = dt.timedelta(minutes=10)  # so long it is believed that an issue stands where we saw it
_STANDS: Final = 5_000  # issues of which that is remembered
_SETTING: Final = "Name the way in tracker.settings.transitions, or have our account let through, or move the issue by hand."


class Moving:
    """The statuses of one project's issues."""

    def __init__(self, project: Project, search: Search) -> None:
        self._project, self._search = project, search
        self._named: dict[tuple[str, str], Transition] = {
            statuses_of(step): one for step, one in project.settings.transitions.items()
        }
        self._seen = Seen(tuple(self._named))
        self._sampled: set[tuple[str, str]] = set()
        self._stands: dict[str, tuple[dt.datetime, str, str]] = {}  # local id -> since when, its type, its status
        self._lock = threading.Lock()

    def stands(self, issue: str, kind: str, status: str) -> None:
        """Jira showed this issue, of this type, in this status just now: it need not be asked again for the next step.

        Where that is not so any more, Jira refuses the step, and then it is asked. That an issue is where it is wanted is
        never believed of what was seen before.
        """
        with self._lock:
            if len(self._stands) >= _STANDS:
                self._stands.clear()
            self._stands[issue] = (self._project.clock(), kind, status)

    def _remembered(self, issue: str) -> Place | None:
        """Where an issue stands, if that was seen a moment ago and what leads out of there is known. Told once."""
        with self._lock:
            since, kind, status = self._stands.pop(issue, (None, "", ""))
        fresh = since is not None and abs(self._project.clock() - since) < _FRESH
        return self._seen.place(kind, status) if fresh else None

    def route(self, issue: str, goal: str) -> tuple[str, ...]:
        """See Tracker. The shortest way that is known; where none is, the way into a status from which more will be known.

        What is known: what Jira lists for this issue, what it lists in other statuses for issues of its type, and the settings.
        """
        remembered = self._remembered(issue)
        if remembered is not None and (way := self._seen.way(remembered, goal)):
            self.stands(issue, remembered.type, remembered.status)
            return way
        key, place = self._look(issue)
        if place.status == goal:
            return ()
        self._check(key, place, goal)
        while (way := self._seen.way(place, goal)) is None and self._learn_more(place):
            pass
        if way is None:
            self._categories()
            onward = self._seen.forward(place, goal)
            way = self._seen.way(place, goal) or onward  # another thread may have seen the rest of it meanwhile
        if way is None:
            raise self._refused(key, f"no way is known from {quoted(place.status)} to {quoted(goal)}; {_offers(place)}")
        return way

    def step(self, issue: str, status: str, mark: Mark, *, resolution: str | None = None) -> Flat:
        """One transition into a status, with a resolution if there is one; none where the issue is there.

        What leads out of a status is the same for most issues of a type: Jira is asked what this one may do only where
        that is not known, or refused.
        """
        remembered = self._remembered(issue)
        if remembered is not None and remembered.status != status and (fits := self._fits(remembered, status)):
            with suppress(Rejected):
                self._take(issue, fits[0], mark, remembered, resolution)
                return {_STATUS: status}
        key, place = self._look(issue)
        if place.status == status:
            return {_STATUS: status}
        self._check(key, place, status)
        fits = self._fits(place, status)
        if not fits:
            raise self._refused(key, f"no transition leads from {quoted(place.status)} to {quoted(status)}; {_offers(place)}")
        try:
            self._take(issue, fits[0], mark, place, resolution)
        except Rejected as error:
            self._project.standing()
            raise self._refused(key, f"Jira refuses {quoted(fits[0].name)}: {error}{self._needs(issue, fits[0].id)}") from error
        return {_STATUS: status}

    def _fits(self, place: Place, status: str) -> tuple[Step, ...]:
        meant = self._named.get((place.status, status))
        return choose(place.steps, status, meant.name if meant is not None else None)

    def _take(self, issue: str, step: Step, mark: Mark, place: Place, resolution: str | None) -> None:
        """Carry out a transition. That it was done says where the issue is now; without an answer nobody knows."""
        self._remembered(issue)
        asked: dict[str, Any] = {"transition": {"id": step.id}, "historyMetadata": note_of(mark)}
        meant = self._named.get((place.status, step.to))
        fields = {**meant.fields} if meant is not None else {}
        if resolution is not None:
            fields[_RESOLUTION] = {"name": resolution}
        if fields:
            asked["fields"] = fields
        self._project.http.send("POST", f"{API}/issue/{issue}/transitions", body=asked, about=issue, gone=gone_words(issue))
        self.stands(issue, place.type, step.to)

    def _look(self, issue: str) -> tuple[str, Place]:
        """Its key, and where it stands. Raises Gone, Unavailable."""
        json = self._project.issue(issue, "status", "issuetype", expand="transitions")
        place = read_place(json)
        self._seen.learn(place)
        self.stands(issue, place.type, place.status)
        return shown(str(json.get("key", ""))), place

    def _check(self, key: str, place: Place, status: str) -> None:
        """Raises Rejected where issues of this type have no such status."""
        kind = self._project.catalogue.types.get(place.type)
        known = kind.statuses if kind is not None else self._project.catalogue.statuses
        if status not in known:
            near = did_you_mean(status, known)
            raise self._refused(key, f"an issue of type {place.type} has no status {quoted(status)}{near}")

    def _learn_more(self, place: Place) -> bool:
        """Look at an issue of the same type in a status from which nothing is known; whether there was such a status."""
        for status in self._seen.unseen(place):
            if (place.type, status) not in self._sampled:
                self._sampled.add((place.type, status))
                local = self._search.example(issuetype=place.type, status=status)
                if local is not None:
                    with suppress(Gone):
                        self._look(local)
                return True
        return False

    def _categories(self) -> None:
        """Which statuses are of work to be done, in progress and done."""
        listed = self._project.http.get(f"{API}/status")
        for one in objects({"values": listed}, "values"):
            category = one.get("statusCategory")
            self._seen.note(str(one.get("name", "")), str(category.get("key", "")) if isinstance(category, Mapping) else "")

    def _needs(self, issue: str, transition: str) -> str:
        """Which fields a transition's screen requires, in words."""
        params = {"expand": "transitions.fields", "transitionId": transition}
        answer = self._project.http.get(f"{API}/issue/{issue}/transitions", params=params, gone=gone_words(issue))
        listed = next((one.get("fields") for one in objects(answer, "transitions") if str(one.get("id")) == transition), None)
        if not isinstance(listed, Mapping):
            return ""
        screen = read_screen((str(name), one) for name, one in listed.items() if isinstance(one, Mapping))
        required = [shown(name, limit=60) for name, meta in screen.items() if meta.required and not meta.default]
        return f"; its screen requires {', '.join(required)}" if required else ""

    def _refused(self, key: str, why: str) -> Rejected:
        return refusal(f"the way of {key}", {_STATUS: why}, hint=_SETTING)


def _offers(place: Place) -> str:
    """What Jira lets our account do with an issue now."""
    if not place.steps:
        return "Jira lets our account take no step from there"
    said = ", ".join(f"{shown(step.name, limit=60)} to {quoted(step.to)}" for step in place.steps[:12])
    return f"from there Jira lets our account go by {said}"
