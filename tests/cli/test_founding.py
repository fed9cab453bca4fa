"""A new site, its pairing, and whether it can work: `init`, `pair` and `check`."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import Filesync, Pair

# ── init ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_site_has_what_init_promises(tmp_path: Path, filesync: Filesync) -> None:
    status, out, _ = filesync("init", tmp_path / "acme", "--name", "acme")
    assert status == ExitCode.DONE
    assert str(tmp_path / "acme" / "filesync.yaml") in out
    assert "Its project is ABC, as --project names no other.\n" in out
    assert "Its project" not in filesync("init", tmp_path / "globex", "--name", "globex", "--project", "PUMP")[1]
    for folder in ("outbox", "inbox", "archive", "store", "quarantine", "state", "guard"):
        assert (tmp_path / "acme" / folder).is_dir()
    assert (tmp_path / "acme" / "keys" / "allowed_signers").read_text().startswith("acme ")
    assert (tmp_path / "acme" / "keys" / "signing").stat().st_mode & 0o077 == 0
    assert "# " in (tmp_path / "acme" / "filesync.yaml").read_text()


def test_what_init_tells_to_run_next_can_be_typed_whatever_the_folder_is_called(tmp_path: Path, filesync: Filesync) -> None:
    out = filesync("init", tmp_path / "our site's", "--name", "acme")[1]
    command = out.partition("Next: ")[2].partition(" > ")[0]
    words = shlex.split(command)
    assert words[0] == "filesync"
    assert filesync(*words[1:])[0] == ExitCode.DONE


def test_a_site_beside_a_jira_says_what_it_needs_first(tmp_path: Path, filesync: Filesync) -> None:
    config = tmp_path / "acme" / "filesync.yaml"
    status, out, _ = filesync("init", tmp_path / "acme", "--name", "acme", "--tracker", "jira-dc", "--project", "PUMP")
    assert status == ExitCode.DONE
    assert f"First: write into {config} where the tracker is and who we are" in out
    assert not (tmp_path / "acme" / "state" / "tracker.db").exists()
    status, out, _ = filesync("-c", config, "check")
    assert status == ExitCode.CONFIG
    assert f"there is no file '{tmp_path}/acme/keys/jira-token' to read the tracker's secret from" in out


def test_a_kind_of_tracker_that_nobody_knows_is_told_with_those_there_are(tmp_path: Path, filesync: Filesync) -> None:
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme", "--tracker", "jira")
    assert status == ExitCode.CONFIG
    assert 'there is no tracker of the kind "jira"; there are embedded, jira-dc, jira-cloud; did you mean "jira-dc"?' in err
    assert not (tmp_path / "acme").exists()


def test_all_options_of_init_that_are_wrong_are_told_at_once_each_by_its_name(tmp_path: Path, filesync: Filesync) -> None:
    wrong = ["--name", "Acme Ltd.", "--project", "no key", "--tracker", "jira", "--contract", __file__]
    status, _, err = filesync("init", tmp_path / "acme", *wrong)
    assert status == ExitCode.CONFIG
    told = [line.split(": ")[1] for line in err.splitlines() if line.startswith("filesync: ")]
    assert sorted(set(told)) == ["--contract", "--name", "--project", "--tracker"]
    wrong = ["--name", "Acme Ltd.", "--tracker", "jira-dc", "--url", "ftp://jira", "--token-env", "A B", "--user", "anna"]
    _, _, err = filesync("init", tmp_path / "acme", *wrong)
    told = [line.split(": ")[1] for line in err.splitlines() if line.startswith("filesync: ")]
    assert told == ["--name", "--url", "--token-env"]
    assert list(tmp_path.iterdir()) == []


def test_a_mapping_that_init_is_given_for_a_contract_makes_nothing(tmp_path: Path, filesync: Filesync) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("types: {Defect: Bug}\n")
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme", "--contract", mapping)
    assert status == ExitCode.CONFIG
    assert "--contract: mapping.yaml:1:" in err
    assert "Nothing was made: --contract takes the partner's contract.yaml" in err
    assert not (tmp_path / "acme").exists()


def test_init_overwrites_nothing(tmp_path: Path, filesync: Filesync) -> None:
    filesync("init", tmp_path / "acme", "--name", "acme")
    before = {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*") if path.is_file()}
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme")
    assert status == ExitCode.CONFIG
    assert "already" in err
    assert {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "Acme Ltd."), "--name"),
        (("--name", "acme", "--project", "no key"), "project"),
        (("--name", "acme", "--tracker", "jira"), "jira"),
    ],
)
def test_an_init_that_fails_leaves_nothing_and_does_not_bar_the_next(
    tmp_path: Path, filesync: Filesync, words: tuple[str, ...], said: str
) -> None:
    status, _, err = filesync("init", tmp_path / "new" / "acme", *words)
    assert status == ExitCode.CONFIG
    assert said in err
    assert ".filesync.new" not in err
    assert list(tmp_path.iterdir()) == []
    assert filesync("init", tmp_path / "new" / "acme", "--name", "acme")[0] == ExitCode.DONE


def test_an_init_that_the_disk_stops_half_way_takes_back_what_it_made(
    tmp_path: Path, filesync: Filesync, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.move

    def full(source: Path, target: Path) -> None:
        if target.name == "signing.pub":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    (tmp_path / "acme" / "inbox").mkdir(parents=True)
    (tmp_path / "acme" / "contract.yaml").write_text("agreed: before\n")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "move", full)
        assert filesync("init", tmp_path / "acme", "--name", "acme")[0] == ExitCode.DISK
    assert sorted(path.name for path in (tmp_path / "acme").rglob("*")) == ["contract.yaml", "inbox"]
    assert filesync("init", tmp_path / "acme", "--name", "acme")[0] == ExitCode.DONE
    assert (tmp_path / "acme" / "contract.yaml").read_text() == "agreed: before\n"


def test_init_does_not_take_over_keys_that_are_there(tmp_path: Path, filesync: Filesync) -> None:
    (tmp_path / "acme" / "keys").mkdir(parents=True)
    key = tmp_path / "acme" / "keys" / "signing"
    key.write_text("somebody's")
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme")
    assert status == ExitCode.CONFIG
    assert "is there already, and is not overwritten" in err
    assert [path for path in (tmp_path / "acme").rglob("*") if path.is_file()] == [key]
    assert key.read_text() == "somebody's"


def test_what_the_carrier_does_not_need_is_closed_to_other_accounts(pair: Pair) -> None:
    home = pair.folder / "acme"
    for folder in ("keys", "archive", "store", "quarantine", "state", "guard"):
        assert (home / folder).stat().st_mode & 0o777 == 0o700, folder
    databases = {path.name: path.stat().st_mode & 0o777 for path in (home / "state").glob("*.db*")}
    assert databases.keys() >= {"tracker.db", "ledger.db"}
    assert set(databases.values()) == {0o600}


# ── pair ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_sides_see_the_same_six_words(pair: Pair) -> None:
    told = [json.loads((pair.folder / f"words-{name}.json").read_text()) for name in ("acme", "globex")]
    assert told[0]["words"] == told[1]["words"]
    assert len(told[0]["words"].split()) == 6
    assert [one["partner"] for one in told] == ["globex", "acme"]


def test_a_pairing_file_for_a_third_site_is_refused(pair: Pair, tmp_path: Path, filesync: Filesync) -> None:
    filesync("init", tmp_path / "third", "--name", "third")
    for_globex = tmp_path / "for-globex.json"
    for_globex.write_text(pair.at_acme("pair", "export")[1])  # exported again: now it says whom it is for
    status, _, err = filesync("-c", tmp_path / "third" / "filesync.yaml", "pair", "accept", for_globex)
    assert status == ExitCode.CONFIG
    assert "for another site" in err


def test_a_pairing_file_that_is_not_there_is_told(pair: Pair, tmp_path: Path) -> None:
    status, _, err = pair.at_acme("pair", "accept", tmp_path / "nothing.json")
    assert status == ExitCode.DISK
    assert "nothing.json" in err


def test_export_and_import_ask_for_a_partner_first(tmp_path: Path, filesync: Filesync) -> None:
    filesync("init", tmp_path / "acme", "--name", "acme")
    for verb in ("export", "import"):
        status, _, err = filesync("-c", tmp_path / "acme" / "filesync.yaml", verb)
        assert status == ExitCode.CONFIG
        assert "pair accept" in err


# ── check ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paired_site_is_all_well(pair: Pair) -> None:
    status, out, _ = pair.at_acme("check")
    assert status == ExitCode.DONE
    assert "BAD" not in out


def test_everything_that_is_wrong_is_told_at_once(pair: Pair) -> None:
    home = pair.folder / "acme"
    shutil.rmtree(home / "outbox")
    (home / "keys" / "signing").chmod(0o644)
    (home / "keys" / "age.txt").unlink()
    (home / "state" / "tracker.db").unlink()
    (home / "contract.yaml").write_text("version: 2\n")
    status, found, _ = pair.at_acme("check", "--json")
    assert status == ExitCode.DISK
    assert {one["what"] for one in found if one["problems"]} == {"folders", "signing key", "age key", "tracker", "rules"}
    assert all(one["hint"] for one in found if one["problems"])


def test_what_the_tracker_has_no_place_for_is_told_as_what_would_be_refused(pair: Pair) -> None:
    contract = pair.folder / "acme" / "contract.yaml"
    contract.write_text(re.sub(r"^(fields:.*)$", r"\1\n  flavour: {kind: text}", contract.read_text(), flags=re.MULTILINE))
    status, out, _ = pair.at_acme("check")
    assert status == ExitCode.CONFIG
    assert "\nBAD  rules\n" in out
    assert '\n       flavour: the tracker has no field "flavour"' in out
    assert "hint: What comes in for these is refused, all else goes on. Mend " in out
