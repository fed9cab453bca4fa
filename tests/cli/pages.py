"""Pages whose commands a test types: `acme$ COMMAND    # ends with STATUS`, and what it shows in the lines below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
