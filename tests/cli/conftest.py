"""A site on disk, whose partner signs with the key of tests/golden."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.bundle.layout import NAMESPACE
from filesync.config import new_config
from filesync.keys.age import make_identity
from filesync.keys.signers import AllowedSigner, add_signer, read_signers
from filesync.keys.sshsig import make_key
from tests.support.bundles import GLOBEX, GOLDEN


@pytest.fixture
def globex(tmp_path: Path) -> Path:
    """The configuration of globex, which knows the key of acme."""
    folder = tmp_path / "globex"
    (folder / "keys").mkdir(parents=True)
    own = make_key(folder / "keys" / "signing", comment="globex")
    make_identity(folder / "keys" / "age.txt")
    signers = folder / "keys" / "allowed_signers"
    add_signer(signers, AllowedSigner("globex", own, (NAMESPACE,)))
    for signer in read_signers(GOLDEN / "allowed_signers"):
        add_signer(signers, signer)
    config = folder / "filesync.yaml"
    config.write_text(new_config(site=GLOBEX, name="globex", tracker="embedded", project="ABC"))
    return config
