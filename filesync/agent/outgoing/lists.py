"""What the project's versions have to tell. They come before all issues, so that the partner has those that these name."""

from __future__ import annotations

from collections.abc import Iterator

from filesync.agent import versions
from filesync.agent.outgoing.found import Found
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.ledger import shadows
from filesync.model.diff import Seen, diff
from filesync.model.ids import Gid, Kind
from filesync.model.issue import Item
from filesync.model.versions import LISTS, NAME
from filesync.rules.contract import BELOW


def listed(site: Site, paired: Paired) -> Iterator[Found]:
    """The versions that the partner does not know as they are, by one look at the tracker. Raises Unavailable.

    What it yields must be frozen before the next is asked for. None is ever told to be deleted: one that is gone here was
    renamed, merged into another or deleted, and stays at the partner's.
    """
    if not paired.sends(Kind.VERSION):
        return
    project = site.tracker.get(LISTS)
    if project is None:
        return  # a tracker without such a list, which `check` says
    there = versions.named(paired, project)
    x = paired.exchange.id
    with site.ledger.begin() as conn:
        known = shadows.entities(conn, x, there)
        doubted = shadows.doubts(conn, x)
    holder = versions.holder(paired)
    # another one of the same name than before is told anew, by its name alone: the partner then tells what it has, we with
    # the next export what ours has, and both meet as edits
    rows = {gid: row for gid, item in there.items() if (row := known.get(gid)) is not None and versions.agreed_on(row, item)}
    seen = [_seen(paired, holder.gid, project.item)]
    seen += [_seen(paired, gid, item, anew=gid in known and gid not in rows) for gid, item in there.items()]
    tells = diff(seen, {holder.gid: holder, **rows}, in_scope=True, doubted=doubted, tells=paired.tells, placed=lambda _: True)
    most = site.config.limits.max_changes
    for start in range(0, len(tells), most):
        part = tells[start : start + most]
        yield Found(tells=part, size=sum(tell.size for tell in part))


def _seen(paired: Paired, gid: Gid, item: Item, *, anew: bool = False) -> Seen:
    outward = paired.rules.outward(item, lambda _: None)
    open_ = BELOW[Kind.VERSION].keys() - {NAME} if anew else frozenset()
    return Seen(
        gid=gid,
        kind=item.ref.kind,
        parent=None if item.ref.kind is Kind.PROJECT else versions.holder(paired).gid,
        local=item.ref.local,
        fields=outward.fields,
        unknown=outward.untold | open_,
        came=False,
        about=item.about,
    )
