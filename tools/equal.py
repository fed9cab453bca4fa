"""Whether two embedded trackers show the same: every issue and all that belongs to it, found by origin, with all it says.

tools/equal.py CONFIG CONFIG. It reads the trackers themselves, and nothing of what filesync remembers of them. Ids and keys
are each side's own and are not compared. Ends with 1 where anything differs.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filesync.agent.events import count_text
from filesync.bundle.verdict import shown
from filesync.cli.app import App
from filesync.errors import FilesyncError
from filesync.model.ids import Gid, Kind, SiteId, make_gid
from filesync.model.links import link_name, link_parts
from filesync.model.values import Value
from filesync.trackers.embedded.content import Files
from filesync.trackers.embedded.entry import Entry
from filesync.trackers.embedded.work import Work


@dataclass(frozen=True)
class Seen:
    """What a tracker shows of one issue, or of what belongs to one."""

    kind: Kind
    key: str
    issue: Gid | None  # that it belongs to
    says: dict[str, Value]  # fields, author and time


def look(config: Path) -> dict[Gid, Seen]:
    """Everything in the tracker of a site, by origin. Raises FilesyncError."""
    app = App((config,))
    site, desk = app.config().site, app.desk()
    try:
        with desk.store.reading() as work:
            return dict(_seen(desk.store.files, work, site))
    finally:
        desk.close()


def _seen(files: Files, work: Work, site: SiteId) -> Iterator[tuple[Gid, Seen]]:
    issues = list(work.issues())
    origins = {issue.ref.local: _origin(issue, site) for issue in issues}
    for issue in issues:
        yield origins[issue.ref.local], _says(files, work, issue, None, origins)
        for one in work.below(issue.ref.local):
            yield _origin(one, site), _says(files, work, one, origins[issue.ref.local], origins)


def _origin(entry: Entry, site: SiteId) -> Gid:
    return entry.origin or make_gid(site, entry.ref.kind, entry.ref.local, entry.stamp)


def _says(files: Files, work: Work, entry: Entry, issue: Gid | None, origins: dict[str, Gid]) -> Seen:
    fields = {_named(name, origins): value for name, value in entry.fields.items()}
    if entry.ref.kind is Kind.ISSUE and "parent" in fields:
        fields["parent"] = origins[str(fields["parent"])]
    about = entry.about("")
    if entry.ref.kind is Kind.ATTACHMENT:
        fields["(bytes)"] = hashlib.sha256(b"".join(files.read(entry.ref.local))).hexdigest()
    says = fields | {"(author)": about.author, "(made at)": about.at}
    return Seen(entry.ref.kind, work.name(entry.ref), issue, says)


def _named(field: str, origins: dict[str, Gid]) -> str:
    """A field's name; that of a link by the origin of its other end."""
    parts = link_parts(field)
    return field if parts is None else link_name(parts[0], origins[parts[1]])


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


def main() -> int:
    """Compare, and say what was compared and how it came out."""
    try:
        here, there = (look(Path(config)) for config in sys.argv[1:3])
    except FilesyncError as error:
        print(error)
        return error.exit_code
    found = list(differences(here, there))
    print("\n".join(found[:20]), end="\n" if found else "")
    for config, side in zip(sys.argv[1:3], (here, there), strict=True):
        counts = {kind: sum(one.kind is kind for one in side.values()) for kind in Kind}
        links = sum(link_parts(name) is not None for one in side.values() for name in one.says)
        said = ", ".join([*(count_text(number, kind) for kind, number in counts.items()), count_text(links, "link")])
        print(f"{config}: {said}")
    print(count_text(len(found), "difference"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
