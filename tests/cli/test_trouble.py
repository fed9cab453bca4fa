"""What keeps a site from working is said before work is tried: by `check`, by `status`, and by every verb in plain words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from filesync.ledger import streams
from filesync.ledger.ledger import Ledger
from tests.cli.sites import ROOT, Pair
from tests.support.programs import need

ISSUE = ("issue", "create", "--type", "Bug", "--summary", "Pump")


def bad(answer: list[dict[str, object]]) -> dict[str, str]:
    """What `check --json` found wrong."""
    return {str(one["what"]): str(one["problems"]) for one in answer if one["problems"]}


def restored(pair: Pair) -> None:
    """acme's state is put back from a backup that is older than what was sent."""
    state, backup = pair.folder / "acme" / "state", pair.folder / "backup"
    shutil.copytree(state, backup)
    pair.at_acme(*ISSUE)
    assert pair.at_acme("export")[0] == ExitCode.DONE
    shutil.rmtree(state)
    shutil.copytree(backup, state)


# ── check ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_check_is_well_after_work(pair: Pair) -> None:
    pair.at_acme(*ISSUE)
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    for at in (pair.at_acme, pair.at_globex):
        status, found, _ = at("check", "--json")
        assert (status, bad(found)) == (ExitCode.DONE, {})


def test_check_tells_what_is_wrong_with_contract_and_mapping_though_the_configuration_is_wrong_itself(pair: Pair) -> None:
    config = pair.acme.read_text()
    for name in ("contract.yaml", "mapping.yaml"):
        file = pair.folder / "acme" / name
        file.write_text(file.read_text() + "\nnonsense: 1\n")
    wrongs = {
        config + "\nnonsense: 1\n": "nonsense",  # does not fit the schema
        config.replace("outbox: outbox", "outbox: state"): "same folder",
        config + "\n\tnonsense": "",  # no YAML
    }
    for text, word in wrongs.items():
        pair.acme.write_text(text)
        status, _, err = pair.at_acme("check")
        assert status == ExitCode.CONFIG
        assert word in err
        told = [line.split(":")[1].strip() for line in err.splitlines() if line.startswith("filesync: ")]
        assert told == ["filesync.yaml", "contract.yaml", "mapping.yaml"], err


def test_check_and_status_say_that_the_ledger_is_behind_what_was_sent(pair: Pair) -> None:
    restored(pair)
    status, found, _ = pair.at_acme("check", "--json")
    assert status == ExitCode.RECOVER
    assert "was already sent" in bad(found)["ledger"]
    status, out, _ = pair.at_acme("status")
    assert status == ExitCode.RECOVER
    assert "was already sent" in out
    assert pair.at_acme("export")[0] == ExitCode.RECOVER


def test_check_says_that_the_tracker_remembers_more_than_the_ledger(pair: Pair) -> None:
    ledger, backup = pair.folder / "globex" / "state" / "ledger.db", pair.folder / "ledger.db"
    shutil.copy(ledger, backup)
    pair.at_acme(*ISSUE)
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    assert pair.at_globex("import")[0] == ExitCode.DONE
    shutil.copy(backup, ledger)
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.RECOVER
    assert "the tracker remembers 1: the ledger was restored from a backup" in bad(found)["ledger"]
    assert pair.at_globex("export")[0] == ExitCode.RECOVER


def test_check_tells_of_a_tracker_that_cannot_be_asked_once(pair: Pair) -> None:
    (pair.folder / "globex" / "state" / "tracker.db").unlink()
    _, found, _ = pair.at_globex("check", "--json")
    assert set(bad(found)) == {"tracker"}


# ── looking makes nothing ───────────────────────────────────────────────────────────────────────────────────────

LOOKING = ["status", "log", "conflicts", "check", "keys list", "stuck list"]


@pytest.mark.parametrize("verb", LOOKING)
def test_looking_makes_no_ledger_where_there_is_none(pair: Pair, verb: str) -> None:
    state = pair.folder / "acme" / "state"
    (state / "ledger.db").unlink()
    there = sorted(state.iterdir())
    status, out, err = pair.at_acme(*verb.split())
    assert status == ExitCode.DISK
    assert f"there is no ledger '{state / 'ledger.db'}', so nothing is known of this site" in out + err
    assert sorted(state.iterdir()) == there


@pytest.mark.parametrize("verb", LOOKING)
def test_f56_looking_where_a_ledger_is_lost_says_what_shows_that_there_was_one(pair: Pair, verb: str) -> None:
    pair.at_acme(*ISSUE)
    pair.at_acme("export")
    (pair.folder / "acme" / "state" / "ledger.db").unlink()
    status, out, err = pair.at_acme(*verb.split())
    assert status == ExitCode.RECOVER
    assert "says that bundle 1 was sent" in out + err
    assert not (pair.folder / "acme" / "state" / "ledger.db").exists()


def test_looking_does_not_begin_a_ledger_whose_making_was_cut_off(pair: Pair) -> None:
    ledger = pair.folder / "acme" / "state" / "ledger.db"
    ledger.write_bytes(b"")
    status, _, err = pair.at_acme("status")
    assert status == ExitCode.DISK
    assert "is empty: its making was cut off" in err
    assert ledger.stat().st_size == 0


def test_check_says_that_the_site_has_another_id_or_name_than_its_ledger(pair: Pair) -> None:
    text = pair.acme.read_text()
    pair.acme.write_text(text.replace("name: acme", "name: emca").replace('name: "acme"', 'name: "emca"'))
    assert pair.acme.read_text() != text
    status, found, _ = pair.at_acme("check", "--json")
    assert status == ExitCode.CONFIG
    assert "partners know this site as acme" in bad(found)["ledger"]
    assert pair.at_acme("status")[0] == ExitCode.CONFIG


def test_check_says_that_the_inbox_is_not_mounted(pair: Pair) -> None:
    pair.at_globex("import")
    (pair.folder / "globex" / "inbox" / ".filesync-inbox").unlink()
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.DISK
    assert "is its share or stick mounted?" in bad(found)["inboxes"]


def test_check_counts_the_bundles_in_folders_inside_the_inbox(pair: Pair) -> None:
    inbox = pair.folder / "globex" / "inbox"
    for name in ("monday/fs1_a.tar", "monday/fs1_b.tar.age", "monday/notes.txt", ".partial/fs1_c.tar"):
        (inbox / name).parent.mkdir(exist_ok=True)
        (inbox / name).touch()
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.DONE
    (one,) = [one for one in found if one["what"] == "inboxes"]
    what = "2 bundles in folders inside the inbox, where nothing looks: put them into the inbox itself"
    assert one["notes"] == [{"where": str(inbox), "what": what}]


def test_check_looks_at_the_folders_that_an_exchange_alone_has(pair: Pair) -> None:
    gone, there = pair.folder / "stick" / "out", pair.folder / "in"
    there.mkdir()
    ledger = Ledger.existing(pair.folder / "globex" / "state" / "ledger.db")
    with closing(ledger), ledger.begin() as conn:
        (x,) = streams.exchanges(conn)
        streams.update_exchange(conn, x.id, outbox=str(gone), inbox=str(there))
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.DISK
    folders = bad(found)["folders"]
    assert f"'where': 'outbox of {x.name}', 'what': 'there is no folder {gone}'" in folders
    assert str(there) not in folders
    gone.mkdir(parents=True)
    status, found, _ = pair.at_globex("check", "--json")
    assert (status, bad(found)) == (ExitCode.DONE, {})
    assert next(one["found"] for one in found if one["what"] == "folders") == "9 folders"


def test_check_says_that_a_stream_is_stopped(pair: Pair) -> None:
    shutil.copytree(pair.folder / "acme", pair.folder / "copied")
    pair.at_acme(*ISSUE)
    pair.filesync("-c", pair.folder / "copied" / "filesync.yaml", *ISSUE)
    pair.at_acme("export")
    pair.filesync("-c", pair.folder / "copied" / "filesync.yaml", "export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.deliver(*(pair.folder / "copied" / "outbox").iterdir())
    assert pair.at_globex("import")[0] == ExitCode.STOPPED
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.STOPPED
    assert "is stopped: FORK" in bad(found)["exchanges"]


def test_check_says_that_the_contract_names_a_site_that_is_neither_of_the_two(pair: Pair) -> None:
    contract = pair.folder / "acme" / "contract.yaml"
    contract.write_text(contract.read_text().replace("winner: first", "winner: globexx"))
    status, found, _ = pair.at_acme("check", "--json")
    assert status == ExitCode.CONFIG
    assert "did you mean" in bad(found)["exchanges"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fields: {Titel: summary}", 'the tracker has no field "Titel"'),
        ("users: {nobody-has-this: t.weber}", 'the tracker has no "nobody-has-this"'),
        ("users_default: imprt", 'the tracker has no "imprt"'),
        ("types: {Fehler: Bug}", 'the tracker has no "Fehler"'),
        ("fields: {priority: {field: priority, options: {Burning: Highest}}}", 'the tracker has no "Burning"'),
    ],
)
def test_a_word_that_only_the_mapping_has_is_no_note_but_bad(pair: Pair, line: str, said: str) -> None:
    mapping = pair.folder / "globex" / "mapping.yaml"
    mapping.write_text(f"{mapping.read_text()}\n{line}\n")
    status, found, _ = pair.at_globex("check", "--json")
    assert status == ExitCode.CONFIG
    assert said in next(one for one in found if one["what"] == "rules")["problems"][0]["what"]
    assert said not in str(next(one for one in found if one["what"] == "rules")["notes"])


# ── what may not be entered, and what cannot be printed ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["check", "status", "import"])
def test_a_folder_that_may_not_be_entered_is_named_and_no_traceback(pair: Pair, verb: str) -> None:
    locked = pair.folder / "locked"
    locked.mkdir()
    text = pair.globex.read_text()
    for name in ("inbox", "quarantine"):
        text = text.replace(f"  {name}: {name}", f"  {name}: {locked}/{name}")
    assert text.count(str(locked)) == 2
    pair.globex.write_text(text)
    locked.chmod(0)
    done = as_nobody_special("-c", str(pair.globex), verb)
    assert done.returncode == ExitCode.DISK, done.stderr
    assert "Permission denied" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_may_not_be_reached_is_named(pair: Pair) -> None:
    (pair.folder / "globex").chmod(0)
    done = as_nobody_special("-c", str(pair.globex), "status")
    (pair.folder / "globex").chmod(0o700)
    assert done.returncode == ExitCode.DISK
    assert done.stderr.startswith("filesync: ")
    assert "globex" in done.stderr


def as_nobody_special(*words: str) -> subprocess.CompletedProcess[str]:
    """A call as an account to which rights apply: root's own are dropped."""
    drop = [need("setpriv"), "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*drop, sys.executable, "-m", "filesync.cli.main", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", [["issue", "list"], ["--help"], ["log"]])
def test_output_that_cannot_be_written_is_a_full_disk(pair: Pair, verb: list[str]) -> None:
    pair.at_acme(*ISSUE)
    pair.at_acme("export")
    command = [sys.executable, "-m", "filesync.cli.main", "-c", str(pair.acme), *verb]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == ExitCode.DISK
    assert done.stderr.startswith("filesync: no space on the disk of")
    assert len(done.stderr.splitlines()) == 2


def test_a_site_may_lie_in_a_folder_whose_name_is_not_utf8(tmp_path: Path, pair: Pair) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(pair.folder / "acme", folder)
    assert pair.filesync("-c", folder / "filesync.yaml", *ISSUE) == (ExitCode.DONE, "ABC-1\n", "")
