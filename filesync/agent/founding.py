"""`filesync init`: a new site in a folder. Nothing that is there is overwritten, and what fails leaves nothing behind.

The site is made in a draft folder inside, and its files are moved to their places when all of it stands.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from filesync.agent.drafts.files import Drafted, describe, draft_files, take_contract
from filesync.agent.record import Clock
from filesync.agent.site import make_ledger_file
from filesync.bundle.write import NAMESPACE
from filesync.config import Config, load_config, new_config, template
from filesync.errors import ConfigError, FilesyncError, Problem, disk_problem
from filesync.keys.age import make_identity
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import make_key
from filesync.ledger.ledger import Ledger
from filesync.model.ids import SiteId
from filesync.rules.load import load_rules
from filesync.trackers.registry import KINDS, OWN, make_tracker

CONFIG: Final = "filesync.yaml"
_RULES: Final = ("contract.yaml", "mapping.yaml")
_CARRIED: Final = ("outbox", "inbox")  # where the carrier, who may be another account, comes and goes
_PRIVATE: Final = ("keys", "archive", "store", "quarantine", "state", "guard")
_DRAFT: Final = ".filesync.new"
_NAME, _PROJECT = "site", "ABC"  # that are right
_AGAIN: Final = "Nothing was made: mend that and run it again, or leave out --url and ask later, with `filesync draft`."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSite:
    """What is said of a new site. `settings`: what is known of its tracker's; with a `url` among them the tracker is asked."""

    name: str
    tracker: str
    project: str
    settings: Mapping[str, str] = field(default_factory=dict)
    contract: Path | None = None  # the partner's

    @property
    def asks(self) -> bool:
        """Whether contract and mapping are drafted from what the tracker has."""
        return "url" in self.settings or (self.tracker == OWN and self.contract is not None)


def create_site(directory: Path, new: NewSite, *, clock: Clock) -> Drafted | None:
    """Make folders, keys, configuration and, where we keep it ourselves, the tracker. Returns what was drafted.

    Raises ConfigError (a wrong name or project, or a site is there already), DiskProblem, KeyProblem; where the tracker is
    asked, also what that raises.
    """
    path = directory / CONFIG
    try:
        if path.exists():
            raise ConfigError([Problem(str(path), "there is a site here already")], hint="choose another folder")
        with _draft(directory) as draft:
            drafted = _make(draft, directory, new, clock=clock)
            _move(draft, directory)
    except OSError as error:
        raise disk_problem(error, directory) from error
    return drafted


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


def _make(folder: Path, directory: Path, new: NewSite, *, clock: Clock) -> Drafted | None:
    """The whole site, in an empty folder that becomes `directory`. Raises KeyProblem, OSError, and as `_rules`."""
    for one in _PRIVATE:
        (folder / one).mkdir(mode=0o700)
    path = folder / CONFIG
    site = SiteId(str(uuid.uuid4()))
    text = new_config(site=site, name=new.name, tracker=new.tracker, project=new.project, settings=new.settings)
    path.write_text(text, encoding="utf-8")
    try:
        config = load_config(path)
        settings = config.tracker
        make_tracker(settings.kind, project=settings.project, settings=settings.settings, folder=settings.base)
    except ConfigError:
        raise ConfigError(_wrong(folder, new), hint="Nothing was made. Mend that and run it again.") from None
    if new.contract is not None and (wrong := _no_contract(new.contract)):
        what = f"Nothing was made: --contract takes the partner's contract.yaml, and {new.contract} is none that can be used."
        raise ConfigError([Problem("--contract", one) for one in wrong], hint=what)
    drafted = _rules(config, directory, new, clock=clock)
    key = make_key(config.keys.signing or folder / "keys" / "signing", comment=f"filesync {new.name}")
    add_signer(config.keys.allowed_signers, AllowedSigner(new.name, key, (NAMESPACE,)))
    make_identity(config.keys.age)
    make_ledger_file(config.folders.ledger)
    Ledger.open(config.folders.ledger).close()  # whole: who looks into a site makes nothing
    for file in config.folders.state.iterdir():
        file.chmod(0o600)
    return drafted


def _wrong(folder: Path, new: NewSite) -> list[Problem]:
    """All that is wrong with what is said, each under the option that says it: each is tried beside others that are right."""
    kind = new.tracker if new.tracker in KINDS else next(one for one in KINDS if one != OWN or not new.settings)
    right = NewSite(name=_NAME, tracker=kind, project=_PROJECT)
    found = {
        "--name": _problems(folder, replace(right, name=new.name)),
        "--tracker": _problems(folder, replace(right, tracker=new.tracker)),
        "--project": _problems(folder, replace(right, project=new.project)),
    }
    if together := _problems(folder, replace(right, settings=new.settings)):
        alone = {_option(one): _problems(folder, replace(right, settings={one: new.settings[one]})) for one in new.settings}
        found |= alone if any(alone.values()) else {", ".join(alone): together}
    if new.contract is not None:
        found["--contract"] = _no_contract(new.contract)
    return [Problem(option, what) for option, whats in found.items() for what in whats]


def _no_contract(path: Path) -> list[str]:
    """What is wrong with a contract."""
    try:
        load_rules(path, None, site=_NAME)
    except ConfigError as error:
        return [str(one) for one in error.problems]
    return []


def _option(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _problems(folder: Path, new: NewSite) -> list[str]:
    """What is wrong with a site that is tried in a folder of its own."""
    site = SiteId(str(uuid.uuid4()))
    with TemporaryDirectory(dir=folder) as base:
        path = Path(base) / CONFIG
        (path.parent / "state").mkdir()
        text = new_config(site=site, name=new.name, tracker=new.tracker, project=new.project, settings=new.settings)
        path.write_text(text, encoding="utf-8")
        try:
            made = load_config(path).tracker
            make_tracker(made.kind, project=made.project, settings=made.settings, folder=made.base)
        except ConfigError as error:
            return [one.what for one in error.problems]
    return []


def _rules(config: Config, directory: Path, new: NewSite, *, clock: Clock) -> Drafted | None:
    """Contract and mapping: drafted where the tracker is asked, else as they are written for everybody.

    Raises ConfigError, DiskProblem, and what asking the tracker raises.
    """
    folder = config.path.parent
    contract, mapping = (folder / one for one in _RULES)
    for one in (contract, mapping) if new.asks or new.contract is not None else ():
        if (directory / one.name).exists():
            one.write_bytes((directory / one.name).read_bytes())  # it was agreed before, and is kept
    if not new.asks:
        mapping.write_text(template(mapping.name), encoding="utf-8")
        if new.contract is None:
            contract.write_text(template(contract.name), encoding="utf-8")
        else:
            take_contract(new.contract, contract, site=new.name)
        return None
    try:
        # what a person's token is called is said from the folder that is to be; our own tracker stands in the draft
        have = describe(config.tracker, folder=folder if new.tracker == OWN else directory, clock=clock)
        return draft_files(contract, mapping, have, site=new.name, agreed=new.contract)
    except FilesyncError as error:
        if new.tracker != OWN:
            error.hint = f"{error.hint} {_AGAIN}".lstrip()
        raise


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
