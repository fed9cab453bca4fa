"""What a Jira's issue shows of the partner's beside its fields: a link that its people follow, a property for programs."""

from __future__ import annotations

from typing import Final

from filesync.bundle.verdict import shown
from filesync.errors import Rejected
from filesync.trackers.base import Show
from filesync.trackers.jira.project import Project, gone_words
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import webs

_PROPERTY: Final = "filesync.partner"


class Partner:
    """Shows it at issues of one project. Raises as `Tracker.apply` does."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def show(self, issue: str, what: Show) -> None:
        """Each is a call that puts its own in the place of what stood there."""
        project, path, gone = self._project, f"{API}/issue/{issue}", gone_words(issue)
        try:
            if what.link:
                body = webs.partner_json(what.partner, what.key, what.link)
                project.http.send("POST", f"{path}/remotelink", body=body, about=issue, gone=gone, idempotent=True)
            if what.facts:
                name = project.http.quote(f"{_PROPERTY}.{what.partner}")
                body = dict(what.facts)
                project.http.send("PUT", f"{path}/properties/{name}", body=body, about=issue, gone=gone, idempotent=True)
        except Rejected as error:
            project.standing()
            raise Rejected(f"Jira does not show what {shown(what.partner)} calls it: {error}", hint=error.hint) from error
