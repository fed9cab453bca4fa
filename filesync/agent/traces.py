"""What stands outside a ledger and shows that there was one: guard files, and the bundles that were sent and taken."""

from __future__ import annotations

from collections.abc import Collection

from filesync.bundle.header import FORMAT
from filesync.config import Config, Folders
from filesync.errors import LedgerBehind, disk_problem
from filesync.exchange.guard import guard_path, guards
from filesync.model.ids import StreamId


def check_traces(config: Config, *, known: Collection[StreamId]) -> None:
    """Hold the streams of a ledger against what was left in other folders. Raises LedgerBehind, DiskProblem.

    A ledger that is gone, or of another day, must not be taken for that of a site that never sent anything.
    """
    lost = [one for one in guards(config.folders.guard) if one.stream not in known]
    if lost:
        last = max(lost, key=lambda one: (one.generation.n, one.seq))
        said = f"guard file {str(guard_path(config.folders.guard, last.stream))!r} says that bundle {last.seq} was sent"
    elif not known and (kept := _bundles(config.folders)):
        said = f"{kept} holds bundles"
    else:
        return
    raise LedgerBehind(
        f"the ledger {str(config.folders.ledger)!r} is gone, empty or too old: it knows nothing of this, but {said}",
        hint="Nothing was sent or applied. Is the disk of the state folder mounted? If the ledger is lost, put the newest one "
        "back from a backup, or keep everything as it is: it must be recovered from.",
    )


def _bundles(folders: Folders) -> str:
    """The folder that shows that bundles were sent or taken, or nothing."""
    for folder in (folders.archive, folders.store):
        try:
            if any(path.name.startswith(f"{FORMAT}_") for path in folder.iterdir()):
                return repr(str(folder))
        except OSError as error:
            raise disk_problem(error, folder, doing="read") from error
    return ""
