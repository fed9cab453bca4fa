"""What the documentation shows, and exporting and importing between two sites."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filesync.errors import ExitCode
from tests.cli.sites import ROOT, Pair, with_filesync

HOLD = """
import sys
from pathlib import Path
from filesync.cli.app import App
with App(Path(sys.argv[1])).site():
    print("in", flush=True)
    sys.stdin.read()
"""


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
