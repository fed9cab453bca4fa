"""`filesync init`: a new site in a folder. Nothing that is there is overwritten."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Final

from filesync.bundle.write import NAMESPACE
from filesync.config import load_config, new_config, template
from filesync.errors import ConfigError, Problem, disk_problem
from filesync.keys.age import make_identity
from filesync.keys.signers import AllowedSigner, add_signer
from filesync.keys.sshsig import make_key
from filesync.model.ids import SiteId
from filesync.trackers.registry import make_tracker

_FOLDERS: Final = ("keys", "outbox", "inbox", "archive", "store", "quarantine", "state", "guard")


def create_site(directory: Path, *, name: str, tracker: str, project: str) -> Path:
    """Make folders, keys, configuration and, where we keep it ourselves, the tracker. Returns the configuration's path.

    Raises ConfigError (a wrong name, or a site is there already), DiskProblem, KeyProblem.
    """
    path = directory / "filesync.yaml"
    if path.exists():
        raise ConfigError([Problem(str(path), "there is a site here already")], hint="choose another folder")
    site = SiteId(str(uuid.uuid4()))
    text = new_config(site=site, name=name, tracker=tracker, project=project)
    try:
        for folder in (directory, *(directory / one for one in _FOLDERS)):
            folder.mkdir(parents=True, exist_ok=True)
        (directory / "keys").chmod(0o700)
        draft = directory / ".filesync.yaml.new"
        draft.write_text(text, encoding="utf-8")
        config = load_config(draft)  # before anything else is made: a wrong name is found here
        for rules in ("contract.yaml", "mapping.yaml"):
            if not (directory / rules).exists():
                (directory / rules).write_text(template(rules), encoding="utf-8")
        key = make_key(config.keys.signing or directory / "keys" / "signing", comment=f"filesync {name}")
        add_signer(config.keys.allowed_signers, AllowedSigner(name, key, (NAMESPACE,)))
        make_identity(config.keys.age)
        make_tracker(tracker, project=project, settings=config.tracker.settings, folder=config.tracker.base)
        draft.rename(path)  # last: a site is there when its configuration is
    except OSError as error:
        raise disk_problem(error, directory) from error
    return path
