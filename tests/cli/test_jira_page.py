"""The set-up beside a Jira, of the README and docs/jira.md: every command is typed, and must show and end as the page says."""

from __future__ import annotations

import re
import subprocess
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
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    with JiraSite(DC10) as acme, JiraSite(CLOUD) as globex:
        sites = {"acme": acme, "globex": globex}
        for labels in ({"labels:trial": True}, {}):
            acme.person("t.weber").create({"type": "Bug", "summary": "Pump runs hot", **labels})
        steps = list(commands(STEPS))
        assert len(steps) > 15
        for one in steps:
            if one.command.startswith("cp "):  # between the token and the first check
                say_where(tmp_path, sites, trial=False)
            if one.command == "filesync export":
                say_where(tmp_path, sites, trial=True)
            token = sites[one.who].token if one.who in sites else ""
            status, told = type_it(one, tmp_path, environment, given=f"{token}\n")
            for name, site in sites.items():
                told = told.replace(site.url.removeprefix("http://"), URLS[name].removeprefix("https://"))
            assert_told(one, status, told)
        made = [issue for issue in globex.store.issues.values() if issue.values["summary"] == "Pump runs hot"]
        assert [issue.values["labels"] for issue in made] == [["trial"]]


def test_the_steps_of_the_readme_beside_a_jira_work_as_they_are_written(tmp_path: Path) -> None:
    part = README[README.index("## Beside a Jira") : README.index("## What filesync promises")]
    [block] = re.findall(r"^   ```sh\n(.*?)^   ```", part, re.MULTILINE | re.DOTALL)
    sample = ROOT / "samples" / "jira" / "dc-cloud"
    with JiraSite(DC10) as jira:
        steps = [
            "set -eu",
            block,
            f"sed -i 's|^    url: .*|    url: {jira.url}|' filesync.yaml",
            f"cp {sample}/contract.yaml {sample}/acme/mapping.yaml .",
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


def say_where(folder: Path, sites: dict[str, JiraSite], *, trial: bool) -> None:
    """Write the settings that the page shows into both configurations; acme's scope, too, when it says so."""
    blocks = re.findall(r"^```yaml\n(    url:.*?)^```", STEPS, re.MULTILINE | re.DOTALL)
    scope = re.search(r"`(scope: .*?)`", STEPS)
    assert scope is not None
    for (name, site), block in zip(sites.items(), blocks, strict=True):
        file = folder / name / "filesync.yaml"
        quick = "    requests_per_second: 1000\n"  # which the page does not say
        said = block.replace(URLS[name], site.url) + quick + (f"    {scope[1]}\n" if trial and name == "acme" else "")
        before = file.read_text()
        begins, ends = before.index("    url: "), before.index("\n    # ") + 1
        file.write_text(before[:begins] + said + before[ends:])
