"""Sites on disk: globex, whose partner signs with the key of tests/golden; and acme and globex, paired with each other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from filesync.bundle.layout import NAMESPACE
from filesync.cli.main import run
from filesync.config import new_config
from filesync.keys.age import make_identity
from filesync.keys.signers import AllowedSigner, add_signer, read_signers
from filesync.keys.sshsig import make_key
from tests.cli.pages import Typed, type_it
from tests.cli.sites import Filesync, Pair
from tests.support.bundles import GLOBEX, GOLDEN


@pytest.fixture
def globex(tmp_path: Path) -> Path:
    """The configuration of globex, which knows the key of acme."""
    folder = tmp_path / "globex"
    (folder / "keys").mkdir(parents=True)
    (folder / "state").mkdir()
    own = make_key(folder / "keys" / "signing", comment="globex")
    make_identity(folder / "keys" / "age.txt")
    signers = folder / "keys" / "allowed_signers"
    add_signer(signers, AllowedSigner("globex", own, (NAMESPACE,)))
    for signer in read_signers(GOLDEN / "allowed_signers"):
        add_signer(signers, signer)
    config = folder / "filesync.yaml"
    config.write_text(new_config(site=GLOBEX, name="globex", tracker="embedded", project="ABC"))
    return config


@pytest.fixture
def filesync(capsys: pytest.CaptureFixture[str]) -> Filesync:
    """Calls the command line: the status, what it printed (decoded where --json was asked for), what it said on stderr."""

    def call(*words: str | Path) -> tuple[int, Any, str]:
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and out else out, err

    return call


@pytest.fixture(scope="session")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites that are paired, made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("paired")
    steps = [
        "filesync init acme --name acme",
        "filesync init globex --name globex",
        "filesync -c acme/filesync.yaml pair export > acme.json",
        "filesync -c globex/filesync.yaml pair export > globex.json",
        "filesync -c acme/filesync.yaml pair accept --json globex.json > words-acme.json",
        "filesync -c globex/filesync.yaml pair accept --json acme.json > words-globex.json",
    ]
    for step in steps:
        status, told = type_it(Typed("carrier", step, 0, []), folder, {})
        assert status == 0, told
    return folder


@pytest.fixture
def pair(paired: Path, tmp_path: Path, filesync: Filesync) -> Pair:
    return Pair(shutil.copytree(paired, tmp_path / "pair"), filesync)
