"""Fields that are on no screen for editing, written by a transition that leads back to the status it began in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from filesync.bundle.verdict import shown
from filesync.errors import Rejected
from filesync.model.values import Flat, split_name
from filesync.settings import quoted
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.settings import Transition, statuses_of
from filesync.trackers.jira.translate.bodies import Body
from filesync.trackers.jira.translate.refused import by_name, refusal
from filesync.trackers.jira.write.workflow import choose, read_place


class Looping:
    """The transitions of one project that the settings name for that."""

    def __init__(self, project: Project) -> None:
        self._project = project
        ways = ((*statuses_of(step), one) for step, one in project.settings.transitions.items())
        self._meant: dict[str, Transition] = {start: one for start, end, one in ways if start == end and one.writes}

    def asked(self, fields: Iterable[str]) -> bool:
        """Whether in some status one of these flat fields is written so."""
        names = {split_name(flat)[0] for flat in fields}
        return any(not names.isdisjoint(one.writes) for one in self._meant.values())

    def write(self, there: Mapping[str, Any], body: Body, fields: Flat, note: Mapping[str, Any]) -> bool:
        """Take what is written so out of a body, and write it; whether anything was. Raises Rejected, Gone, Unavailable.

        `there`: the issue with `fields=status,issuetype` and `expand=transitions`.
        """
        place, project = read_place(there), self._project
        meant = self._meant.get(place.status)
        if meant is None:
            return False
        catalogue = project.catalogue
        ids = {one.id for name in meant.writes if (one := catalogue.by_name.get(name)) is not None}
        given = {id_: body.fields.pop(id_) for id_ in ids & body.fields.keys()}
        update = {id_: body.update.pop(id_) for id_ in ids & body.update.keys()}
        if not (given or update):
            return False
        issue, key = str(there.get("id", "")), str(there.get("key", ""))
        written = {flat: value for flat, value in fields.items() if split_name(flat)[0] in meant.writes}
        steps = choose(place.steps, place.status, meant.name)
        if not steps:
            why = f"no transition of tracker.settings.transitions leads from {quoted(place.status)} back to it for our account"
            raise refusal(f"the edit of {shown(key)}", dict.fromkeys(written, why))
        asked = {"transition": {"id": steps[0].id}, "historyMetadata": note, "fields": {**meant.fields, **given}}
        asked |= {"update": update} if update else {}
        path = f"{API}/issue/{issue}/transitions"
        try:
            project.http.send("POST", path, body=asked, about=issue, gone=gone_words(issue))
        except Rejected as error:
            project.standing()
            raise by_name(f"the edit of {shown(key)}", error, catalogue, written, screen=None) from error
        return True
