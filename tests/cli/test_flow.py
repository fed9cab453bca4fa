"""What the documentation shows, and exporting and importing between two sites."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filesync.errors import ExitCode
from tests.cli.sites import ROOT, Pair, played, with_filesync

HOLD = """
import sys
from pathlib import Path
from filesync.cli.app import App
with App((Path(sys.argv[1]),)).site():
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


def test_the_demo_plays_its_story_to_the_end(tmp_path: Path) -> None:
    told = played("demo", tmp_path, counts="203 issues, 344 comments, 2 attachments, 28 worklogs, 17 links")
    assert "溢流阀在 250 bar 卡死" in told
    assert re.search(r"PUMP-161\t.*\tHigh\t.*\n.*\n?LINE-\d+\t.*\tHigh\t", told)
    assert re.search(r"warning: fs1_\S+_0000000004_\S+ cannot be taken", told)
    assert "holding 5" in told
    assert "Ask acme to run: filesync resend globex 4" in told
    assert "imported 4 from acme: 2 changes, 2 applied\nimported 5 from acme: 1 change, 1 applied\n" in told


def test_the_demo_ends_where_a_command_does_not_do_what_it_should(tmp_path: Path) -> None:
    environment = with_filesync(tmp_path)
    shim = tmp_path / "bin" / "filesync"
    shim.write_text(shim.read_text().replace("exec", '[ "$2" != load ] || exit 11\nexec'))
    root = tmp_path / "elsewhere"  # without a .venv, whose filesync would go before ours
    (root / "tools").mkdir(parents=True)
    for name in ("demo", "story"):
        shutil.copy(ROOT / "tools" / name, root / "tools")
    done = subprocess.run(
        [root / "tools" / "demo", tmp_path / "demo"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.endswith("The demo stops: this ended with 11 instead of 0.\n")


def test_trackers_that_differ_are_not_called_equal(pair: Pair) -> None:
    def compared() -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, ROOT / "tools" / "equal.py", pair.acme, pair.globex],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()

    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump runs hot")
    status, lines = compared()
    assert (status, lines[0], lines[-1]) == (1, "ABC-1 is at one site alone", "1 difference")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    assert compared()[0] == 0
    pair.at_globex("issue", "edit", "ABC-1", "--field", "priority=Low", "--field", "environment=bench")
    status, lines = compared()
    assert (status, lines[0]) == (1, "ABC-1 and ABC-1 differ in environment, priority")


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
    assert pair.at_globex("-q", "import") == (ExitCode.WORK_LEFT, "", "")  # within the grace it may still come
    status, _, err = pair.at_globex("import")
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
    assert "a way out, once that is settled: filesync unpair main, on both sides, then pair again" in out


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
