"""Two sites, driven as people drive them: the README's steps, the demo, and what each verb says on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filesync.cli.main import run
from filesync.errors import ExitCode
from filesync.ledger.journal import Entry, add_entries
from filesync.ledger.ledger import Ledger

ROOT = Path(__file__).parents[2]

HOLD = """
import sys
from pathlib import Path
from filesync.cli.app import App
with App(Path(sys.argv[1])).site():
    print("in", flush=True)
    sys.stdin.read()
"""

Filesync = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def filesync(capsys: pytest.CaptureFixture[str]) -> Filesync:
    """Calls the command line: the status, what it printed (decoded where --json was asked for), what it said on stderr."""

    def call(*words: str | Path) -> tuple[int, Any, str]:
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and out else out, err

    return call


@dataclass(frozen=True)
class Pair:
    """acme and globex, paired."""

    folder: Path
    filesync: Filesync

    @property
    def acme(self) -> Path:
        return self.folder / "acme" / "filesync.yaml"

    @property
    def globex(self) -> Path:
        return self.folder / "globex" / "filesync.yaml"

    def at_acme(self, *words: str | Path) -> tuple[int, Any, str]:
        return self.filesync("-c", self.acme, *words)

    def at_globex(self, *words: str | Path) -> tuple[int, Any, str]:
        return self.filesync("-c", self.globex, *words)

    def sent(self) -> list[Path]:
        return sorted((self.folder / "acme" / "outbox").iterdir())

    def deliver(self, *files: Path) -> None:
        for file in files:
            shutil.copy(file, self.folder / "globex" / "inbox")


@pytest.fixture(scope="session")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites that are paired, made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("paired")
    steps = [
        "filesync init acme --name acme",
        "filesync init globex --name globex",
        "filesync -c acme/filesync.yaml pair export > acme.json",
        "filesync -c globex/filesync.yaml pair export > globex.json",
        "filesync -c acme/filesync.yaml pair accept --json globex.json > words-acme.json",
        "filesync -c globex/filesync.yaml pair accept --json acme.json > words-globex.json",
    ]
    subprocess.run(["/bin/sh", "-eu", "-c", "\n".join(steps)], cwd=folder, env=with_filesync(folder), check=True)
    return folder


@pytest.fixture
def pair(paired: Path, tmp_path: Path, filesync: Filesync) -> Pair:
    return Pair(shutil.copytree(paired, tmp_path / "pair"), filesync)


def with_filesync(folder: Path) -> dict[str, str]:
    """An environment whose `filesync` is the one under test."""
    shim = folder / "bin" / "filesync"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m filesync.cli.main "$@"\n')
    shim.chmod(0o755)
    return os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


# ── what the documentation shows ────────────────────────────────────────────────────────────────────────────────


def test_the_steps_of_the_readme_work_as_they_are_written(tmp_path: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    steps = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert len(steps) > 15
    done = subprocess.run(
        ["/bin/sh", "-eux", "-c", "\n".join(steps)],
        cwd=tmp_path,
        env=with_filesync(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 good, 0 bad" in done.stdout
    assert "A new bearing is on its way." in done.stdout


def test_the_demo_shows_an_exchange_a_conflict_and_a_lost_file(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run(
        [ROOT / "tools" / "demo", folder],
        env=with_filesync(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout
    assert len(set(re.findall(r"six words:\n\n    (.*)\n", done.stdout))) == 1
    assert "acme's value stands" in done.stdout
    assert "Missing bundle 3 from acme (have 2, holding 4" in done.stdout
    assert "imported 4 from acme" in done.stdout


# ── init ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_site_has_what_init_promises(tmp_path: Path, filesync: Filesync) -> None:
    status, out, _ = filesync("init", tmp_path / "acme", "--name", "acme")
    assert status == ExitCode.DONE
    assert str(tmp_path / "acme" / "filesync.yaml") in out
    for folder in ("outbox", "inbox", "archive", "store", "quarantine", "state", "guard"):
        assert (tmp_path / "acme" / folder).is_dir()
    assert (tmp_path / "acme" / "keys" / "allowed_signers").read_text().startswith("acme ")
    assert (tmp_path / "acme" / "keys" / "signing").stat().st_mode & 0o077 == 0
    assert "# " in (tmp_path / "acme" / "filesync.yaml").read_text()


def test_init_overwrites_nothing(tmp_path: Path, filesync: Filesync) -> None:
    filesync("init", tmp_path / "acme", "--name", "acme")
    before = {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*") if path.is_file()}
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme")
    assert status == ExitCode.CONFIG
    assert "already" in err
    assert {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*") if path.is_file()} == before


def test_init_refuses_a_name_that_is_none(tmp_path: Path, filesync: Filesync) -> None:
    status, _, err = filesync("init", tmp_path / "x", "--name", "Acme Ltd.")
    assert status == ExitCode.CONFIG
    assert "name" in err


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


# ── export and import ───────────────────────────────────────────────────────────────────────────────────────────


def test_f14_nothing_to_do_says_nothing_unless_it_was_asked_to(pair: Pair) -> None:
    for verb, words in (("export", "nothing to send"), ("import", "nothing arrived")):
        assert pair.at_acme(verb) == (ExitCode.NOTHING, "", "")
        assert pair.at_acme("-v", verb) == (ExitCode.NOTHING, f"{words}\n", "")
        assert pair.at_acme(verb, "-v") == (ExitCode.NOTHING, f"{words}\n", "")
    assert pair.sent() == []


def test_what_happened_is_told_and_as_json_in_full(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump runs hot")
    status, told, _ = pair.at_acme("export", "--json")
    assert status == ExitCode.DONE
    assert told["main"]["bundles"] == 1
    assert told["main"]["events"][0]["event"] == "Exported"
    pair.deliver(*pair.sent())
    status, told, _ = pair.at_globex("import", "--json")
    assert status == ExitCode.DONE
    counts = {name: told["main"][name] for name in ("read", "applied", "skipped", "refused", "waiting")}
    assert counts == {"read": 1, "applied": 1, "skipped": 0, "refused": 0, "waiting": 0}


def test_quiet_says_only_what_needs_a_person(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump runs hot")
    assert pair.at_acme("-q", "export") == (ExitCode.DONE, "", "")


def test_f4_f5_a_gap_is_named_in_every_place_and_resend_mends_it(pair: Pair) -> None:
    for n in range(3):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", f"Bug {n}")
        pair.at_acme("export")
    first, lost, third = pair.sent()
    pair.deliver(first, third)
    status, _, err = pair.at_globex("-q", "import")
    assert status == ExitCode.WORK_LEFT
    assert "warning: Missing bundle 2 from acme (have 1, holding 3" in err
    status, told, _ = pair.at_globex("status", "--json")
    assert status == ExitCode.WORK_LEFT
    receiving = told["exchanges"][0]["receiving"]
    assert (receiving["position"], receiving["held"], receiving["missing"]) == (1, [3], [[2, 2]])
    assert "1 applied, holding 3, waiting for 2" in pair.at_globex("status")[1]
    lost.unlink()
    assert pair.at_acme("resend", "globex", "2")[0] == ExitCode.DONE
    pair.deliver(lost)
    assert pair.at_globex("import")[0] == ExitCode.DONE
    assert pair.at_globex("status")[0] == ExitCode.DONE
    assert len(pair.at_globex("issue", "list", "--json")[1]) == 3


def test_f4_what_comes_in_one_go_is_applied_in_order_whatever_it_is_called(pair: Pair) -> None:
    for n in range(3):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", f"Bug {n}")
        pair.at_acme("export")
    for name, file in zip(("c.tar", "b.tar", "a.tar"), pair.sent(), strict=True):
        shutil.copy(file, pair.folder / "globex" / "inbox" / name)
    status, told, _ = pair.at_globex("import", "--json")
    assert (status, told["main"]["bundles"]) == (ExitCode.DONE, 3)


def test_three_in_their_order_in_one_go_are_all_applied(pair: Pair) -> None:
    for n in range(3):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", f"Bug {n}")
        pair.at_acme("export")
    pair.deliver(*pair.sent())
    status, told, _ = pair.at_globex("import", "--json")
    assert (status, told["main"]["bundles"]) == (ExitCode.DONE, 3)


def test_resend_of_what_was_never_sent_is_told(pair: Pair) -> None:
    status, _, err = pair.at_acme("resend", "globex", "7")
    assert status == ExitCode.CONFIG
    assert "bundle 7" in err


def test_f34_a_file_that_is_no_bundle_ends_with_the_partners_status(pair: Pair) -> None:
    text = pair.globex.read_text()
    pair.globex.write_text(text.replace("settle: 10m", "settle: 0s"))
    (pair.folder / "globex" / "inbox" / "fs1_x.tar").write_text("Your attachment was removed\n" * 40)
    status, _, err = pair.at_globex("import")
    assert status == ExitCode.PARTNER
    assert "NOT_A_BUNDLE" in err
    assert "1 in quarantine" in pair.at_globex("status")[1]


def test_f3_a_fork_stops_the_stream_and_says_so_until_it_is_settled(pair: Pair, tmp_path: Path) -> None:
    shutil.copytree(pair.folder / "acme", tmp_path / "clone")
    for config, word in ((pair.acme, "one"), (tmp_path / "clone" / "filesync.yaml", "other")):
        pair.filesync("-c", config, "issue", "create", "--type", "Bug", "--summary", word)
        pair.filesync("-c", config, "export")
    pair.deliver(*pair.sent(), *(tmp_path / "clone" / "outbox").iterdir())
    status, _, err = pair.at_globex("import")
    assert status == ExitCode.STOPPED
    assert "FORK" in err
    status, _, err = pair.at_globex("import")
    assert status == ExitCode.STOPPED
    status, out, _ = pair.at_globex("status")
    assert status == ExitCode.STOPPED
    assert "STOPPED since" in out


def test_f53_a_second_run_on_the_site_is_told_who_works_there(pair: Pair) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            str(pair.acme),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"in\n"
        status, _, err = pair.at_acme("export")
        assert status == ExitCode.LOCKED
        assert f"pid {holder.pid}" in err
        for verb in ("status", "log", "conflicts", "check"):  # only looking needs no lock
            assert pair.at_acme(verb)[0] == ExitCode.DONE


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f116_both_values_of_a_conflict_are_shown(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    pair.at_globex("issue", "edit", "ABC-1", "--field", "summary=Bearing too hot")
    pair.at_acme("export")
    pair.at_globex("export")
    pair.deliver(pair.sent()[-1])
    assert "acme's value stands" in pair.at_globex("import")[1]
    [one] = pair.at_globex("conflicts", "--json")[1]
    assert (one["ours"], one["theirs"], one["winner"]) == ("Bearing too hot", "Pump overheats", "acme")
    out = pair.at_globex("conflicts")[1]
    assert "ours:   Bearing too hot\n    theirs: Pump overheats" in out


def test_the_log_tells_every_event_again(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "A secret summary")
    told = pair.at_acme("export")[1].strip()
    out = pair.at_acme("log")[1]
    assert told in out
    assert "secret" not in out
    [entry] = pair.at_acme("log", "--json", "-n", "1")[1]
    assert (entry["event"], entry["exchange"], entry["sentence"]) == ("Exported", "main", told)


def test_an_event_of_another_version_is_shown_as_it_is(pair: Pair) -> None:
    entry = Entry(exchange="main", at=0, severity="warning", kind="Bygone", detail=b'{"event":"Bygone","file":"x\\u001b"}')
    ledger = Ledger.open(pair.folder / "acme" / "state" / "ledger.db")
    with ledger.begin() as conn:
        add_entries(conn, [entry])
    ledger.close()
    status, out, _ = pair.at_acme("log")
    assert status == ExitCode.DONE
    assert out.startswith('1970-01-01 00:00:00Z  main  warning: Bygone: {"event":"Bygone"')


def test_our_own_outgoing_bundle_can_be_shown(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump runs hot")
    pair.at_acme("export")
    status, out, _ = pair.at_acme("show", "--changes", pair.sent()[0])
    assert status == ExitCode.DONE
    assert "summary: Pump runs hot" in out
    assert "encrypted   yes" in out


def test_without_encryption_everybody_is_told_that_it_is_so(pair: Pair) -> None:
    pair.at_acme("pair", "accept", "--no-encrypt", pair.folder / "globex.json")
    assert "signed, not encrypted" in pair.at_acme("status")[1]
    assert "signed, not encrypted" in pair.at_acme("check")[1]


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


def test_what_the_tracker_has_no_place_for_is_a_note(pair: Pair) -> None:
    contract = pair.folder / "acme" / "contract.yaml"
    contract.write_text(re.sub(r"^(fields:.*)$", r"\1\n  flavour: {kind: text}", contract.read_text(), flags=re.MULTILINE))
    status, out, _ = pair.at_acme("check")
    assert status == ExitCode.DONE
    assert 'note: flavour: the tracker has no field "flavour"' in out


# ── stuck ───────────────────────────────────────────────────────────────────────────────────────────────────────

# globex's word for the highest priority is one that its tracker does not have
WRONG_WORD = "\nfields: {priority: {field: priority, options: {Burning: Highest}}}\n"


@pytest.fixture
def refusing(pair: Pair) -> Pair:
    """globex refused to raise a priority, and a later edit waits behind that."""
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    mapping = pair.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + WRONG_WORD)
    pair.at_acme("issue", "edit", "ABC-1", "--field", "priority=Highest")
    pair.at_acme("export")
    pair.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    pair.at_acme("export")
    pair.deliver(*pair.sent()[1:])
    return pair


MARK = "0001.0000000002.000001"


def test_f112_what_is_refused_is_listed_with_its_reason_and_what_waits_behind(refusing: Pair) -> None:
    status, _, err = refusing.at_globex("import")
    assert status == ExitCode.WORK_LEFT
    assert f"filesync stuck retry {MARK}" in err
    [one] = refusing.at_globex("stuck", "list", "--json")[1]
    assert (one["mark"], one["behind"]) == (MARK, 1)
    assert "priority" in one["reason"]
    out = refusing.at_globex("stuck", "list")[1]
    assert f"{MARK}  main  set " in out
    assert "1 later changes of it wait" in out
    assert "1 changes are stuck; see: filesync stuck list" in refusing.at_globex("status")[1]


def test_a_retry_after_the_cause_is_mended_applies_it_and_what_waited(refusing: Pair) -> None:
    refusing.at_globex("import")
    assert refusing.at_globex("stuck", "retry", MARK)[0] == ExitCode.WORK_LEFT
    mapping = refusing.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace(WRONG_WORD, ""))
    status, out, _ = refusing.at_globex("stuck", "retry")
    assert status == ExitCode.DONE
    assert "2 applied, 0 needed nothing, 0 refused again" in out
    shown = refusing.at_globex("issue", "show", "ABC-1")[1]
    assert "Highest" in shown
    assert "Pump overheats" in shown
    assert refusing.at_globex("stuck", "list") == (ExitCode.DONE, "", "")


def test_a_skip_needs_a_reason_and_lets_the_rest_go_on(refusing: Pair) -> None:
    refusing.at_globex("import")
    assert refusing.at_globex("stuck", "skip", MARK)[0] == ExitCode.USAGE
    assert refusing.at_globex("stuck", "skip", MARK, "--reason", "we do not burn")[0] == ExitCode.DONE
    assert "Pump overheats" in refusing.at_globex("issue", "list")[1]
    assert "we do not burn" in refusing.at_globex("log")[1]
    assert refusing.at_globex("status")[0] == ExitCode.DONE


def test_what_is_not_stuck_cannot_be_retried_or_skipped(pair: Pair) -> None:
    for call in (["retry", MARK], ["skip", MARK, "--reason", "x"]):
        status, _, err = pair.at_acme("stuck", *call)
        assert status == ExitCode.REJECTED
        assert "is not stuck" in err
