"""What `make jira-demo` shows, and the two Jiras that it is played with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.sites import ROOT, played
from tests.support.jira.filling import ToldClock, fill_jira
from tests.support.jira.site import CLOUD, DC10, Flavour, JiraSite
from tests.support.jira.stage import COUNT, People, answer

SAMPLES = ROOT / "samples" / "acme-issues.yaml"


def test_the_demo_of_two_jiras_plays_its_story_to_the_end(tmp_path: Path) -> None:
    counts = "32 issues, 68 comments, 1 attachment, 0 worklogs, 7 links"
    told = played("jira-demo", tmp_path, counts=counts, met="urgency", winner="globex")
    assert "warning: " not in told
    assert told.count("Field Report, Analysis, priority P1\n") == told.count("Störung, In Arbeit, priority Sofort\n") == 1
    assert told.count("attached: spectrum.csv (24 bytes)") == 2
    assert "_ليلى حداد, " in told
    assert re.search(r"\nXYZ-\d+  Тактовая .*\n  Änderung, Erledigt, ", told)
    assert re.search(r"cannot do POST rest/api/2/issue/\d+/comment now \(503, .*\) and asks us to wait 120 s\n", told)
    assert len(re.findall(r"^\d+ requests that read, 0 that write$", told, re.MULTILINE)) == 2


def test_the_jiras_of_the_demo_need_nothing_that_only_tests_need() -> None:
    named = "import sys, tests.support.jira.stage; sys.exit(bool(sys.modules.keys() & {'pytest', 'hypothesis', 'jira'}))"
    subprocess.run([sys.executable, "-c", named], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)


@pytest.mark.parametrize("flavour", [DC10, CLOUD], ids=lambda flavour: flavour.name)
def test_people_work_in_a_jira_that_the_samples_fill(flavour: Flavour) -> None:
    clock = ToldClock()
    with JiraSite(flavour, clock=clock) as site:
        assert fill_jira(site, clock, SAMPLES, count=COUNT) == COUNT
        people = {"acme": People(site, "ABC")}

        def typed(*words: str) -> str:
            status, text = answer(people, ["acme", *words])
            assert status == 0, text
            return text

        assert typed("find", "1,180") == "ABC-35\tIn Progress\t1,180 rpm 付近で軸受の共振音がする\n"
        done: list[tuple[str, ...]] = [
            ("edit", "ABC-35", "priority=Low", "--as", "h.tanaka"),
            ("comment", "ABC-35", "two\nlines", "--as", "t.weber"),
            ("transition", "ABC-35", "In Review", "Done"),
            ("attach", "ABC-35", "A.txt", "lines"),
            ("link", "ABC-35", "Blocks", "ABC-1"),
        ]
        for words in done:
            assert typed(*words) == ""
        shown = typed("show", "ABC-35")
        assert (
            "\n  Bug, Done, priority Low\n  blocks ABC-1\n  attached: A.txt (5 bytes)\n  2026-02-02T14:43 Tobias Weber: "
            in shown
        )
        assert shown.endswith(" Tobias Weber: two lines\n")
        assert "\n  is blocked by ABC-35\n" in typed("show", "ABC-1")
        assert typed("requests") == "0 requests that read, 0 that write\n"
        for wrong in (("fly",), ("show", "ABC-99"), ("edit",), ("transition", "ABC-35", "In Review")):
            assert answer(people, ["acme", *wrong])[0] == 1
