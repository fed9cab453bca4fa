"""Errors, in families by who must act, and the exit codes that scripts rely on.

Every error is one line for a person (`str()`), holds no secret, says in `hint` who does what next, and
carries the exit code a command ends with when nothing else handled it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means. The table in the README is made from these names and comments."""

    DONE = 0  # what was asked for is done
    BUG = 1  # a fault of filesync itself; the traceback is what we need to see
    USAGE = 2  # the command line is not one filesync understands, or names what is not here
    NOTHING = 3  # nothing to do: nothing changed, nothing arrived, or the exchange is paused
    WORK_LEFT = 4  # done as far as it goes; something waits, is held or is stuck: see `filesync status`
    LOCKED = 5  # another filesync works on this site
    CONFIG = 6  # the configuration, a key or a pairing must be mended
    DISK = 7  # a folder, right, or space is missing, or the disk failed
    PARTNER = 8  # a file is damaged, forged, or not what the partner should have sent
    STOPPED = 9  # a stream is stopped until a person decides
    TRACKER = 10  # the tracker does not answer or refuses our account for now
    REJECTED = 11  # the tracker refuses this one thing for good
    RECOVER = 12  # the ledger is older than what was sent: a restore must be recovered from
    INTERRUPTED = 130  # stopped by Ctrl-C


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where: a file's member, a line and column, a setting, a field."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class FilesyncError(Exception):
    """Any failure filesync foresees. `str()` is one line; `hint` says what to do next."""

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


# ── the operator of this site must act ──────────────────────────────────────────────────────────────────────────


class ConfigError(FilesyncError):
    """The configuration is wrong; `problems` holds every one of them, each with its place."""

    exit_code = ExitCode.CONFIG

    def __init__(self, problems: Iterable[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        first = str(self.problems[0]) if self.problems else "unusable"
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(first + more, hint=hint)


class NotHere(FilesyncError):
    """A person named a partner, a file or a change that is not here, or that could be one of several."""

    exit_code = ExitCode.USAGE


class KeyProblem(FilesyncError):
    """A key is missing, unreadable, open to others, or not the kind we take."""

    exit_code = ExitCode.CONFIG


class PairingError(FilesyncError):
    """A pairing file cannot be used here, or the exchange is not paired."""

    exit_code = ExitCode.CONFIG


class Paused(FilesyncError):
    """The exchange is paused: a person wants nothing done on it for now."""

    exit_code = ExitCode.NOTHING


class Locked(FilesyncError):
    """Another process works on this site."""

    exit_code = ExitCode.LOCKED


class DiskProblem(FilesyncError):
    """A folder, a right or space is missing."""

    exit_code = ExitCode.DISK


class StorageFailure(DiskProblem):
    """fsync or a read failed: what the disk holds is unknown, so the stream stops and nothing is tried again."""


_SPACE = {errno.ENOSPC, errno.EDQUOT}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}


def disk_problem(error: OSError, path: object, *, doing: str = "write", need: int | None = None, have: int = 0) -> DiskProblem:
    """A failure of the operating system in words: which path, which right (`doing`: write, read …), how many bytes."""
    where, why = repr(str(path)), error.strerror or str(error)
    if error.errno == errno.EIO:
        return StorageFailure(
            f"the disk failed: cannot {doing} {where} ({why})",
            hint="Look at the disk and the system's log first. Nothing was marked as done; other disks are not affected.",
        )
    if error.errno in _SPACE:
        amounts = "" if need is None else f": need {size_text(need)}, have {size_text(have)}"
        return DiskProblem(
            f"no space on the disk of {where}{amounts}",
            hint="Make room there: the work goes on by itself. Nothing was lost.",
        )
    if error.errno in _RIGHTS:
        return DiskProblem(
            f"may not {doing} {where}: {why}",
            hint=f"Give the account that filesync runs as the right to {doing} there.",
        )
    name = "name right" if error.errno == errno.ENOENT and doing == "read" else "folder there"
    return DiskProblem(f"cannot {doing} {where}: {why}", hint=f"Is the {name}, and its disk or share connected?")


def size_text(count: int) -> str:
    """A number of bytes for a person: `300 B`, `2.1 GB` (decimal, as disks are sold)."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while size >= 999.95 and len(units) > 1:  # noqa: PLR2004 - what would be shown as 1000.0 is 1.0 of the next unit
        size, units = size / 1000, units[1:]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


class LedgerBehind(FilesyncError):
    """Files outside the ledger are newer than it: it was restored from a backup."""

    exit_code = ExitCode.RECOVER


class MailFails(FilesyncError):
    """The mail server cannot be asked, or does not take a letter. Nothing else is affected by it."""

    exit_code = ExitCode.CONFIG


class MailInDoubt(MailFails):
    """A letter was on its way, and whether the mail server took it is not known."""


# ── the partner must act ────────────────────────────────────────────────────────────────────────────────────────


class PartnerError(FilesyncError):
    """Something that came from the partner cannot be taken."""

    exit_code = ExitCode.PARTNER


class StreamStopped(PartnerError):
    """The stream is stopped until a person decides (a fork, a storage failure)."""

    exit_code = ExitCode.STOPPED


# ── the tracker: for now, or for good ───────────────────────────────────────────────────────────────────────────


class Unavailable(FilesyncError):
    """The tracker cannot be asked now (down, overloaded, read-only). The same call may go through later."""

    exit_code = ExitCode.TRACKER

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after  # seconds, where the tracker said so


class Unreadable(Unavailable):
    """The tracker has this issue and does not show it, or not so that it can be read. Others are not affected."""


class Unwritten(Unavailable):
    """The tracker answers, and this one write did not go through; it may have been done. Others are not affected.

    With `retry_after` nothing was tried: whether an earlier call did it can only be told after so many seconds.
    """


class Rejected(FilesyncError):
    """The tracker refuses this write for good, until a person changes something.

    `fields` names what is refused, with the tracker's own words; empty when the whole call is refused.
    """

    exit_code = ExitCode.REJECTED

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fields = dict(fields or {})


class Gone(FilesyncError):
    """The item was asked for by its id, and the tracker says that there is none."""

    exit_code = ExitCode.REJECTED
