"""Changes of the project's versions: which of them are taken at all, and what stands here for those that are."""

from __future__ import annotations

import msgspec

from filesync.agent import versions
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.model.change import Change, Create, Delete, Scoped
from filesync.model.ids import NEVER, Kind, Mark, kind_of
from filesync.model.shadow import Life, Shadows
from filesync.model.versions import LISTS, NAME


def not_taken(paired: Paired, view: View, change: Change, mark: Mark) -> str:
    """Why nothing becomes of a change that names the project or a version of it; "" for all else.

    Of one that is taken the view has the row: a version of its name that stands here is that one, whoever made it.
    """
    kind = kind_of(change.gid)
    if kind is Kind.PROJECT:
        return "is not taken: nothing is told of a project itself"
    if kind is Kind.VERSION:
        return _misfit(paired, change) or _standing(paired, view, change, mark)
    if isinstance(change, Create) and (change.kind is Kind.VERSION or change.parent == versions.holder(paired).gid):
        return "is not taken: it says that it belongs to the project, and is no version"
    return ""


def _misfit(paired: Paired, change: Change) -> str:
    if isinstance(change, Delete | Scoped):
        return "is not taken: a version stays, whatever becomes of the partner's"
    if not paired.receives(Kind.VERSION):
        return "is not taken: no version comes to us under our contract"
    if isinstance(change, Create) and not _sound(paired, change):
        return "is not taken: it is no version of the name that it has"
    return ""


def _standing(paired: Paired, view: View, change: Change, mark: Mark) -> str:
    project = view.issue(LISTS)
    if project is None:
        return "is not taken: our tracker keeps no list of versions"
    row, item = view.row(change.gid), view.versions(project).get(change.gid)
    if item is not None:
        row = versions.standing(paired, change.gid, item, row)
        taken = row.shadows.taken(NAME)
        if isinstance(change, Create) and taken < mark and (change.untold or taken > NEVER):
            # the partner's is another one than that of which we told it: what it does not have is told once more
            row = msgspec.structs.replace(row, shadows=Shadows())
        view.keep([row])
    elif row is not None and row.state is Life.LIVE:
        return "is left out: the version was deleted or renamed here, and is not made again"
    return ""


def _sound(paired: Paired, change: Create) -> bool:
    name = change.fields.get(NAME)
    right = isinstance(name, str) and change.gid == versions.gid_of(paired, name)
    return right and change.kind is Kind.VERSION and change.parent == versions.holder(paired).gid
