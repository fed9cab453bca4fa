"""The project's own tools: set-up, programs, links. That the whole works on a fresh machine is what `.ci/run` shows."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from filesync.errors import ExitCode
from tests.support.programs import PACKAGES, need

TOOLS = Path(__file__).parent.parent / "tools"
SHELL = "/bin/sh"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{SHELL}\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def call(script: Path, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SHELL, str(script), *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


# ── tools/install-programs ──────────────────────────────────────────────────────────────────────────────────────

WANTED = [
    "make",
    "python3",
    "tar",
    "sha256sum",
    "flock",
    "ssh-keygen",
    "sftp",
    "sshd",
    "rsync",
    "systemd-analyze",
    "zstd",
    "age",
]


def test_nothing_is_done_when_every_program_is_there(tmp_path: Path) -> None:
    for name in WANTED:
        program(tmp_path, name, "exit 99")
    done = call(TOOLS / "install-programs", path=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_rights_it_says_what_to_install(tmp_path: Path) -> None:
    for name in WANTED[:-2]:
        program(tmp_path, name, "exit 99")
    program(tmp_path, "id", "echo 1000")
    program(tmp_path, "sudo", "echo 'a password is required' >&2; exit 1")
    program(tmp_path, "apt-get", "echo called; exit 99")
    done = call(TOOLS / "install-programs", path=tmp_path)
    assert done.returncode == 1
    assert "zstd age" in done.stderr
    assert "called" not in done.stdout


@pytest.mark.parametrize("user", ["0", "1000"])
def test_what_is_missing_is_installed_by_root_and_by_sudo_without_a_question(tmp_path: Path, user: str) -> None:
    for name in set(WANTED) - {"ssh-keygen"}:
        program(tmp_path, name, "exit 99")
    program(tmp_path, "id", f"echo {user}")
    program(tmp_path, "sudo", '[ "$1" = -n ] && shift; [ "$1" = true ] || exec "$@"')
    for name in ("env", "cp"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    # An index that cannot be renewed does not stop it: what was downloaded before may do.
    program(
        tmp_path,
        "apt-get",
        f'echo "$@" >> "{tmp_path}/calls"; [ "$1" = install ] && cp "{tmp_path}/tar" "{tmp_path}/ssh-keygen"',
    )
    done = call(TOOLS / "install-programs", path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "install -qq --yes --no-install-recommends openssh-client" in (tmp_path / "calls").read_text()


def installed_on_a_machine_without_sshd(tmp_path: Path, *, systemd: bool) -> subprocess.CompletedProcess[str]:
    """Run the installer where /run and /usr/sbin are empty but for what says that systemd runs. `seen`: the policy meanwhile."""
    if os.geteuid() != 0:
        pytest.skip("hiding a machine's folders needs root")
    for name in set(WANTED) - {"sshd"}:
        program(tmp_path, name, "exit 99")
    program(tmp_path, "id", "echo 0")
    for name in ("env", "sh", "chmod", "rm", "cat"):
        (tmp_path / name).symlink_to(need(name))
    program(tmp_path, "apt-get", f'echo "$@" >> "{tmp_path}/calls"; cat /usr/sbin/policy-rc.d > "{tmp_path}/seen"')
    mount, mkdir = need("mount"), need("mkdir")
    hide = f"{mount} -t tmpfs none /run && {mount} -t tmpfs none /usr/sbin" + (f" && {mkdir} -p /run/systemd/system" * systemd)
    run = f"{hide} || exit 77; {SHELL} '{TOOLS}/install-programs'; echo \"ended with $?\"; cat /usr/sbin/policy-rc.d"
    done = subprocess.run(
        [need("unshare"), "-m", SHELL, "-c", run],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip(f"mounting is not allowed here: {done.stderr}")
    return done


def test_a_server_is_not_brought_to_a_machine_that_would_start_it(tmp_path: Path) -> None:
    done = installed_on_a_machine_without_sshd(tmp_path, systemd=True)
    assert "Not installed: openssh-server (names of Debian packages)" in done.stderr
    assert "ended with 1" in done.stdout
    assert not (tmp_path / "calls").exists()


def test_elsewhere_a_server_is_installed_and_not_started(tmp_path: Path) -> None:
    done = installed_on_a_machine_without_sshd(tmp_path, systemd=False)
    assert "install -qq --yes --no-install-recommends openssh-server" in (tmp_path / "calls").read_text()
    assert (tmp_path / "seen").read_text() == "#!/bin/sh\nexit 101\n"
    assert "policy-rc.d: No such file or directory" in done.stderr, "what kept it from starting is gone afterwards"


def test_tests_and_installer_name_the_same_packages() -> None:
    text = (TOOLS / "install-programs").read_text()
    for name in WANTED:
        assert f"{name}:{PACKAGES.get(name, name)}" in text


# ── tools/setup ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_setup_says_which_python_it_needs(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOLS / "setup", tmp_path / "tools")
    program(tmp_path / "bin", "python3", '[ "$1" = --version ] && echo Python 3.9.2; exit 1')
    (tmp_path / "bin" / "dirname").symlink_to(need("dirname"))
    done = call(tmp_path / "tools" / "setup", "run", path=tmp_path / "bin")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and the PATH has Python 3.9.2" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_setup_needs_neither_ensurepip_nor_root(tmp_path: Path) -> None:
    """The steps of tools/setup before pip asks a package index, on a Python whose ensurepip Debian took out."""
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOLS / "setup", tmp_path / "tools")
    wheel = next(TOOLS.glob("pip-*.whl"))
    (tmp_path / "tools" / wheel.name).symlink_to(wheel)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "nothing"\nversion = "1"\n[build-system]\nrequires = []\nbuild-backend = "made"\nbackend-path = ["."]\n'
    )
    (tmp_path / "made.py").write_text(
        "import zipfile\n"
        "def build_editable(folder, config_settings=None, metadata_directory=None):\n"
        "    with zipfile.ZipFile(folder + '/nothing-1-py3-none-any.whl', 'w') as wheel:\n"
        "        wheel.writestr('nothing.py', '')\n"
        "        wheel.writestr('nothing-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: nothing\\nVersion: 1\\n')\n"
        "        wheel.writestr('nothing-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        wheel.writestr('nothing-1.dist-info/RECORD', '')\n"
        "    return 'nothing-1-py3-none-any.whl'\n"
    )
    (tmp_path / "without" / "ensurepip").mkdir(parents=True)
    (tmp_path / "without" / "ensurepip" / "__init__.py").write_text("raise ImportError('Debian keeps it elsewhere')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "without"), "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        [SHELL, "tools/setup", "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / ".venv" / ".ready-run").exists()
    assert subprocess.run([tmp_path / ".venv/bin/python", "-c", "import nothing"], check=False).returncode == 0


# ── tools/links.py ──────────────────────────────────────────────────────────────────────────────────────────────


def test_dead_links_anchors_and_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "page.md"
    page.write_text(
        "# One heading: `here`\n## Twice\n## Twice\n[ok](#one-heading-here) [ok](#twice-1) [ok](../code.py) [ok](https://example.org/x)\n"
        "```\n[not a link](nowhere.md)\n```\n[bad](gone.md) [bad](#nothing) [bad](page.md#neither)\n"
    )
    code = tmp_path / "code.py"
    here = "docs"  # not written out, or the tool would look for these pages in earnest
    code.write_text(f'"""See {here}/page.md and {here}/other.md."""')
    assert tool("links").problems(tmp_path, [page, code]) == [
        f"code.py: {here}/other.md: no such page",
        f"{here}/page.md: gone.md: no such file",
        f"{here}/page.md: #nothing: no such heading",
        f"{here}/page.md: page.md#neither: no such heading",
    ]


# ── tools/readme.py ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_decision_has_a_number_of_its_own() -> None:
    titles = {file.name: file.read_text().partition(".")[0] for file in (TOOLS.parent / "docs" / "adr").glob("*.md")}
    assert titles == {name: f"# {int(name[:4])}" for name in titles}
    assert len({name[:4] for name in titles}) == len(titles)


def test_every_exit_code_has_its_row() -> None:
    rows = tool("readme").exit_codes().splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == [code.name for code in ExitCode]


def test_readme_says_what_help_says() -> None:
    readme = tool("readme")
    page = readme.README.read_text()
    assert readme.filled(page) == page, "run: make format"
    assert readme.filled(page.replace("Usage: filesync", "Usage: rsync")) == page
