"""Folders that one exchange alone has (`pair accept --outbox … --inbox …`), held against all others of the site."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from filesync.config import Config, clashes
from filesync.errors import ConfigError, Problem, disk_problem
from filesync.ledger import streams


def check_own_folders(conn: sa.Connection, config: Config, *, exchange: str, outbox: Path | None, inbox: Path | None) -> None:
    """See that none lies in another or is another, but for folders of one kind, which exchanges may share.

    Private keys must not lie in them: a carrier reads and writes there. Raises ConfigError.
    """
    own = {kind: path for kind, path in (("outbox", outbox), ("inbox", inbox)) if path is not None}
    others = [("", name, getattr(config.folders, name)) for name in config.folders.__struct_fields__]
    for one in streams.exchanges(conn):
        if one.name != exchange:
            kinds = (("outbox", one.outbox), ("inbox", one.inbox))
            others += [(f" of {one.name}", kind, Path(folder)) for kind, folder in kinds if folder]
    problems = [problem for kind, path in own.items() for problem in _problems(config, kind, path, others)]
    if len(own) > 1:
        problems += [Problem("--inbox", what) for _, what in clashes({f"--{kind}": path for kind, path in own.items()})]
    if problems:
        hint = "Choose folders of their own, beside those of the site. Nothing was changed."
        raise ConfigError(dict.fromkeys(problems), hint=hint)


def make_own_folders(config: Config, *, outbox: Path | None, inbox: Path | None) -> None:
    """Make those in the site's own folder that are not there. Raises ConfigError where others are not, DiskProblem."""
    missing = [(kind, path) for kind, path in (("outbox", outbox), ("inbox", inbox)) if path is not None and not path.is_dir()]
    site = config.path.parent.resolve()
    elsewhere = [(kind, path) for kind, path in missing if path.resolve().parent != site]  # a share or stick not mounted?
    if elsewhere:
        problems = [Problem(f"--{kind}", f"there is no folder {path.absolute()}") for kind, path in elsewhere]
        names = " ".join(shlex.quote(str(path.absolute())) for _, path in elsewhere)
        raise ConfigError(problems, hint=f"Is its share or stick mounted? If so: mkdir -p {names}. Nothing was changed.")
    for _, path in missing:
        try:
            path.mkdir()
        except OSError as error:
            raise disk_problem(error, path, doing="make") from error


def _problems(config: Config, kind: str, path: Path, others: list[tuple[str, str, Path]]) -> Iterator[Problem]:
    for whose, other, folder in others:
        if other == kind and folder.resolve() == path.resolve():
            continue  # shared: each exchange takes its own files
        yield from (Problem(f"--{kind}", what) for _, what in clashes({f"the {other}{whose}": folder, f"--{kind}": path}))
    keys = config.keys
    for key in (keys.signing, keys.age, keys.allowed_signers):
        if key is not None and key.resolve().is_relative_to(path.resolve()):
            yield Problem(f"--{kind}", f"{key} lies there, where the carrier reads and writes")
