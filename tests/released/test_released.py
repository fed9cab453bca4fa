"""What a released version left behind is gone on with: ledgers, bundles, keys and trackers of `tools/keep`.

Two sites in the middle of their work: a bundle of globex is on its way to acme, where the same field was edited; acme's
second bundle is lost and those after it are held at globex; a chunk of an attachment lies in a drawer; and acme has an
edit that was never exported.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from filesync.agent.lock import lock_site
from filesync.agent.site import utc_now
from filesync.cli.main import run
from filesync.errors import ExitCode
from filesync.ledger.ledger import HEAD, Ledger

HERE = Path(__file__).parent
RELEASED = sorted(HERE.glob("*.tar.gz"))


@dataclass(frozen=True)
class Sites:
    """acme and globex, as they were left."""

    folder: Path

    def at(self, site: str, *words: str | Path) -> int:
        return run(["-c", str(self.folder / site / "filesync.yaml"), *map(str, words)])

    def carry(self, source: str, target: str) -> None:
        for file in (self.folder / source / "outbox").iterdir():
            shutil.move(file, self.folder / target / "inbox")


@pytest.fixture(params=RELEASED, ids=lambda path: path.name.removesuffix(".tar.gz"))
def sites(request: pytest.FixtureRequest, tmp_path: Path) -> Sites:
    with tarfile.open(request.param) as kept:
        kept.extractall(tmp_path, filter="data")
    return Sites(tmp_path)


def test_one_is_kept() -> None:
    assert RELEASED


def test_their_bundles_are_read(sites: Sites, capsys: pytest.CaptureFixture[str]) -> None:
    for site in ("acme", "globex"):
        for file in sorted((sites.folder / site / "archive").iterdir()):
            assert sites.at(site, "show", "--changes", file) == ExitCode.DONE, capsys.readouterr()
            assert sites.at("globex" if site == "acme" else "acme", "verify", file) == ExitCode.DONE, capsys.readouterr()


@pytest.mark.parametrize("sites", RELEASED[:1], indirect=True, ids=["the first"])
def test_what_only_reads_brings_their_ledger_to_our_version_unless_somebody_works_there(
    sites: Sites, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = lock_site(sites.folder / "acme" / "state", utc_now)
    assert sites.at("acme", "status") == ExitCode.LOCKED
    lock.release()
    told = capsys.readouterr().err
    assert f"is of an older version, 0001 (ours is {HEAD}), and this site is in use by pid" in told
    assert "Nothing was changed or lost." in told
    assert sites.at("acme", "conflicts") == ExitCode.DONE
    assert sites.at("globex", "check") == ExitCode.DONE, capsys.readouterr()
    for site in ("acme", "globex"):
        with closing(Ledger.existing(sites.folder / site / "state" / "ledger.db")) as ledger:
            assert ledger.version() == HEAD
        lock_site(sites.folder / site / "state", utc_now).release()  # nobody kept it


def test_they_go_on_where_they_stood(sites: Sites, capsys: pytest.CaptureFixture[str]) -> None:
    assert sites.at("globex", "status") == ExitCode.WORK_LEFT
    assert "holding 3-4, waiting for 2" in capsys.readouterr().out
    assert sites.at("acme", "import") == ExitCode.DONE  # what was on its way
    assert sites.at("acme", "resend", "globex", "2") == ExitCode.DONE
    assert sites.at("acme", "export") == ExitCode.DONE
    sites.carry("acme", "globex")
    assert sites.at("globex", "import") == ExitCode.WORK_LEFT
    assert sites.at("globex", "status") == ExitCode.WORK_LEFT
    assert "measured.csv" in capsys.readouterr().out
    for file in (sites.folder / "drawer").iterdir():
        shutil.move(file, sites.folder / "globex" / "inbox")
    assert sites.at("globex", "import") == ExitCode.DONE
    assert "1 change from acme had waited: 1 applied" in capsys.readouterr().out
    for _ in range(2):
        for one, other in (("globex", "acme"), ("acme", "globex")):
            assert sites.at(one, "export") in {ExitCode.DONE, ExitCode.NOTHING}
            sites.carry(one, other)
            assert sites.at(other, "import") in {ExitCode.DONE, ExitCode.NOTHING}
    configs = [str(sites.folder / site / "filesync.yaml") for site in ("acme", "globex")]
    compared = subprocess.run(
        [sys.executable, "tools/equal.py", *configs],
        check=False,
        cwd=HERE.parents[1],
        env={"PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert sites.at("acme", "conflicts") == ExitCode.DONE
    assert "priority" in capsys.readouterr().out
