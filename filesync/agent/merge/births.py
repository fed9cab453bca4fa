"""What a group of changes makes here: one item a call, or several new issues in one where our tracker can do that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from filesync.agent.merge.abreast import Came, Team
from filesync.agent.merge.steps import Make, Step
from filesync.agent.merge.view import View
from filesync.agent.paired import Paired
from filesync.agent.site import Site
from filesync.errors import Rejected
from filesync.ledger import shadows
from filesync.model.change import Create
from filesync.model.ids import Gid, Kind
from filesync.model.links import link_end
from filesync.model.moments import micros, moment
from filesync.model.values import Value, split_name, utc_text
from filesync.rules.mapping import Inward
from filesync.trackers.base import Born, Draft

STATUS = "status"  # its wire name: always this one (rules/contract.py)


class Births:
    """The items that one group makes."""

    def __init__(self, site: Site, paired: Paired, view: View) -> None:
        self._site = site
        self._paired = paired
        self._x = paired.exchange.id
        self._view = view
        self._made: dict[Gid, Born] = {}  # several in one call

    def together(self, team: Team, steps: Sequence[Step], *, stopping: Callable[[], bool]) -> Came[None]:
        """Make new issues, several in one call, where that can be done: `born` finds them made. Its places are the steps'."""
        size = self._site.tracker.at_once
        new = [place for place, step in enumerate(steps) if _is_new(step)]
        parts = [new[start : start + size] for start in range(0, len(new), size)] if size > 1 and len(new) > 1 else []

        def make(part: int) -> None:
            self._make_all(step for place in parts[part] if isinstance(step := steps[place], Make))

        came = team.abreast([[part] for part in range(len(parts))], make, stopping=stopping)
        return Came(
            begun={place for part in came.begun for place in parts[part]},
            results={place: None for part in came.results for place in parts[part]},
            troubles={parts[part][0]: trouble for part, trouble in came.troubles.items()},
        )

    def _make_all(self, steps: Iterable[Make]) -> None:
        """One call for those that our rules take as they are. Raises Unavailable."""
        drafts: dict[Gid, Draft] = {}
        for step in steps:
            inward = self._birth(step)
            if not inward.refused:
                local = {name: value for name, value in inward.fields.items() if value is not None}
                drafts[step.change.gid] = self._draft(step, local, tried="")
        self._made.update(self._site.tracker.create_all(drafts))

    def born(self, step: Make, refused: dict[str, str]) -> Born:
        """Create it, without status and links, if need be without the fields that are refused. Raises as `Tracker.create`."""
        change = step.change
        inward = self._birth(step)
        refused.update(inward.refused)
        local = {name: value for name, value in inward.fields.items() if value is not None}
        tried = self._tried(change.gid) if step.doubted else ""  # of both calls: one that is refused brings no new doubt
        while True:  # some are refused before the tracker is asked, others by it: each time it is at least one more
            self._for_few(change, refused)
            try:
                return self._create(step, local, tried=tried)
            except Rejected as error:
                wrong = self._wire_names(change, error.fields)
                if wrong.keys() <= refused.keys():
                    raise
                refused.update({name: why for name, why in wrong.items() if name not in refused})
            again = self._birth(step, without=refused)
            local = {name: value for name, value in again.fields.items() if value is not None}

    def _birth(self, step: Make, *, without: Collection[str] = ()) -> Inward:
        """What it is born with, in our tracker's words: all but status, links and `without`; and what our mapping gives."""
        kind, rules = step.change.kind, self._paired.rules
        asleep = self._view.asleep(kind, step.change.fields, theirs=step.change.about.key)
        told = (one for one in step.change.fields.items() if split_name(one[0])[0] not in asleep)
        taken = {name: value for name, value in told if rules.takes(kind, name, new=True)}
        given = (one for one in taken.items() if one[0] != STATUS and link_end(one[0]) is None)
        fields = {name: value for name, value in given if name not in without}
        inward = self._view.inward(kind, fields, step.outcome.unnamed)
        if kind is Kind.ISSUE:
            inward.fields.update(rules.preset(taken, key=step.change.about.key))
        return inward

    def _for_few(self, change: Create, refused: dict[str, str]) -> None:
        """What few may see there is not made where all would. Raises Rejected."""
        name = next((one for one in refused if self._paired.rules.restricts(change.kind, one)), None)
        if name is not None:
            refused[name] += "; until that can be kept it is not made, for all would see it"
            raise Rejected(refused[name], fields={name: refused[name]})

    def _create(self, step: Make, local: Mapping[str, Value], *, tried: str) -> Born:
        gid = step.change.gid
        return self._made.get(gid) or self._site.tracker.create(gid, self._draft(step, local, tried=tried))

    def _draft(self, step: Make, local: Mapping[str, Value], *, tried: str) -> Draft:
        change = step.change
        return Draft(
            kind=change.kind,
            issue=step.issue,
            fields=local,
            about=change.about,
            content=self._view.content(change),
            tried=tried,
            anew=lambda: self._anew(change.gid),
        )

    def _tried(self, gid: Gid) -> str:
        with self._site.ledger.begin() as conn:
            since = shadows.doubted_since(conn, self._x, gid)
        return "" if since is None else utc_text(moment(since))

    def _anew(self, gid: Gid) -> None:
        with self._site.ledger.begin() as conn:
            shadows.renew_doubt(conn, self._x, gid, now=micros(self._site.clock()))

    def _wire_names(self, change: Create, fields: Mapping[str, str]) -> dict[str, str]:
        """Which of the told fields the tracker refuses, by the names it knows them under."""
        wrong: dict[str, str] = {}
        for name in change.fields:
            for local in self._paired.rules.local_names(name) or (name,):
                why = fields.get(local) or fields.get(local.partition(":")[0])
                if why is not None:
                    wrong[name] = why
        return wrong


def _is_new(step: Step) -> bool:
    """Whether it makes an issue that nobody tried to make before."""
    return isinstance(step, Make) and step.change.kind is Kind.ISSUE and not step.doubted
