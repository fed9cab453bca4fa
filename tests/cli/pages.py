"""Pages whose commands a test types: `acme$ COMMAND    # ends with STATUS`, and what it shows in the lines below."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from filesync.cli.main import run

_TYPED = re.compile(r"(acme|globex|carrier)\$ (.*?)(?:    # ends with (\d+))?")
_SIMPLE = re.compile(r"filesync ([^|&;<>$*()~`]*?)(?: > ([\w./-]+))?")


class Output(io.TextIOWrapper):
    """A standard output or error that keeps what is written there."""

    buffer: io.BytesIO

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def bytes(self) -> bytes:
        return self.buffer.getvalue()


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


def type_it(one: Typed, folder: Path, environment: Mapping[str, str], *, given: str = "") -> tuple[int, str]:
    """Carry out a command in a folder with two sites, `given` on its standard input; answers the status and what it shows.

    What needs no shell is called without a new process: starting one takes most of the time.
    """
    place = folder if one.who == "carrier" else folder / one.who
    if simple := _SIMPLE.fullmatch(one.command):
        told, saved = Output(), Output()
        with chdir(place), redirect_stdout(saved if simple[2] else told), redirect_stderr(told):
            status = run(shlex.split(simple[1]))
        if simple[2]:
            (place / simple[2]).write_bytes(saved.bytes())
        return status, told.bytes().decode()
    done = subprocess.run(
        ["/bin/sh", "-c", one.command],
        cwd=place,
        env=environment,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def assert_told(one: Typed, status: int, told: str) -> None:
    """It ended as the page says, and showed what the page shows."""
    assert status == one.status, f"{one.command}\n{told}"
    assert re.fullmatch(one.pattern(), told), f"{one.command}\nshould show\n{one.shown}\nand showed\n{told}"
