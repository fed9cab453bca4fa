"""Folders of an exchange to try things in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from filesync.exchange.inbox import Candidate, scan

NAME = "fs1_5a5a5a5a_g0001_0000000417_9d2e01ab.tar"
CONTENT = os.urandom(2_500_000)  # some blocks


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A finished file in the spool."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / NAME).write_bytes(CONTENT)
    return tmp_path / "spool" / NAME


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "outbox").mkdir()
    return tmp_path / "outbox"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    (tmp_path / "stage").mkdir(mode=0o700)
    return tmp_path / "stage"


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    (tmp_path / "judged").mkdir()
    return tmp_path / "judged"


@pytest.fixture
def candidate(inbox: Path) -> Candidate:
    """A file that a scan found."""
    (inbox / NAME).write_bytes(CONTENT)
    (found,) = scan(inbox)
    return found
