"""The project's versions in one exchange: which row and which gid stand for one that our tracker shows."""

from __future__ import annotations

from filesync.agent.paired import Paired
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Issue, Item
from filesync.model.shadow import Entity, Life
from filesync.model.versions import LISTS, NAME, project_gid, version_gid


def holder(paired: Paired) -> Entity:
    """What the versions belong to. It is known to both sides, so no ledger keeps it and nobody tells it."""
    return Entity(gid=project_gid(paired.us.id, paired.them.id), kind=Kind.PROJECT, local=LISTS)


def gid_of(paired: Paired, name: str) -> Gid:
    """The gid of the version that travels under this name."""
    return version_gid(paired.us.id, paired.them.id, name)


def named(paired: Paired, project: Issue) -> dict[Gid, Item]:
    """The project's versions by their gids. Where several of ours stand for one of the contract's, the first; else none."""
    found: dict[Gid, Item] = {}
    for item in project.children:
        name = paired.rules.wire(Kind.VERSION, {NAME: item.fields[NAME]}, _nobody).get(NAME)
        if isinstance(name, str):
            found.setdefault(gid_of(paired, name), item)
    return found


def standing(paired: Paired, gid: Gid, item: Item, row: Entity | None) -> Entity:
    """The row of a version that our tracker shows. Of another one of its name than before, nothing is agreed on yet."""
    if row is not None and stands_for(row, item):
        return row
    return Entity(gid=gid, kind=Kind.VERSION, parent=holder(paired).gid, local=item.ref.local)


def stands_for(row: Entity, item: Item) -> bool:
    """Whether a row is that of this very version; what is kept apart is so by its name."""
    return row.local == item.ref.local or row.state is not Life.LIVE


def agreed_on(row: Entity, item: Item) -> bool:
    """Whether the partner knows this very version: of another one of its name before, it may have edited something only."""
    return stands_for(row, item) and (row.state is not Life.LIVE or NAME in row.shadows.here)


def _nobody(_: str) -> None:
    return None
