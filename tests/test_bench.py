"""Every benchmark runs, at a size that says nothing about speed, and prints its figure with what it is held against."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import OUT, SCRIPTS
from benchmarks.figure import Figure, Mark
from tests.support.programs import need

ROOT = Path(__file__).parent.parent
HELD = {  # what each must print
    "export": ["export: ", "the same bytes without filesync: ", "mark >= 0.3: "],
    "import": ["import: ", "the same bytes without filesync: ", "mark >= 0.35: "],
    "change": ["change: ", "mark <= 20: ", "change, rows: ", "mark <= 50: held"],
    "inbox": ["inbox: ", "mark <= 1: ", "inbox, opened: 0 files  |  mark <= 0: held"],
    "latency": ["latency, p50: ", "latency, p99: "],
    "status": ["status: ", "mark <= 0.25: "],
    "attachment": ["attachment, out: ", "attachment, in: ", "mark >= 0.6: ", "attachment, memory: ", "mark <= 200: held"],
    "jira": [
        "Jira Data Center, first export: ",
        "Jira Data Center, a poll that finds nothing: 2 requests  |  mark <= 2: held",
        "Jira Data Center, one changed issue: 3 requests  |  mark <= 4: held",
        "Jira Cloud, first export: ",
        "Jira Cloud, a poll that finds nothing: 2 requests  |  mark <= 2: held",
        "Jira Cloud, one changed issue: 3 requests  |  mark <= 4: held",
        "mark <= 6: held",
        "mark >= 0.75: ",
    ],
    "peers": ["peers, filesync: ", "peers, git: "],
}
QUICK = {"change", "inbox", "status"}


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.prove) for name in SCRIPTS])
def test_a_benchmark_prints_its_figures_and_keeps_them(name: str) -> None:
    if name == "peers":
        need("git")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--small"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for words in HELD[name]:
        assert words in done.stdout
    assert (OUT / f"{name}-small.json").is_file()


def test_what_is_not_reached_is_called_missed() -> None:
    reached = Figure(
        name="a", what="b", value=31, unit="records/s", peer="bare", peer_value=100, mark=Mark(limit=0.3, at_least=True)
    )
    assert "ratio 0.31  |  mark >= 0.3: held" in reached.line()
    short = Figure(
        name="a", what="b", value=29, unit="records/s", peer="bare", peer_value=100, mark=Mark(limit=0.3, at_least=True)
    )
    assert "ratio 0.29  |  mark >= 0.3: MISSED" in short.line()
    assert "mark <= 20: MISSED" in Figure(name="a", what="b", value=21, unit="ms", mark=Mark(limit=20)).line()


def test_a_benchmark_that_is_not_there_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no speed; there are export, import" in done.stderr
