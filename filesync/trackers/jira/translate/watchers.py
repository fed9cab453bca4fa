"""Who watches an issue, which Jira keeps apart from its fields, as one of them: a set of users. Pure.

Our own account is never among them: Jira makes it watch what it writes, and that is nobody's wish.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from filesync.model.values import FieldKind
from filesync.trackers.jira.translate.offered import JiraField
from filesync.trackers.jira.translate.shapes import Shape, member

NAME: Final = "watchers"
ID: Final = "watching"  # no field of Jira's is called so: what is read of them stands under it
FIELD: Final = JiraField(id=ID, name=NAME, label="Watchers", shape=Shape.USER, kind=FieldKind.USER, many=True)


def watchers_of(answer: object, *, ours: Collection[str], cloud: bool) -> Iterator[Mapping[str, Any]]:
    """Those among the watchers that Jira tells of an issue who are not us. Raises ValueError, also where it hides them."""
    listed, count = (answer.get(name) if isinstance(answer, Mapping) else None for name in ("watchers", "watchCount"))
    if not isinstance(listed, list):
        raise ValueError("not a list of watchers")  # noqa: TRY004 - what came from outside, not a programming fault
    if not listed and isinstance(count, int) and count > 0:
        raise ValueError("who watches it is not shown to our account: give it the right View Voters and Watchers")
    for one in listed:
        if member(one, "accountId" if cloud else "name") not in ours:
            yield one
