"""`filesync init`: a new site in a folder. Nothing that is there is overwritten, and what fails leaves nothing behind.

The site is made in a draft folder inside, and its files are moved to their places when all of it stands.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filesync.agent.site import make_ledger_file
from filesync.bundle.write import NAMESPACE
from filesync.config import load_config, new_config, template
from filesync.errors import ConfigError, Problem, disk_problem
from filesync.keys.age import make_identity
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import make_key
from filesync.ledger.ledger import Ledger
from filesync.model.ids import SiteId
from filesync.trackers.registry import make_tracker

CONFIG: Final = "filesync.yaml"
_RULES: Final = ("contract.yaml", "mapping.yaml")
_CARRIED: Final = ("outbox", "inbox")  # where the carrier, who may be another account, comes and goes
_PRIVATE: Final = ("keys", "archive", "store", "quarantine", "state", "guard")
_DRAFT: Final = ".filesync.new"


def create_site(directory: Path, *, name: str, tracker: str, project: str) -> Path:
    """Make folders, keys, configuration and, where we keep it ourselves, the tracker. Returns the configuration's path.

    Raises ConfigError (a wrong name or project, or a site is there already), DiskProblem, KeyProblem.
    """
    path = directory / CONFIG
    try:
        if path.exists():
            raise ConfigError([Problem(str(path), "there is a site here already")], hint="choose another folder")
        with _draft(directory) as draft:
            _make(draft, name=name, tracker=tracker, project=project)
            _move(draft, directory)
    except OSError as error:
        raise disk_problem(error, directory) from error
    return path


@contextmanager
def _draft(directory: Path) -> Iterator[Path]:
    """A folder for the draft; in the end it is gone, and so are the folders above it if nothing came of it."""
    made = [one for one in (directory, *directory.parents) if not one.exists()]
    draft = directory / _DRAFT
    directory.mkdir(parents=True, exist_ok=True)
    try:
        if draft.exists():
            shutil.rmtree(draft)  # of a run that was killed
        draft.mkdir(mode=0o700)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):  # not empty: something came of it
            for one in made:
                one.rmdir()


def _make(folder: Path, *, name: str, tracker: str, project: str) -> None:
    """The whole site, in an empty folder. Raises ConfigError, KeyProblem, OSError."""
    for one in _PRIVATE:
        (folder / one).mkdir(mode=0o700)
    path = folder / CONFIG
    path.write_text(new_config(site=SiteId(str(uuid.uuid4())), name=name, tracker=tracker, project=project), encoding="utf-8")
    try:
        config = load_config(path)
    except ConfigError as error:
        problems = [Problem("--name, --tracker or --project", one.what) for one in error.problems]
        raise ConfigError(problems, hint="Nothing was made. Mend that and run it again.") from None
    make_tracker(tracker, project=project, settings=config.tracker.settings, folder=config.tracker.base)
    for rules in _RULES:
        (folder / rules).write_text(template(rules), encoding="utf-8")
    key = make_key(config.keys.signing or folder / "keys" / "signing", comment=f"filesync {name}")
    add_signer(config.keys.allowed_signers, AllowedSigner(name, key, (NAMESPACE,)))
    make_identity(config.keys.age)
    make_ledger_file(config.folders.ledger)
    Ledger.open(config.folders.ledger).close()  # whole: who looks into a site makes nothing
    for file in config.folders.state.iterdir():
        file.chmod(0o600)


def _move(draft: Path, directory: Path) -> None:
    """Every file to its place, the configuration last: a site is there when that is. Raises ConfigError, OSError."""
    files = sorted((one.relative_to(draft) for one in draft.rglob("*") if one.is_file()), key=lambda one: str(one) == CONFIG)
    there = [one for one in files if (directory / one).exists()]
    if taken := [one for one in there if str(one) not in _RULES]:  # rules that were agreed before are kept
        problems = [Problem(str(directory / one), "is there already, and is not overwritten") for one in taken]
        raise ConfigError(problems, hint="choose another folder, or move these away if nothing needs them any more")
    moved: list[Path] = []
    folders: list[Path] = []
    try:
        for one in (*_CARRIED, *_PRIVATE):
            if not (directory / one).exists():
                (directory / one).mkdir()
                folders.append(directory / one)
        for one in _PRIVATE:
            (directory / one).chmod(0o700)
        for file in files:
            if file not in there:
                moved.append(directory / file)
                shutil.move(draft / file, directory / file)  # a folder may be a disk of its own
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()
        raise
