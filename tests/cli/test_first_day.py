"""The operator's page: every command on it is typed, and must show and end as the page says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.pages import assert_told, commands, type_it
from tests.cli.sites import ROOT, Pair, with_filesync

PAGE = (ROOT / "docs" / "first-day.md").read_text()


def test_every_command_of_the_first_day_shows_and_ends_as_the_page_says(tmp_path: Path) -> None:
    environment = with_filesync(tmp_path)
    typed = list(commands(PAGE))
    assert len(typed) > 60
    for one in typed:
        assert_told(one, *type_it(one, tmp_path, environment))
    shown_words = re.findall(r"these six words", PAGE)
    assert len(shown_words) == 2


def test_the_lines_for_cron_are_lines_of_a_crontab_and_quiet_where_nothing_happens(pair: Pair, tmp_path: Path) -> None:
    [block] = re.findall(r"^```cron\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    environment = with_filesync(tmp_path)
    for line in block.splitlines():
        found = re.fullmatch(r"(?:[*/0-9]+ ){4}[*/0-9]+  (.*)", line)
        assert found is not None, line
        assert " && /srv/filesync/.venv/bin/filesync " in found[1]  # cron has no PATH of ours
        done = subprocess.run(
            ["/bin/sh", "-c", found[1].replace("/srv/filesync/.venv/bin/", "").replace("/srv", str(pair.folder))],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (ExitCode.NOTHING, b"", b"")


@pytest.mark.parametrize("status", re.findall(r"ends with (\d+)", PAGE))
def test_every_status_of_the_page_is_one(status: str) -> None:
    assert ExitCode(int(status)).name
