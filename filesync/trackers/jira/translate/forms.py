"""What Jira tells of the issues of a type before there is any: the screen on which they are made, and their statuses. Pure."""

from __future__ import annotations

from typing import Final

from filesync.trackers.base import Form
from filesync.trackers.jira.translate.catalogue import Catalogue, IssueType
from filesync.trackers.jira.translate.shapes import Shape

_GIVEN: Final = frozenset({"project", "issuetype", "reporter"})  # by what is asked for; the reporter is then our account
_ON_NO_SCREEN: Final = frozenset({Shape.STATUS, Shape.PARENT})  # reached by transitions; in a team's project of Cloud anywhere


def form(catalogue: Catalogue, kind: IssueType) -> Form:
    """What is known. Workflows are shown to administrators alone: which transitions there are, each issue tells of itself."""
    if kind.screen is None:
        return Form(statuses=kind.statuses, unreached=None, takes=None, needs=())
    given = {*_GIVEN, catalogue.epic_name}  # an epic's name is its summary, where nobody says more
    needs = [
        name
        for id_, meta in kind.screen.items()
        if meta.required and not meta.default and id_ not in given
        for name in catalogue.names_of(id_)[:1] or (meta.label,)
    ]
    takes = {
        one.name
        for one in catalogue.fields
        if one.id in kind.screen or one.id == "issuetype" or one.shape in _ON_NO_SCREEN or one.name in catalogue.apart
    }
    return Form(statuses=kind.statuses, unreached=None, takes=frozenset(takes), needs=tuple(needs))
