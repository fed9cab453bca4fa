"""Whether two trackers show the same: every issue and all that belongs to it, by origin, with all that the contract carries.

tools/equal.py CONFIG CONFIG. It reads the trackers themselves, and nothing of what filesync remembers of them. Ids and keys
are each side's own and are not compared; authors and times are where both trackers keep them, which Jira does not. What stays
at home is not compared, nor what one site alone tells and the other may have otherwise (`from`, with the mode `drift`). Ends
with 1 where anything differs.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filesync.agent.events import count_text
from filesync.bundle.verdict import shown
from filesync.cli.app import App, now
from filesync.errors import FilesyncError
from filesync.model.ids import Gid, Kind, SiteId, make_gid
from filesync.model.issue import Issue, Item
from filesync.model.links import link_parts
from filesync.model.values import Value, split_name
from filesync.rules.contract import Mode
from filesync.rules.load import load_rules
from filesync.rules.mapping import Rules
from filesync.trackers.base import Tracker
from filesync.trackers.registry import open_tracker

_COUNTED: Final = (Kind.ISSUE, Kind.COMMENT, Kind.ATTACHMENT, Kind.WORKLOG)  # what is read, issue by issue


@dataclass(frozen=True)
class Seen:
    """What a tracker shows of one issue, or of what belongs to one, in the contract's words."""

    kind: Kind
    key: str
    issue: Gid | None  # that it belongs to
    says: dict[str, Value]  # fields, and what nothing in the contract stands for by its reason


@dataclass(frozen=True)
class Side:
    """One site's tracker. `signed`: it keeps the authors and times that it is told."""

    site: SiteId
    tracker: Tracker
    rules: Rules
    signed: bool

    def look(self) -> dict[Gid, Seen]:
        """Everything in it, by origin. Raises FilesyncError."""
        ids = list(dict.fromkeys(touched.issue for touched in self.tracker.changed(None, lambda: iter(()))))
        issues = [issue for _, issue in self.tracker.get_all(ids) if issue is not None]
        return dict(self._seen(issues))

    def _seen(self, issues: list[Issue]) -> Iterator[tuple[Gid, Seen]]:
        origins = {issue.item.ref.local: self._origin(issue.item) for issue in issues}
        for issue in issues:
            if issue.item.origin is None and not issue.in_scope:
                continue  # it stays at home
            ours = origins[issue.item.ref.local]
            yield ours, self._says(issue.item, issue.key, None, origins)
            for one in (one for one in issue.children if self.rules.travels(one.ref.kind)):
                yield self._origin(one), self._says(one, f"{one.ref.kind} {one.ref.local} of {issue.key}", ours, origins)

    def _origin(self, item: Item) -> Gid:
        return item.origin or make_gid(self.site, item.ref.kind, item.ref.local, item.stamp)

    def _says(self, item: Item, key: str, issue: Gid | None, origins: Mapping[str, Gid]) -> Seen:
        told = self.rules.outward(item, origins.get)
        says: dict[str, Value] = told.fields | {one.field: f"({one.why})" for one in told.dropped}
        if item.ref.kind is Kind.ISSUE:
            drifts = {name for name, field in self.rules.contract.fields.items() if field.mode is Mode.DRIFT}
            says = {name: value for name, value in says.items() if split_name(name)[0] not in drifts}
        if item.ref.kind is Kind.ATTACHMENT:
            digest = hashlib.sha256()
            for piece in self.tracker.fetch(item.ref):
                digest.update(piece)
            says["(bytes)"] = digest.hexdigest()
        if self.signed:
            says |= {"(author)": item.about.author, "(made at)": item.about.at}
        return Seen(item.ref.kind, key, issue, says)


def look(configs: tuple[Path, Path]) -> tuple[dict[Gid, Seen], dict[Gid, Seen]]:
    """Both trackers. Raises FilesyncError."""
    here, there = (App((config,)).config() for config in configs)
    signed = here.tracker.kind == there.tracker.kind == "embedded"
    found = []
    for config in (here, there):
        its = config.tracker
        tracker = open_tracker(its.kind, project=its.project, settings=its.settings, folder=its.base, clock=now)
        with closing(tracker):
            rules = load_rules(config.contract, config.mapping, site=config.name)
            found.append(Side(config.site, tracker, rules, signed).look())
    return found[0], found[1]


def differences(here: dict[Gid, Seen], there: dict[Gid, Seen]) -> Iterator[str]:
    """A line for each thing that only one shows, and for each that the two say otherwise."""
    for gid in {**here, **there}:
        ours, theirs = here.get(gid), there.get(gid)
        if ours is None or theirs is None:
            one = ours or theirs
            assert one is not None
            yield f"{one.key} is at one site alone"
        elif ours != (other := Seen(theirs.kind, ours.key, theirs.issue, theirs.says)):
            fields = sorted(name for name in {**ours.says, **other.says} if ours.says.get(name) != other.says.get(name))
            yield f"{ours.key} and {theirs.key} differ in {shown(', '.join(fields) or 'what they belong to')}"


def main(first: str, second: str) -> int:
    """Compare, and say what was compared and how it came out."""
    try:
        here, there = look((Path(first), Path(second)))
    except FilesyncError as error:
        print(error)
        return error.exit_code
    found = list(differences(here, there))
    print("\n".join(found[:20]), end="\n" if found else "")
    for config, side in ((first, here), (second, there)):
        counts = {kind: sum(one.kind is kind for one in side.values()) for kind in _COUNTED}
        links = sum(link_parts(name) is not None for one in side.values() for name in one.says)
        said = ", ".join([*(count_text(number, kind) for kind, number in counts.items()), count_text(links, "link")])
        print(f"{config}: {said}")
    print(count_text(len(found), "difference"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
