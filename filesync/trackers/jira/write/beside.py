"""What an import changes beside an issue's fields: links to elsewhere, and who watches it. Each is a call of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected, Unavailable
from filesync.model.values import flat_name
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import watchers, webs
from filesync.trackers.jira.translate.refused import refusal
from filesync.trackers.jira.translate.shapes import Shape
from filesync.trackers.jira.translate.shapes import shown as shown_as


class Beside:
    """Changes it at issues of one project. Methods raise as `Tracker.apply` does."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def web(self, issue: str, key: str, element: str, there: Collection[Mapping[str, Any]], *, wanted: bool) -> None:
        """Make a link to elsewhere, once, or take all that are shown so away."""
        http, path, gone = self._project.http, f"{API}/issue/{issue}/remotelink", gone_words(issue)
        try:
            if wanted:
                body = webs.link_json(element)
                http.send("POST", path, body=body, about=issue, gone=gone, idempotent=True)
                return
            for one in there:
                if shown_as(Shape.WEB, one, cloud=self._project.cloud) == element:
                    with suppress(Gone):
                        http.send("DELETE", f"{path}/{one['id']}", about=issue, gone="it is gone", idempotent=True)
        except Rejected as error:
            self._project.standing()
            raise refusal(f"the edit of {shown(key)}", {flat_name(webs.NAME, element): str(error)}) from error

    def watch(self, issue: str, key: str, user: str, *, wanted: bool) -> None:
        """Have somebody watch the issue, or no more. Whom Jira does not take does not watch it, and holds up nothing."""
        project, path = self._project, f"{API}/issue/{issue}/watchers"
        try:
            if wanted:
                project.http.send("POST", path, body=user, about=issue, idempotent=True)
            else:
                named = {"accountId" if project.cloud else "username": user}
                project.http.send("DELETE", path, params=named, about=issue, idempotent=True)
        except Rejected:
            project.standing()
            project.issue(issue)  # else it is gone, and Jira says so of the user
        except Unavailable as error:
            if error.retry_after is not None:
                raise
            # Jira answers 401 also of a user who may not see the issue, and to an account that may not say who watches
            project.standing(now=True)
            raise refusal(f"the edit of {shown(key)}", {flat_name(watchers.NAME, user): str(error)}) from error
