"""What is carried behind the gap: the wheel, whole in itself, and the folder that `make dist` makes of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from filesync import __version__
from tests.support.programs import need

ROOT = Path(__file__).parent.parent
NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody is

JOURNEY = """
filesync --version
filesync init acme --name acme --project PUMP
filesync init globex --name globex --project LINE
filesync -c acme/filesync.yaml pair export > acme.json
filesync -c globex/filesync.yaml pair export > globex.json
filesync -c acme/filesync.yaml pair accept globex.json
filesync -c globex/filesync.yaml pair accept acme.json
filesync -c acme/filesync.yaml issue create --type Bug --summary 'Pump runs hot'
filesync -c acme/filesync.yaml export
mv acme/outbox/* globex/inbox/
filesync -c globex/filesync.yaml import
filesync -c globex/filesync.yaml issue show LINE-1
"""


FIRST_STEPS = """
filesync init acme --name acme --project PUMP
filesync -c acme/filesync.yaml issue create --type Bug --summary 'Pump runs hot'
filesync -c acme/filesync.yaml status
filesync -c acme/filesync.yaml issue list
"""


def journey(folder: Path, environment: dict[str, str], *before: str, steps: str = JOURNEY) -> str:
    """From nothing to an issue at the other side, with the `filesync` of this environment. Returns all that was printed."""
    folder.mkdir()
    done = subprocess.run(
        [*before, "/bin/sh", "-euc", steps],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def without_network() -> list[str]:
    """Words before a command: root takes all networks away from it. Others rely on `apart`."""
    if os.geteuid() != 0:
        return []
    words = [need("unshare"), "-n"]
    allowed = subprocess.run([*words, need("true")], capture_output=True, check=False).returncode == 0
    return words if allowed else []


def apart(home: Path) -> dict[str, str]:
    """An environment that knows no package index, no proxy that answers, and nothing of this checkout."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    path = f"{home / 'filesync' / 'bin'}:{Path(sys.base_prefix) / 'bin'}:/usr/bin:/bin"
    return {"HOME": str(home), "PATH": path, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", **proxies}


def test_the_wheel_is_whole_in_itself(tmp_path: Path) -> None:
    """Built as `tools/dist` builds it, unpacked, and used from there: nothing is missing that lies beside it in a checkout."""
    [pip] = (ROOT / "tools").glob("pip-*.whl")
    built = subprocess.run(
        [sys.executable, pip / "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("filesync-*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    schemas = sorted(file.name for file in (unpacked / "filesync" / "schemas").iterdir())
    assert schemas == sorted(file.name for file in (ROOT / "schemas").iterdir())
    program = tmp_path / "bin" / "filesync"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m filesync.cli.main "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(unpacked)}
    where = "import filesync; print(filesync.__file__)"
    imported = subprocess.run([sys.executable, "-P", "-c", where], env=environment, capture_output=True, text=True, check=True)
    assert imported.stdout.startswith(str(unpacked)), "or this would show the checkout"
    assert "Pump runs hot" in journey(tmp_path / "sites", environment, steps=FIRST_STEPS)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, made as `make dist` makes it."""
    folder = tmp_path_factory.mktemp("made") / "dist"
    made = subprocess.run([ROOT / "tools" / "dist", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.mark.prove
def test_the_folder_installs_filesync_without_a_network_and_two_sites_exchange(dist: Path, tmp_path: Path) -> None:
    carried = shutil.copytree(dist, tmp_path / "carried")
    home = tmp_path / "home"
    home.mkdir()
    lines = [line for line in (carried / "INSTALL.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 3
    apart_from_all = without_network()
    installed = subprocess.run(
        [*apart_from_all, "/bin/sh", "-eu", "INSTALL.txt"],
        cwd=carried,
        env=apart(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (installed.returncode, installed.stdout + installed.stderr) == (0, "")
    said = journey(tmp_path / "sites", apart(home), *apart_from_all)
    assert said.startswith(f"filesync, version {__version__}\n")
    assert "Pump runs hot" in said


@pytest.mark.prove
def test_the_checksums_name_every_file_and_stop_the_installation_of_a_changed_one(dist: Path, tmp_path: Path) -> None:
    carried = shutil.copytree(dist, tmp_path / "carried")
    named = re.findall(r"^[0-9a-f]{64}  (\S+)$", (carried / "SHA256SUMS").read_text(), re.MULTILINE)
    assert set(named) == {file.name for file in carried.iterdir()} - {"SHA256SUMS"}
    [wheel] = carried.glob("click-*.whl")
    with wheel.open("r+b") as file:
        file.seek(1_000)
        byte = file.read(1)
        file.seek(1_000)
        file.write(bytes([byte[0] ^ 1]))
    home = tmp_path / "home"
    home.mkdir()
    refused = subprocess.run(
        ["/bin/sh", "-eu", "INSTALL.txt"], cwd=carried, env=apart(home), capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert f"{wheel.name}: FAILED" in refused.stdout
    assert list(home.iterdir()) == []


def test_make_knows_dist() -> None:
    listed = subprocess.run([need("make"), "-C", ROOT, "help"], capture_output=True, text=True, check=True)
    assert "make dist" in listed.stdout
