"""The operator's page: every command on it is typed, and must show and end as the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import ROOT, with_filesync

PAGE = (ROOT / "docs" / "first-day.md").read_text()
_TYPED = re.compile(r"(acme|globex|carrier)\$ (.*?)(?:    # ends with (\d+))?")


@dataclass
class Typed:
    """A command of the page. `shown`: its output, None where the page shows none, and then there may be none."""

    who: str
    command: str
    status: int
    shown: list[str]

    def pattern(self) -> str:
        """What the output must be; a line that is only … stands for any lines."""
        parts = [r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in self.shown]
        return "".join(parts)


def commands(page: str) -> Iterator[Typed]:
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        one: Typed | None = None
        for line in block.splitlines():
            if typed := _TYPED.fullmatch(line):
                if one is not None:
                    yield one
                one = Typed(typed[1], typed[2], int(typed[3] or 0), [])
            else:
                assert one is not None, f"output without a command: {line}"
                one.shown.append(line)
        if one is not None:
            yield one


def test_every_command_of_the_first_day_shows_and_ends_as_the_page_says(tmp_path: Path) -> None:
    environment = with_filesync(tmp_path)
    typed = list(commands(PAGE))
    assert len(typed) > 60
    for one in typed:
        done = subprocess.run(
            ["/bin/sh", "-c", one.command],
            cwd=tmp_path / ("" if one.who == "carrier" else one.who),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == one.status, f"{one.command}\n{done.stdout}"
        assert re.fullmatch(one.pattern(), done.stdout), f"{one.command}\nshould show\n{one.shown}\nand showed\n{done.stdout}"
    shown_words = re.findall(r"these six words", PAGE)
    assert len(shown_words) == 2


def test_the_lines_for_cron_are_lines_of_a_crontab_and_quiet_where_nothing_happens(paired: Path, tmp_path: Path) -> None:
    [block] = re.findall(r"^```cron\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    environment = with_filesync(tmp_path)
    for line in block.splitlines():
        found = re.fullmatch(r"(?:[*/0-9]+ ){4}[*/0-9]+  (.*)", line)
        assert found is not None, line
        assert " && /srv/filesync/.venv/bin/filesync " in found[1]  # cron has no PATH of ours
        done = subprocess.run(
            ["/bin/sh", "-c", found[1].replace("/srv/filesync/.venv/bin/", "").replace("/srv", str(paired))],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (ExitCode.NOTHING, b"", b"")


@pytest.mark.parametrize("status", re.findall(r"ends with (\d+)", PAGE))
def test_every_status_of_the_page_is_one(status: str) -> None:
    assert ExitCode(int(status)).name
