"""Mail at the command line: what `check` says of it, and that verbs end as they would without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.cli.main import run
from filesync.errors import ExitCode
from tests.mail.office import Office, free_port
from tests.mail.scene import told_to_mail
from tests.support.two_sites import World


@pytest.fixture
def config(world: World, made: Office) -> Path:
    told_to_mail(world.globex, made)
    world.acme.desk.create("Bug", "Pump")
    world.acme.export()
    world.carry(to=world.globex)
    world.globex.site.close()
    return world.globex.config.path


def test_check_says_whether_letters_would_be_taken_and_sends_one_where_it_is_asked_to(
    config: Path, made: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["-c", str(config), "check"])
    assert f"ok   mail: 127.0.0.1:{made.port}, would take a letter for anna@globex.example" in capsys.readouterr().out
    assert not made.letters
    run(["-c", str(config), "check", "--mail"])
    assert "a letter is on its way to anna@globex.example" in capsys.readouterr().out
    assert [letter["Subject"] for letter in made.letters] == ["[filesync globex] a trial of the mail"]
    made.refuses = {"anna@globex.example"}
    assert run(["-c", str(config), "check"]) == ExitCode.CONFIG
    assert "takes no mail for anna@globex.example (550 no such person here)" in capsys.readouterr().out


def test_check_mail_without_mail_says_where_it_is_set_up(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().partition("\nmail:")[0])
    run(["-c", str(config), "check", "--mail"])
    assert "mail: is not there: nobody is written to" in capsys.readouterr().out


def test_an_import_ends_as_it_would_without_mail_and_says_that_it_could_not_write(
    world: World, config: Path, made: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace(f"port: {made.port}", f"port: {free_port()}"))
    damaged = world.globex.config.folders.inbox / "fs1_00000000_g0001_0000000001_00000000.tar"
    damaged.symlink_to("/dev/null")
    assert run(["-c", str(config), "import"]) == ExitCode.PARTNER
    out, err = capsys.readouterr()
    assert "imported 1 from acme" in out
    assert "warning: not mailed: the mail server 127.0.0.1:" in err
    config.write_text(config.read_text().replace("  port: ", f"  port: {made.port}\n  # was: "))
    assert run(["-c", str(config), "export"]) == ExitCode.DONE
    assert "mailed to 1 address: 1 to look at" in capsys.readouterr().out
    assert run(["-c", str(config), "log"]) == ExitCode.DONE
    log = capsys.readouterr().out
    assert "  -  warning: not mailed: " in log
    assert "  -  mailed to 1 address: 1 to look at" in log


def test_a_site_without_a_tracker_is_mailed_by_the_verb_and_the_run(
    config: Path, made: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (config.parent / "guard").rename(config.parent / "elsewhere")
    status = run(["-c", str(config), "export"])
    assert status not in {ExitCode.DONE, ExitCode.NOTHING}
    assert "nothing is sent or applied: " in made.texts()[0]
    assert run(["-c", str(config), "run", "--once"]) == status
    assert len(made.letters) == 1, capsys.readouterr()
