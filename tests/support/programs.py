"""The programs that tests run beside filesync: the real ones, or a skip that says what to install."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {  # where the Debian package has another name
    "age-keygen": "age",
    "fincore": "util-linux",
    "flock": "util-linux",
    "rrsync": "rsync",
    "sftp": "openssh-client",
    "sha256sum": "coreutils",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemd-analyze": "systemd",
    "unshare": "util-linux",
}


def need(program: str) -> str:
    """The full path of the program. Without it the test is skipped; where CI is set it fails: nothing goes unproved there."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")  # where only root looks by itself
    if found is not None:
        return found
    reason = f"{program} is missing: install Debian's {PACKAGES.get(program, program)}: tools/install-programs"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
