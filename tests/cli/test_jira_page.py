"""The set-up beside a Jira, of the README and docs/jira.md: every command is typed, and must show and end as the page says."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

from tests.cli.pages import assert_told, commands, type_it
from tests.cli.sites import ROOT, with_filesync
from tests.support.jira.site import CLOUD, DC10, JiraSite

PAGE = (ROOT / "docs" / "jira.md").read_text()
README = (ROOT / "README.md").read_text()
STEPS = PAGE[PAGE.index("## Setting up") : PAGE.index("## Settings")]
URLS = {"acme": "https://jira.acme.example", "globex": "https://globex.atlassian.net"}


def test_the_steps_of_the_jira_page_work_as_they_are_written(tmp_path: Path) -> None:
    environment = with_filesync(tmp_path)
    with JiraSite(DC10) as acme, JiraSite(CLOUD) as globex:
        sites = {"acme": acme, "globex": globex}
        for labels in ({"labels:trial": True}, {}):
            acme.person("t.weber").create({"type": "Bug", "summary": "Pump runs hot", **labels})
        steps = list(commands(STEPS))
        assert len(steps) > 12
        for one in steps:
            if one.command == "filesync export":
                set_scope(tmp_path / "acme" / "filesync.yaml")
            token = next((site.token for name, site in sites.items() if one.command.endswith(f"> {name}.token)")), "")
            command = one.command
            for name, site in sites.items():
                command = command.replace(URLS[name], site.url)
            status, told = type_it(replace(one, command=command), tmp_path, environment, given=f"{token}\n")
            for name, site in sites.items():
                told = told.replace(site.url.removeprefix("http://"), URLS[name].removeprefix("https://"))
            assert_told(one, status, told)
            if "filesync init" in command:
                hurry(tmp_path / command.split()[2] / "filesync.yaml")
        made = [issue for issue in globex.store.issues.values() if issue.values["summary"] == "Pump runs hot"]
        assert [issue.values["labels"] for issue in made] == [["trial"]]


def test_the_steps_of_the_readme_beside_a_jira_work_as_they_are_written(tmp_path: Path) -> None:
    part = README[README.index("## Beside a Jira") : README.index("## What filesync promises")]
    [block] = re.findall(r"^   ```sh\n(.*?)^   ```", part, re.MULTILINE | re.DOTALL)
    with JiraSite(DC10) as jira:
        steps = [
            "set -eu",
            block.replace("https://jira.example.org", jira.url),
            "filesync check || [ $? -eq 6 ]",
        ]
        done = subprocess.run(
            ["/bin/sh", "-c", "\n".join(steps)],
            cwd=tmp_path,
            env=with_filesync(tmp_path),
            input=f"{jira.token}\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"\nok   tracker: Jira at {jira.url.removeprefix('http://')}, project ABC\n" in done.stdout
    assert re.findall(r"^BAD  (.*)", done.stdout, re.MULTILINE) == ["exchanges"]


def hurry(file: Path) -> None:
    """Ask more often than the page says."""
    file.write_text(file.read_text().replace("\n    url: ", "\n    requests_per_second: 1000\n    url: "))


def set_scope(file: Path) -> None:
    """Write the scope that the page shows into the settings."""
    scope = re.search(r"`(scope: .*?)`", STEPS)
    assert scope is not None
    file.write_text(file.read_text().replace("\n    url: ", f"\n    {scope[1]}\n    url: "))
