"""Writes into the README what the code says of itself: the help of every verb, and the exit codes. `--check` only compares."""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from filesync import errors
from filesync.cli.main import cli

README = Path(__file__).parent.parent / "README.md"
WIDTH = 110  # columns; click would otherwise ask the terminal


def verbs(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below this one with the words that call it, groups before what they hold."""
    yield words, command
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from verbs(found, (*words, name))


def help_of(words: tuple[str, ...], command: click.Command) -> str:
    """What `filesync WORDS --help` prints, for a terminal of `WIDTH` columns."""
    settings = {**command.context_settings, "help_option_names": ["-h", "--help"]}
    ctx = click.Context(
        command, info_name=" ".join(("filesync", *words)), max_content_width=WIDTH, terminal_width=WIDTH, **settings
    )
    return "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())


def help_section() -> str:
    """The help of every verb, one after the other."""
    return "\n\n".join(
        f"```text\n$ filesync {' '.join((*words, '--help'))}\n{help_of(words, c)}\n```" for words, c in verbs(cli)
    )


def exit_codes() -> str:
    """The table of exit codes: names and values of `ExitCode`, and the comment beside each."""
    source = Path(errors.__file__).read_text()
    found = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == errors.ExitCode.__name__)
    lines = source.splitlines()[found.lineno - 1 : found.end_lineno]
    rows = re.findall(r"^ +([A-Z_]+) = ([0-9]+)  # (.+)$", "\n".join(lines), re.MULTILINE)
    assert [int(row[1]) for row in rows] == list(errors.ExitCode), "every exit code needs its comment, on its line"
    return "\n".join(
        ["| Status | Name | Meaning |", "|---|---|---|", *(f"| {code} | {name} | {what} |" for name, code, what in rows)]
    )


SECTIONS: dict[str, Callable[[], str]] = {"help": help_section, "exit codes": exit_codes}


def filled(page: str) -> str:
    """The page with every section between its markers made anew."""
    for name, make in SECTIONS.items():
        begin, end = f"<!-- begin: {name} (make format writes this) -->\n", f"<!-- end: {name} -->"
        head, _, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        assert closed, f"the README has lost its markers of {name!r}"
        page = f"{head}{begin}{make()}\n{end}{tail}"
    return page


def main() -> int:
    """Write the sections, or with `--check` say how they differ."""
    page = README.read_text()
    wanted = filled(page)
    if "--check" not in sys.argv:
        README.write_text(wanted)
        return 0
    differences = list(
        difflib.unified_diff(page.splitlines(), wanted.splitlines(), "README.md", "what the code says", lineterm="")
    )
    print("\n".join(differences) or "The README says what the code says.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
