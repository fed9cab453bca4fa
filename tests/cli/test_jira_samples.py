"""The sample configurations for Jira: each is one that `filesync check` has nothing against, beside a Jira."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from filesync.config import load_config
from filesync.errors import ExitCode
from tests.cli.sites import ROOT, Filesync
from tests.support.jira.site import CLOUD, DC10, JiraSite

SAMPLES = ROOT / "samples" / "jira"
SIDES = sorted(file.parent for file in SAMPLES.glob("*/*/filesync.yaml"))
FLAVOURS = {"jira-dc": DC10, "jira-cloud": CLOUD}


def test_there_are_samples_of_both_sides_of_every_pair() -> None:
    kinds = {
        pair.name: [load_config(pair / name / "filesync.yaml").tracker.kind for name in ("acme", "globex")]
        for pair in SAMPLES.iterdir()
    }
    assert kinds == {
        "cloud-cloud": ["jira-cloud", "jira-cloud"],
        "dc-cloud": ["jira-dc", "jira-cloud"],
        "dc-dc": ["jira-dc", "jira-dc"],
        "dc-embedded": ["jira-dc", "embedded"],
    }


@pytest.mark.parametrize("side", SIDES, ids=lambda side: f"{side.parent.name} {side.name}")
def test_check_has_nothing_against_a_sample(side: Path, tmp_path: Path, filesync: Filesync) -> None:
    config = load_config(side / "filesync.yaml")
    kind, project = config.tracker.kind, config.tracker.project
    site = tmp_path / side.name
    status, _, err = filesync("init", site, "--name", side.name, "--tracker", kind, "--project", project)
    assert status == ExitCode.DONE, err
    shutil.copy(side.parent / "contract.yaml", site)
    (site / "mapping.yaml").unlink()
    if (side / "mapping.yaml").exists():
        shutil.copy(side / "mapping.yaml", site)
    own = re.search(r"(?m)^  id: \S+", (site / "filesync.yaml").read_text())
    assert own is not None
    text = re.sub(r"(?m)^  id: \S+", own[0], (side / "filesync.yaml").read_text())
    with ExitStack() as stack:
        if kind in FLAVOURS:
            jira = stack.enter_context(JiraSite(FLAVOURS[kind]))
            text = re.sub(r"(?m)^    url: \S+", f"    url: {jira.url}", text)
            (site / "keys" / "jira-token").touch(mode=0o600)
            (site / "keys" / "jira-token").write_text(jira.token)
        (site / "filesync.yaml").write_text(text)
        _, found, _ = filesync("-c", site / "filesync.yaml", "check", "--json")
    told = {one["what"]: (one["notes"], one["problems"]) for one in found}
    assert [problem["what"] for problem in told.pop("exchanges")[1]] == ["paired with nobody yet"]
    assert told == {what: ([], []) for what in told}
