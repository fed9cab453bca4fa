"""The command line itself: how a call finds its site, says what went wrong, and ends."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from filesync.cli.app import App
from filesync.cli.main import VERBS, cli, run
from filesync.errors import ConfigError, ExitCode, FilesyncError, Problem

FILESYNC = [sys.executable, "-m", "filesync.cli.main"]


class Failing:
    """Puts an error in the place of the site's configuration."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def __call__(self, error: BaseException) -> None:
        def fail(_app: App) -> None:
            raise error

        self.patch.setattr(App, "config", fail)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(monkeypatch)


# ── finding the site ────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_site_it_says_where_it_looked_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FILESYNC_CONFIG", raising=False)
    assert run(["status"]) == ExitCode.CONFIG
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "filesync: filesync.yaml: no configuration there"
    assert err.splitlines()[1].startswith("hint: ")
    assert "filesync init" in err


def test_the_folder_of_a_site_is_answered_with_the_file_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "filesync.yaml").touch()
    assert run(["-c", str(tmp_path), "status"]) == ExitCode.CONFIG
    assert f"did you mean {tmp_path / 'filesync.yaml'}?" in capsys.readouterr().err


def test_the_option_goes_before_the_environment_and_that_before_the_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILESYNC_CONFIG", "from/environment.yaml")
    run(["status"])
    run(["-c", "from/option.yaml", "status"])
    lines = capsys.readouterr().err.splitlines()
    assert "from/environment.yaml" in lines[0]
    assert "from/option.yaml" in lines[2]


# ── saying what went wrong ──────────────────────────────────────────────────────────────────────────────────────


def test_every_problem_has_its_line(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(ConfigError([Problem("a.yaml:1:2", "one"), Problem("a.yaml:3:4", "two")], hint="Mend a.yaml."))
    assert run(["status"]) == ExitCode.CONFIG
    assert capsys.readouterr().err == "filesync: a.yaml:1:2: one\nfilesync: a.yaml:3:4: two\nhint: Mend a.yaml.\n"


def test_errors_are_json_where_json_was_asked_for(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(ConfigError([Problem("a.yaml:1:2", "one"), Problem("", "two")], hint="Mend."))
    assert run(["status", "--json"]) == ExitCode.CONFIG
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": "CONFIG",
        "exit_code": 6,
        "message": "a.yaml:1:2: one (and 1 more)",
        "problems": [{"where": "a.yaml:1:2", "what": "one"}, {"where": "", "what": "two"}],
        "hint": "Mend.",
    }


@pytest.mark.parametrize("kind", FilesyncError.__subclasses__())
def test_an_error_ends_with_its_own_status(kind: type[FilesyncError], failing: Failing) -> None:
    error = ConfigError([Problem("x", "y")]) if kind is ConfigError else kind("what happened")
    failing(error)
    assert run(["status"]) == kind.exit_code


@pytest.mark.parametrize("call", [["nonsense"], ["status", "--nonsense"], ["-v", "-q", "status"], ["verify"]])
def test_a_call_nobody_understands_is_misuse(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call) == ExitCode.USAGE
    assert "Usage: filesync" in capsys.readouterr().err


@pytest.mark.parametrize(("verb", "hint"), [("resync", True), ("export", True), ("status", False)])
def test_who_types_a_partner_where_an_option_names_it_is_told_so(
    verb: str, hint: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--json"]):
        assert run([verb, *more, "globex"]) == ExitCode.USAGE
        assert ("An exchange is named with --exchange NAME." in capsys.readouterr().err) is hint


@pytest.mark.parametrize("call", [["status", "--json", "extra"], ["status", "--nonsense", "--json"], ["nonsense", "--json"]])
def test_misuse_is_json_where_json_was_asked_for(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call) == ExitCode.USAGE
    assert json.loads(capsys.readouterr().err)["error"] == "USAGE"


@pytest.mark.parametrize(
    ("call", "meant"), [(["exprt"], "export"), (["stuck", "lst"], "list"), (["issue", "coment", "ABC-1"], "comment")]
)
def test_a_mistyped_verb_is_guessed(call: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call) == ExitCode.USAGE
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def every_call() -> Iterator[list[str]]:
    """The words of every verb there is, and of those below it."""

    def below(command: click.Command, words: list[str]) -> Iterator[list[str]]:
        yield words
        if isinstance(command, click.Group):
            with click.Context(command) as ctx:
                for name in command.list_commands(ctx):
                    one = command.get_command(ctx, name)
                    assert one is not None
                    yield from below(one, [*words, name])

    yield from below(cli, [])


@pytest.mark.parametrize("call", list(every_call()), ids=" ".join)
def test_no_help_is_cut_or_too_wide_for_a_terminal_of_80_columns(
    call: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*call, "--help"]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "..." not in out.replace("[ARGS]...", "").replace("]...", "")
    assert max(map(len, out.splitlines())) <= 80


def test_a_fault_of_ours_shows_its_traceback(failing: Failing) -> None:
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(["status"])


def test_ctrl_c_is_no_fault(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(KeyboardInterrupt())
    assert run(["status"]) == ExitCode.INTERRUPTED
    assert "stopped" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run([*FILESYNC, "--help"], stdout=out, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, b"")


# ── helping ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_imports_no_verb_and_none_of_the_slow_libraries() -> None:
    script = "import sys; from filesync.cli.main import run; run(['--help']); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].split())
    assert "click" in loaded
    assert {name for name in loaded if name.startswith("filesync.cli.")} == {"filesync.cli.app", "filesync.cli.main"}
    assert not loaded & {"sqlalchemy", "alembic", "cryptography", "yaml", "jsonschema", "msgspec", "rich"}


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_and_its_line_in_the_list_is_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.get_short_help_str(limit=200) == VERBS[name].short
    assert run([name, "--help"]) == ExitCode.DONE
    assert capsys.readouterr().out.startswith(f"Usage: filesync {name}")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == ExitCode.DONE
    assert capsys.readouterr().out.startswith("filesync")


def test_the_program_has_python_look_for_garbage_seldom_and_not_among_modules() -> None:
    script = (
        "import atexit, gc, sys\n"
        "from filesync.cli.main import main\n"
        "atexit.register(lambda: print(gc.get_threshold()[0], gc.isenabled(), gc.get_freeze_count()))\n"
        "sys.argv = ['filesync', 'log', '--help']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    threshold, enabled, frozen = done.stdout.split()[-3:]
    assert int(threshold) > gc.get_threshold()[0]
    assert enabled == "True"
    assert int(frozen) > 10_000
