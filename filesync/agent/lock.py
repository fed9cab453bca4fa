"""The lock of a site: one process works on it at a time, and whoever comes second is told who."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from filesync.agent.record import Clock
from filesync.errors import DiskProblem, Locked, disk_problem


def lock_site(state: Path, clock: Clock) -> FileLock:
    """Take the lock in the state folder. Raises Locked, DiskProblem."""
    lock = FileLock(state / "lock")
    who = state / "lock.who"  # beside the lock: a locked file cannot be written by others everywhere
    try:
        if not state.is_dir():  # made by `init` alone: in one made here, everything would be forgotten
            raise DiskProblem(
                f"the state folder {str(state)!r} is not there: is its disk mounted?",
                hint="Nothing was started. Connect the disk, or mend folders.state in the configuration; "
                "if it is lost, put it back from a backup.",
            )
        lock.acquire(timeout=0)
        since = clock().strftime("%Y-%m-%d %H:%M:%S %Z")
        who.write_text(f"pid {os.getpid()} on {socket.gethostname()} since {since}", encoding="utf-8")
    except Timeout:
        raise Locked(
            f"this site is in use by {who.read_text(encoding='utf-8') if who.exists() else 'another process'}",
            hint="wait for it; if it is `filesync run`, which does not end by itself, stop it for this. "
            "Nothing was started here",
        ) from None
    except OSError as error:
        lock.release()
        raise disk_problem(error, state) from error
    return lock
