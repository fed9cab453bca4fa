"""Writes tests/golden/first.tar anew, after the format was changed on purpose: `python -m tests.support.golden`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.bundles import GOLDEN, bag, packed, sign
from tests.support.programs import need


def made(folder: Path) -> bytes:
    one = bag()
    return packed(one, sign(one.tagmanifest, ssh_keygen=need("ssh-keygen"), folder=folder))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        (GOLDEN / "first.tar").write_bytes(made(Path(scratch)))
