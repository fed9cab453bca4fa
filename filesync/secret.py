"""A secret in a file that nobody else may read: a password or token that is sent to somebody, never shown and never kept."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

import msgspec

from filesync.errors import KeyProblem, disk_problem

_LONGEST: Final = 16_384  # bytes of a secret
_OPEN_TO_OTHERS: Final = 0o077


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """How messages speak of a secret: what it is, the setting that names its file, and what to do where others saw it."""

    what: str  # "the tracker's secret"
    setting: str  # "tracker.settings"
    anew: str  # "make a new one in Jira"


def read_secret(path: Path, whose: Whose, *, private: bool = True) -> str:
    """The one line of a file that nobody else may read. Raises KeyProblem: missing, unreadable, open to others, no secret.

    `private`: False where something else than its mode guards the file.
    """
    where = repr(str(path))
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_LONGEST + 1)
    except FileNotFoundError:
        hint = f"Check the path under `{whose.setting}`, or write the secret into that file, mode 0600."
        raise KeyProblem(f"there is no file {where} to read {whose.what} from", hint=hint) from None
    except OSError as error:
        problem = disk_problem(error, path, doing="read")
        raise KeyProblem(str(problem), hint=problem.hint) from error
    if private and mode & _OPEN_TO_OTHERS:
        raise KeyProblem(
            f"others may read the secret in {where}: its mode is {mode & 0o777:04o}",
            hint=f"Run: chmod 600 {shlex.quote(str(path))}. If others had access to it, {whose.anew}.",
        )
    return one_line(raw, f"the file {where}")


def one_line(raw: bytes, where: str) -> str:
    """A secret as bytes hold it. Raises KeyProblem where they hold something else than one line."""
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        raise KeyProblem(f"{where} holds no text") from None
    if not text or len(raw) > _LONGEST or any(not letter.isprintable() for letter in text):
        raise KeyProblem(f"{where} must hold one line, the secret, and nothing else")
    return text
